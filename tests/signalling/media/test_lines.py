from dataclasses import replace

from signalling.media.codecs import Codec
from signalling.media.lines import (
    codec_lines,
    feedback_names,
    format_lines,
    retransmission_lines,
    rtpmap_of,
)
from signalling.media.negotiated import NegotiatedMedia

VP8 = Codec("vp8", 96, 90000)
PICTURE = NegotiatedMedia("", "video", "video", True, True, {96: VP8}, VP8)


def test_names_of_codecs() -> None:
    assert str(rtpmap_of(Codec("opus", 111, 48000, 2))) == "111 opus/48000/2"
    assert str(rtpmap_of(Codec("g722", 9, 8000, 1))) == "9 G722/8000"
    assert str(rtpmap_of(VP8)) == "96 VP8/90000"


def test_feedback() -> None:
    assert feedback_names(PICTURE) == ()
    everything = replace(
        PICTURE, nack=True, pli=True, fir=True, tmmbr=True, remb=True, transport_cc=True
    )
    assert feedback_names(everything) == (
        "nack",
        "nack pli",
        "ccm fir",
        "ccm tmmbr",
        "goog-remb",
        "transport-cc",
    )


def test_lines_of_a_codec() -> None:
    codec = replace(VP8, answer_parameters={"max-fs": "3600", "x": ""})
    assert [line.value for line in codec_lines(codec, ["nack pli"])] == [
        "rtpmap:96 VP8/90000",
        "rtcp-fb:96 nack pli",
        "fmtp:96 max-fs=3600;x",
    ]


def test_lines_of_retransmissions() -> None:
    assert [line.value for line in retransmission_lines({97: 96}, 90000)] == [
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=96",
    ]


def test_lines_of_a_section() -> None:
    media = replace(PICTURE, nack=True, rtx={97: 96})
    assert [line.value for line in format_lines(media)] == [
        "rtpmap:96 VP8/90000",
        "rtcp-fb:96 nack",
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=96",
    ]
