"""Garbage, cut, damaged and repeated datagrams, from strangers and under rooms' own addresses.

Who sends them has no keys. A meeting goes on exactly as without them: every packet that any room
gets is the same, and every datagram is seen in a counter.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.bad_input import KINDS, STRANGER, Attack, Outcome, Scene, run
from tests.peers.virtual_room import VirtualRoom

From = Callable[[Scene, VirtualRoom], tuple[object, ...]]

PLAIN_ALERT = b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28"
"""A fatal DTLS alert without a key, as anybody can write it."""
PLAIN_GOODBYE = b"\x15\xfe\xfd\x00\x01" + bytes(6) + b"\x00\x02\x01\x00"


def stranger(scene: Scene, room: VirtualRoom) -> tuple[object, ...]:
    return STRANGER


def own(scene: Scene, room: VirtualRoom) -> tuple[object, ...]:
    return room.address


def neighbour(scene: Scene, room: VirtualRoom) -> tuple[object, ...]:
    rooms = scene.rooms
    return rooms[(rooms.index(room) + 1) % len(rooms)].address


def garbage(scene: Scene, address_of: From) -> None:
    for room in scene.rooms:
        size = scene.random.choice([0, 1, 11, 12, 19, 20, 60, 300, 1500, 3000])
        head = bytes([scene.random.randrange(256)])
        scene.inject(head[:size] + scene.random.randbytes(size), address_of(scene, room))


def cut(scene: Scene, address_of: From) -> None:
    for kind in KINDS:
        for room in scene.rooms:
            whole = scene.random.choice(scene.real(kind, room))
            part = whole[: scene.random.randrange(len(whole))]
            scene.inject(part, address_of(scene, room))


def damaged(scene: Scene, address_of: From) -> None:
    for kind in KINDS:
        for room in scene.rooms:
            copy = bytearray(scene.random.choice(scene.real(kind, room)))
            copy[scene.random.randrange(len(copy))] ^= 1 << scene.random.randrange(8)
            scene.inject(bytes(copy), address_of(scene, room))


def repeated(scene: Scene, address_of: From) -> None:
    for kind in KINDS:
        for room in scene.rooms:
            scene.inject(scene.random.choice(scene.real(kind, room)), address_of(scene, room))


def alerts(scene: Scene, address_of: From) -> None:
    for room in scene.rooms:
        scene.inject(PLAIN_ALERT, address_of(scene, room))
        scene.inject(PLAIN_GOODBYE, address_of(scene, room))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return asyncio.run(run(tmp_path_factory.mktemp("calm"), None))


def test_a_run_repeats_exactly(calm: Outcome, tmp_path: Path) -> None:
    again = asyncio.run(run(tmp_path, None))
    assert again.received == calm.received
    assert not calm.dropped


@pytest.mark.parametrize(
    ("what", "address_of"),
    [
        (garbage, stranger),
        (garbage, own),
        (cut, stranger),
        (cut, own),
        (damaged, own),
        (repeated, stranger),
        (repeated, own),
        (repeated, neighbour),
        (alerts, own),
    ],
)
def test_a_meeting_is_the_same_with_it(
    what: Callable[[Scene, From], None], address_of: From, calm: Outcome, tmp_path: Path
) -> None:
    attack: Attack = lambda scene: what(scene, address_of)  # noqa: E731
    outcome = asyncio.run(run(tmp_path, attack))
    assert outcome.injected >= 300
    assert outcome.received == calm.received
    assert set(outcome.presence.values()) == {"connected"}
    assert outcome.addresses == 3
    counted = outcome.dropped.total()
    if address_of is stranger:
        assert counted == outcome.injected
    else:
        # Authentic checks are answered once more, and a client that repeats the end of its
        # handshake gets ours again; all else is counted.
        answered = outcome.injected_by["stun"] + outcome.dtls_answers
        assert outcome.injected - answered <= counted <= outcome.injected
