"""Who stands where when nobody has said so: the rules of automatic pictures.

Order: the chair first, then by importance, then in the order of arrival; who is connected or
lost comes before who is still expected (a place is reserved for those while there is room).
Who has left has no place.
"""

from collections.abc import Sequence

from mcu.conference.presence import holds_tile
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


def seating(state: ConferenceState) -> list[Participant]:
    """Everybody with a claim to a place, in order. Cost: O(n log n)."""
    return sorted(
        (each for each in state.participants.values() if each.presence != "left"), key=_rank
    )


def smallest_grid(people: Sequence[Participant]) -> str:
    """The smallest grid that holds everybody who is connected or lost, at least ``1x1``."""
    here = sum(holds_tile(each.presence) for each in people)
    return next((grid for grid in GRIDS if slot_count(grid) >= here), GRIDS[-1])


def fill(layout: str, people: Sequence[Participant]) -> tuple[str, tuple[Slot, ...]]:
    """Choose the layout (if ``auto``) and fill its slots with ``people``, who are in order."""
    leads = LEADS.get(layout, ())
    if layout == AUTO_LAYOUT:
        layout = smallest_grid(people)
    count = slot_count(layout)
    places = [*leads, *(ParticipantSlot(each.id) for each in people)][:count]
    return layout, (*places, *(EmptySlot() for _ in range(count - len(places))))


def _rank(participant: Participant) -> tuple[bool, bool, int, bool, int, int]:
    came = participant.join_order
    return (
        not holds_tile(participant.presence),
        participant.role != "chair",
        -participant.importance,
        came is None,
        came or 0,
        participant.order,
    )
