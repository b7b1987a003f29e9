"""What a process becomes; tried in processes of their own, as nobody can go back."""

import os
import subprocess
import sys
from typing import Final

import pytest

from mcu.precedence import DAEMON

NOBODY: Final = 65534
FRESH: Final = "os.setpriority(os.PRIO_PROCESS, 0, 0)"
"""As who starts it by hand: the tests themselves may have been put back."""
IS_ROOT: Final = os.geteuid() == 0


def niceness_after(*steps: str) -> tuple[int, str]:
    """A process's niceness after these statements, and what it logged."""
    program = "\n".join(["import os", "from mcu.precedence import go_first", *steps])
    program += "\nprint('niceness', os.getpriority(os.PRIO_PROCESS, 0))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    *logged, last = done.stdout.splitlines()
    return int(last.split()[1]), "\n".join(logged)


@pytest.mark.skipif(not IS_ROOT, reason="only root goes before others without being allowed to")
def test_the_daemon_goes_first() -> None:
    assert niceness_after(FRESH, "go_first()")[0] == DAEMON


@pytest.mark.skipif(not IS_ROOT, reason="nobody else can become nobody")
def test_without_the_right_to_it_the_daemon_says_what_would_allow_it() -> None:
    niceness, logged = niceness_after(FRESH, f"os.setuid({NOBODY})", "go_first()")
    assert niceness == 0
    assert "LimitNICE" in logged


def test_a_niceness_from_outside_stands() -> None:
    given = "os.setpriority(os.PRIO_PROCESS, 0, 7)"
    assert niceness_after(given, "go_first()") == (7, "")
