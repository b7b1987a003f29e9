"""The table of hits and false alarms: how it is made, on a small part of the grid."""

from bench.detect_echo import echo_rows, probe_rows
from bench.detect_faults import sound_rows
from bench.detect_pictures import Line
from bench.detect_table import Row, figures, table
from bench.detect_views import black_rows, still_rows

Rows = list[Row]


def share(rows: Rows, fault: str, *, wanted: bool, where: str = "") -> float:
    """Percentage of alarms in rows of a fault whose material contains some words."""
    these = [r for r in rows if r.fault == fault and r.wanted == wanted and where in r.material]
    cases = sum(row.cases for row in these)
    assert cases > 0
    return 100 * sum(row.alarms for row in these) / cases


def test_echo_and_probe_in_quiet_and_in_double_talk() -> None:
    rows = list(echo_rows(short=True, recorded=False, levels=(-12,)))
    assert share(rows, "echo", wanted=True) >= 80
    assert share(rows, "echo, by levels alone", wanted=True, where="dBov") >= 50
    assert share(rows, "echo", wanted=False) == 0
    assert share(rows, "echo, by levels alone", wanted=False) <= 10
    assert {row.wanted for row in rows} == {True, False}


def test_the_probe_is_found_and_only_it() -> None:
    rows = list(probe_rows(short=True, recorded=False))
    assert share(rows, "probe", wanted=True) >= 90
    assert share(rows, "probe", wanted=False) == 0


def test_faults_of_sound_are_found_and_healthy_sound_has_none() -> None:
    rows = list(sound_rows(range(1), (-20,), recorded=False, codecs=("pcma",)))
    assert share(rows, "clipping", wanted=True, where="G.711") >= 75
    assert share(rows, "howl", wanted=True) >= 80
    assert share(rows, "hum", wanted=True, where="-40 dBov") == 100
    assert share(rows, "silence", wanted=True) == 100
    for fault in ("clipping", "howl", "hum", "silence"):
        assert share(rows, fault, wanted=False) == 0, fault


def test_dark_rooms_and_closed_shutters_are_told_apart() -> None:
    rows = list(black_rows([Line("h264", 150_000)]))
    assert share(rows, "black", wanted=True) == 100
    assert share(rows, "black", wanted=False) == 0


def test_rooms_that_stand_still_are_told_from_those_that_move() -> None:
    rows = list(still_rows([Line("h264", 150_000)], 14))
    assert share(rows, "frozen", wanted=False) == 0
    assert share(rows, "frozen or still", wanted=True) == 100
    assert share(rows, "frozen or still", wanted=False) == 0


def test_a_table_and_figures_are_made_of_rows() -> None:
    rows = [Row("echo", "-6 dB", True, 4, 3), Row("echo", "speech", False, 5, 1)]
    assert table(rows).splitlines()[2:] == [
        "| echo | -6 dB | yes | 4 | 3 | 75% found |",
        "| echo | speech | no | 5 | 1 | 20% false |",
    ]
    found, false = figures(rows)
    assert (found.name, found.value, found.against) == ("echo: found", 75.0, "4 cases")
    assert (false.name, false.value) == ("echo: false alarms", 20.0)
