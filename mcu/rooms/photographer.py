"""Pictures of rooms that a roll call marks by its rule, one after the other in the background.

A mark by an operator takes its picture itself. A rule marks a whole province at once, so these
pictures come a little later; each is kept with the time at which it was taken.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

import structlog

from mcu.api.services import Pictures
from mcu.conference.events import Event
from mcu.conference.roll_call_model import RollCallMark, RollCallMarked, RollCallStarted
from mcu.conference.state import ConferenceState
from mcu.store.errors import StoreUnavailable
from mcu.store.roll_call_pictures import MAX_PICTURE_BYTES

PICTURE_S: Final = 2.0
"""A room that shows nothing for so long has no picture."""
MAX_WAITING: Final = 2_000
"""Beyond that the oldest go without."""

log = structlog.get_logger(__name__)


class Album(Protocol):
    """Where pictures are kept: ``RollCallPictures``."""

    async def keep(
        self, conference: str, number: int, entry: int, time: datetime, jpeg: bytes
    ) -> None:
        """Keep one picture."""


class Photographer:
    """Follows conferences as their listener; ``open`` on the loop, ``close`` in ``finally``."""

    def __init__(self, pictures: Pictures, store: Album, now: Callable[[], datetime]) -> None:
        self._pictures = pictures
        self._store = store
        self._now = now
        self._waiting: deque[tuple[str, int, RollCallMark]] = deque(maxlen=MAX_WAITING)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to take pictures."""
        self._task = asyncio.create_task(self._run(), name="photographer")

    async def close(self) -> None:
        """Take no more; what waits goes without a picture."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def changed(self, state: ConferenceState, event: Event) -> None:
        """See ``mcu.conference.live.Listener``."""
        if isinstance(event, RollCallStarted):
            number, marks = event.roll_call.number, event.roll_call.marks
        elif isinstance(event, RollCallMarked):
            number, marks = event.number, event.marks
        else:
            return
        for mark in marks:
            if mark.source == "rule" and mark.status in ("present", "late"):
                self._waiting.append((state.id, number, mark))
                self._news.set()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
            conference, number, mark = self._waiting.popleft()
            try:
                await self._take(conference, number, mark)
            except StoreUnavailable as error:
                log.warning("roll_call_picture_lost", conference=conference, reason=error.reason)
            except Exception:
                # One picture that cannot be taken must not keep all others from being taken.
                log.exception("roll_call_picture_failed", conference=conference)

    async def _take(self, conference: str, number: int, mark: RollCallMark) -> None:
        try:
            async with asyncio.timeout(PICTURE_S):
                jpeg = await self._pictures.participant_picture(conference, mark.participant)
        except TimeoutError:
            return
        if jpeg is not None and len(jpeg) <= MAX_PICTURE_BYTES:
            await self._store.keep(conference, number, mark.entry, self._now(), jpeg)
