"""A leg opposite to headless Chromium: H.264 and VP8, both directions, IPv4 and IPv6 loopback."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from tests.peers.chromium_room import CHROMIUM, QUIET_ARGUMENTS
from tests.peers.real_port import RealPort

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}")

KINDS = ("in-video", "in-audio")
LOOPBACK = "--allow-loopback-in-peer-connection"
"""Otherwise it sends from an address of the machine, which an answer from 127.0.0.1 is not for."""

OFFER = """async (codec) => {
  const pc = globalThis.pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  const media = await navigator.mediaDevices.getUserMedia(
    {audio: true, video: {width: 640, height: 360, frameRate: 15}});
  const video = document.createElement("video");
  video.muted = video.autoplay = true;
  video.srcObject = new MediaStream();
  document.body.append(video);
  pc.ontrack = ({track}) => { video.srcObject.addTrack(track); };
  for (const track of media.getTracks()) pc.addTransceiver(track, {streams: [media]});
  for (const transceiver of pc.getTransceivers()) {
    if (transceiver.sender.track.kind !== "video") continue;
    transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities("video").codecs.filter(
      (one) => one.mimeType === codec || one.mimeType === "video/rtx"));
  }
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}"""
STATISTICS = """async () => {
  const found = {state: globalThis.pc.connectionState};
  for (const one of (await globalThis.pc.getStats()).values()) {
    if (one.type === "inbound-rtp") found["in-" + one.kind] = one;
    if (one.type === "outbound-rtp") found["out-" + one.kind] = one;
    if (one.type === "remote-inbound-rtp") found["remote-" + one.kind] = one;
    if (one.type === "transport") found.transport = one;
  }
  return found;
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=[*QUIET_ARGUMENTS, LOOPBACK]
        )
        try:
            context = await browser.new_context()
            await context.grant_permissions(["camera", "microphone"], origin="http://localhost")
            page = await context.new_page()
            # Cameras are for secure origins; nothing listens there, the answer is given here.
            await page.route(
                "http://localhost/",
                lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"),
            )
            await page.goto("http://localhost/")
            yield page
        finally:
            await browser.close()


def apart_ms(found: dict[str, Any]) -> float:
    """How far what is seen and what is heard now were captured apart."""
    shown, heard = (found[name].get("estimatedPlayoutTimestamp", 0.0) for name in KINDS)
    return abs(float(shown) - float(heard))


@pytest.mark.parametrize(
    ("codec", "candidate"),
    [("video/H264", "127.0.0.1"), ("video/VP8", "127.0.0.1"), ("video/H264", "::1")],
)
async def test_both_directions(page: Page, codec: str, candidate: str) -> None:
    async with RealPort(candidate=candidate) as real:
        leg = real.accept(await page.evaluate(OFFER, codec), shown=False)
        real.play(leg)
        await page.evaluate(
            "(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", leg.answer_sdp
        )
        await real.until(lambda: "connected" in real.recorder.events)
        frames = real.recorder.frames
        await real.until(
            lambda: (
                len(real.recorder.audio) > 50 and leg.statistics(0.0).received["video"].packets > 20
            )
        )
        # Nobody is to see it yet; who comes to see it gets a key frame.
        assert frames == {}
        assert leg.statistics(0.0).received["video"].plis == 0
        leg.want_source("video", wanted=True)
        await real.until(lambda: len(frames.get("video", [])) > 20)
        found = await page.evaluate(STATISTICS)
        for _ in range(100):
            video = found["in-video"]
            if (
                video.get("framesDecoded", 0) > 20
                and video.get("estimatedPlayoutTimestamp")
                and "remote-video" in found
                and apart_ms(found) < 500  # a browser that got no processor is behind for a while
            ):
                break
            await page.wait_for_timeout(100)
            found = await page.evaluate(STATISTICS)
        assert found["state"] == "connected"
        assert found["in-video"]["framesDecoded"] > 20
        assert found["in-video"]["frameWidth"] == 640
        assert found["in-audio"]["packetsReceived"] > 50
        assert found["in-audio"]["packetsLost"] == 0
        # Sound and picture have one clock: what plays now was captured at nearly the same time.
        assert apart_ms(found) < 500
        assert found["remote-video"]["packetsLost"] == 0
        assert all(frame.contiguous for frame in frames["video"])
        assert frames["video"][0].key_frame
        assert any(packet.level_dbov is not None for packet in real.recorder.audio)
        reading = leg.statistics(0.0)
        assert reading.dropped == {}
        assert reading.line is not None  # it reports on each packet
        assert reading.line.packets > 20
        assert reading.line.estimate_bps > 0
        assert reading.received["video"].frames == len(frames["video"])
        await page.evaluate("() => pc.close()")
        await real.until(lambda: "left:bye" in real.recorder.events)
