"""Who is shown whatever the layout: who is called, polled or has the floor, and to the chair who
had it before.

It follows from the state alone, so that what was shown before is back by itself. Pure.
"""

from collections.abc import Collection, Sequence

from mcu.conference.automatic import GRIDS, fill, places, slot_count
from mcu.conference.state import AUTO_LAYOUT, ConferenceState, Participant
from mcu.engine.plan import EmptySlot, ParticipantSlot, Slot, SpeakerSlot

CHAIR_VIEW = "chair"
LED_BY_ONE = ("1+5", "1+7", "1+12")
LED_BY_TWO = ("2+8",)
"""What ``auto`` becomes when somebody has the floor, smallest first."""


def alone(state: ConferenceState, view: str) -> str | None:
    """Who stands alone on a view; None: it is divided as it was chosen."""
    polled = state.polling.participant if state.polling and state.polling.view == view else None
    if view == CHAIR_VIEW:
        return state.chair_view or polled
    called = next((each.on_air for each in state.roll_calls if each.on_air is not None), None)
    if called is not None or state.broadcast is not None:
        return called or state.broadcast
    holder = state.floor.holder
    if holder is not None and holder.picture == "broadcast":
        return holder.participant if holder.interrupted_at is None else state.chair
    return polled


def leaders(state: ConferenceState, view: str) -> tuple[str, ...]:
    """Who takes the first speakers' slots of a view, in order: at most two.

    Who has the floor; while the chair speaks in between, the chair. The chair also sees who is
    called, and who had the floor before, since it may want to ask back.
    """
    wanted: list[str | None] = []
    if view == CHAIR_VIEW:
        wanted += [each.on_air for each in state.roll_calls]
    holder = state.floor.holder
    if holder is not None and holder.picture != "none":
        wanted.append(holder.participant if holder.interrupted_at is None else state.chair)
        if view == CHAIR_VIEW and holder.interrupted_at is not None:
            wanted.append(holder.participant)
    if view == CHAIR_VIEW:
        wanted.append(state.floor.previous)
    found: dict[str, None] = {}
    for each in wanted:
        who = state.participants.get(each or "")
        if who is None or not who.takes_part:
            continue
        if view != CHAIR_VIEW or who.role != "chair":
            found[who.id] = None
    return tuple(found)[:2]


def led(
    layout: str,
    people: Sequence[Participant],
    leading: Sequence[str],
    kept: Collection[str] = (),
) -> tuple[str, tuple[Slot, ...]]:
    """Fill an automatic picture whose first places are taken; ``kept`` as for ``fill``."""
    if not leading:
        return fill(layout, people, kept)
    others = [each for each in people if each.id not in leading]
    if layout == AUTO_LAYOUT:
        here = places(others, kept)
        if not others:
            layout = GRIDS[0]
        else:
            choice = LED_BY_ONE if len(leading) == 1 else LED_BY_TWO
            room = len(leading)
            layout = next((each for each in choice if slot_count(each) - room >= here), choice[-1])
        count = slot_count(layout)
        standing = (*leading, *(each.id for each in others))[:count]
        empty = (EmptySlot(),) * (count - len(standing))
        return layout, (*(ParticipantSlot(each) for each in standing), *empty)
    layout, slots = fill(layout, others, kept)
    if any(isinstance(slot, SpeakerSlot) for slot in slots):
        return layout, take_lead(slots, leading)
    return fill(layout, people, kept)  # a grid was asked for: all stand in it as they did


def take_lead(slots: Sequence[Slot], leading: Sequence[str]) -> tuple[Slot, ...]:
    """Slots whose speakers are these, in order; where they stood before a speaker stands now."""
    taken = list(slots)
    speakers = sorted(
        (slot.rank, number) for number, slot in enumerate(slots) if isinstance(slot, SpeakerSlot)
    )
    for (rank, number), participant in zip(speakers, leading, strict=False):
        own = ParticipantSlot(participant)
        if own in taken:
            taken[taken.index(own)] = SpeakerSlot(rank)
        taken[number] = own
    return tuple(taken)
