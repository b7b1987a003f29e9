"""A media port on loopback with an acceptor, for peers that are real programs."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self, TypeVar

import av
import numpy as np

from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.media.udp import open_media_port
from signalling.sdp import IceCandidate
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.media_world import Recorder

T = TypeVar("T")
TIMER_S = 0.01
AUDIO_S = 0.02


class RealPort:
    """An open port whose legs play one prepared picture and one prepared sound.

    Args:
        host: what the socket binds to. candidate: the address answers name.
    """

    def __init__(self, host: str = "::", candidate: str = "127.0.0.1") -> None:
        loop = asyncio.get_running_loop()
        self.port, self.transport = open_media_port(loop, host)
        self.acceptor = WebRtcAcceptor(
            port=self.port,
            certificate=DtlsCertificate.generate(),
            candidates=lambda: [IceCandidate.host(candidate, self.transport.local_port)],
        )
        self.recorder = Recorder()
        self.key_frames_wanted = 0
        self._loop = loop
        self.fan_out = FanOut(self._schedule, time.perf_counter)
        self._tasks = [asyncio.create_task(self._pump())]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.acceptor.close("ended", time.monotonic())
        self.transport.close()

    def accept(self, offer_sdp: str, *, shown: bool = True) -> WebRtcLeg:
        """Answer an offer; ``shown``: all that the peer sends is wanted from the start."""
        leg = self.acceptor.accept(
            offer_sdp,
            leg_id="leg",
            conference="conference",
            participant="room",
            kind="join",
            observer=self.recorder,
            now=time.monotonic(),
        )
        leg.listen(self.recorder.heard)
        if shown:
            for source in leg.sources:
                leg.want_source(source, wanted=True)
        return leg

    def play(self, leg: WebRtcLeg) -> None:
        """Send sound, and pictures where the leg takes video, from now on."""
        self._tasks.append(asyncio.create_task(self._sound(leg)))
        if "video" in leg.outputs:
            self._tasks.append(asyncio.create_task(self._pictures(leg)))

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 what is waited for has no event
                await asyncio.sleep(TIMER_S)

    def _schedule(self, delay: float, call: Callable[[float], None]) -> None:
        self._loop.call_later(delay, lambda: call(time.monotonic()))

    def _wanted(self, now: float) -> None:
        self.key_frames_wanted += 1

    async def _pump(self) -> None:
        while True:
            self.acceptor.handle_timer(time.monotonic())
            await asyncio.sleep(TIMER_S)

    async def _sound(self, leg: WebRtcLeg) -> None:
        codec = leg.outputs["audio"]
        rendition = Rendition(RenditionKey("audio", "total", codec.name), 48000, self.fan_out)
        leg.play("audio", rendition)
        for number, payload in _forever(opus_packets()):
            rendition.append(payload, number * 960, key_frame=True, now=time.monotonic())
            await asyncio.sleep(AUDIO_S)

    async def _pictures(self, leg: WebRtcLeg) -> None:
        codec = leg.outputs["video"]
        key = RenditionKey("video", "main", codec.name, 640, 360)
        rendition = Rendition(key, 90000, self.fan_out, self._wanted)
        leg.play("video", rendition)
        pictures = coded_pictures(codec.name)
        for number, (data, key_frame) in _forever(pictures):
            rendition.append(data, number * 3600, key_frame=key_frame, now=time.monotonic())
            await asyncio.sleep(0.04)


def _forever(items: list[T]) -> Iterator[tuple[int, T]]:
    return enumerate(itertools.cycle(items))


def coded_pictures(codec: str, width: int = 640, height: int = 360) -> list[tuple[bytes, bool]]:
    """One second of a moving picture, the first one a key frame."""
    name = {"h264": "libx264", "vp8": "libvpx"}[codec]
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.framerate, context.time_base = 25, Fraction(1, 25)
    context.bit_rate, context.gop_size = 1_000_000, 25
    if codec == "h264":
        context.profile = "Baseline"
        context.options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}
    else:
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    pictures = []
    for number in range(25):
        frame = av.VideoFrame(width, height, "yuv420p")
        noise = np.random.default_rng(number)
        for plane in frame.planes:
            rows = np.full((plane.height, plane.line_size), 100, np.uint8)
            rows[:, : 4 * number + 16] = noise.integers(0, 255, (plane.height, 4 * number + 16))
            plane.update(rows.tobytes())
        frame.pts = number
        pictures += [(bytes(packet), packet.is_keyframe) for packet in context.encode(frame)]
    return pictures


def opus_packets() -> list[bytes]:
    """One second of a 440 Hz tone, mono, 20 ms packets."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "mono", "s16"
    context.options = {"application": "voip"}
    packets = []
    for number in range(50):
        at = np.arange(number * 960, (number + 1) * 960)
        tone = (8000 * np.sin(2 * np.pi * 440 * at / 48000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = 48000, number * 960
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets
