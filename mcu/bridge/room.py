"""One software room: a full WebRTC peer that joins, follows what it is asked, and comes back.

After anything that ends a connection (the daemon restarts, the line breaks, the leg is gone) it
waits with exponential backoff and jitter and joins again, until it is told to stop. Only where
that was meant (the operator disconnected it, another device took its place) it stays out until it
is called again, or its place is free.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcu.backoff import Backoff
from mcu.bridge import sound
from mcu.bridge.client import Client, Refused, Unreachable
from mcu.bridge.peer import Peer
from mcu.bridge.tracks import (
    Camera,
    FileCamera,
    MicrophoneTrack,
    PictureRequest,
    TestCamera,
    file_pictures,
)

STABLE_AFTER_S = 10.0
"""A connection that held this long resets the backoff."""
POLL_S = 2.0
"""How often a room that waits looks for a conference, or whether it is wanted again."""
LAST_EVENTS_S = 1.0
"""When a leg is closed, the event that says why may be that much later than the leg's end."""

NOT_ACCEPTED = 401
"""Trying again cannot help: the token is wrong or revoked."""
NOT_HERE = frozenset({403, 404, 409, 410})
"""The conference is over, or this room is not called to it."""

State = Literal["waiting", "joining", "connected", "retrying", "out"]
Ending = Literal["broken", "over", "disconnected", "replaced"]


@dataclass(frozen=True, slots=True)
class RoomMedia:
    """What the room shows and says: ``test`` or a file; ``tone``, ``speech`` or a file."""

    video: str = "test"
    audio: str = "tone"

    def check_video(self) -> None:
        """Raises OSError or ValueError, with the reason, for a file that cannot be shown."""
        if self.video != "test":
            next(file_pictures(Path(self.video)))

    def check_audio(self) -> None:
        """Raises OSError or ValueError, with the reason, for a file that cannot be heard."""
        if self.audio not in ("tone", "speech"):
            next(sound.file(Path(self.audio)))

    def camera(self, name: str, start: float) -> Camera:
        """Raises OSError or ValueError for a file that cannot be shown."""
        if self.video == "test":
            return TestCamera(name, start)
        return FileCamera(Path(self.video), start)

    def microphone(self, name: str, start: float) -> MicrophoneTrack:
        """A file is opened when its first block is needed."""
        if self.audio == "tone":
            return MicrophoneTrack(sound.tone(sound.tone_of(name)), start)
        if self.audio == "speech":
            return MicrophoneTrack(sound.speech(name), start)
        return MicrophoneTrack(sound.file(Path(self.audio)), start)


class SoftwareRoom:
    """A room that stays in a conference.

    Args:
        client: the daemon and the token.
        name: on the test picture.
        acts_for: the bridge id an operator's token joins as; None for a bridge's own token.
        guest: join as a guest of ``name`` (an operator's token).
        conference: the one to join while it runs; None takes the latest that has this room.
        on_state: told each change with a reason.
        uniform: see ``Backoff``.
        connect: makes the WebRTC side of a stay.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        media: RoomMedia,
        *,
        acts_for: str | None = None,
        guest: bool = False,
        conference: str | None = None,
        on_state: Callable[[State, str], None] = lambda state, reason: None,
        uniform: Callable[[float, float], float] = random.uniform,
        connect: Callable[[MicrophoneTrack, Camera], Peer] = Peer,
    ) -> None:
        self.name = name
        self._client = client
        self._media = media
        self._acts_for = acts_for
        self._guest = guest
        self._conference = conference
        self._on_state = on_state
        self._connect = connect
        self._backoff = Backoff(uniform=uniform)
        self._participant: str | None = None

    async def run(self) -> None:
        """Join and rejoin until cancelled.

        Raises:
            Refused: the token is not accepted; trying again cannot help.
            OSError, ValueError: a media file cannot be played.
        """
        clock = asyncio.get_running_loop().time
        broken = False
        while True:
            conference, began = None, clock()
            try:
                if broken:
                    # Sound and pictures are not set up for a daemon that is not there.
                    await self._client.identity()
                conference = await self._find_conference()
                began = clock()
                self._on_state("joining", conference)
                ending, reason = await self._stay(conference)
            except Refused as refused:
                if refused.status == NOT_ACCEPTED:
                    raise
                ending = "over" if refused.status in NOT_HERE else "broken"
                reason = str(refused)
            except (Unreachable, ConnectionError, TimeoutError) as error:
                ending, reason = "broken", str(error) or type(error).__name__
            if clock() - began > STABLE_AFTER_S:
                self._backoff.reset()
            broken = ending == "broken"
            if conference is not None and ending in ("disconnected", "replaced"):
                self._on_state("out", reason)
                await self._stay_out(conference, ending)
                continue
            if ending == "over":
                self._conference, self._participant = None, None
            self._on_state("retrying", reason)
            await asyncio.sleep(self._backoff.next_s())

    async def _find_conference(self) -> str:
        """The conference to join; waits until there is one."""
        told = False
        while True:
            if self._conference is not None:
                return self._conference
            for conference in await self._client.conferences():
                if self._acts_for is None or await self._client.presence(
                    conference, self._acts_for
                ):
                    return conference
            if not told:
                self._on_state("waiting", "no conference runs")
                told = True
            await asyncio.sleep(POLL_S)

    async def _stay_out(self, conference: str, ending: Ending) -> None:
        """Wait until this room is wanted again, or the conference is over."""
        away = "left" if ending == "disconnected" else "connected"
        while self._participant is not None:
            await asyncio.sleep(POLL_S)
            try:
                if await self._client.presence(conference, self._participant) != away:
                    return
            except Refused as refused:
                if not refused.passes:
                    raise
            except Unreachable:
                continue  # the daemon is restarted, perhaps

    async def _stay(self, conference: str) -> tuple[Ending, str]:
        """Join once; gives how and why the connection ended."""
        start = asyncio.get_running_loop().time()
        camera = self._media.camera(self.name, start)
        # A guest who was in comes back as itself.
        joins_as = self._participant if self._guest else self._acts_for
        leg: str | None = None
        follow: asyncio.Task[tuple[Ending, str]] | None = None
        peer = self._connect(self._media.microphone(self.name, start), camera)
        try:
            answer, leg = await self._client.offer(
                conference,
                await peer.offer(),
                bridge=joins_as,
                name=self.name if self._guest and joins_as is None else None,
            )
            await peer.connect(answer)
            found = await self._client.leg(leg)
            if found is None:
                return "broken", "the leg was closed at once"
            self._participant = found["participant"]
            self._on_state("connected", conference)
            follow = asyncio.create_task(self._follow(conference, leg, camera))
            ended = asyncio.create_task(peer.ended())
            try:
                await asyncio.wait({ended, follow}, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait({follow}, timeout=LAST_EVENTS_S)
            finally:
                ended.cancel()
            return follow.result() if follow.done() else ("broken", "the connection was closed")
        finally:
            if follow is not None:
                follow.cancel()
                await asyncio.gather(follow, return_exceptions=True)
            if leg is not None:
                with contextlib.suppress(Unreachable, Refused):
                    await self._client.leave(leg)
            await peer.close()

    async def _follow(self, conference: str, leg: str, camera: Camera) -> tuple[Ending, str]:
        """Apply what the conference asks of this room until it is out; gives how and why.

        The event stream may break while media flows on, and is opened again. A daemon that was
        restarted does not know the leg any more: that is seen here long before ICE gives up.
        """
        backoff = Backoff()
        while True:
            try:
                async with aclosing(self._client.events(conference)) as events:
                    async for kind, data in events:
                        backoff.reset()
                        ending = self._take(kind, data, leg, camera)
                        if ending is not None:
                            return ending
            except Refused as refused:
                if refused.status == NOT_ACCEPTED:
                    # The token has expired, and the daemon lets the room stay; were it revoked,
                    # the daemon would close the leg as well.
                    await asyncio.Event().wait()
                if not refused.passes:
                    raise
            except Unreachable:
                pass  # said by whoever ends the leg; the media may be well
            await asyncio.sleep(backoff.next_s())
            with contextlib.suppress(Unreachable):
                if await self._client.leg(leg) is None:
                    return "broken", "the daemon has forgotten the leg"

    def _take(
        self, kind: str, data: dict[str, Any], leg: str, camera: Camera
    ) -> tuple[Ending, str] | None:
        """One event; gives how the stay ended if this ended it."""
        if kind == "conference.ended":
            return "over", "the conference has ended"
        if kind == "sources.requested":
            wanted = data["requests"].get(self._participant, {}).get("video")
            if wanted is not None:
                camera.request = PictureRequest(
                    width=int(wanted["width"]),
                    height=int(wanted["height"]),
                    fps=int(wanted["fps"]),
                    paused=bool(wanted["paused"]),
                )
            return None
        about = data.get("participant")
        if not isinstance(about, dict) or about.get("id") != self._participant:
            return None
        if kind == "participant.removed":
            return "over", "removed from the conference"
        if kind == "participant.left" and data["reason"] in ("disconnected", "bye"):
            return "disconnected", "disconnected by the operator"
        if kind == "participant.left" and data["reason"] == "revoked":
            return "broken", "the control room has withdrawn the access"
        if kind == "participant.joined" and leg.rpartition("/")[2] in data["replaced"]:
            return "replaced", "another device has joined as this room"
        return None
