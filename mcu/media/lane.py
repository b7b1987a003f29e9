"""Sound that nobody hears: where its packets wait, and whether they are taken with those of others.

Of a hundred rooms four speak. What the others send is opened, counted and kept in case they begin
to; ``Inflow`` does that for all of them at once. A source whose packets are what everybody's are is
*in step*; what its stream knows stands in the inflow's columns then. Whoever looks at the stream
has it settled before, and whatever is not as usual lets it fall out of step and goes the way of
single packets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcu.media.frames import AudioPacket
from mcu.media.receive import AudioReceiveStream
from mcu.media.rtp import begins_with_level
from mcu.media.srtp import Argument

if TYPE_CHECKING:
    from mcu.media.inflow import Inflow

WAITING_PACKETS = 100
"""Of a source that is not heard as many are kept: two seconds, from which its playout learns the
line's jitter the moment it is."""


class Waiting:
    """What is known of a source's sound without looking into it.

    ``packets``: each with when it arrived. ``level``: dBov, as of ``heard_at``.

    Args:
        level: before the first packet.
    """

    __slots__ = ("_closed", "heard_at", "level", "open", "packets")

    def __init__(self, level: float) -> None:
        self.packets: deque[tuple[AudioPacket, float]] = deque(maxlen=WAITING_PACKETS)
        self.level = level
        self.heard_at = float("-inf")
        self.open = True
        """Packets may be laid here; otherwise the source takes each as it comes."""
        self._closed: Callable[[], None] | None = None

    def watch(self, closed: Callable[[], None] | None) -> None:
        """Have ``closed`` called when nothing more may be laid here."""
        self._closed = closed

    def close(self) -> None:
        """Take each packet as it comes from now on."""
        self.open = False
        if self._closed is not None:
            self._closed()


class Lane:
    """The sound of one leg, in step or not.

    Args:
        inflow: None: it never is.
        refused: told of a packet that libsrtp did not open: its status, and when it arrived.
    """

    __slots__ = (
        "_inflow",
        "heard_at",
        "refused",
        "row",
        "session",
        "stream",
        "waiting",
    )

    def __init__(
        self,
        inflow: Inflow | None = None,
        refused: Callable[[int, float], None] = lambda status, now: None,
    ) -> None:
        self.row = 0
        """In the inflow's columns; 0: out of step."""
        self.session: Argument | None = None
        """Of the ``srtp_t`` that opens packets; None before there are keys."""
        self.waiting: Waiting | None = None
        self.stream: AudioReceiveStream | None = None
        self.heard_at = float("-inf")
        """When the last packet taken in step arrived, as of the last ``settle``."""
        self.refused = refused
        self._inflow = inflow

    def listen(self, waiting: Waiting | None) -> None:
        """Lay packets there from now on, while it is open; None: nowhere."""
        self.fall_out()
        if self.waiting is not None:
            self.waiting.watch(None)
        self.waiting = waiting
        if waiting is not None:
            waiting.watch(self.fall_out)

    def fall_in(self, stream: AudioReceiveStream, packet: memoryview, level_id: int) -> None:
        """Go with the others, if that is possible and pays.

        Args:
            stream: has just taken ``packet`` in order, a plain one with an extension. The next
            ones begin like it, or the lane falls out again.
            level_id: of the element that holds the level, which is to be the first.
        """
        waiting, inflow = self.waiting, self._inflow
        if self.row or waiting is None or not waiting.open or self.session is None:
            return
        if inflow is not None and inflow.pays and begins_with_level(packet, level_id):
            self.stream = stream
            self.row = inflow.enlist(self, packet)

    def settle(self) -> None:
        """Let the stream know what was taken for it."""
        if self.row and self._inflow is not None:
            self._inflow.settle(self)

    def fall_out(self) -> None:
        """Settle, and take packets one by one from now on. Idempotent."""
        if self.row and self._inflow is not None:
            self._inflow.settle(self)
            self._inflow.dismiss(self)
            self.row = 0


OUT_OF_STEP = Lane()
"""Of whoever has no sound that could be in step."""
