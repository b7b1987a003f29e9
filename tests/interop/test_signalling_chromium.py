"""Chromium takes our answers: to what it offers by itself, to simulcast, and when it asks again."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from signalling.sdp import IceCandidate, SessionDescription
from signalling.webrtc.certificate import DtlsCertificate
from signalling.webrtc.negotiation import LocalSide, Negotiated, answer_offer
from tests.peers.chromium_room import CHROMIUM, QUIET_ARGUMENTS

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}")

OFFER = """async (setup) => {
    window.pc ??= new RTCPeerConnection();
    const media = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
    const [audio] = media.getAudioTracks(), [video] = media.getVideoTracks();
    await (new Function('pc', 'audio', 'video', setup))(pc, audio, video);
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""
ANSWER = """async (sdp) => {
    await pc.setRemoteDescription({type: 'answer', sdp});
    return pc.getTransceivers().map(t => ({
        mid: t.mid,
        direction: t.currentDirection,
        sent: t.sender.getParameters().codecs.map(c => c.mimeType),
        encodings: t.sender.getParameters().encodings.length,
    }));
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_ARGUMENTS)
        try:
            page = await browser.new_page()
            # A secure context without a server: the page is answered before it leaves the browser.
            await page.route(
                "http://localhost/**",
                lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"),
            )
            await page.goto("http://localhost/")
            yield page
        finally:
            await browser.close()


def local_side(session_id: int = 1) -> LocalSide:
    return LocalSide(
        ice_ufrag="mcu1",
        ice_pwd="p" * 24,
        fingerprints=(DtlsCertificate.generate().fingerprint,),
        candidates=(
            IceCandidate.host("127.0.0.1", 9),
            IceCandidate.host("::1", 9, preference=65534),
        ),
        cname="clock",
        session_id=session_id,
        new_ssrc=itertools.count(1000).__next__,
    )


async def negotiate(
    page: Page,
    setup: str,
    local: LocalSide,
    kind: str = "join",
    previous: Negotiated | None = None,
) -> tuple[Negotiated, list[dict[str, Any]]]:
    offer = SessionDescription.parse(await page.evaluate(OFFER, setup))
    negotiated = answer_offer(offer, local, kind=kind, previous=previous)  # type: ignore[arg-type]
    return negotiated, await page.evaluate(ANSWER, str(negotiated.answer))


@pytest.mark.parametrize("name", ["H264", "VP8"])
async def test_sound_and_picture_both_ways(page: Page, name: str) -> None:
    setup = f"""
        pc.addTrack(audio);
        pc.addTrack(video);
        const codecs = RTCRtpReceiver.getCapabilities('video').codecs;
        pc.getTransceivers()[1].setCodecPreferences(
            codecs.filter(c => ['video/{name}', 'video/rtx'].includes(c.mimeType)));
    """
    _, (sound, picture) = await negotiate(page, setup, local_side())
    assert (sound["direction"], sound["sent"]) == ("sendrecv", ["audio/opus"])
    assert picture["direction"] == "sendrecv"
    assert picture["sent"] == [f"video/{name}", "video/rtx"]


async def test_a_viewer(page: Page) -> None:
    setup = """
        pc.addTransceiver('audio', {direction: 'recvonly'});
        pc.addTransceiver('video', {direction: 'recvonly'});
    """
    _, transceivers = await negotiate(page, setup, local_side(), "view")
    assert [t["direction"] for t in transceivers] == ["recvonly", "recvonly"]


async def test_simulcast_becomes_one_encoding(page: Page) -> None:
    setup = """
        pc.addTransceiver(audio, {direction: 'sendonly'});
        pc.addTransceiver(video, {direction: 'sendonly', sendEncodings: [
            {rid: 'q', scaleResolutionDownBy: 4}, {rid: 'f'}]});
    """
    _, transceivers = await negotiate(page, setup, local_side(), "publish")
    assert [t["direction"] for t in transceivers] == ["sendonly", "sendonly"]
    assert transceivers[1]["encodings"] == 1


async def test_data_is_turned_down_and_the_rest_goes_on(page: Page) -> None:
    setup = "pc.createDataChannel('x'); pc.addTrack(audio); pc.addTrack(video);"
    negotiated, transceivers = await negotiate(page, setup, local_side())
    assert [t["direction"] for t in transceivers] == ["sendrecv", "sendrecv"]
    assert [media.port != 0 for media in negotiated.answer.media].count(False) == 1


async def test_a_presentation_is_added_and_taken_away(page: Page) -> None:
    local = local_side()
    first, _ = await negotiate(page, "pc.addTrack(audio); pc.addTrack(video);", local)
    share = "pc.addTransceiver(video.clone(), {direction: 'sendonly'});"
    second, transceivers = await negotiate(page, share, local, previous=first)
    assert [media.stream for media in second.media] == ["audio", "video", "presentation"]
    assert transceivers[2]["direction"] == "sendonly"
    stop = "pc.getTransceivers()[2].stop();"
    third, transceivers = await negotiate(page, stop, local, previous=second)
    assert [media.stream for media in third.media] == ["audio", "video"]
    assert [t["direction"] for t in transceivers] == ["sendrecv", "sendrecv"]
    assert [media.local_ssrc for media in third.media] == [
        media.local_ssrc for media in first.media
    ]
