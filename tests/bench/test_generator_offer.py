"""What rooms of the generator offer, as the daemon answers it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.generator_offer import write_offer
from signalling.sdp import Fingerprint, IceCandidate, SessionDescription
from signalling.webrtc.negotiation import (
    EXTENSION_TRANSPORT_NUMBER,
    LocalSide,
    NegotiatedMedia,
    answer_offer,
)

CHROMIUM = Path(__file__).parents[1] / "vectors" / "sdp" / "chromium-join.sdp"
FINGERPRINT = Fingerprint("sha-256", ":".join(["AB"] * 32))
TRANSPORT = (
    f"a=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 22}\r\na=fingerprint:{FINGERPRINT}\r\n"
    "a=setup:actpass\r\na=rtcp-mux\r\n"
)


def agreed(offer: str) -> tuple[NegotiatedMedia, ...]:
    local = LocalSide(
        ice_ufrag="mcu1",
        ice_pwd="p" * 24,
        fingerprints=(FINGERPRINT,),
        candidates=(IceCandidate.host("192.0.2.1", 5004),),
        cname="clock-1",
        session_id=1,
        new_ssrc=itertools.count(1000).__next__,
    )
    return answer_offer(SessionDescription.parse(offer), local, kind="join").media


def feedback(media: tuple[NegotiatedMedia, ...]) -> Iterator[dict[str, bool]]:
    for one in media:
        yield {
            "nack": one.nack,
            "pli": one.pli,
            "fir": one.fir,
            "remb": one.remb,
            "rtx": bool(one.rtx),
            "transport_cc": one.transport_cc,
            "numbered": EXTENSION_TRANSPORT_NUMBER in one.extensions,
            "alone": one.reduced_size_rtcp,
        }


def test_feedback_is_agreed_on_as_with_chromium() -> None:
    ours = agreed(write_offer("room", TRANSPORT, 11, 12, reports=True))
    theirs = agreed(CHROMIUM.read_bytes().decode())
    assert list(feedback(ours)) == list(feedback(theirs))
    assert ours[1].transport_cc
    assert ours[1].remote_ssrcs == (12,)
    assert list(ours[1].remote_rtx.values()) == [12]


@pytest.mark.parametrize("video_ssrc", [None, 12])
def test_rooms_without_reports_offer_nothing_to_report_on(video_ssrc: int | None) -> None:
    media = agreed(write_offer("room", TRANSPORT, 11, video_ssrc))
    for one in feedback(media):
        assert not one["numbered"]
        assert not one["alone"]
        assert not one["rtx"]
    assert len(media) == (1 if video_ssrc is None else 2)
