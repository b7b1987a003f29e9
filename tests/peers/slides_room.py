"""A hardware room with a camera, slides and floor control: plain RTP over real sockets."""

import asyncio
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np

from mcu.media.assembly import FrameAssembler
from mcu.sip.endpoint import SipEndpoint
from mixer.codecs.video import VideoDecoder
from signalling.sdp import MediaSection, SessionDescription
from signalling.sip import CallAnswered, CallId
from tests.peers.bfcp_room import BfcpRoom, Datagrams, Stream
from tests.peers.coded_media import LOOP_PICTURES, Colour, coded_colour, colour_of
from tests.peers.sip_wire import Room, endpoint
from tests.peers.waiting import until

HOST = "127.0.0.1"
PICTURES_PER_SECOND = 10
PAYLOAD_TYPE = 96
SLIDES = "12"
"""The label of its slides."""
_HEADER = struct.Struct("!BBHII")


class Screen(asyncio.DatagramProtocol):
    """One video section: sends pictures of ``colour`` while it has one, decodes what comes."""

    def __init__(self) -> None:
        self.colour: Colour | None = None
        self.to: tuple[str, int] | None = None
        self.frames = 0
        self.transport: asyncio.DatagramTransport
        self._ssrc = secrets.randbits(32)
        self._sequence = self._number = 0
        self._highest: int | None = None
        self._assembler = FrameAssembler("h264")
        self._decoder = VideoDecoder("h264")
        self._shown: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self) -> None:
        """Send one picture."""
        if self.colour is None or self.to is None:
            return
        pictures = coded_colour(self.colour, "H264").pictures
        payloads = pictures[self._number % len(pictures)]
        stamp = self._number * 90_000 // PICTURES_PER_SECOND
        for payload in payloads:
            marker = 0x80 if payload is payloads[-1] else 0
            head = _HEADER.pack(
                0x80, marker | PAYLOAD_TYPE, self._sequence & 0xFFFF, stamp, self._ssrc
            )
            self.transport.sendto(head + payload, self.to)
            self._sequence += 1
        self._number += 1

    def show(self, colour: Colour | None) -> None:
        """Send this from now on, beginning with a key frame."""
        self.colour = colour
        self._number += -self._number % LOOP_PICTURES

    def datagram_received(self, data: bytes, addr: object) -> None:
        if 192 <= data[1] <= 223:
            return  # RTCP on the same port
        _, second, sequence, stamp, _ = _HEADER.unpack_from(data)
        before = self._highest if self._highest is not None else 0x10000 + sequence
        unwrapped = before + ((sequence - before + 0x8000) & 0xFFFF) - 0x8000
        self._highest = max(before, unwrapped)
        for one in self._assembler.insert(unwrapped, stamp, bool(second & 0x80), data[12:]):
            for picture in self._decoder.decode(one.data):
                self._shown = picture.to_ndarray().astype(np.uint8, copy=False)
                self.frames += 1

    def shows(self, x: float, y: float, colour: Colour) -> bool:
        """Whether the last picture has the colour around a point given in 0-1 coordinates."""
        if self._shown is None:
            return False
        height, width = self._shown.shape[0] * 2 // 3, self._shown.shape[1]
        left, top = round(x * width) & ~1, round(y * height) & ~1
        return colour_of(self._shown, left - 8, top - 8, 16, 16).is_like(colour)


class SlidesRoom:
    """See the module. Made by ``slides_room``."""

    def __init__(self, phone: SipEndpoint, handler: Room, name: str) -> None:
        self.name = name
        self.camera = Screen()
        self.slides = Screen()
        self.bfcp: BfcpRoom
        self.floor: MediaSection
        """Of floor control, as it was answered."""
        self.call: CallId = ""
        self._phone = phone
        self._handler = handler

    async def dial(self, target: str, floor: tuple[str, ...]) -> MediaSection:
        """Call; gives the answer's section of floor control.

        Args:
            floor: ``m=`` line and attributes of its own section.
        """
        caller = f'"{self.name}" <sip:room@{HOST}>'
        self.call = self._phone.call(target, self._offer(floor), caller=caller)
        await self._handler.until(
            lambda events: any(isinstance(event, CallAnswered) for event in events)
        )
        answered = next(one for one in self._handler.events if isinstance(one, CallAnswered))
        media = SessionDescription.parse(answered.sdp.decode()).media
        assert [one.content for one in media][2] == ("slides",)
        for screen, section in zip((self.camera, self.slides), media[1:3], strict=True):
            assert section.port
            screen.to = HOST, section.port
        return media[3]

    def hang_up(self) -> None:
        self._phone.do(lambda agent, now: agent.hang_up(self.call, now))

    def _offer(self, floor: tuple[str, ...]) -> bytes:
        lines = ["v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"]
        lines += ["m=audio 9 RTP/AVP 8", "a=inactive"]
        for screen, content, label in (
            (self.camera, "main", "11"),
            (self.slides, "slides", SLIDES),
        ):
            lines += [
                f"m=video {screen.port} RTP/AVP {PAYLOAD_TYPE}",
                f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
                f"a=fmtp:{PAYLOAD_TYPE} profile-level-id=42e01f;packetization-mode=1",
                "a=rtcp-mux", f"a=content:{content}", f"a=label:{label}",
            ]  # fmt: skip
        lines += [floor[0], *(f"a={line}" for line in floor[1:]), ""]
        return "\r\n".join(lines).encode()


@asynccontextmanager
async def slides_room(
    target: str, name: str, *, tcp: bool, floor_port: int | None = None
) -> AsyncIterator[SlidesRoom]:
    """A room that has called ``target`` and speaks BFCP.

    Args:
        tcp: it opens a connection; else datagrams.
        floor_port: of somebody else, who speaks BFCP over UDP for it.
    """
    loop = asyncio.get_running_loop()
    handler = Room()
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(endpoint(room=handler))
        room = SlidesRoom(phone, handler, name)
        for screen in (room.camera, room.slides):
            await loop.create_datagram_endpoint(lambda one=screen: one, (HOST, 0))  # type: ignore[misc]
            stack.callback(screen.transport.close)
        if tcp:
            floor = ("m=application 9 TCP/BFCP *", "floorctrl:c-only", "setup:active",
                     "connection:new")  # fmt: skip
            section = await room.dial(target, floor)
            room.bfcp = BfcpRoom(section, reliable=True)
            transport, _ = await loop.create_connection(
                lambda: Stream(room.bfcp), HOST, section.port
            )
            stack.callback(transport.close)
        elif floor_port is not None:
            section = await room.dial(target, _floor_at(floor_port))
        else:
            datagrams = Datagrams()
            await loop.create_datagram_endpoint(lambda: datagrams, (HOST, 0))
            stack.callback(datagrams.transport.close)
            port = datagrams.transport.get_extra_info("sockname")[1]
            section = await room.dial(target, _floor_at(port))
            room.bfcp = datagrams.room = BfcpRoom(section, reliable=False)
            to = HOST, section.port
            room.bfcp.send = lambda data: datagrams.transport.sendto(data, to)
        assert section.attribute("floorid") == f"1 mstrm:{SLIDES}"
        sending = loop.create_task(_send(room))
        stack.callback(sending.cancel)
        room.floor = section
        if floor_port is None:
            room.bfcp.start()
        await until(lambda: bool(room.camera.frames), 0.05)
        yield room


def _floor_at(port: int) -> tuple[str, ...]:
    return f"m=application {port} UDP/BFCP *", "floorctrl:c-only"


async def _send(room: SlidesRoom) -> None:
    while True:
        room.camera.send()
        room.slides.send()
        await asyncio.sleep(1 / PICTURES_PER_SECOND)
