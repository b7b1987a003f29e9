"""Key frames by INFO (RFC 5168), for devices whose RTCP does not ask for them: both ways."""

from pathlib import Path

from mcu.legs.sip import SipLeg
from mcu.media.rendition import VIDEO_CLOCK_HZ, FanOut, Rendition, RenditionKey
from signalling.sip import CallAnswered, CallId, PictureRequested
from tests.peers.sip_stage import Stage, description, stage
from tests.peers.waiting import until

VIDEO = (
    "m=video 40002 RTP/AVP 96",
    "a=rtpmap:96 H264/90000",
    "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1",
)


async def seen(found: Stage) -> tuple[CallId, SipLeg]:
    """A telephone with pictures calls; its call and its leg."""
    conference = await found.start()
    call = found.dial(conference, description(40_000, *VIDEO))
    await found.room.until(lambda events: any(isinstance(one, CallAnswered) for one in events))
    await until(lambda: "connected" in found.states(conference).values(), 0.01)
    (leg,) = found.acceptor.legs.values()
    return call, leg


def asked(found: Stage) -> int:
    return sum(isinstance(event, PictureRequested) for event in found.room.events)


async def test_a_device_is_asked_by_info(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        _, leg = await seen(found)
        leg.ask_picture()  # as a leg does whose peer takes no feedback by RTCP
        await until(lambda: asked(found) == 1, 0.01)
        assert found.endpoint.agent.statistics.messages["sent INFO"] == 1


async def test_a_device_asks_us_by_info(tmp_path: Path) -> None:
    wanted: list[float] = []
    async with stage(tmp_path) as found:
        call, leg = await seen(found)
        key = RenditionKey("video", "main", "h264", 1280, 720, 1_500_000)
        fan_out = FanOut(lambda delay_s, run: None)
        leg.play("video", Rendition(key, VIDEO_CLOCK_HZ, fan_out, wanted.append))
        before = len(wanted)
        found.phone.do(lambda agent, now: agent.request_picture(call, now))
        await until(lambda: len(wanted) > before, 0.01)
