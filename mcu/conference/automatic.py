"""Who stands where when nobody has said so: the rules of automatic pictures.

Order: the chair first, then by importance, then in the order of arrival; who is connected or
lost comes before who is still expected (a place is reserved for those while there is room).
Who has left has no place.

Rooms that are being convened keep their places from the beginning, so that nobody is moved when
they come: everybody stands in the roster's order then, as long as the largest grid holds all.
"""

from collections.abc import Collection, Sequence

from mcu.conference.convening import reserved_seats
from mcu.conference.state import AUTO_LAYOUT, ConferenceState, Participant
from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PresentationSlot,
    Slot,
    SpeakerSlot,
)
from mixer.video.layout import LAYOUTS

GRIDS = ("1x1", "2x2", "3x3", "4x4", "5x5", "6x6", "7x7")
"""What ``auto`` chooses from, smallest first."""

LEADS: dict[str, tuple[Slot, ...]] = {
    "1x1": (SpeakerSlot(1),),
    "1+5": (SpeakerSlot(1),),
    "1+7": (SpeakerSlot(1),),
    "1+12": (SpeakerSlot(1),),
    "2+8": (SpeakerSlot(1), SpeakerSlot(2)),
    "lecture": (SpeakerSlot(1),),
    "presenter": (PresentationSlot(), SpeakerSlot(1)),
}
"""What the large first slots show by themselves; layouts that are absent are plain grids.

``1x1`` follows the speaker when it is chosen. As the grid of ``auto`` for a single room it shows
that room, see ``fill``.
"""


def slot_count(layout: str) -> int:
    """How many slots a layout has; KeyError for ``auto`` and unknown names."""
    return len(LAYOUTS[layout].slots)


def kept_seats(state: ConferenceState) -> frozenset[str]:
    """Who is still to come and has a place already; nobody where there are not enough places."""
    kept = reserved_seats(state)
    if not kept:
        return kept
    here = sum(each.takes_part and each.id not in kept for each in state.participants.values())
    return kept if here + len(kept) <= slot_count(GRIDS[-1]) else frozenset()


def seating(state: ConferenceState) -> list[Participant]:
    """Everybody with a claim to a place, in order. Cost: O(n log n)."""
    kept = kept_seats(state)
    in_order = state.convening is not None and len(state.participants) <= slot_count(GRIDS[-1])

    def rank(who: Participant) -> tuple[bool, bool, int, bool, int, int]:
        came = None if in_order else who.join_order
        return (
            not who.takes_part and who.id not in kept,
            who.role != "chair",
            -who.importance,
            came is None,
            came or 0,
            who.order,
        )

    return sorted(
        (each for each in state.participants.values() if each.presence != "left"), key=rank
    )


def places(people: Sequence[Participant], kept: Collection[str] = ()) -> int:
    """How many places are needed: of those connected or lost, and those kept."""
    return sum(each.takes_part or each.id in kept for each in people)


def smallest_grid(people: Sequence[Participant], kept: Collection[str] = ()) -> str:
    """The smallest grid that holds everybody who has a place, at least ``1x1``."""
    here = places(people, kept)
    return next((grid for grid in GRIDS if slot_count(grid) >= here), GRIDS[-1])


def fill(
    layout: str, people: Sequence[Participant], kept: Collection[str] = ()
) -> tuple[str, tuple[Slot, ...]]:
    """Choose the layout (if ``auto``) and fill its slots with ``people``, who are in order.

    Args:
        kept: who has a place before it is here.
    """
    leads = LEADS.get(layout, ())
    if layout == AUTO_LAYOUT:
        layout = smallest_grid(people, kept)
    count = slot_count(layout)
    taken = [*leads, *(ParticipantSlot(each.id) for each in people)][:count]
    return layout, (*taken, *(EmptySlot() for _ in range(count - len(taken))))
