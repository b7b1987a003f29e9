import pytest

from mcu.legs.leg import LegStatistics, LineStatistics, StreamStatistics
from mcu.readiness.line import LineMeter


def reading(second: int, **changes: object) -> LegStatistics:
    """A leg that sends and gets 50 packets of 100 bytes a second, and 4 in 100 are lost down."""
    sent = StreamStatistics(
        packets=50 * second,
        bytes=5_000 * second,
        packets_lost=2 * second,
        jitter_ms=5.0,
        round_trip_ms=40.0,
        reports=second,
    )
    received = StreamStatistics(packets=50 * second, bytes=5_000 * second, jitter_ms=7.0)
    found = LegStatistics({"audio": received}, {"audio": sent})
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_counts_between_the_first_reading_and_the_last() -> None:
    meter = LineMeter()
    for second in range(3, 8):
        meter.take(reading(second), float(second))
    found = meter.measured()
    assert found.loss_up_percent == 0.0
    assert found.loss_down_percent == pytest.approx(4.0)
    assert (found.jitter_up_ms, found.jitter_down_ms, found.round_trip_ms) == (7.0, 5.0, 40.0)
    assert (found.capacity_up_bps, found.capacity_down_bps) == (40_000, 40_000)
    assert (found.down_proof, found.reports, found.audio_packets) == ("carried", 4, 200)


def test_before_two_readings_nothing_is_known() -> None:
    meter = LineMeter()
    assert meter.measured().loss_up_percent is None
    meter.take(LegStatistics(), 1.0)
    found = meter.measured()
    assert (found.loss_down_percent, found.capacity_up_bps, found.down_proof) == (None, None, None)


def test_bursts_tell_the_line_and_reports_on_each_packet_its_loss() -> None:
    meter = LineMeter()
    for second, width in ((1, None), (2, 300_000), (3, 310_000), (4, 9_000_000)):
        line = LineStatistics(width_bps=width, packets=100 * second, lost=second, reports=second)
        meter.take(reading(second, line=line), float(second))
    found = meter.measured()
    assert (found.capacity_down_bps, found.down_proof) == (310_000, "probed")
    assert found.loss_down_percent == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("remb_bps", "expected"),
    [(20_000, (20_000, "estimated")), (39_000, (40_000, "carried"))],
)
def test_a_peer_that_says_its_line_is_narrow_is_believed(
    remb_bps: int, expected: tuple[int, str]
) -> None:
    meter = LineMeter()
    for second in (1, 2, 3):
        meter.take(reading(second, remb_bps=remb_bps, rembs=second), float(second))
    found = meter.measured()
    assert (found.capacity_down_bps, found.down_proof) == expected
