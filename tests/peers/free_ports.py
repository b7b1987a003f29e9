"""Ports for programs that must be told theirs before they open it.

Between the choice and the opening somebody else may take it: another of the processes that share
the tests (``pytest -n``), or the system for one that asked for any port. So they are chosen beside
the range of the system's own choice, and each is marked as taken as long as this process lives.
"""

import atexit
import random
import socket
from contextlib import ExitStack
from pathlib import Path

_FIRST, _LAST = 22_000, 65_535
"""Below are those of the program's presets (``media.sip_ports``), and some that browsers refuse."""
_CHOSEN_BY_THE_SYSTEM = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 1_000

_marks = ExitStack()
"""Sockets with one of Linux's abstract names, which end with the process that has them."""
atexit.register(_marks.close)


def free_range(pairs: int) -> tuple[int, int]:
    """First and last of consecutive ports that nobody has, over UDP and TCP; the first is even."""
    low, high = map(int, _CHOSEN_BY_THE_SYSTEM.read_text().split())
    candidates = [
        *range(_FIRST, low - 2 * pairs, 2),
        *range((high + 2) // 2 * 2, _LAST - 2 * pairs, 2),
    ]
    # At random: counting up, all processes would try the same ones.
    for first in random.SystemRandom().choices(candidates, k=_TRIES):
        ports = range(first, first + 2 * pairs)
        with ExitStack() as marks:
            if all(_mark(port, marks) and _is_free(port) for port in ports):
                _marks.push(marks.pop_all())
                return ports[0], ports[-1]
    raise AssertionError("no free range")


def free_port() -> int:
    """A port that nobody has, over UDP and TCP, IPv4 and IPv6; even, and the next is free too."""
    return free_range(1)[0]


def _mark(port: int, marks: ExitStack) -> bool:
    mark = marks.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    try:
        mark.bind(f"\0mcu-tests-port-{port}")
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET6, kind) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                probe.bind(("::", port))
            except OSError:
                return False
    return True
