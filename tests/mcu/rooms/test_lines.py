"""From a leg's counters to what the line bears, and what the operator is told of it."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.video_ladder import AUDIO_ONLY_BPS, Rung, allowed_rungs
from mcu.legs.leg import (
    Leg,
    LegStatistics,
    LineStatistics,
    StreamCodec,
    StreamName,
    StreamStatistics,
)
from mcu.media.rendition import RenditionKey
from mcu.rooms.lines import PACKET_OVERHEAD_BYTES, Lines

H264 = StreamCodec("h264", 90_000)
LADDER = allowed_rungs(H264, width=1280, height=720, fps=25, bitrate_bps=1_500_000)


class FakeLeg:
    """Its counters grow as a line of so many bits a second lets them."""

    def __init__(self, carries_bps: float) -> None:
        self.id, self.participant, self.state = "leg-1", "xa", "connected"
        self.outputs: Mapping[StreamName, StreamCodec] = {
            "audio": StreamCodec("opus", 48_000),
            "video": H264,
        }
        self.carries_bps = carries_bps
        self.limit_bps: int | None = None
        self.sent = {"audio": StreamStatistics(), "video": StreamStatistics()}
        self.line: LineStatistics | None = None
        self.probes: list[float] = []
        self.may_be_probed = True

    @property
    def rung(self) -> Rung | None:
        limit = self.limit_bps
        if limit == AUDIO_ONLY_BPS:
            return None
        return next(one for one in LADDER if limit is None or one.bitrate_bps <= limit)

    def second(self) -> None:
        """A second passes and both streams are reported on."""
        video = self.rung.bitrate_bps if self.rung is not None else 0
        packets = {"audio": (50, 100 * 50), "video": (round(video / 8000), video // 8)}
        total = sum(count * PACKET_OVERHEAD_BYTES + size for count, size in packets.values()) * 8
        lost = max(0.0, 1.0 - self.carries_bps / total)
        for name, (count, size) in packets.items():
            stream = self.sent[name]
            stream.packets += count
            stream.bytes += size
            stream.reports += 1
            stream.fraction_lost = lost
            stream.round_trip_ms = 30.0

    def statistics(self, now: float) -> LegStatistics:
        return LegStatistics(sent=dict(self.sent), line=self.line)

    def probe_line(self, now: float) -> bool:
        self.probes.append(now)
        return self.may_be_probed


class FakeMedia:
    """A conference's media with one leg; also its video."""

    def __init__(self, leg: FakeLeg) -> None:
        self.legs = {leg.id: leg}
        self.video = self
        self.limited: list[int | None] = []

    def ladder(self, codec: StreamCodec) -> tuple[Rung, ...]:
        return LADDER

    def receives(self, leg_id: str) -> RenditionKey | None:
        rung = self.legs[leg_id].rung
        if rung is None:
            return None
        return RenditionKey("video", "main", "h264", rung.width, rung.height, rung.bitrate_bps)

    def limit_leg(self, leg: Leg, limit_bps: int | None) -> None:
        self.legs[leg.id].limit_bps = limit_bps
        self.limited.append(limit_bps)


class Setting:
    def __init__(self, carries_bps: float) -> None:
        self.leg = FakeLeg(carries_bps)
        self.fake = FakeMedia(self.leg)
        self.media = cast(ConferenceMedia, cast(Any, self.fake))
        self.lines = Lines()
        self.now = 100.0

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.leg.second()
            leg = cast(Leg, cast(Any, self.leg))
            self.lines.take(self.media, leg, self.leg.statistics(self.now), self.now)


def test_a_good_line_is_left_alone() -> None:
    setting = Setting(10e6)
    setting.run(60)
    assert setting.fake.limited == []
    found = setting.lines.receives(setting.media, "leg-1")
    assert found is not None
    assert (found.step, found.best, found.reason, found.text) == ("720p", True, None, "")
    assert (found.width, found.height, found.bitrate_bps) == (1280, 720, 1_500_000)
    assert not setting.lines.switches


def test_a_thin_line_is_limited_and_the_operator_reads_why() -> None:
    setting = Setting(10e6)
    setting.run(5)
    setting.leg.carries_bps = 350_000
    setting.run(6)
    rung = setting.leg.rung
    assert rung is not None
    assert rung.bitrate_bps < 350_000
    found = setting.lines.receives(setting.media, "leg-1")
    assert found is not None
    assert not found.best
    assert found.step == f"{rung.height}p"
    assert found.reason == "rate"
    assert found.carries_bps == pytest.approx(350_000, rel=0.2)
    assert found.text.startswith("line carries 3")
    assert setting.lines.switches["down"] >= 1


def test_sound_alone_is_a_step_of_its_own_and_the_way_back_is_counted() -> None:
    setting = Setting(80_000)
    setting.run(30)
    assert setting.leg.limit_bps == AUDIO_ONLY_BPS
    found = setting.lines.receives(setting.media, "leg-1")
    assert found is not None
    assert (found.step, found.bitrate_bps, found.best) == ("audio", 0, False)
    setting.leg.carries_bps = 10e6
    setting.run(180)
    assert setting.fake.limited[-1] is None
    assert setting.lines.switches["up"] >= len(LADDER)


def test_a_leg_that_is_lost_is_not_judged_and_one_that_is_gone_is_forgotten() -> None:
    setting = Setting(80_000)
    setting.leg.state = "lost"
    setting.run(30)
    assert setting.fake.limited == []
    setting.lines.keep({"leg-1", "leg-2"})
    assert setting.lines.receives(setting.media, "leg-1") is not None
    setting.lines.keep({"leg-2"})
    assert setting.lines.receives(setting.media, "leg-1") is None


class ReportedLine:
    """A setting whose leg reports on each packet; the line's loss of packets is not simulated."""

    def __init__(self) -> None:
        self.setting = Setting(10e6)
        self.leg = cast(Leg, cast(Any, self.setting.leg))
        self.reports = 0

    def run(self, seconds: int, width_bps: int | None = None) -> None:
        for _ in range(seconds):
            self.reports += 20
            self.setting.leg.line = LineStatistics(
                estimate_bps=2_000_000,
                width_bps=width_bps,
                packets=self.reports * 10,
                reports=self.reports,
            )
            self.setting.run(1)

    def relieve(self, arriving_bps: int, loss: float) -> None:
        self.setting.leg.line = LineStatistics(
            arriving_bps=arriving_bps, loss=loss, packets=self.reports * 10, reports=self.reports
        )
        self.setting.lines.relieve(self.setting.media, self.leg, self.setting.now)


def test_a_congested_line_is_relieved_between_readings() -> None:
    reported = ReportedLine()
    setting = reported.setting
    reported.relieve(300_000, 0.6)
    assert setting.fake.limited == []  # it was never looked at
    reported.run(3)
    reported.relieve(300_000, 0.6)
    (limit,) = setting.fake.limited
    assert limit is not None
    assert limit < 300_000
    found = setting.lines.receives(setting.media, "leg-1")
    assert found is not None
    # The line's 300 kbit/s are the pictures', but for what comes through of the sound.
    assert found.carries_bps == pytest.approx(300_000, rel=0.1)
    reported.relieve(100_000, 0.9)
    assert len(setting.fake.limited) == 1
    assert setting.lines.switches == {"down": 1}


def test_a_leg_that_is_lost_is_not_relieved() -> None:
    reported = ReportedLine()
    reported.run(3)
    reported.setting.leg.state = "lost"
    reported.relieve(300_000, 0.6)
    assert reported.setting.fake.limited == []


def test_after_a_fall_a_line_is_probed_until_its_width_is_known() -> None:
    reported = ReportedLine()
    leg = reported.setting.leg
    reported.run(3)
    assert leg.probes == []
    reported.relieve(300_000, 0.6)
    reported.run(8)
    assert len(leg.probes) in (1, 2)
    reported.run(4, width_bps=20_000_000)
    assert reported.setting.fake.limited[-1] is None
    probes = len(leg.probes)
    reported.run(20)
    assert len(leg.probes) == probes


def test_a_probe_that_could_not_leave_is_tried_again_with_each_reading() -> None:
    reported = ReportedLine()
    leg = reported.setting.leg
    leg.may_be_probed = False
    reported.run(3)
    reported.relieve(300_000, 0.6)
    reported.run(8)
    assert len(leg.probes) >= 5
    leg.may_be_probed = True
    reported.run(1)
    tried = len(leg.probes)
    reported.run(4)
    assert len(leg.probes) <= tried + 1
