"""Libraries are put into groups, and shares are of all that was seen."""

import pytest

from bench.figures import VoidRunError
from bench.profile import SEPARATOR, group_of, read_report, table

REPORT = [
    "",
    SEPARATOR.join((" 30.00%", "  42:python  ", "python3.11 ")),
    SEPARATOR.join((" 10.00%", "  42:python  ", "[kernel.kallsyms]")),
    SEPARATOR.join(("  5.00%", "  43:python  ", "[kernel.kallsyms]")),
    SEPARATOR.join(("  3.00%", "  44:codec_0  ", "libopus.so.0.8.0")),
    SEPARATOR.join((" 35.00%", "  43:python  ", "libavcodec-8c1f1f5e.so.62.11.100")),
    "# a remark",
]


@pytest.mark.parametrize(
    ("library", "group"),
    [
        ("libpython3.11.so.1.0", "Python"),
        ("[vdso]", "kernel"),
        ("libx264-b2e7eb65.so.165", "x264"),
        ("libopus.so.0.8.0", "Opus"),
        ("libsrtp2-57b4f5a4.so.1", "SRTP"),
        ("_binding.abi3.so", "SRTP"),
        ("_multiarray_umath.cpython-311-x86_64-linux-gnu.so", "numpy"),
        ("loop.cpython-311-x86_64-linux-gnu.so", "other modules in C"),
        ("libc.so.6", "C library"),
        ("libcurl.so.4", "other"),
    ],
)
def test_libraries_have_groups(library: str, group: str) -> None:
    assert group_of(library) == group


def test_shares_are_of_all_that_was_seen_the_greatest_first() -> None:
    rows = read_report(REPORT, {42, 44})
    assert [row.group for row in rows] == ["libavcodec (decoding)", "Python", "kernel", "Opus"]
    assert sum(row.whole for row in rows) == pytest.approx(100.0)
    kernel = rows[2]
    assert (kernel.packets, kernel.pictures) == pytest.approx((10 / 0.83, 5 / 0.83))
    assert "| Python | 36.1 | 0.0 | 36.1 | 0.289 |" in table(rows, 0.8)


def test_threads_of_the_daemon_are_no_pictures() -> None:
    opus = read_report(REPORT, {42, 44})[-1]
    assert (opus.group, opus.pictures) == ("Opus", 0.0)


def test_a_daemon_that_was_not_seen_proves_nothing() -> None:
    with pytest.raises(VoidRunError, match="nothing of the daemon"):
        read_report(["# no samples", ""], {42})
