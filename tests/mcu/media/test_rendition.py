import pytest

from mcu.media.rendition import FanOut, Rendition, RenditionKey
from tests.peers.network import VirtualTime


class Cursor:
    """A subscriber that counts."""

    def __init__(self, rendition: Rendition) -> None:
        self.ring = rendition.ring
        self.at = self.ring.end

    def send_pending(self, limit: int, now: float) -> int:
        sent = min(limit, self.ring.end - self.at)
        self.at += sent
        return sent

    def flush(self) -> None:
        pass


@pytest.fixture
def fan_out() -> FanOut:
    return FanOut(VirtualTime().schedule)


def test_audio_is_sent_before_append_returns(fan_out: FanOut) -> None:
    rendition = Rendition(RenditionKey("audio", "total", "opus"), 48000, fan_out)
    cursors = [Cursor(rendition) for _ in range(3)]
    for cursor in cursors:
        rendition.subscribe(cursor)
    rendition.append(b"sound", 960, key_frame=True, now=1.0)
    assert [cursor.at for cursor in cursors] == [1, 1, 1]
    assert (rendition.timestamp, rendition.timestamp_at) == (960, 1.0)


@pytest.mark.parametrize(("codec", "data"), [("h264", b"\0\0\0\1\x65abc"), ("vp8", b"\x10abc")])
def test_video_is_packetised_once(fan_out: FanOut, codec: str, data: bytes) -> None:
    rendition = Rendition(RenditionKey("video", "main", codec), 90000, fan_out)
    rendition.append(data, 3600, key_frame=True, now=1.0)
    assert rendition.ring.end == 1
    assert rendition.ring.key_frame == 0
    assert rendition.ring.markers[0] == 0x80
    assert (rendition.frames, rendition.key_frames) == (1, 1)


def test_empty_data_is_no_packet(fan_out: FanOut) -> None:
    for codec in ("h264", "vp8", "opus"):
        kind = "audio" if codec == "opus" else "video"
        rendition = Rendition(RenditionKey(kind, "main", codec), 90000, fan_out)
        rendition.append(b"", 3600, key_frame=True, now=1.0)
        assert rendition.ring.end == rendition.frames == 0


def test_subscribers_are_kept_once(fan_out: FanOut) -> None:
    rendition = Rendition(RenditionKey("audio", "total", "opus"), 48000, fan_out)
    cursor = Cursor(rendition)
    rendition.subscribe(cursor)
    rendition.subscribe(cursor)
    assert len(rendition.subscribers) == 1
    rendition.unsubscribe(cursor)
    rendition.unsubscribe(cursor)
    assert rendition.subscribers == ()


def test_key_frame_requests_reach_the_encoder(fan_out: FanOut) -> None:
    wanted: list[float] = []
    rendition = Rendition(RenditionKey("video", "main", "h264"), 90000, fan_out, wanted.append)
    rendition.request_key_frame(2.5)
    assert wanted == [2.5]
    Rendition(RenditionKey("video", "main", "h264"), 90000, fan_out).request_key_frame(2.5)


def test_timestamps_stand_for_when_media_was_captured_where_that_is_known(fan_out: FanOut) -> None:
    rendition = Rendition(RenditionKey("audio", "total", "opus"), 48000, fan_out)
    rendition.append(b"sound", 960, key_frame=True, now=1.0, captured=0.95)
    assert (rendition.timestamp, rendition.timestamp_at) == (960, 0.95)
