import itertools

import pytest

from signalling.media.codecs import Codec
from signalling.media.negotiated import (
    EXTENSION_AUDIO_LEVEL,
    EXTENSION_MID,
    EXTENSION_TRANSPORT_NUMBER,
    OfferRefused,
    StreamName,
)
from signalling.media.sections import (
    Ssrcs,
    extensions_of,
    feedback_of,
    max_bitrate,
    offered_direction,
    remote_sources,
    stream_of,
)
from signalling.sdp import MediaSection, SessionDescription

HEAD = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-"]
H264 = Codec("h264", 97, 90000, max_bitrate_bps=4_000_000)


def described(*lines: str, session: tuple[str, ...] = ()) -> SessionDescription:
    return SessionDescription.parse("\n".join([*HEAD, *session, *lines]))


def section(*lines: str, kind: str = "video") -> MediaSection:
    return described(f"m={kind} 4000 RTP/AVP 97", *lines).media[0]


def test_direction_of_the_section_before_the_sessions() -> None:
    offer = described("m=audio 4000 RTP/AVP 8", session=("a=sendonly",))
    assert offered_direction(offer, offer.media[0]) == "sendonly"
    offer = described("m=audio 4000 RTP/AVP 8", "a=recvonly", session=("a=sendonly",))
    assert offered_direction(offer, offer.media[0]) == "recvonly"
    offer = described("m=audio 4000 RTP/AVP 8")
    assert offered_direction(offer, offer.media[0]) == "sendrecv"


@pytest.mark.parametrize(
    ("kind", "line", "taken", "before", "expected"),
    [
        ("audio", "a=x", set(), None, "audio"),
        ("audio", "a=x", {"audio"}, None, None),
        ("video", "a=x", set(), None, "video"),
        ("video", "a=x", {"video"}, None, "presentation"),
        ("video", "a=x", {"video", "presentation"}, None, None),
        ("video", "a=content:slides", set(), None, "presentation"),
        ("video", "a=x", set(), "presentation", "presentation"),
        ("video", "a=x", {"presentation"}, "presentation", None),
        ("audio", "a=x", set(), "video", "audio"),
    ],
)
def test_streams(
    kind: str,
    line: str,
    taken: set[StreamName],
    before: StreamName | None,
    expected: StreamName | None,
) -> None:
    assert stream_of(section(line, kind=kind), taken, before) == expected


def test_ssrcs_that_nobody_uses() -> None:
    offer = described("m=audio 4000 RTP/AVP 8", "a=ssrc:1 cname:x", "a=ssrc:2 cname:x")
    ssrcs = Ssrcs(offer, itertools.count().__next__)
    assert ssrcs.take(None) == 3  # 0 is none
    assert ssrcs.take(9) == 9
    assert ssrcs.take(9) == 4
    assert ssrcs.take(1) == 5


def test_a_peer_that_announces_every_ssrc() -> None:
    offer = described("m=audio 4000 RTP/AVP 8", "a=ssrc:1 cname:x")
    with pytest.raises(OfferRefused, match="every SSRC"):
        Ssrcs(offer, lambda: 1).take(None)


def test_feedback_of_one_payload_type() -> None:
    media = section("a=rtcp-fb:* nack", "a=rtcp-fb:97 nack pli", "a=rtcp-fb:98 ccm fir")
    assert feedback_of(media, 97) == {"nack", "nack pli"}


def test_sources_and_their_repairs() -> None:
    media = section("a=ssrc-group:FID 1 2", "a=ssrc:1 cname:x", "a=ssrc:2 cname:x")
    assert remote_sources(media) == ((1,), {2: 1})


def test_extensions() -> None:
    lines = [f"a=extmap:1 {EXTENSION_MID}", f"a=extmap:2 {EXTENSION_AUDIO_LEVEL}"]
    lines += [f"a=extmap:3 {EXTENSION_TRANSPORT_NUMBER}"]
    offer = described("m=audio 4000 RTP/AVP 8", *lines)
    assert extensions_of(offer, offer.media[0]) == {EXTENSION_AUDIO_LEVEL: 2}
    offer = described("m=video 4000 RTP/AVP 97", "a=mid:v", *lines)
    assert extensions_of(offer, offer.media[0]) == {
        EXTENSION_MID: 1,
        EXTENSION_TRANSPORT_NUMBER: 3,
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], 4_000_000),
        (["b=AS:1000"], 1_000_000),
        (["b=AS:1000", "b=TIAS:900000"], 900_000),
        (["b=AS:9000"], 4_000_000),
    ],
)
def test_bandwidth(lines: list[str], expected: int) -> None:
    offer = described("m=video 4000 RTP/AVP 97", *lines)
    assert max_bitrate(offer, offer.media[0], H264) == expected
