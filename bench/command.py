"""What the command lines of all benchmarks have in common."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import VoidRunError


def command_line(about: str | None, more: str | None = None) -> argparse.ArgumentParser:
    """A parser of options that shows a module's docstring as it stands, and more after options."""
    return argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )


@contextmanager
def void_is_told() -> Iterator[None]:
    """End the program with exit code 1 and the reason when the run is void."""
    try:
        yield
    except VoidRunError as reason:
        sys.exit(f"VOID: {reason}")
