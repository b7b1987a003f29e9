from pathlib import Path

import pytest

from bench.command import command_line, void_is_told
from bench.figures import VoidRunError


def test_help_is_the_docstring_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    parser = command_line("What it measures.\n\n    python -m bench.it --legs 3\n")
    parser.add_argument("--legs", type=int, default=1)
    assert parser.parse_args(["--legs", "3"]).legs == 3
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert "What it measures.\n\n    python -m bench.it --legs 3\n" in capsys.readouterr().out


def test_a_void_run_ends_the_program_with_its_reason() -> None:
    with pytest.raises(SystemExit, match=r"^VOID: the machine was busy$"), void_is_told():
        raise VoidRunError("the machine was busy")


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), void_is_told():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["--legs", "0"], "--legs: must be more than 0"),
        (["--legs", "-1"], "--legs: must be more than 0"),
        (["--seconds", "0"], "--seconds: must be more than 0"),
        (["--viewers", "-1"], "--viewers: must not be less than 0"),
        (["--viewers", "4"], "--viewers: 4 of 3 rooms"),
        (["--json", "/no/such/folder/figures.json"], "--json: there is no folder"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(
    given: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = command_line("It.")
    parser.add_argument("--legs", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json", type=Path)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(given)
    assert reason in capsys.readouterr().err


def test_an_interrupted_run_ends_in_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="130"), void_is_told():
        raise KeyboardInterrupt
    assert "interrupted" in capsys.readouterr().err
