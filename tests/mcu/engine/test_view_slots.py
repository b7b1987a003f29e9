from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    Slot,
    SpeakerSlot,
)
from mcu.engine.view_slots import SWITCH_AFTER_S, Binding, Room, SlotResolver

PEOPLE = ("a", "b", "c", "d")


def room(
    speakers: Sequence[str] = (),
    *,
    present: Sequence[str] = PEOPLE,
    presenter: str | None = None,
    blind: Sequence[str] = (),
) -> Room:
    return Room(speakers, present, presenter, lambda who: who in present and who not in blind)


def shown(bindings: Sequence[Binding | None]) -> list[str | None]:
    return [None if one is None else one.participant for one in bindings]


def test_fixed_places_presentation_and_nothing() -> None:
    slots: tuple[Slot, ...] = (ParticipantSlot("c"), PresentationSlot(), EmptySlot())
    found = SlotResolver().resolve(slots, (9, 9, 9), room(presenter="d"), 0.0)
    assert found == (Binding("c"), Binding("d", "presentation"), None)
    found = SlotResolver().resolve(slots, (9, 9, 9), room(), 0.0)
    assert found == (Binding("c"), None, None)


def test_speakers_by_rank_without_repeating_anybody() -> None:
    slots = (SpeakerSlot(1), SpeakerSlot(2), ParticipantSlot("a"))
    found = SlotResolver().resolve(slots, (9, 9, 9), room(["a", "b", "c"]), 0.0)
    assert shown(found) == ["b", "c", "a"]


def test_the_large_slot_takes_a_speaker_out_of_a_small_one() -> None:
    slots = (SpeakerSlot(1), ParticipantSlot("a"), ParticipantSlot("b"))
    found = SlotResolver().resolve(slots, (9, 1, 1), room(["b"]), 0.0)
    assert shown(found) == ["b", "a", "b"]


def test_a_new_speaker_waits_a_moment_and_a_cough_is_forgotten() -> None:
    resolver, slots = SlotResolver(), (SpeakerSlot(1),)

    def at(now: float, *speakers: str) -> str | None:
        return shown(resolver.resolve(slots, (9,), room(speakers), now))[0]

    assert at(0.0, "a") == "a"
    assert at(1.0, "b", "a") == "a"
    assert at(1.5, "a", "b") == "a"
    assert at(2.0, "b", "a") == "a"
    assert at(2.0 + SWITCH_AFTER_S - 0.01, "b", "a") == "a"
    assert at(2.0 + SWITCH_AFTER_S, "b", "a") == "b"
    assert at(60.0) == "b", "who spoke last stays"


def test_polling_goes_round_and_leaves_out_who_has_no_picture() -> None:
    resolver, slots = SlotResolver(), (PollingSlot(10.0, PEOPLE),)

    def at(now: float, **who: Sequence[str]) -> str | None:
        return shown(resolver.resolve(slots, (9,), room(**who), now))[0]  # type: ignore[arg-type]

    assert [at(float(second)) for second in (0, 9, 10, 19, 20, 30, 40)] == list("aabbcda")
    assert at(50.0, blind=["b"]) == "c"
    assert at(51.0, present=["a"]) == "a"
    assert at(52.0, present=[]) is None


def test_after_a_long_pause_polling_goes_on_from_where_it_was() -> None:
    resolver, slots = SlotResolver(), (PollingSlot(5.0, PEOPLE),)
    assert shown(resolver.resolve(slots, (9,), room(), 0.0)) == ["a"]
    assert shown(resolver.resolve(slots, (9,), room(), 3600.0)) == ["b"]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(PEOPLE).map(ParticipantSlot),
            st.integers(1, 4).map(SpeakerSlot),
            st.just(PollingSlot(1.0, PEOPLE)),
            st.just(PresentationSlot()),
            st.just(EmptySlot()),
        ),
        min_size=1,
        max_size=9,
    ),
    st.lists(st.lists(st.sampled_from(PEOPLE), unique=True), min_size=1, max_size=8),
)
def test_two_speaker_slots_of_one_size_never_show_the_same_room(
    slots: list[Slot], speakers: list[list[str]]
) -> None:
    resolver = SlotResolver()
    for step, speaking in enumerate(speakers):
        found = resolver.resolve(slots, [9] * len(slots), room(speaking), step * 0.7)
        assert len(found) == len(slots)
        by_speech = [
            one
            for one, slot in zip(shown(found), slots, strict=True)
            if isinstance(slot, SpeakerSlot) and one is not None
        ]
        assert len(by_speech) == len(set(by_speech))
        fixed = {slot.participant for slot in slots if isinstance(slot, ParticipantSlot)}
        assert not fixed & set(by_speech)
