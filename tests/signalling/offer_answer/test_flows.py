import pytest

from signalling.media.negotiated import EXTENSION_TRANSPORT_NUMBER
from signalling.offer_answer import answer_offer
from signalling.offer_answer.agreement import FEEDBACK, Flow
from signalling.offer_answer.flows import direction_of, family_of, ice_of, session_bitrate
from tests.signalling.offer_answer.ends_of_calls import (
    SESSION,
    audio,
    local_media,
    offer,
    the_flow,
    video,
)

H264 = "a=rtpmap:97 H264/90000"


def pictures(*lines: str, session: tuple[str, ...] = SESSION, **changes: object) -> Flow:
    described = offer(video(*lines), session=session)
    return the_flow(answer_offer(described, local_media(**changes)))


def coded(fmtp: str) -> Flow:
    described = offer(["m=video 4002 RTP/AVP 97", H264, f"a=fmtp:97 {fmtp}"])
    return the_flow(answer_offer(described, local_media()))


# --- bandwidth ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "section", "expected"),
    [
        ([], [], 14_000_000),  # what the level has
        ([], ["b=AS:512"], 512_000),
        ([], ["b=TIAS:500000"], 500_000),
        ([], ["b=AS:512", "b=TIAS:500000"], 500_000),
        ([], ["b=CT:300"], 300_000),
        ([], ["b=RS:300"], 14_000_000),
        # What the session has is for sound as well.
        (["b=AS:1024"], [], 924_000),
        (["b=AS:1024"], ["b=AS:2048"], 924_000),
        (["b=AS:1024"], ["b=AS:512"], 512_000),
        (["b=CT:150"], [], 75_000),
    ],
)
def test_bandwidth(session: list[str], section: list[str], expected: int) -> None:
    flow = pictures(*section, session=(*SESSION, *session))
    assert flow.media.max_bitrate_bps == expected


def test_bandwidth_of_the_session_as_a_whole() -> None:
    assert session_bitrate(offer(session=(*SESSION, "b=AS:1024", "b=TIAS:900000"))) == 900_000
    assert session_bitrate(offer()) == 0
    described = offer(audio(), session=(*SESSION, "b=AS:1024"))
    assert answer_offer(described, local_media()).max_bitrate_bps == 1_024_000


# --- what is sent is never more than the peer states --------------------------------------------


@pytest.mark.parametrize(
    ("fmtp", "size", "fps"),
    [
        ("profile-level-id=42e01f;packetization-mode=1", (1280, 720), 30),
        ("profile-level-id=42e00d;packetization-mode=1", (416, 234), 30),
        (
            "profile-level-id=428016;packetization-mode=1;max-fs=8160;max-mbps=490000",
            (1920, 1080),
            60,
        ),
        (
            "profile-level-id=428016;packetization-mode=1;max-fs=3600;max-mbps=108000",
            (1280, 720),
            30,
        ),
    ],
)
def test_pictures(fmtp: str, size: tuple[int, int], fps: int) -> None:
    codec = coded(fmtp).media.codec
    assert (codec.max_width, codec.max_height, codec.max_fps) == (*size, fps)


@pytest.mark.parametrize(
    ("fmtp", "bitrate"),
    [
        ("profile-level-id=428016;packetization-mode=1", 4_000_000),
        ("profile-level-id=428016;packetization-mode=1;max-br=5000", 5_000_000),
        ("profile-level-id=428016;packetization-mode=1;max-br=100", 4_000_000),  # may only raise
    ],
)
def test_bit_rate_of_the_level(fmtp: str, bitrate: int) -> None:
    assert coded(fmtp).media.max_bitrate_bps == bitrate


def test_packetization_mode_1_before_0() -> None:
    mode_0 = ["a=rtpmap:98 H264/90000", "a=fmtp:98 profile-level-id=42e01f"]
    section = video(*mode_0)
    section[0] = "m=video 4002 RTP/AVP 98 97"
    assert the_flow(answer_offer(offer(section), local_media())).media.codec.payload_type == 97
    only_0 = local_media(packetization_modes=frozenset({0}))
    assert the_flow(answer_offer(offer(section), only_0)).media.codec.payload_type == 98
    zero = coded("profile-level-id=42e01f;packetization-mode=0").media.codec
    assert zero.single_nal_units
    assert zero.answer_parameters["packetization-mode"] == "0"
    absent = coded("profile-level-id=42e01f").media.codec
    assert absent.single_nal_units
    one = coded("profile-level-id=42e01f;packetization-mode=1").media.codec
    assert not one.single_nal_units


def test_vp8_within_its_parameters() -> None:
    described = offer(
        ["m=video 4002 RTP/AVP 99", "a=rtpmap:99 VP8/90000", "a=fmtp:99 max-fs=3600;max-fr=15"]
    )
    codec = the_flow(answer_offer(described, local_media())).media.codec
    assert (codec.name, codec.max_width, codec.max_height, codec.max_fps) == ("vp8", 1280, 720, 15)


def test_opus_with_its_parameters() -> None:
    lines = ["a=rtpmap:96 opus/48000/2", "a=fmtp:96 maxaveragebitrate=24000;usedtx=1"]
    codec = the_flow(answer_offer(offer(audio(*lines, pts="96")), local_media())).media.codec
    assert codec.parameters["maxaveragebitrate"] == "24000"
    assert codec.answer_parameters["usedtx"] == "1"


# --- feedback -----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["RTP/AVP", "RTP/AVPF"])
def test_feedback_is_taken_wherever_it_is_offered(protocol: str) -> None:
    lines = [f"a=rtcp-fb:* {name}" for name in ("nack", "nack pli", "ccm fir", "goog-remb")]
    lines += ["a=rtcp-fb:97 ccm tmmbr", "a=rtcp-fb:* trr-int 5000"]
    described = offer(video(*lines, protocol=protocol))
    local = local_media(feedback=FEEDBACK | {"ccm tmmbr"})
    media = the_flow(answer_offer(described, local)).media
    assert (media.nack, media.pli, media.fir, media.remb, media.tmmbr) == (True,) * 5
    # What our end does not act on is not promised.
    silent = the_flow(answer_offer(described, local_media(feedback=frozenset({"ccm fir"})))).media
    assert (silent.nack, silent.pli, silent.fir, silent.remb, silent.tmmbr) == (
        False,
        False,
        True,
        False,
        False,
    )


def test_without_feedback() -> None:
    media = pictures().media
    assert not any((media.nack, media.pli, media.fir, media.remb, media.tmmbr, media.transport_cc))


def test_feedback_of_another_payload_type_is_not_ours() -> None:
    assert not pictures("a=rtcp-fb:98 nack pli").media.pli


def test_numbers_of_packets_need_extension_and_feedback() -> None:
    numbered = f"a=extmap:5 {EXTENSION_TRANSPORT_NUMBER}"
    feedback = "a=rtcp-fb:97 transport-cc"
    changes = {"feedback": FEEDBACK | {"transport-cc"}}
    media = pictures(numbered, feedback, **changes).media
    assert media.transport_cc
    assert media.extensions == {EXTENSION_TRANSPORT_NUMBER: 5}
    for lines in ([numbered], [feedback]):
        without = pictures(*lines, **changes).media
        assert not without.transport_cc
        assert not without.extensions
    assert not pictures(numbered, feedback).media.transport_cc


def test_retransmission() -> None:
    lines = ["a=rtpmap:100 rtx/90000", "a=fmtp:100 apt=97", "a=rtcp-fb:97 nack"]
    section = video(*lines)
    section[0] += " 100"
    agreed = answer_offer(offer(section), local_media())
    flow = the_flow(agreed)
    assert flow.media.rtx == {100: 97}
    assert flow.media.local_rtx_ssrc == flow.rtx_ssrc == 1001
    assert agreed.local.media[0].formats == ("97", "100")
    without = video(*lines[:2])
    without[0] += " 100"
    assert the_flow(answer_offer(offer(without), local_media())).rtx_ssrc is None


# --- small questions ----------------------------------------------------------------------------


def test_directions() -> None:
    assert direction_of(receives=True, sends=True) == "sendrecv"
    assert direction_of(receives=False, sends=True) == "sendonly"
    assert direction_of(receives=True, sends=False) == "recvonly"
    assert direction_of(receives=False, sends=False) == "inactive"


def test_families() -> None:
    assert family_of(offer()) == "IP4"
    origin_only = ("v=0", "o=- 1 1 IN IP6 2001:db8::7", "s=-")
    assert family_of(offer(session=origin_only)) == "IP6"


def test_ice_of_the_session() -> None:
    session = (*SESSION, "a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 22)
    described = offer(audio(), session=session)
    ice, mismatch = ice_of(described, described.media[0], local_media())
    assert ice is not None
    assert not mismatch
