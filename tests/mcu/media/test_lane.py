from mcu.media.lane import OUT_OF_STEP, WAITING_PACKETS, Lane, Waiting
from mcu.media.receive import AudioReceiveStream

PACKET = memoryview(bytes.fromhex("906f00010000000000000001bede000120ff0000") + bytes(40))


def test_packets_wait_until_they_are_too_many() -> None:
    waiting = Waiting(-127.0)
    for number in range(WAITING_PACKETS + 1):
        waiting.packets.append((number, 0.0))  # type: ignore[arg-type]
    assert len(waiting.packets) == WAITING_PACKETS
    assert waiting.packets[0][0] == 1  # type: ignore[comparison-overlap]


def test_whoever_lays_packets_is_told_when_that_ends() -> None:
    waiting, told = Waiting(-127.0), []
    waiting.watch(lambda: told.append("closed"))
    assert waiting.open
    waiting.close()
    assert not waiting.open
    waiting.watch(None)
    waiting.close()
    assert told == ["closed"]


def test_a_lane_without_others_is_never_in_step() -> None:
    lane = Lane()
    lane.listen(Waiting(-127.0))
    lane.session = object()
    lane.fall_in(AudioReceiveStream(1, 48_000), PACKET, 2)
    lane.settle()
    lane.fall_out()
    assert lane.row == OUT_OF_STEP.row == 0


def test_another_listener_takes_the_place_of_the_one_before() -> None:
    lane, first, second = Lane(), Waiting(-127.0), Waiting(-127.0)
    lane.listen(first)
    lane.listen(second)
    assert lane.waiting is second
    first.close()
    assert lane.waiting is second
