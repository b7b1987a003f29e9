"""What the command lines of all benchmarks have in common."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import VoidRunError

POSITIVE = ("legs", "seconds", "turns", "repeats", "minutes", "rate")
"""Options that name how much of something: of nothing there is nothing to measure."""
NOT_NEGATIVE = ("viewers", "speakers", "sampled", "video_senders", "audio_legs", "janus_legs")
WRITTEN = ("json", "functions", "plots")
"""Files and folders that are written when all is measured."""
INTERRUPTED = 130


class CommandLine(argparse.ArgumentParser):
    """Refuses what cannot be measured before anything is started."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See ``ArgumentParser``; ends the program with exit code 2 and the option's name."""
        options = super().parse_args(args, namespace)
        given = vars(options)
        for name in POSITIVE:
            if any(value <= 0 for value in _numbers(given.get(name))):
                self.error(f"argument {_option(name)}: must be more than 0")
        for name in NOT_NEGATIVE:
            if any(value < 0 for value in _numbers(given.get(name))):
                self.error(f"argument {_option(name)}: must not be less than 0")
        legs, viewers = given.get("legs"), given.get("viewers")
        if isinstance(legs, int) and isinstance(viewers, int) and viewers > legs:
            self.error(f"argument --viewers: {viewers} of {legs} rooms cannot be viewers")
        for name in WRITTEN:
            path = given.get(name)
            if isinstance(path, Path) and not path.parent.is_dir():
                self.error(f"argument {_option(name)}: there is no folder {path.parent}")
        return options


def _numbers(value: Any) -> Sequence[float]:
    values = value if isinstance(value, list | tuple) else [value]
    return [one for one in values if isinstance(one, int | float)]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def command_line(about: str | None, more: str | None = None) -> argparse.ArgumentParser:
    """A parser of options that shows a module's docstring as it stands, and more after options."""
    return CommandLine(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )


@contextmanager
def void_is_told() -> Iterator[None]:
    """End the program with exit code 1 and the reason when the run is void, 130 by Ctrl-C."""
    try:
        yield
    except VoidRunError as reason:
        sys.exit(f"VOID: {reason}")
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
