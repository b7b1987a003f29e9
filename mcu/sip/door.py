"""Stands between a call's leg and the conference: nobody is inside before ``enter``.

A caller who has to enter a PIN has a leg, as keys come with the media, but no part in the
conference yet.
"""

import asyncio
from collections.abc import Callable

from mcu.legs.leg import Leg, LegObserver, StreamName
from mcu.media.frames import EncodedFrame


def _nobody(reason: str, now: float) -> None:
    """Nobody is told."""


class Door:
    """The ``LegObserver`` of a call's leg.

    Args:
        rooms: gets everything once the leg is inside.
        left: told the reason when the leg has left.
        gives_up_s: so long after a leg was lost it is closed; SIP legs never leave by themselves.
    """

    def __init__(
        self,
        rooms: LegObserver,
        left: Callable[[str, float], None],
        *,
        clock: Callable[[], float],
        gives_up_s: float,
    ) -> None:
        self._rooms = rooms
        self._left = left
        self._clock = clock
        self._gives_up_s = gives_up_s
        self._inside = False
        self._connected = False
        self._giving_up: asyncio.TimerHandle | None = None

    def enter(self, leg: Leg, now: float) -> None:
        """Let the leg in, under the name it has now."""
        self._inside = True
        if self._connected:
            self._rooms.leg_connected(leg, now)
            if leg.state == "lost":
                self._rooms.leg_lost(leg, now)

    def shut(self) -> None:
        """The call is over: nobody is told any more when its leg has left."""
        self._left = _nobody

    def leg_connected(self, leg: Leg, now: float) -> None:
        """See ``LegObserver``."""
        self._connected = True
        if self._inside:
            self._rooms.leg_connected(leg, now)

    def leg_lost(self, leg: Leg, now: float) -> None:
        """See ``LegObserver``; from now on its time is measured."""
        loop = asyncio.get_running_loop()
        self._stop_waiting()
        self._giving_up = loop.call_later(
            self._gives_up_s, lambda: leg.close("timeout", self._clock())
        )
        if self._inside:
            self._rooms.leg_lost(leg, now)

    def leg_returned(self, leg: Leg, now: float) -> None:
        """See ``LegObserver``."""
        self._stop_waiting()
        if self._inside:
            self._rooms.leg_returned(leg, now)

    def leg_renegotiated(self, leg: Leg, now: float) -> None:
        """See ``LegObserver``."""
        if self._inside:
            self._rooms.leg_renegotiated(leg, now)

    def line_congested(self, leg: Leg, now: float) -> None:
        """See ``LegObserver``."""
        if self._inside:
            self._rooms.line_congested(leg, now)

    def leg_left(self, leg: Leg, reason: str, now: float) -> None:
        """See ``LegObserver``."""
        self._stop_waiting()
        if self._inside:
            self._rooms.leg_left(leg, reason, now)
        self._left(reason, now)

    def frame_received(self, leg: Leg, source: StreamName, frame: EncodedFrame, now: float) -> None:
        """See ``LegObserver``."""
        if self._inside:
            self._rooms.frame_received(leg, source, frame, now)

    def _stop_waiting(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
