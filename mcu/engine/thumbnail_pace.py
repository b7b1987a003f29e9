"""When a picture of a hidden room is decoded for the wall of thumbnails.

Pure: coded pictures and ``now`` go in. Where a room sends about one picture a second, as it is
asked to, each is decoded. Of a room that sends more only key frames are, one now and then, and
between them its packets are not even put together. Where that is done of all rooms because the
machine is full, streams are followed again from the moment that it is not.
"""

from typing import Final, Literal

from mcu.media.frames import EncodedFrame
from mcu.media.rendition import VIDEO_CLOCK_HZ

STREAM_S: Final = 1.0
"""Distance of the pictures of a room that sends a thumbnail stream."""
STILL_S: Final = 10.0
"""Distance of the key frames that others are asked for."""

MAX_FPS: Final = 2.5
TRIAL: Final = 3
"""So many pictures after a key frame tell whether a room sends a thumbnail stream; a room that
has just been asked may need one turn more."""
FIRST_PAUSE_S: Final = 2.5
WINDOW_S: Final = 10.0

ASK_AGAIN_S: Final = 1.0
ASK_AGAIN_MAX_S: Final = 8.0
GIVE_UP_S: Final = 10.0
"""A room that sends no key frame for so long is left alone until its next turn."""
SILENT_S: Final = 4.0
"""Pictures of a thumbnail stream that do not come mean that it has ended."""

_State = Literal["closed", "waiting", "following"]


class ThumbnailPace:
    """Of one room; begins with a turn at once."""

    __slots__ = (
        "_ask_after_s",
        "_asked_at",
        "_base",
        "_count",
        "_due",
        "_pause_s",
        "_proven",
        "_seen_at",
        "_since",
        "_spared",
        "_sparing",
        "_state",
    )

    def __init__(self, now: float) -> None:
        self._sparing = self._spared = False
        self._state: _State = "closed"
        self._due = now
        self._pause_s = FIRST_PAUSE_S
        self._asked_at: float | None = None
        self._ask_after_s = ASK_AGAIN_S
        self._since = self._seen_at = now
        self._base = self._count = 0
        self._proven = False

    @property
    def is_open(self) -> bool:
        """Whether the room's packets are to be put together."""
        return self._state != "closed"

    @property
    def next_s(self) -> float:
        """In how long the next picture is to be expected."""
        return STREAM_S if self._proven and self.is_open else STILL_S

    def spare(self, sparing: bool, now: float) -> None:
        """Take key frames alone while the machine is full, whatever the room sends.

        Once it is not any more, a room whose stream was left for that has its turn at once.
        """
        self._sparing = sparing
        if not sparing and self._spared:
            self._spared = False
            self._due = now

    def asks(self, now: float) -> bool:
        """Whether the room is to be asked for a key frame now; then call ``asked``."""
        if self._state == "closed":
            return now >= self._due
        if self._state == "following":
            if now - self._seen_at < SILENT_S:
                return False
            self._wait(now)
        if now - self._since >= GIVE_UP_S:
            self._close(now, STILL_S)
            return False
        return self._asked_at is None or now - self._asked_at >= self._ask_after_s

    def asked(self, now: float) -> None:
        """The room was asked; it is asked again after twice the time each time."""
        if self._state == "closed":
            self._wait(now)
        elif self._asked_at is not None:
            self._ask_after_s = min(2 * self._ask_after_s, ASK_AGAIN_MAX_S)
        self._asked_at = now

    def take(self, frame: EncodedFrame, now: float) -> bool:
        """One coded picture; whether it is to be decoded."""
        if self._state == "closed":
            return False
        if self._state == "waiting":
            if not frame.key_frame:
                return False
            self._state = "following"
            self._base, self._count = frame.timestamp, 0
            self._seen_at = now
            if self._sparing:
                self._leave(now)
            return True
        if not frame.contiguous and not frame.key_frame:
            self._wait(now)
            return False
        self._seen_at = now
        return self._keeps_pace(frame.timestamp, now)

    def lost(self, now: float) -> None:
        """What was taken could not be decoded: only a key frame helps."""
        if self._state == "following":
            self._wait(now)

    def _keeps_pace(self, timestamp: int, now: float) -> bool:
        self._count += 1
        elapsed_s = (timestamp - self._base) / VIDEO_CLOCK_HZ
        fast = self._count >= TRIAL and self._count > MAX_FPS * elapsed_s + 1
        if elapsed_s < 0 or elapsed_s > WINDOW_S:
            # A new clock of the room's, or long enough to look anew.
            self._base, self._count = timestamp, 0
            return True
        if self._sparing:
            self._leave(now)
            return False
        if fast:
            self._close(now, self._pause_s)
            self._pause_s = min(2 * self._pause_s, STILL_S)
            self._proven = False
            return False
        if self._count >= TRIAL:
            self._proven = True
            self._pause_s = FIRST_PAUSE_S
        return True

    def _wait(self, now: float) -> None:
        self._state = "waiting"
        self._since = now
        self._asked_at = None
        self._ask_after_s = ASK_AGAIN_S

    def _leave(self, now: float) -> None:
        """Nothing is wrong with the room: what is known of it stays."""
        self._close(now, STILL_S)
        self._spared = True

    def _close(self, now: float, pause_s: float) -> None:
        self._spared = False
        self._state = "closed"
        self._due = now + pause_s
