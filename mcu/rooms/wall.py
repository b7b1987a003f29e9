"""Who looks at which thumbnails: as long as somebody does, the video side draws them.

Looking is a lease of a few seconds that is renewed by looking again. So a browser that has gone, a
process that was started anew and a script that asks once cost nothing for longer than that.
"""

from collections.abc import Collection, Mapping
from typing import Final

from mcu.engine.engine import Engine
from mcu.engine.thumbnail import Thumbnail

LEASE_S: Final = 5.0
"""A picture goes on being made for so long after it was last looked at."""
CHECK_S: Final = 0.5
NOTHING: Final[Mapping[str, Thumbnail]] = {}


class Walls:
    """The API's ``WallPictures``; ``handle_timer`` is called by the daemon's clock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._until: dict[str, dict[str, float]] = {}
        self._next = 0.0

    def look(
        self, conference: str, participants: Collection[str], now: float
    ) -> Mapping[str, Thumbnail]:
        """See ``mcu.api.services.WallPictures``. Cost: O(participants)."""
        media = self._engine.conferences.get(conference)
        if media is None:
            return NOTHING
        leases = self._until.setdefault(conference, {})
        new = any(participant not in leases for participant in participants)
        leases.update(dict.fromkeys(participants, now + LEASE_S))
        if new:
            media.video.watch_wall(leases.keys())
        return media.video.thumbnails()

    def known(self, conference: str) -> Mapping[str, Thumbnail]:
        """See ``mcu.api.services.WallPictures``."""
        media = self._engine.conferences.get(conference)
        return NOTHING if media is None else media.video.thumbnails()

    def handle_timer(self, now: float) -> None:
        """End what nobody looks at any more. Cost: nothing while nobody looks."""
        if not self._until or now < self._next:
            return
        self._next = now + CHECK_S
        for conference, leases in list(self._until.items()):
            ended = [who for who, until in leases.items() if until < now]
            for who in ended:
                del leases[who]
            media = self._engine.conferences.get(conference)
            if media is not None and ended:
                media.video.watch_wall(leases.keys())
            if media is None or not leases:
                del self._until[conference]
