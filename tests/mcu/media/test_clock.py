import datetime
import itertools

from aiortc.clock import datetime_to_ntp

from mcu.media.clock import Moments, NtpClock


def test_ntp_time_as_others_count_it() -> None:
    wall = datetime.datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=datetime.UTC)
    clock = NtpClock(wall.timestamp() - 3.0, 100.0)
    assert abs(clock.ntp(103.0) - datetime_to_ntp(wall)) < 2**32 // 1000


def test_middle_bits_count_in_65536ths() -> None:
    clock = NtpClock(1_700_000_000.0, 0.0)
    assert (clock.middle(2.5) - clock.middle(1.0)) & 0xFFFFFFFF == 98304


def test_never_jumps() -> None:
    clock = NtpClock(1_700_000_000.0, 0.0)
    readings = [clock.ntp(second / 10) for second in range(100)]
    steps = {after - before for before, after in itertools.pairwise(readings)}
    assert max(steps) - min(steps) < 2**32 // 100_000


def test_a_moment_is_the_first_that_is_not_before() -> None:
    moments = Moments(0.02, 100.005)
    for number in (0, 1, 7, 1_000_003):
        exactly = 100.005 + number * 0.02
        assert moments.after(exactly - 0.013) == exactly
        assert exactly - 1e-9 <= moments.after(exactly) < exactly + 0.021
    assert moments.after(100.0) == 100.005  # also before the one that is given
