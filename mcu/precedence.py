"""Who goes first where processors are short: sound and packets, then pictures, then all others.

Niceness as in setpriority(2): -20 goes first, 19 last; threads and children inherit it.
"""

import os
from typing import Final

import structlog

log = structlog.get_logger(__name__)

DAEMON: Final = -10
VIDEO_BEHIND: Final = 5
"""So far behind the daemon are its video processes: pictures suffer before sound. At twice that
they fell behind when 145 rooms came at once, and the view's rate was given up for some seconds."""
REPORTS_BEHIND: Final = 10


def go_first() -> None:
    """Let the daemon go before other programs, where the system allows it.

    All its threads inherit this: one that held the interpreter's lock and had to wait for a
    processor would make the packets wait too. So do its processes, which step back from there.
    A niceness that was given from outside stands.
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
