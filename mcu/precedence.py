"""Who goes first where processors are short: the daemon, then whatever else runs, then its helpers.

Niceness as in setpriority(2): -20 goes first, 19 last; threads and children inherit it.
"""

import os
from typing import Final

import structlog

log = structlog.get_logger(__name__)

DAEMON: Final = -10
VIDEO: Final = 5
"""On a full machine pictures suffer before sound."""
REPORTS: Final = 10


def go_first() -> None:
    """Let the daemon's packets and sound go before other programs, where the system allows it.

    All its threads inherit this: one that held the interpreter's lock and had to wait for a
    processor would make the packets wait too. A niceness that was given from outside stands.
    """
    if os.getpriority(os.PRIO_PROCESS, 0) != 0:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, DAEMON)
    except PermissionError:
        log.info(
            "no_precedence",
            advice="sound may come late while other programs use all processors; allow it with "
            f"LimitNICE={DAEMON} in the service's unit, or give the daemon CAP_SYS_NICE",
        )


def step_back(niceness: int) -> None:
    """Let this process, a child of the daemon's, go after others. Never forward: see above."""
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))
