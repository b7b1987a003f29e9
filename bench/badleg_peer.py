"""One room that misbehaves, as a process: joins like every other, then does one thing wrong.

Started by ``bench.badleg``; ``good`` is the same room doing nothing wrong. With ``--elsewhere`` it
is a good room, and sends what is wrong to a socket that nobody reads: as much work, for the same
machine, and none for the daemon. It prints one line when it begins to send, and goes on until it
is ended.
"""

import argparse
import asyncio
import os
import random
import socket
import time
from collections.abc import Callable, Sequence
from fractions import Fraction

import aiohttp
import av
import numpy as np
import uvloop

from bench.generator_leg import GeneratorLeg
from bench.generator_offer import AUDIO_PAYLOAD_TYPE, LEVEL_ID, VIDEO_PAYLOAD_TYPE
from bench.media import CodedPictures, coded_pictures, coded_speech, textured
from mcu.media import h264, rtcp, rtp, vp8
from mcu.media.srtp import PacketBuffer, SrtpError, SrtpSession
from mixer.codecs.video import VideoEncoder
from signalling.webrtc.dtls import AEAD_AES_128_GCM, DtlsCertificate

PHASE_S = 0.005
AUDIO_PHASES, VIDEO_PHASES = 4, 8
CHECK_PHASES = 20
FLOOD_PACKETS = 55
"""In each phase: 11,000 a second, a hundred times 50 of sound and 60 of pictures."""
FLOOD_BYTES = 560
"""Of each: 50 Mbit/s, a hundred times what is agreed."""
STALL_PHASES, BURST_EVERY = 300, 400
"""Of two seconds it is silent for one and a half."""
SIZES = ((90, 90), (320, 180), (1920, 1080), (640, 360), (3840, 2160), (176, 144))
LARGE_PICTURES = 12
PLIS_PER_PHASE = 5  # 1,000 a second
SEED = 1


class BadLeg(GeneratorLeg):
    """A leg of the generator with the means to do wrong."""

    vp8 = False

    def offer(self) -> str:
        """As the generator's, or with VP8 in place of H.264."""
        offer = super().offer()
        if not self.vp8:
            return offer
        lines = offer.replace("H264/90000", "VP8/90000").split("\r\n")
        return "\r\n".join(
            line for line in lines if not line.startswith(f"a=fmtp:{VIDEO_PAYLOAD_TYPE}")
        )

    def send_sound(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """One packet of loud sound, whatever it holds."""
        self._protect(
            AUDIO_PAYLOAD_TYPE, sequence, timestamp, self.audio_ssrc, {LEVEL_ID: b"\x9e"}, payload,
            now,
        )  # fmt: skip

    def send_payload(self, payload: bytes, timestamp: int, now: float, *, last: bool) -> None:
        """One packet of a picture, whatever it holds."""
        marker = rtp.MARKER_BIT if last else 0
        self._protect(
            VIDEO_PAYLOAD_TYPE | marker, self._video_sequence, timestamp, self.video_ssrc, {},
            payload, now,
        )  # fmt: skip
        self._video_sequence += 1

    def send_rtcp(self, packet: bytes) -> None:
        """A compound packet, whatever it says."""
        if self._outbound is not None:
            try:
                self._send(self._outbound.protect_rtcp(rtcp.receiver_report(1) + packet))
            except SrtpError:
                self.counters.send_drops += 1

    @property
    def seen_ssrcs(self) -> tuple[int, int]:
        """Sound and picture that the daemon sends it."""
        return self._from_audio_ssrc, self._from_video_ssrc


class Elsewhere(BadLeg):
    """Has joined nothing: what it sends is protected, goes through the kernel, and is dropped."""

    def __init__(self) -> None:
        super().__init__(
            "elsewhere",
            PacketBuffer(),
            DtlsCertificate.generate(),
            sound=coded_speech("bad"),
            pictures=coded_pictures(),
            video=True,
            sampled=False,
        )
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind(("127.0.0.1", 0))
        self._socket.connect(self.sink.getsockname())
        profile = AEAD_AES_128_GCM
        key = os.urandom(profile.key_bytes + profile.salt_bytes)
        self._outbound = SrtpSession(key, profile.name, self._buffer, outbound=True)

    @property
    def seen_ssrcs(self) -> tuple[int, int]:
        """Nobody sends it anything: some that are as long."""
        return 1, 2

    def close(self) -> None:
        """Stop; idempotent."""
        super().close()
        self.sink.close()


Fault = Callable[[BadLeg, int, float], None]
"""Called every ``PHASE_S`` with the number of the phase, and ``now``."""


def good(leg: BadLeg, phase: int, now: float) -> None:
    """Nothing wrong: 640×360 at 25 pictures, and speech."""
    if phase % AUDIO_PHASES == 0:
        leg.send_audio(now)
    if phase % VIDEO_PHASES == 0:
        leg.send_picture(now)


def _sound_only(leg: BadLeg, phase: int, now: float) -> None:
    if phase % AUDIO_PHASES == 0:
        leg.send_audio(now)


class Broken:
    """Pictures with flipped bits, cut short, or made up, and key frames among them."""

    def __init__(self, pictures: CodedPictures) -> None:
        self._pictures = pictures
        self._random = random.Random(SEED)
        self._frames = 0

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        _sound_only(leg, phase, now)
        if phase % VIDEO_PHASES:
            return
        chance = self._random
        self._frames += 1
        # Each fifth is the key frame, damaged too: decoders are to begin again and again.
        at = 0 if self._frames % 5 == 0 else self._frames % len(self._pictures.payloads)
        payloads = self._pictures.payloads[at]
        for number, payload in enumerate(payloads):
            broken = bytearray(payload)
            kind = chance.randrange(4)
            if kind == 0:
                for _ in range(1 + len(broken) // 50):
                    broken[chance.randrange(2, len(broken))] ^= 1 << chance.randrange(8)
            elif kind == 1:
                del broken[max(3, chance.randrange(len(broken))) :]
            elif kind == 2 and number:
                broken[2:] = chance.randbytes(len(broken) - 2)
            timestamp = self._frames * 3600
            leg.send_payload(bytes(broken), timestamp, now, last=number == len(payloads) - 1)


class Flood:
    """A hundred times the packets and bits that were agreed, all of them authentic."""

    def __init__(self) -> None:
        self._sound = 0

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        for number in range(FLOOD_PACKETS):
            if number % 2:
                leg.send_payload(b"\x41" + bytes(FLOOD_BYTES), phase * 450, now, last=True)
            else:
                self._sound += 1
                leg.send_sound(self._sound, self._sound * 960, bytes(FLOOD_BYTES), now)


class Timestamps:
    """Times that jump, go backwards, or stand still, in turn for a second each."""

    def __init__(self, pictures: CodedPictures) -> None:
        self._pictures = pictures
        self._random = random.Random(SEED)

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        kind = phase // 200 % 3
        jump = self._random.getrandbits(32)
        number = phase // AUDIO_PHASES
        if phase % AUDIO_PHASES == 0 and leg.sound is not None:
            payload = leg.sound.packets[number % len(leg.sound.packets)]
            leg.send_sound(number, (jump, -number * 960, 7)[kind] & 0xFFFFFFFF, payload, now)
        if phase % VIDEO_PHASES == 0:
            number = phase // VIDEO_PHASES
            payloads = self._pictures.payloads[number % len(self._pictures.payloads)]
            timestamp = (jump, -number * 3600, 7)[kind] & 0xFFFFFFFF
            for at, payload in enumerate(payloads):
                leg.send_payload(payload, timestamp, now, last=at == len(payloads) - 1)


class Sizes:
    """Each picture a key frame of another size, from 90×90 to 4K within a second."""

    def __init__(self) -> None:
        self._payloads = [_key_frame(*size) for size in SIZES]
        self._frames = 0

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        _sound_only(leg, phase, now)
        if phase % VIDEO_PHASES == 0:
            self._frames += 1
            payloads = self._payloads[self._frames % len(self._payloads)]
            for at, payload in enumerate(payloads):
                leg.send_payload(payload, self._frames * 3600, now, last=at == len(payloads) - 1)


class Large:
    """4K at 25 pictures a second into a small slot, whatever is asked for."""

    def __init__(self) -> None:
        encoder = VideoEncoder("h264", 3840, 2160, 25, 6_000_000)
        self._payloads = [
            h264.packetise(encoder.encode(_picture(3840, 2160, number), number == 0).data)
            for number in range(LARGE_PICTURES)
        ]
        self._frames = 0

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        _sound_only(leg, phase, now)
        if phase % VIDEO_PHASES == 0:
            payloads = self._payloads[self._frames % LARGE_PICTURES]
            self._frames += 1
            for at, payload in enumerate(payloads):
                leg.send_payload(payload, self._frames * 3600, now, last=at == len(payloads) - 1)


class Stalls:
    """Stops in the middle of a picture, is silent, then lets all go at once."""

    def __init__(self, pictures: CodedPictures) -> None:
        self._pictures = pictures
        self._held: list[tuple[bytes, int, bool]] = []
        self._held_sound = self._frames = 0

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        silent = phase % BURST_EVERY < STALL_PHASES
        if phase % VIDEO_PHASES == 0:
            payloads = self._pictures.payloads[self._frames % len(self._pictures.payloads)]
            self._frames += 1
            for at, payload in enumerate(payloads):
                self._held.append((payload, self._frames * 3600, at == len(payloads) - 1))
        if phase % AUDIO_PHASES == 0:
            self._held_sound += 1
        if silent and self._held and phase % BURST_EVERY:
            return
        # Of the last picture before the silence only one half goes out.
        keep = len(self._held) // 2 if phase % BURST_EVERY == 0 else 0
        while len(self._held) > keep:
            payload, timestamp, last = self._held.pop(0)
            leg.send_payload(payload, timestamp, now, last=last)
        for _ in range(self._held_sound):
            leg.send_audio(now)
        self._held_sound = 0


class RtcpFlood:
    """Asks for everything again, for a thousand key frames a second, and for absurd rates."""

    def __call__(self, leg: BadLeg, phase: int, now: float) -> None:
        good(leg, phase, now)
        audio, video = leg.seen_ssrcs
        for _ in range(PLIS_PER_PHASE):
            leg.send_rtcp(rtcp.picture_loss(1, video))
        first = phase * 640 & 0xFFFF
        everything = range(first, min(first + 5000, 0x10000), 17)
        leg.send_rtcp(rtcp.negative_acknowledgement(1, video, everything))
        leg.send_rtcp(rtcp.negative_acknowledgement(1, audio, everything))
        leg.send_rtcp(rtcp.bitrate_limit(1, (0, 1 << 40)[phase % 2], [video]))


def _key_frame(width: int, height: int) -> Sequence[bytes]:
    encoder = VideoEncoder("h264", width - width % 2, height - height % 2, 5, 2_000_000)
    return h264.packetise(encoder.encode(_picture(width, height, 0), True).data)


def _picture(width: int, height: int, number: int) -> av.VideoFrame:
    picture = np.ascontiguousarray(textured(width, height, number, SEED))
    return av.VideoFrame.from_ndarray(picture, "yuv420p")


def _vp8_pictures() -> CodedPictures:
    encoder = VideoEncoder("vp8", 640, 360, 25, 500_000)
    payloads = []
    for number in range(50):
        frame = _picture(640, 360, number)
        frame.time_base = Fraction(1, 25)
        payloads.append(tuple(vp8.packetise(encoder.encode(frame, number == 0).data)))
    return CodedPictures(tuple(payloads), 25)


FAULTS: dict[str, Callable[[], Fault]] = {
    "good": lambda: good,
    "broken-h264": lambda: Broken(coded_pictures()),
    "broken-vp8": lambda: Broken(_vp8_pictures()),
    "flood": Flood,
    "timestamps": lambda: Timestamps(coded_pictures()),
    "sizes": Sizes,
    "large": Large,
    "stalls": lambda: Stalls(coded_pictures()),
    "rtcp": RtcpFlood,
}
"""Name → what it does wrong."""


async def run(url: str, token: str, fault: str, *, elsewhere: bool) -> None:
    """Join and do wrong until the task is cancelled.

    Args:
        elsewhere: do wrong to nobody, and be a good room.
    """
    is_vp8 = fault == "broken-vp8"
    leg = BadLeg(
        "bad",
        PacketBuffer(),
        DtlsCertificate.generate(),
        sound=coded_speech("bad"),
        pictures=_vp8_pictures() if is_vp8 else coded_pictures(),
        video=True,
        sampled=False,
    )
    leg.vp8 = is_vp8
    send, other = FAULTS[fault](), Elsewhere() if elsewhere else None
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        joining = asyncio.create_task(leg.join(http, url))
        start, phase = time.monotonic(), 0
        told = False
        while True:
            await asyncio.sleep(max(0.0, start + phase * PHASE_S - time.monotonic()))
            now = time.monotonic()
            if phase % CHECK_PHASES == 0:
                leg.handle_timer(now)
            if joining.done():
                if not told:
                    await joining
                    told = True
                    print("sending", flush=True)
                if other is not None:
                    good(leg, phase, now)
                send(other or leg, phase, now)
            phase += 1


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="where the offer is POSTed")
    parser.add_argument("--token", default="", help="bearer token")
    parser.add_argument("--fault", choices=list(FAULTS), default="good")
    parser.add_argument("--elsewhere", action="store_true", help="do what is wrong to nobody")
    options = parser.parse_args()
    uvloop.run(run(options.url, options.token, options.fault, elsewhere=options.elsewhere))


if __name__ == "__main__":
    main()
