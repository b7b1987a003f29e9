import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import free_ports

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_ports_stand_beside_those_that_the_system_gives_away() -> None:
    low, high = map(int, RANGE.read_text().split())
    for pairs in (1, 8):
        first, last = free_ports.free_range(pairs)
        assert last - first == 2 * pairs - 1
        assert first % 2 == 0
        assert last < low or first > high


def test_none_is_given_twice() -> None:
    ports = [free_ports.free_port() for _ in range(50)]
    assert len({*ports, *(port + 1 for port in ports)}) == 100


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize("above", [0, 1])
def test_a_port_in_use_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, kind: socket.SocketKind, above: int
) -> None:
    used, other = free_ports.free_port(), free_ports.free_port()
    monkeypatch.setattr(free_ports, "_mark", lambda port, marks: True)
    monkeypatch.setattr(
        free_ports.random.SystemRandom, "choices", lambda self, candidates, k: [used, other]
    )
    with socket.socket(socket.AF_INET, kind) as user:
        user.bind(("127.0.0.1", used + above))
        assert free_ports.free_port() == other
    assert free_ports.free_port() == used


def test_another_process_does_not_get_it() -> None:
    program = (
        "import sys; from tests.peers import free_ports\n"
        "random = free_ports.random.SystemRandom\n"
        "choices = random.choices\n"
        "random.choices = lambda *given, k: [int(sys.argv[1]), *choices(*given, k=k)]\n"
        "print(free_ports.free_port())"
    )
    ours = free_ports.free_port()
    done = subprocess.run(
        [sys.executable, "-c", program, str(ours)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert int(done.stdout) != ours
