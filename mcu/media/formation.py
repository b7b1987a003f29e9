"""Who sends the packets of one rendition: convoys of streams in step, and single ones."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from mcu.media.batch import SLOTS
from mcu.media.convoy import Convoy, Member
from mcu.media.ring import PayloadRing

LEAST = 3
"""So many streams make a convoy; with fewer, one by one is cheaper."""


class Sender(Protocol):
    """Moves one cursor, of one stream or of several."""

    def send_pending(self, limit: int, now: float) -> int:
        """Write at most ``limit`` packets for each leg; returns how many (0: nothing to do)."""

    def flush(self) -> None:
        """Let what was written leave; whoever called ``send_pending`` owes it."""


class Formation:
    """Streams of a rendition by the way they march.

    ``senders``: each with how many legs it sends to. A stream comes alone and goes alone. When
    it has caught up it volunteers, and the next ``muster`` puts it into a convoy that stands
    where it stands, or makes one.

    Args:
        chunk: packets that a leg gets at once, which bounds a convoy's size.
    """

    def __init__(self, ring: PayloadRing, chunk: int) -> None:
        self.senders: tuple[tuple[Sender, int], ...] = ()
        self._ring = ring
        self._capacity = SLOTS // chunk
        self._singles: list[Sender] = []
        self._convoys: dict[Hashable, list[Convoy]] = {}
        self._volunteers: list[Member] = []
        self._idle: dict[Hashable, list[Member]] = {}
        """Volunteers of which there are too few so far."""

    def add(self, sender: Sender) -> None:
        """One more, alone."""
        self._singles.append(sender)
        self._tell()

    def remove(self, sender: Sender) -> None:
        """One less; it has left its convoy."""
        self._singles.remove(sender)
        self.withdraw(sender)
        self._tell()

    def volunteer(self, member: Member) -> None:
        """It has caught up, and may go with others from now on."""
        self._volunteers.append(member)

    def withdraw(self, sender: Sender) -> None:
        """It is to stay alone, until it volunteers again. Idempotent."""
        for among in (self._volunteers, *self._idle.values()):
            among[:] = [member for member in among if member is not sender]

    def muster(self) -> None:
        """Let volunteers fall in with those that stand where they stand."""
        if not self._volunteers:
            return
        volunteers, self._volunteers = self._volunteers, []
        keys = set()
        for member in volunteers:
            key = member.convoy_key()
            if key is not None:
                self._idle.setdefault(key, []).append(member)
                keys.add(key)
        for key in keys:
            self._place(key)
        self._tell()

    def _place(self, key: Hashable) -> None:
        members = self._idle.pop(key)
        convoys = self._convoys.setdefault(key, [])
        by_cursor: dict[int, list[Member]] = {}
        for member in members:
            by_cursor.setdefault(member.cursor, []).append(member)
        for cursor, group in by_cursor.items():
            self._fill([one for one in convoys if one.cursor == cursor], group)
            while len(group) >= LEAST:
                convoy = Convoy(self._ring, group[0], self._capacity, self._returned)
                convoys.append(convoy)
                self._fill([convoy], group)
        rest = [member for group in by_cursor.values() for member in group]
        if len(rest) >= LEAST or any(one.room for one in convoys):
            # Others stand elsewhere just now; when both have caught up they meet.
            self._volunteers.extend(rest)
        elif rest:
            self._idle[key] = rest
        if not convoys:
            del self._convoys[key]

    def _fill(self, convoys: list[Convoy], group: list[Member]) -> None:
        for convoy in convoys:
            while group and convoy.room:
                member = group.pop()
                self._singles.remove(member)
                convoy.add(member)

    def _returned(self, convoy: Convoy, member: Member) -> None:
        """One left its convoy; of a convoy of one nothing is gained."""
        self._singles.append(member)
        if len(convoy.members) == 1:
            convoy.members[0].fall_out()
        elif not convoy.members:
            for key, convoys in tuple(self._convoys.items()):
                if convoy in convoys:
                    convoys.remove(convoy)
                    if not convoys:
                        del self._convoys[key]
        self._tell()

    def _tell(self) -> None:
        marching = [one for convoys in self._convoys.values() for one in convoys]
        self.senders = (
            *((convoy, len(convoy.members)) for convoy in marching),
            *((single, 1) for single in self._singles),
        )
