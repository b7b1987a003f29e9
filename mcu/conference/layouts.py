"""Whether a chosen layout can be shown: its name, and what was put into its slots."""

from collections.abc import Sequence

from mcu.conference.automatic import slot_count
from mcu.conference.state import AUTO_LAYOUT, ConferenceState, Refused
from mcu.engine.plan import ParticipantSlot, PollingSlot, Slot, SpeakerSlot
from mcu.sentences import sentence
from mixer.video.layout import LAYOUTS

POLLING_S = (2.0, 3600.0)
"""Shortest and longest time that polling stays with one participant."""


def checked_layout(layout: str, field: str) -> str:
    """Check a layout's name.

    Raises:
        Refused: unknown; the reason lists the names.
    """
    if layout != AUTO_LAYOUT and layout not in LAYOUTS:
        known = ", ".join((AUTO_LAYOUT, *LAYOUTS))
        raise Refused(sentence("layout.unknown", layout=layout, known=known), field)
    return layout


def checked_slots(state: ConferenceState, layout: str, slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Check what an operator put into the slots of a known layout.

    Raises:
        Refused: with the slot at fault (``slots.3.participant``).
    """
    if layout == AUTO_LAYOUT:
        raise Refused(sentence("layout.auto-slots"), "slots")
    count = slot_count(layout)
    if len(slots) != count:
        raise Refused(
            sentence("layout.slots", layout=layout, count=count, given=len(slots)),
            "slots",
        )
    stands: dict[str, int] = {}
    for index, slot in enumerate(slots):
        match slot:
            case ParticipantSlot(participant):
                field = f"slots.{index}.participant"
                _check_known(state, participant, field)
                if participant in stands:
                    raise Refused(
                        sentence("layout.twice", participant=participant, slot=stands[participant]),
                        field,
                    )
                stands[participant] = index
            case SpeakerSlot(rank):
                if not 1 <= rank <= count:
                    raise Refused(sentence("layout.rank", count=count), f"slots.{index}.speaker")
            case PollingSlot():
                _check_polling(state, slot, f"slots.{index}.polling")
    return tuple(slots)


def _check_polling(state: ConferenceState, slot: PollingSlot, field: str) -> None:
    shortest, longest = POLLING_S
    if not shortest <= slot.interval_s <= longest:
        raise Refused(
            sentence("polling.time", shortest_s=shortest, longest_s=longest),
            f"{field}.interval_s",
        )
    for index, participant in enumerate(slot.participants):
        _check_known(state, participant, f"{field}.participants.{index}")


def _check_known(state: ConferenceState, participant: str, field: str) -> None:
    if participant not in state.participants:
        raise Refused(
            sentence("roster.nobody", participant=participant),
            field,
        )
