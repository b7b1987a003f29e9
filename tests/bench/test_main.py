"""The short form of all: what it says beforehand, and that it takes no longer than it may."""

import importlib
import json
import re
import sys
from collections import defaultdict
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


ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"python -m (bench(?:\.\w+)?)([^`#\n]*)")


def commands_of_documents() -> dict[str, set[str]]:
    """Module → options, of all commands that documents name."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for module, rest in COMMAND.findall(path.read_text(encoding="utf-8")):
            found[module].update(re.findall(r"--[a-z-]+", rest))
    return found


@pytest.mark.parametrize("module", sorted(commands_of_documents()))
def test_commands_of_the_documents_are_there_with_their_options(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "bench.__main__" if module == "bench" else module
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(name).main()
    text = capsys.readouterr().out
    assert {one for one in commands_of_documents()[module] if one not in text} == set()
    # Each explains its load, not its options alone.
    assert len(text.partition("options:")[0]) > 300


def test_what_is_no_part_of_the_short_form_is_named_beside_it() -> None:
    about = importlib.import_module("bench.__main__").__doc__
    assert about is not None
    for module in commands_of_documents():
        name = module.removeprefix("bench").removeprefix(".")
        assert name in BENCHMARKS or name in about, module
