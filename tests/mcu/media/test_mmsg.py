import ctypes
import socket
import struct
import sys
from collections.abc import Iterator

import pytest

from mcu.media import mmsg


@pytest.fixture
def forgotten() -> Iterator[None]:
    mmsg.system_calls.cache_clear()
    yield
    mmsg.system_calls.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="the calls are Linux's")
def test_the_calls_are_there() -> None:
    assert mmsg.system_calls() is not None


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(("name", "value"), [("sys.platform", "darwin"), ("sys.byteorder", "big")])
def test_none_elsewhere(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setattr(name, value)
    assert mmsg.system_calls() is None


@pytest.mark.usefixtures("forgotten")
def test_none_where_the_layout_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmsg, "MESSAGE_LENGTH_AT", 52)
    assert mmsg.system_calls() is None


@pytest.mark.usefixtures("forgotten")
def test_none_where_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        @staticmethod
        def call(*arguments: object) -> int:
            ctypes.set_errno(38)  # ENOSYS
            return -1

        def __getattr__(self, name: str) -> object:
            return type("Function", (), {"__call__": Library.call, "argtypes": ()})()

    monkeypatch.setattr(ctypes, "PyDLL", lambda *arguments, **options: Library())
    assert mmsg.system_calls() is None


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("192.0.2.7", 4321)),
        (socket.AF_INET6, ("2001:db8::7", 4321)),
        (socket.AF_INET6, ("2001:db8::7", 65535, 0, 0)),
        (socket.AF_INET6, ("::ffff:192.0.2.7", 1, 0, 0)),
        (socket.AF_INET6, ("fe80::1", 9, 0, 3)),
    ],
)
def test_names(family: int, address: tuple[object, ...]) -> None:
    assert mmsg.unpack_name(mmsg.pack_name(family, address)) == address[:2]


def test_a_name_of_another_family() -> None:
    with pytest.raises(OSError, match="illegal IP address"):
        mmsg.pack_name(socket.AF_INET6, ("192.0.2.7", 1))


def control(level: int, kind: int, data: bytes) -> bytes:
    head = struct.pack("=Qii", 16 + len(data), level, kind)
    return head + data + bytes(-len(data) % 8)


GLOBAL = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + struct.pack("=i", 2)
LINK_LOCAL = socket.inet_pton(socket.AF_INET6, "fe80::7") + struct.pack("=i", 2)
HOME = struct.pack("=i4s4s", 2, bytes((192, 0, 2, 7)), bytes((192, 0, 2, 255)))


@pytest.mark.parametrize(
    ("level", "kind", "told", "answered"),
    [
        (41, 50, GLOBAL, GLOBAL[:16] + bytes(4)),
        (41, 50, LINK_LOCAL, LINK_LOCAL),
        (0, 8, HOME, bytes(4) + bytes((192, 0, 2, 7)) + bytes(4)),
    ],
)
def test_answers_leave_from_the_address_the_peer_knows(
    level: int, kind: int, told: bytes, answered: bytes
) -> None:
    other = control(1, 29, bytes(16))  # a receive time
    for before in (b"", other):
        found = mmsg.answering_control(before + control(level, kind, told))
        assert found == control(level, kind, answered)


@pytest.mark.parametrize(
    "data", [b"", bytes(15), bytes(96), control(1, 29, bytes(16)), struct.pack("=Qii", 99, 41, 50)]
)
def test_where_nothing_is_told(data: bytes) -> None:
    assert mmsg.answering_control(data) == b""
