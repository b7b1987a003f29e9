"""The short form of all: what it says beforehand, and that it takes no longer than it may."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bench.__main__ import BENCHMARKS, EXPECTED_S, expected, run, spoken, write
from bench.figures import Figure, VoidRunError


def test_all_are_expected_to_take_less_than_ten_minutes() -> None:
    assert list(EXPECTED_S) == list(BENCHMARKS)
    assert sum(short for short, _ in EXPECTED_S.values()) < 600
    assert expected(list(BENCHMARKS), short=True).endswith(" s")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (600, "10 min 0 s")]
)
def test_times_are_told_in_minutes(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


async def test_one_that_fails_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def holds(*, short: bool) -> list[Figure]:
        return [Figure("one", 1.0, "s", 2.0)]

    async def void(*, short: bool) -> list[Figure]:
        raise VoidRunError("starved")

    async def fails(*, short: bool) -> list[Figure]:
        raise RuntimeError("a defect")

    for name, measure in (("capacity", fails), ("rest", void), ("churn", holds)):
        module = ModuleType(f"bench.{name}")
        module.measure = measure  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"bench.{name}", module)
    saved: list[int] = []

    def done(results: dict[str, list[Figure] | str]) -> None:
        saved.append(len(results))
        write(tmp_path / "all.json", results)

    results = await run(["capacity", "rest", "churn"], short=True, done=done)
    assert results == {
        "capacity": "RuntimeError: a defect",
        "rest": "starved",
        "churn": [Figure("one", 1.0, "s", 2.0)],
    }
    assert saved == [1, 2, 3]
    assert json.loads((tmp_path / "all.json").read_text())["churn"][0]["holds"] is True
    assert "all that is left" in capsys.readouterr().err
