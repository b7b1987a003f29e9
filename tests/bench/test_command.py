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
