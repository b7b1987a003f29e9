import pytest

from signalling.media.codecs import (
    Codec,
    Wishes,
    choose_codec,
    fmtp_parameters,
    offered_rtpmaps,
    packetization_mode,
    retransmission_types,
    why_none,
)
from signalling.sdp import Line, MediaSection, SessionDescription


def section(kind: str, formats: str, *attributes: str) -> MediaSection:
    lines = tuple(Line.attribute(text) for text in attributes)
    return MediaSection(lines=lines, kind=kind, formats=tuple(formats.split()))


def chosen(media: MediaSection) -> Codec:
    codec = choose_codec(media)
    assert codec is not None
    return codec


def test_audio_order_is_ours() -> None:
    attributes = ["rtpmap:111 opus/48000/2", "rtpmap:9 G722/8000", "rtpmap:8 PCMA/8000"]
    formats = ["0", "8", "9", "111"]
    names = []
    while formats:
        codec = chosen(section("audio", " ".join(formats), *attributes))
        names.append(codec.name)
        formats.remove(str(codec.payload_type))
    assert names == ["opus", "g722", "pcma", "pcmu"]


def test_static_payload_types_need_no_rtpmap() -> None:
    codec = chosen(section("audio", "9"))
    assert (codec.name, codec.clock_rate, codec.channels) == ("g722", 8000, 1)


def test_static_payload_types_may_be_redefined() -> None:
    codec = chosen(section("audio", "0", "rtpmap:0 opus/48000/2"))
    assert codec.name == "opus"


@pytest.mark.parametrize(
    "rtpmap",
    [
        "opus/48000",
        "opus/16000/2",
        "PCMA/16000",
        "G722/16000",
        "PCMU/8000/2",
        "telephone-event/8000",
        "H264/90000",
        "red/48000/2",
    ],
)
def test_unusable_audio(rtpmap: str) -> None:
    assert choose_codec(section("audio", "96", f"rtpmap:96 {rtpmap}")) is None


def test_names_are_case_insensitive() -> None:
    assert chosen(section("audio", "96", "rtpmap:96 OPUS/48000/2")).name == "opus"
    assert chosen(section("video", "96", "rtpmap:96 vp8/90000")).name == "vp8"


def test_opus_answers_what_is_sent() -> None:
    fmtp = "fmtp:111 minptime=20;stereo=1;sprop-stereo=1;useinbandfec=0;cbr=1"
    codec = chosen(section("audio", "111", "rtpmap:111 opus/48000/2", fmtp))
    assert codec.answer_parameters == {"minptime": "10", "useinbandfec": "1"}
    assert codec.parameters["sprop-stereo"] == "1"


@pytest.mark.parametrize(("offered", "answered"), [("1", "1"), ("0", None)])
def test_opus_dtx_follows_the_offer(offered: str, answered: str | None) -> None:
    attributes = ("rtpmap:111 opus/48000/2", f"fmtp:111 usedtx={offered}")
    codec = chosen(section("audio", "111", *attributes))
    assert codec.answer_parameters.get("usedtx") == answered


def h264(formats: str, *parameters: str) -> MediaSection:
    attributes = []
    for payload_type, fmtp in zip(formats.split(), parameters, strict=True):
        attributes += [f"rtpmap:{payload_type} H264/90000", f"fmtp:{payload_type} {fmtp}"]
    attributes += ["rtpmap:120 VP8/90000"]
    return section("video", f"120 {formats}", *attributes)


CB = "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"
BASELINE = "profile-level-id=42001f;packetization-mode=1;level-asymmetry-allowed=1"
MODE_0 = "profile-level-id=42e01f;packetization-mode=0;level-asymmetry-allowed=1"
HIGH = "profile-level-id=640028;packetization-mode=1;level-asymmetry-allowed=1"


def test_video_order_is_ours() -> None:
    assert chosen(h264("96 97 98 99", HIGH, MODE_0, BASELINE, CB)).payload_type == 99
    assert chosen(h264("96 97 98", HIGH, MODE_0, BASELINE)).payload_type == 98
    assert chosen(h264("96 97", HIGH, MODE_0)).name == "vp8"


def test_among_equals_the_offer_decides() -> None:
    assert chosen(h264("97 96", CB, CB)).payload_type == 97


def test_high_profile_alone_is_taken() -> None:
    media = section("video", "96", "rtpmap:96 H264/90000", f"fmtp:96 {HIGH}")
    codec = chosen(media)
    assert codec.answer_parameters["profile-level-id"] == "640028"
    assert (codec.max_width, codec.max_height) == (1920, 1080)


def test_unreadable_profiles_are_passed_over() -> None:
    unknown = "profile-level-id=zzzzzz;packetization-mode=1"
    assert chosen(h264("96", unknown)).name == "vp8"


def test_h264_without_profile_is_level_1() -> None:
    media = section("video", "96", "rtpmap:96 H264/90000", "fmtp:96 packetization-mode=1")
    assert choose_codec(media) is None
    codec = choose_codec(media, sends=False)
    assert codec is not None
    assert (codec.max_width, codec.max_height, codec.max_fps) == (192, 108, 17)
    assert codec.max_bitrate_bps == 64_000
    assert "profile-level-id" not in codec.answer_parameters


@pytest.mark.parametrize(
    "small",
    [
        "packetization-mode=1",
        "packetization-mode=1;profile-level-id=42e00a",
        "packetization-mode=1;profile-level-id=42f00b",
        "packetization-mode=1;profile-level-id=42e00b",
        "packetization-mode=1;profile-level-id=42e00b;level-asymmetry-allowed=1",
        "packetization-mode=1;profile-level-id=42e00a;max-fs=3600",
    ],
)
def test_h264_below_the_smallest_picture_is_passed_over(small: str) -> None:
    assert chosen(h264("96", small)).name == "vp8"
    assert chosen(h264("96 97", small, CB)).payload_type == 97
    alone = section("video", "96", "rtpmap:96 H264/90000", f"fmtp:96 {small}")
    assert choose_codec(alone) is None
    assert "H264 level 1.2" in why_none(alone)
    # It is only what we send that would be too large.
    assert choose_codec(alone, sends=False) is not None


@pytest.mark.parametrize(
    "enough", ["profile-level-id=42e00c", "profile-level-id=42e00a;max-fs=240;max-mbps=6000"]
)
def test_h264_that_takes_the_smallest_picture(enough: str) -> None:
    assert chosen(h264("96", f"packetization-mode=1;{enough}")).name == "h264"


def test_vp8_below_the_smallest_picture_is_passed_over() -> None:
    for max_fs, taken in ((239, False), (240, True)):
        media = section("video", "96", "rtpmap:96 VP8/90000", f"fmtp:96 max-fs={max_fs}")
        assert (choose_codec(media) is not None) == taken


def test_why_no_codec_is_taken() -> None:
    unknown = section("video", "96", "rtpmap:96 AV1/90000")
    assert why_none(unknown) == "no video codec of it is accepted"


def answered_level(offer: str) -> tuple[str, int]:
    codec = chosen(section("video", "96", "rtpmap:96 H264/90000", f"fmtp:96 {offer}"))
    return codec.answer_parameters["profile-level-id"], codec.max_width


def test_level_is_never_above_the_offer() -> None:
    asymmetric = "packetization-mode=1;level-asymmetry-allowed=1;profile-level-id="
    assert answered_level(asymmetric + "42e015") == ("42e015", 592)
    assert answered_level(asymmetric + "42e01f") == ("42e01f", 1280)
    assert answered_level(asymmetric + "42e028") == ("42e028", 1920)
    # We take level 4.0; the peer takes more, and says that the two may differ.
    assert answered_level(asymmetric + "42e032") == ("42e028", 3152)


def test_without_asymmetry_the_answer_binds_both() -> None:
    symmetric = "packetization-mode=1;profile-level-id="
    assert answered_level(symmetric + "42e032") == ("42e028", 1920)
    codec = chosen(section("video", "96", "rtpmap:96 H264/90000", f"fmtp:96 {symmetric}42e01f"))
    assert "level-asymmetry-allowed" not in codec.answer_parameters


def test_vp8_limits() -> None:
    attributes = ("rtpmap:96 VP8/90000", "fmtp:96 max-fs=3600;max-fr=25")
    codec = chosen(section("video", "96", *attributes))
    assert (codec.max_width, codec.max_height, codec.max_fps) == (1280, 720, 25)
    free = chosen(section("video", "96", "rtpmap:96 VP8/90000"))
    assert (free.max_width, free.max_height, free.max_fps) == (0, 0, 0)


@pytest.mark.parametrize("rtpmap", ["VP8/8000", "VP9/90000", "AV1/90000", "H264/48000"])
def test_unusable_video(rtpmap: str) -> None:
    assert choose_codec(section("video", "96", f"rtpmap:96 {rtpmap}")) is None


def test_payload_types_that_look_like_rtcp_are_left_out() -> None:
    assert choose_codec(section("video", "72", "rtpmap:72 VP8/90000")) is None
    media = section("video", "72 96", "rtpmap:72 VP8/90000", "rtpmap:96 VP8/90000")
    assert chosen(media).payload_type == 96


def test_rtpmaps_follow_the_media_line() -> None:
    attributes = ("rtpmap:96 VP8/90000", "rtpmap:97 rtx/90000", "rtpmap:98 VP9/90000")
    media = section("video", "97 96 97 100", *attributes)
    assert [rtpmap.payload_type for rtpmap in offered_rtpmaps(media)] == [97, 96]


def test_fmtp_of_one_payload_type_may_be_split() -> None:
    media = section("video", "96", "fmtp:96 a=1", "fmtp:96 b=2", "fmtp:x c=3", "fmtp:9999 d=4")
    assert fmtp_parameters(media) == {96: {"a": "1", "b": "2"}}


def test_retransmission_types() -> None:
    media = section(
        "video",
        "96 97 98 99",
        "rtpmap:96 VP8/90000",
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=96",
        "rtpmap:98 rtx/90000",
        "fmtp:98 apt=50",
        "rtpmap:99 RTX/90000",
        "fmtp:99 apt=none",
    )
    assert retransmission_types(media) == {97: 96}


# --- what hardware rooms want more than browsers ---------------------------------------------


ROOMS = Wishes(packetization_modes=frozenset({0, 1}), above_the_level=True)


def room_section(*formats: tuple[int, str, str]) -> MediaSection:
    lines = [f"m=video 4000 RTP/AVP {' '.join(str(pt) for pt, _, _ in formats)}"]
    for payload_type, name, fmtp in formats:
        lines += [f"a=rtpmap:{payload_type} {name}/90000", f"a=fmtp:{payload_type} {fmtp}"]
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-"]
    return SessionDescription.parse("\n".join([*head, *lines])).media[0]


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        # Any mode 1 before any mode 0, which needs an encoding of its own; VP8 after both.
        ([(97, "H264", "profile-level-id=42e01f"), (98, "VP8", "max-fs=3600")], 97),
        (
            [
                (97, "H264", "profile-level-id=42e01f;packetization-mode=0"),
                (98, "H264", "profile-level-id=640028;packetization-mode=1"),
            ],
            98,
        ),
        (
            [
                (97, "H264", "profile-level-id=640028;packetization-mode=1"),
                (98, "H264", "profile-level-id=42801f;packetization-mode=1"),
            ],
            98,
        ),
        ([(97, "H264", "packetization-mode=2;profile-level-id=42e01f"), (98, "VP8", "x")], 98),
    ],
)
def test_order_for_rooms(formats: list[tuple[int, str, str]], expected: int) -> None:
    codec = choose_codec(room_section(*formats), wishes=ROOMS)
    assert codec is not None
    assert codec.payload_type == expected


def test_browsers_are_never_answered_mode_0() -> None:
    media = room_section((97, "H264", "profile-level-id=42e01f"))
    assert choose_codec(media) is None
    codec = choose_codec(media, wishes=ROOMS)
    assert codec is not None
    assert codec.single_nal_units
    assert codec.answer_parameters["packetization-mode"] == "0"


def test_rooms_are_told_what_we_take_above_their_level() -> None:
    media = room_section((97, "H264", "profile-level-id=428016;packetization-mode=1"))
    codec = choose_codec(media, wishes=ROOMS)
    assert codec is not None
    assert codec.answer_parameters["profile-level-id"] == "428016"
    assert codec.answer_parameters["max-fs"] == "8192"
    in_browsers = choose_codec(media)
    assert in_browsers is not None
    assert "max-fs" not in in_browsers.answer_parameters


def test_max_br_raises_what_the_level_gives() -> None:
    fmtp = "profile-level-id=428016;packetization-mode=1;max-br="
    rates = {}
    for value in ("5000", "100", "x"):
        codec = choose_codec(room_section((97, "H264", fmtp + value)))
        assert codec is not None
        rates[value] = codec.max_bitrate_bps
    assert rates == {"5000": 5_000_000, "100": 4_000_000, "x": 4_000_000}


def test_only_names_that_are_wished() -> None:
    media = room_section(
        (97, "H264", "profile-level-id=42e01f;packetization-mode=1"), (98, "VP8", "x")
    )
    codec = choose_codec(media, wishes=Wishes(names=frozenset({"vp8"})))
    assert codec is not None
    assert codec.name == "vp8"


@pytest.mark.parametrize(
    ("parameters", "mode"),
    [({}, 0), ({"packetization-mode": "1"}, 1), ({"packetization-mode": "3"}, None)],
)
def test_packetization_modes(parameters: dict[str, str], mode: int | None) -> None:
    assert packetization_mode(parameters) == mode
