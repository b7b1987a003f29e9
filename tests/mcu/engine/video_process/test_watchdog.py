"""Who says nothing, or whose decoder hangs, is found; a pause of our own is no fault of theirs."""

from mcu.engine.video_process.watchdog import CHECK_INTERVAL_S, SILENT_S, STUCK_S, Watchdog


def test_who_is_heard_lives() -> None:
    watchdog = Watchdog()
    for half_second in range(200):
        now = half_second / 2
        watchdog.heard(0.004, now)
        assert watchdog.check(now) is None


def test_nothing_is_wrong_before_it_was_first_heard() -> None:
    watchdog = Watchdog()
    assert [watchdog.check(float(now)) for now in range(30)] == [None] * 30


def test_silence_is_found() -> None:
    watchdog = Watchdog()
    watchdog.heard(0.0, 100.0)
    now = 100.0
    while watchdog.check(now) is None:
        now += CHECK_INTERVAL_S
    assert now == 100.0 + SILENT_S
    assert watchdog.check(now) == "silent for 5.0 s"


def test_work_that_does_not_end_is_found_while_the_loop_turns() -> None:
    watchdog = Watchdog()
    watchdog.heard(STUCK_S - 0.1, 100.0)
    assert watchdog.check(100.1) is None
    watchdog.heard(STUCK_S + 0.4, 100.5)
    assert watchdog.check(100.6) == "a codec did not come back for 5.4 s"


def test_a_pause_of_our_own_is_no_silence() -> None:
    watchdog = Watchdog()
    watchdog.heard(0.0, 100.0)
    assert watchdog.check(100.5) is None
    assert watchdog.check(160.0) is None
    assert watchdog.check(161.0) is None
    assert [watchdog.check(162.0 + more) is None for more in range(5)] == [True] * 3 + [False] * 2
