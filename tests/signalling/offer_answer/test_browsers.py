from collections.abc import Callable

import pytest

from signalling.offer_answer import is_webrtc
from signalling.sdp import SessionDescription
from tests.signalling.offer_answer.ends_of_calls import DEVICES, offer, vector

Vector = Callable[[str], SessionDescription]

BROWSER = (
    "chromium-join",
    "chromium-view",
    "chromium-audio-only",
    "firefox-join",
    "gstreamer-whip",
)


@pytest.mark.parametrize("name", BROWSER)
def test_browsers(name: str, vector: Vector) -> None:
    assert is_webrtc(vector(name))


@pytest.mark.parametrize("name", DEVICES)
def test_devices(name: str) -> None:
    assert not is_webrtc(vector(name))


@pytest.mark.parametrize(
    "missing", ["a=group", "a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=rtcp-mux", "a=mid"]
)
def test_every_part_of_it_counts(missing: str, vector: Vector) -> None:
    lines = str(vector("chromium-join")).splitlines()
    left = [line for line in lines if not line.startswith(missing)]
    assert len(left) < len(lines)
    assert not is_webrtc(SessionDescription.parse("\n".join(left)))


def test_nothing_is_no_browsers() -> None:
    assert not is_webrtc(offer())
    assert not is_webrtc(offer(["m=audio 0 UDP/TLS/RTP/SAVPF 0"]))
