"""Who stands in which slot of a view now: speakers, polling and presentation are resolved here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    Slot,
    SpeakerSlot,
)

SWITCH_AFTER_S = 1.0
"""A new speaker takes a slot from another after this long at its rank: a cough does not."""

SourceStream = Literal["video", "presentation"]


@dataclass(frozen=True, slots=True)
class Binding:
    """What a slot shows: one stream of one participant."""

    participant: str
    stream: SourceStream = "video"


@dataclass(frozen=True, slots=True)
class Room:
    """What is known of the conference when slots are resolved.

    Args:
        speakers: active ones, most prominent first.
        present: connected participants, the most important first.
        presenter: who sends a presentation, or None.
        has_picture: whether a participant is connected and sends video others may see.
    """

    speakers: Sequence[str]
    present: Sequence[str]
    presenter: str | None
    has_picture: Callable[[str], bool]


@dataclass(slots=True)
class _Turn:
    """Whose turn it is in one polling slot, or who holds one speaker slot."""

    participant: str | None = None
    since: float = 0.0
    rival: str | None = None
    rival_since: float = 0.0


@dataclass(slots=True)
class SlotResolver:
    """Remembers turns between ticks; one per view. Everything else is a function of its input."""

    _turns: dict[int, tuple[Slot, _Turn]] = field(default_factory=dict)

    def resolve(
        self, slots: Sequence[Slot], areas: Sequence[int], room: Room, now: float
    ) -> tuple[Binding | None, ...]:
        """One binding per slot.

        Args:
            areas: pixels of each slot (same length). A speaker slot does not repeat who stands
                in another slot of its size or larger; from a smaller one a speaker is taken, or
                the large picture of ``1+5`` would show nobody as long as all have a small one.
        """
        bound: list[Binding | None] = [None] * len(slots)
        standing: dict[str, int] = {}  # participant -> area of its largest bound slot
        for number, slot in enumerate(slots):
            match slot:
                case ParticipantSlot(participant):
                    bound[number] = Binding(participant)
                case PollingSlot():
                    polled = self._poll(number, slot, room, now)
                    bound[number] = Binding(polled) if polled is not None else None
                case PresentationSlot():
                    if room.presenter is not None:
                        bound[number] = Binding(room.presenter, "presentation")
                case SpeakerSlot() | EmptySlot():
                    continue
            binding = bound[number]
            if binding is not None and binding.stream == "video":
                seen = standing.get(binding.participant, 0)
                standing[binding.participant] = max(seen, areas[number])
        for number, slot in self._speaker_slots(slots):
            shown = self._speaker(number, slot, areas[number], standing, room, now)
            if shown is not None:
                bound[number] = Binding(shown)
                standing[shown] = max(standing.get(shown, 0), areas[number])
        for number in [number for number in self._turns if number >= len(slots)]:
            del self._turns[number]
        return tuple(bound)

    @staticmethod
    def _speaker_slots(slots: Sequence[Slot]) -> list[tuple[int, SpeakerSlot]]:
        found = [
            (number, slot) for number, slot in enumerate(slots) if isinstance(slot, SpeakerSlot)
        ]
        return sorted(found, key=lambda one: (one[1].rank, one[0]))

    def _turn(self, number: int, slot: Slot, now: float) -> _Turn:
        kept = self._turns.get(number)
        if kept is None or kept[0] != slot:
            kept = self._turns[number] = (slot, _Turn(since=now))
        return kept[1]

    def _poll(self, number: int, slot: PollingSlot, room: Room, now: float) -> str | None:
        turn = self._turn(number, slot, now)
        order = slot.participants
        able = [one for one in order if room.has_picture(one)]
        if not able:
            turn.participant = None
            return None
        if turn.participant is None:
            turn.participant, turn.since = able[0], now
        interval = max(1.0, slot.interval_s)
        while now - turn.since >= interval or turn.participant not in able:
            # Whoever drops out gives its time away; others keep the beat.
            late = now - turn.since >= 2 * interval or turn.participant not in able
            turn.since = now if late else turn.since + interval
            turn.participant = _next_after(turn.participant, order, able)
        return turn.participant

    def _speaker(
        self,
        number: int,
        slot: SpeakerSlot,
        area: int,
        standing: dict[str, int],
        room: Room,
        now: float,
    ) -> str | None:
        turn = self._turn(number, slot, now)
        free = [one for one in room.present if standing.get(one, 0) < area]
        holder = turn.participant if turn.participant in free else None
        speaking = [one for one in room.speakers if one in free]
        # Speakers of lower ranks already took their slots, so the first one left is ours.
        wanted = speaking[0] if speaking else holder
        if wanted is None:
            unseen = [one for one in free if one not in standing]
            seen_first = unseen or free
            with_picture = [one for one in seen_first if room.has_picture(one)]
            wanted = next(iter(with_picture or seen_first), None)
        if wanted == holder or holder is None:
            turn.participant, turn.rival = wanted, None
            return wanted
        if turn.rival != wanted:
            turn.rival, turn.rival_since = wanted, now
        if now - turn.rival_since >= SWITCH_AFTER_S:
            turn.participant, turn.rival = wanted, None
        return turn.participant


def _next_after(current: str, order: Sequence[str], able: Sequence[str]) -> str:
    place = order.index(current) if current in order else -1
    following = [*order[place + 1 :], *order[: place + 1]]
    return next((one for one in following if one in able), able[0])
