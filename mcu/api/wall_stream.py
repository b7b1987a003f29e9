"""One operator's wall: new thumbnails as server-sent events, a few times a second.

One stream carries the pictures of all rooms that are looked at, so that 145 of them are one
request. Each picture is made once (``mcu.engine.thumbnails``) and written as text once
(``PictureTexts``), however many look. Who reads slowly gets fewer pictures, always the newest.
"""

import asyncio
import base64
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aiohttp import web

from mcu.api.call import Call
from mcu.api.event_stream import WRITE_TIMEOUT_S
from mcu.api.reach import Reach
from mcu.api.rights import Action
from mcu.api.schemas.base import utc_text
from mcu.api.wall_tiles import taken_at
from mcu.conference.state import ConferenceState, UnknownConference
from mcu.engine.thumbnail import Thumbnail

LOOK_S: Final = 0.5
"""New pictures are looked for so often."""
PICTURES_PER_WRITE: Final = 8
"""Some 64 kB; between two writes the loop does what is due."""


def seen_of(reach: Reach, state: ConferenceState, chosen: Collection[str] | None) -> frozenset[str]:
    """Participants whose pictures the token may see, of those that were chosen. O(roster)."""
    return frozenset(
        who.id
        for who in state.participants.values()
        if (chosen is None or who.id in chosen)
        and reach.participant(Action.SEE_PARTICIPANT, state, who)
    )


class PictureTexts:
    """Pictures as events; the newest of each room is kept for all who look."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], tuple[Thumbnail, bytes]] = {}

    def of(self, call: Call, conference: str, picture: Thumbnail) -> bytes:
        """``event: picture`` with the JPEG in base64."""
        key = (conference, picture.participant)
        made = self._made.get(key)
        if made is not None and made[0] is picture:
            return made[1]
        services = call.services
        document = {
            "participant": picture.participant,
            "digest": picture.digest,
            "taken_at": utc_text(taken_at(picture, services.monotonic(), services.now())),
            "jpeg": base64.b64encode(picture.jpeg).decode(),
        }
        text = b"event: picture\ndata: " + json.dumps(document).encode() + b"\n\n"
        self._made[key] = picture, text
        return text

    def clear(self) -> None:
        """Nobody looks any more."""
        self._made.clear()


class WallStream:
    """Sends what is new until the client goes, the token or the conference ends.

    Args:
        chosen: participants that are looked at; None: all.
    """

    def __init__(
        self, call: Call, conference: str, chosen: Collection[str] | None, texts: PictureTexts
    ) -> None:
        self._call = call
        self._conference = conference
        self._chosen = chosen
        self._texts = texts
        self._sent: dict[str, Thumbnail] = {}
        self._stale: frozenset[str] | None = None
        self._seen: frozenset[str] = frozenset()
        self._roster: Mapping[str, object] | None = None
        self._ended = asyncio.Event()
        self._reach = call.reach
        self._check_at = self._next_check()

    @property
    def token(self) -> str:
        """Id of the token it was opened with."""
        return self._call.who.token.id

    @property
    def bridge(self) -> str | None:
        """Nobody's: it carries no events."""
        return None

    def close(self) -> None:
        """End it; ``run`` returns."""
        self._ended.set()

    def finish(self) -> None:
        """The same: pictures that were not sent are of no use any more."""
        self.close()

    async def run(self, response: web.StreamResponse) -> None:
        """Send pictures until it ends, or the client has gone.

        Raises:
            ConnectionError, TimeoutError: the client is gone.
        """
        request = self._call.request
        while not self._ended.is_set() and request.transport is not None:
            beat = self._call.services.monotonic() >= self._check_at
            if beat and not await self._still_allowed():
                return
            try:
                chunks = self._new()
            except UnknownConference:
                return
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                for chunk in chunks:
                    await response.write(chunk)
                    await asyncio.sleep(0)
                if beat and not chunks:
                    await response.write(b": alive\n\n")
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._ended.wait()
            except TimeoutError:
                continue

    def _new(self) -> Sequence[bytes]:
        """Events to be sent now, in a few pieces; raises UnknownConference when it is over."""
        services = self._call.services
        state = services.conferences.get(self._conference)
        if state.participants is not self._roster:
            self._roster = state.participants
            self._seen = seen_of(self._reach, state, self._chosen)
        now = services.monotonic()
        pictures = services.wall.look(self._conference, self._seen, now)
        own = [one for who, one in pictures.items() if who in self._seen]
        new = [one for one in own if self._sent.get(one.participant) is not one]
        changed = [
            one
            for one in new
            if (before := self._sent.get(one.participant)) is None or before.digest != one.digest
        ]
        self._sent = {one.participant: one for one in own}
        texts = [self._texts.of(self._call, self._conference, one) for one in changed]
        stale = frozenset(one.participant for one in own if one.is_stale(now))
        if stale != self._stale:
            self._stale = stale
            text = json.dumps({"participants": sorted(stale)})
            texts.append(f"event: stale\ndata: {text}\n\n".encode())
        return [
            b"".join(texts[first : first + PICTURES_PER_WRITE])
            for first in range(0, len(texts), PICTURES_PER_WRITE)
        ]

    async def _still_allowed(self) -> bool:
        self._check_at = self._next_check()
        api, who = self._call.api, self._call.who
        if not await api.auth.still_valid(who):
            return False
        self._reach = Reach(who.holder, await api.directory.tree())
        self._roster = None
        return True

    def _next_check(self) -> float:
        return self._call.services.monotonic() + self._call.services.limits.heartbeat_s
