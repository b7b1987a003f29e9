"""UDP ports that nobody has."""

import socket

from mcu.media.port_pairs import PortPairs, PortsExhausted


def free_range(pairs: int) -> tuple[int, int]:
    """A range of ports that nobody has just now."""
    for _ in range(50):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
            first = probe.getsockname()[1] // 2 * 2
        last = first + 2 * pairs - 1
        if last > 65_535:
            continue
        try:
            taken = [PortPairs(port, port + 1).take() for port in range(first, last, 2)]
        except PortsExhausted:
            continue
        for pair in taken:
            pair.close()
        return first, last
    raise AssertionError("no free range")
