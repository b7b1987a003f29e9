from mcu.legs.context import stream_codec
from signalling.media.codecs import Codec
from signalling.webrtc.negotiation import NegotiatedMedia


def test_the_engine_sees_codec_and_limits() -> None:
    codec = Codec("h264", 102, 90000, 0, {"packetization-mode": "1"}, {}, 1280, 720, 30, 14_000_000)
    media = NegotiatedMedia(
        mid="1",
        kind="video",
        stream="video",
        receives=True,
        sends=True,
        receive_codecs={102: codec},
        send_codec=codec,
        max_bitrate_bps=2_000_000,
    )
    seen = stream_codec(media)
    assert (seen.name, seen.clock_rate, seen.channels) == ("h264", 90000, 0)
    assert (seen.max_width, seen.max_height, seen.max_fps) == (1280, 720, 30)
    assert seen.max_bitrate_bps == 2_000_000
    assert seen.parameters == {"packetization-mode": "1"}
