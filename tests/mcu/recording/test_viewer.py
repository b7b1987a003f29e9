"""A viewer of renditions like any other, whose packets go to a queue."""

from mcu.media import h264
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.recording.sample import Sample
from mcu.recording.viewer import RecordingViewer
from tests.mcu.recording.coded import Coder
from tests.peers.network import VirtualTime


class Queue:
    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.has_room = True

    def offer(self, sample: Sample) -> bool:
        if self.has_room:
            self.samples.append(sample)
        return self.has_room


class Setting:
    def __init__(self) -> None:
        self.time = VirtualTime(0.0)
        self.fan_out = FanOut(self.time.schedule)
        self.asked: list[float] = []
        self.queue = Queue()
        self.viewer = RecordingViewer("rec-1", "c", self.queue, self.time.clock)
        self.coder = Coder()
        self.shown = 0

    def rendition(self, kind: str, bitrate_bps: int = 1_500_000) -> Rendition:
        if kind == "audio":
            return Rendition(RenditionKey("audio", "total", "opus"), 48_000, self.fan_out)
        key = RenditionKey("video", "main", "h264", 320, 180, bitrate_bps)
        return Rendition(key, 90_000, self.fan_out, self.asked.append)

    def show(self, rendition: Rendition, *, key: bool = False) -> None:
        sample = self.coder.picture(self.shown, 0.0, on=False, key=key or not self.shown)
        now = self.time.now
        rendition.append_packets(
            list(sample.payloads), self.shown, key_frame=key, now=now, captured=now - 0.03
        )
        self.shown += 3600
        self.time.run(0.04)


def test_pictures_begin_with_a_key_frame_that_is_asked_for():
    setting = Setting()
    main = setting.rendition("video")
    setting.viewer.play("video", main)
    assert len(setting.asked) == 1
    setting.show(main)
    assert not setting.queue.samples
    setting.show(main, key=True)
    setting.show(main)
    assert [one.timestamp for one in setting.queue.samples] == [3600, 7200]
    first = setting.queue.samples[0]
    _, is_key = h264.assemble(list(first.payloads))
    assert is_key
    assert round(first.captured, 3) == round(0.04 - 0.03, 3)
    assert len(setting.asked) == 1


def test_sound_comes_at_once_and_each_packet_says_when_it_was():
    setting = Setting()
    total = setting.rendition("audio")
    setting.viewer.play("audio", total)
    for tick in range(3):
        total.append(b"op", tick * 960, key_frame=True, now=1 + tick * 0.02, captured=tick * 0.02)
    times = [(one.timestamp, round(one.captured, 3)) for one in setting.queue.samples]
    assert times == [(0, 0.0), (960, 0.02), (1920, 0.04)]


def test_pictures_that_wait_together_keep_their_moments():
    setting = Setting()
    main = setting.rendition("video", bitrate_bps=200_000)
    setting.viewer.play("video", main)
    for at in (0, 3600, 7200):
        main.append_packets([b"\x65x"], at, key_frame=at == 0, now=at / 90_000, captured=at / 9e4)
    setting.time.run(0.1)
    assert [round(one.captured, 3) for one in setting.queue.samples] == [0.0, 0.04, 0.08]


def test_another_rendition_begins_with_its_own_key_frame():
    setting = Setting()
    best, low = setting.rendition("video"), setting.rendition("video", 300_000)
    setting.viewer.play("video", best)
    setting.show(best, key=True)
    setting.viewer.play("video", low)
    assert len(setting.asked) == 2
    setting.show(best)
    setting.show(low)
    assert len(setting.queue.samples) == 1
    setting.show(low, key=True)
    assert len(setting.queue.samples) == 2
    assert not best.subscribers
    setting.viewer.close("ended", 1.0)
    setting.show(low, key=True)
    assert len(setting.queue.samples) == 2
    assert not low.subscribers


def test_what_finds_no_room_is_counted_and_pictures_go_on_with_a_key_frame():
    setting = Setting()
    main, total = setting.rendition("video"), setting.rendition("audio")
    setting.viewer.play("video", main)
    setting.viewer.play("audio", total)
    setting.show(main, key=True)
    setting.queue.has_room = False
    for _ in range(3):
        setting.show(main)
        total.append(b"op", 960, key_frame=True, now=setting.time.now)
    assert setting.viewer.dropped >= 4
    assert len(setting.asked) == 1  # what could not be kept is not asked for
    setting.queue.has_room = True
    setting.show(main)
    assert len(setting.asked) == 2
    assert len(setting.queue.samples) == 1
    setting.show(main, key=True)
    assert len(setting.queue.samples) == 2
