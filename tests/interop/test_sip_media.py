"""ffmpeg as a room system's media: RTP and SRTP over real sockets, by content."""

import asyncio
import base64
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mcu.legs.sip import SipLeg
from mcu.legs.sip_acceptor import SipAcceptor
from mcu.media.port_pairs import PortPairs
from mcu.media.ports import UdpPorts
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mixer.codecs.audio import FORMATS, make_decoder, make_encoder
from mixer.codecs.video import VideoDecoder, VideoEncoder
from mixer.video.canvas import frame_planes
from signalling.offer_answer import LocalMedia, answer_offer
from signalling.sdp import SessionDescription
from signalling.webrtc.dtls import DtlsCertificate
from tests.mixer.video.pictures import RED, colour_at, frame, near
from tests.peers import child
from tests.peers.coded_media import tone_db
from tests.peers.free_ports import free_range
from tests.peers.media_world import Recorder
from tests.peers.waiting import until

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here")

KEY = bytes(range(30))
HOSTS = {"127.0.0.1": "IP4", "::1": "IP6"}
CODECS = {"g722": (9, "G722/8000", 16_000), "pcm_alaw": (8, "PCMA/8000", 8_000)}


@dataclass
class Ends:
    """An acceptor on loopback."""

    acceptor: SipAcceptor
    ports: UdpPorts
    recorder: Recorder = field(default_factory=Recorder)

    async def call(
        self, host: str, port: int, media: str, *lines: str, key: bool = False
    ) -> SipLeg:
        profile = "RTP/SAVP" if key else "RTP/AVP"
        family = HOSTS[host]
        text = [
            "v=0",
            f"o=- 1 1 IN {family} {host}",
            "s=-",
            f"c=IN {family} {host}",
            "t=0 0",
            media.format(port=port, profile=profile),
            *(f"a={line}" for line in lines),
        ]
        if key:
            inline = base64.b64encode(KEY).decode()
            text.append(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{inline}")
        reserved = self.acceptor.reserve(1)
        local = LocalMedia(
            port=lambda index, family: reserved.take(),
            session_id=1,
            cname=self.acceptor.cname,
            new_ssrc=lambda: 0x1234567,
            new_key=lambda count: KEY[:count],
            ipv4="127.0.0.1",
            ipv6="::1",
        )
        agreed = answer_offer(SessionDescription.parse("\r\n".join(text) + "\r\n"), local)
        leg = self.acceptor.open(
            agreed,
            reserved,
            leg_id="leg",
            conference="conference",
            participant="room",
            observer=self.recorder,
            digits=lambda key: None,
            now=time.monotonic(),
        )
        leg.listen(self.recorder.heard)
        return leg


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    loop = asyncio.get_running_loop()
    ports = UdpPorts(loop, PortPairs(*free_range(4)))
    acceptor = SipAcceptor(ports=ports, certificate=DtlsCertificate.generate())

    async def drive() -> None:
        while True:
            acceptor.handle_timer(time.monotonic())
            await asyncio.sleep(0.01)

    task = asyncio.create_task(drive())
    yield Ends(acceptor, ports)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    acceptor.close("ended", time.monotonic())
    assert ports.sockets == 0
    ports.close()


@contextlib.asynccontextmanager
async def ffmpeg(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await child.start(
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


def target(host: str, port: int, own: int, *, key: bool) -> list[str]:
    place = f"[{host}]" if ":" in host else host
    scheme = "srtp" if key else "rtp"
    url = (
        f"{scheme}://{place}:{port}?localrtpport={own}&localrtcpport={own + 1}&rtcpport={port + 1}"
    )
    keys = ["-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params"]
    keys += [base64.b64encode(KEY).decode()]
    return [*(keys if key else []), "-f", "rtp", url]


@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize(
    ("codec", "host"), [("g722", "127.0.0.1"), ("pcm_alaw", "127.0.0.1"), ("g722", "::1")]
)
async def test_what_ffmpeg_sends_is_heard(ends: Ends, codec: str, host: str, key: bool) -> None:
    number, rtpmap, rate = CODECS[codec]
    own, _ = free_range(1)
    media = f"m=audio {{port}} {{profile}} {number}"
    leg = await ends.call(host, own, media, f"rtpmap:{number} {rtpmap}", key=key)
    port = leg.agreed.flows[0].local_port
    source = ["-re", "-f", "lavfi", "-i", "sine=440:duration=20", "-ac", "1", "-ar", str(rate)]
    async with ffmpeg(
        *source, "-c:a", codec, "-payload_type", str(number), *target(host, port, own, key=key)
    ):
        await until(lambda: len(ends.recorder.audio) > 60, 0.02)
        await until(lambda: leg.flows[0].rtcp.peer is not None, 0.02)
    decoder = make_decoder(leg.sources["audio"].name)
    sound = np.concatenate([decoder.decode(one.payload) for one in ends.recorder.audio])
    assert tone_db(sound[-24_000:], 440) > 60
    assert ends.recorder.events == ["connected"]
    reading = leg.statistics(time.monotonic())
    assert reading.received["audio"].packets_lost == 0
    assert reading.remote_address is not None
    assert reading.remote_address.endswith(f":{own}")
    assert not [one for one in reading.dropped if "srtp" in one or "srtcp" in one]


@pytest.mark.parametrize("key", [False, True])
async def test_ffmpeg_hears_what_a_leg_sends(ends: Ends, tmp_path: Path, key: bool) -> None:
    own, _ = free_range(1)
    leg = await ends.call(
        "127.0.0.1", own, "m=audio {port} {profile} 9", "rtpmap:9 G722/8000", key=key
    )
    description = tmp_path / "call.sdp"
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    lines += [f"m=audio {own} {'RTP/SAVP' if key else 'RTP/AVP'} 9"]
    if key:
        crypto = leg.agreed.local.media[0].cryptos[0]
        lines += [f"a=crypto:{crypto}"]
    description.write_text("\n".join([*lines, ""]), encoding="ascii")
    recorded = tmp_path / "heard.wav"
    fan_out = FanOut(lambda delay, call: None)
    rendition = Rendition(RenditionKey("audio", "total", "g722"), 8_000, fan_out)
    arguments = ["-protocol_whitelist", "file,udp,rtp,srtp,crypto", "-i", str(description)]
    async with ffmpeg(*arguments, "-t", "1.5", "-ar", "48000", str(recorded)) as process:
        await until(lambda: leg.state == "connected", 0.01)
        leg.play("audio", rendition)
        encoder, tick = make_encoder("g722"), 0
        started = time.monotonic()
        while process.returncode is None:
            n = np.arange(tick * 960, (tick + 1) * 960)
            wave = (6_000 * np.sin(2 * np.pi * 1_000 * n / 48_000)).astype(np.int16)
            step = FORMATS["g722"].rtp_ticks_per_tick
            now = time.monotonic()
            rendition.append(encoder.encode(wave), tick * step, key_frame=True, now=now)
            tick += 1
            await asyncio.sleep(max(0.0, started + tick * 0.02 - now))
        assert process.returncode == 0
    with av.open(str(recorded)) as container:
        blocks = [one.to_ndarray().reshape(-1) for one in container.decode(audio=0)]
    sound = np.concatenate(blocks).astype(np.int16)
    assert tone_db(sound[24_000:48_000], 1_000) == pytest.approx(20 * np.log10(6_000), abs=2)


async def test_pictures_both_ways(ends: Ends, tmp_path: Path) -> None:
    own, _ = free_range(1)
    fmtp = "profile-level-id=42e01f;packetization-mode=1"
    video: tuple[Any, ...] = (
        "m=video {port} {profile} 96",
        "rtpmap:96 H264/90000",
        f"fmtp:96 {fmtp}",
    )
    leg = await ends.call("127.0.0.1", own, *video)
    leg.want_source("video", True)
    port = leg.agreed.flows[0].local_port
    source = ["-re", "-f", "lavfi", "-i", "color=red:size=320x180:rate=25", "-c:v", "libx264"]
    source += ["-profile:v", "baseline", "-g", "25", "-pix_fmt", "yuv420p", "-payload_type", "96"]
    async with ffmpeg(*source, *target("127.0.0.1", port, own, key=False)):
        await until(lambda: len(ends.recorder.frames.get("video", ())) > 30, 0.02)
    decoder = VideoDecoder("h264")
    shown = [one for coded in ends.recorder.frames["video"] for one in decoder.decode(coded.data)]
    assert (shown[-1].width, shown[-1].height) == (320, 180)
    planes = frame_planes(shown[-1])
    assert int(planes.v[20, 20]) > 200  # red
    leg.close("ended", time.monotonic())

    own, _ = free_range(1)
    leg = await ends.call("127.0.0.1", own, *video)
    description = tmp_path / "call.sdp"
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    lines += [f"m=video {own} RTP/AVP 96", "a=rtpmap:96 H264/90000", f"a=fmtp:96 {fmtp}"]
    description.write_text("\n".join([*lines, ""]), encoding="ascii")
    loop = asyncio.get_running_loop()
    fan_out = FanOut(lambda delay, call: _later(loop, delay, call))
    rendition = Rendition(RenditionKey("video", "main", "h264"), 90_000, fan_out)
    picture = tmp_path / "seen.png"
    arguments = ["-protocol_whitelist", "file,udp,rtp", "-i", str(description)]
    async with ffmpeg(*arguments, "-frames:v", "1", str(picture)) as process:
        await until(lambda: leg.state == "connected", 0.01)
        leg.play("video", rendition)
        encoder, number = VideoEncoder("h264", 320, 180, 25, 300_000), 0
        while process.returncode is None:
            coded = encoder.encode(frame(320, 180, RED), number % 10 == 0)
            now = time.monotonic()
            rendition.append(coded.data, number * 3_600, key_frame=coded.key_frame, now=now)
            number += 1
            await asyncio.sleep(0.04)
        assert process.returncode == 0
    with av.open(str(picture)) as container:
        seen = next(container.decode(video=0)).reformat(format="yuv420p")
    assert near(colour_at(frame_planes(seen), 160, 90), RED, 20)


def _later(loop: asyncio.AbstractEventLoop, delay: float, call: Any) -> None:
    loop.call_later(delay, lambda: call(time.monotonic()))
