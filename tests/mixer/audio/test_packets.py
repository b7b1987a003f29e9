from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.packets import BUFFER_PACKETS, HISTORY_PACKETS, PacketStore


@dataclass(frozen=True)
class Packet:
    sequence: int
    timestamp: int
    payload: bytes = b"x"


def steady(store: PacketStore, first: int, count: int, start_s: float = 0.0) -> None:
    for number in range(first, first + count):
        store.put(Packet(number, number * 960), start_s + number * 0.02)


def test_the_newest_packets_are_kept() -> None:
    store = PacketStore()
    steady(store, 0, 100)
    assert sorted(store.held) == list(range(100 - HISTORY_PACKETS, 100))
    assert store.newest is not None
    assert store.newest.sequence == 99
    assert store.counters.overflowed == 0


def test_duplicates_are_counted_once() -> None:
    store = PacketStore()
    steady(store, 0, 5)
    store.put(Packet(4, 4 * 960), 0.09)
    assert store.counters.duplicates == 1
    assert len(store.held) == 5


def test_reordered_packets_are_kept() -> None:
    store = PacketStore()
    for number in (0, 2, 1, 3):
        store.put(Packet(number, number * 960), 0.02 * number)
    assert sorted(store.held) == [0, 1, 2, 3]
    assert store.newest is not None
    assert store.newest.sequence == 3


def test_what_was_played_already_comes_too_late() -> None:
    store = PacketStore()
    steady(store, 0, 5)
    store.floor = 4
    store.put(Packet(3, 3 * 960), 0.1)
    store.put(Packet(3, 3 * 960), 0.1)
    assert store.counters.duplicates == 2  # it is still held here
    store.held.clear()
    store.put(Packet(3, 3 * 960), 0.1)
    assert store.counters.late == 1
    assert not store.held


def test_one_absurd_packet_changes_nothing() -> None:
    store = PacketStore()
    steady(store, 0, 10)
    for absurd in (Packet(10, 1 << 31), Packet(40_000, 10 * 960), Packet(-30_000, 10 * 960)):
        store.put(absurd, 0.2)
    steady(store, 10, 10)
    assert sorted(store.held) == list(range(20))
    assert store.counters.suspects == 3
    assert store.counters.resyncs == 0


def test_a_restarted_sender_is_believed_after_three_packets() -> None:
    store = PacketStore()
    steady(store, 0, 50)
    store.floor = 50
    for number in range(3):
        store.put(Packet(70_000 + number, 5_000_000 + number * 960), 1.0 + number * 0.02)
    assert store.counters.resyncs == 1
    assert sorted(store.held) == [70_000, 70_001, 70_002]
    assert store.floor is None
    assert len(store.delay.transits) == 3


def test_suspects_that_disagree_are_never_believed() -> None:
    store = PacketStore()
    steady(store, 0, 10)
    for number in range(200):
        store.put(Packet(10 + number, (number + 1) * 100_000_000), 0.2 + number * 0.02)
    assert store.counters.resyncs == 0
    assert len(store.held) == 10


def test_while_playing_more_is_kept_and_losses_of_it_are_counted() -> None:
    store = PacketStore()
    store.capacity = BUFFER_PACKETS
    store.floor = 0
    steady(store, 0, BUFFER_PACKETS + 5)
    assert len(store.held) == BUFFER_PACKETS
    assert store.counters.overflowed == 5
    store.trim(HISTORY_PACKETS)
    assert sorted(store.held) == list(
        range(BUFFER_PACKETS + 5 - HISTORY_PACKETS, BUFFER_PACKETS + 5)
    )


numbers = st.one_of(st.integers(-50, 400), st.integers(-(1 << 48), 1 << 48))


@given(st.lists(st.tuples(numbers, numbers, st.floats(0, 60)), max_size=300))
def test_any_packets_are_taken_in_bounded_memory(
    given: list[tuple[int, int, float]],
) -> None:
    store = PacketStore()
    for sequence, timestamp, now in given:
        store.put(Packet(sequence, timestamp), now)
        assert len(store.held) <= HISTORY_PACKETS
    counters = store.counters
    assert counters.received == len(given)
    assert counters.suspects <= len(given)
