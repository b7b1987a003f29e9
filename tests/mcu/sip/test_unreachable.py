"""What ICMP says, as it comes from a socket's queue of errors."""

import socket

from mcu.sip.unreachable import ask_for_errors, unreachable_places
from tests.peers.waiting import until


async def test_only_where_nobody_is_counts() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        nobody = gone.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        ask_for_errors(sock)
        assert unreachable_places(sock) == []
        sock.sendto(b"x", sock.getsockname())
        sock.sendto(b"x", ("127.0.0.1", nobody))
        found: list[tuple[str, int]] = []
        await until(lambda: bool(found.extend(unreachable_places(sock)) or found))
        assert found == [("127.0.0.1", nobody)]
        assert sock.recv(10) == b"x"
