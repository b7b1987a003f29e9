"""A figure holds, or does not, and the table says so."""

from bench.figures import Figure, table


def test_a_figure_at_its_bar_holds() -> None:
    assert Figure("cores", 1.2, "cores", bar=1.2).holds
    assert not Figure("cores", 1.21, "cores", bar=1.2).holds
    assert Figure("rate", 50, bar=49.5, at_least=True).holds
    assert not Figure("rate", 49, bar=49.5, at_least=True).holds
    assert Figure("free", 3).holds is None


def test_the_table_shows_what_does_not_hold() -> None:
    lines = table(
        [Figure("p99", 72.04, "ms", bar=60, against="aiortc 249 ms"), Figure("legs", 145)]
    ).splitlines()
    assert lines[2] == "| p99 | 72 ms | ≤ 60 | **no** | aiortc 249 ms |"
    assert lines[3] == "| legs | 145 |  |  |  |"
