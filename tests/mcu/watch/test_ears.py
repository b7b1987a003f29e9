"""Both directions stay in step, whatever is missing."""

import numpy as np

from mcu.watch.ears import MAX_TICKS, Ears


def block(value: int) -> np.ndarray:
    return np.full(960, value, np.int16)


def first(blocks: list[np.ndarray]) -> list[int]:
    return [int(one[0]) for one in blocks]


def test_ticks_of_both_directions_stand_beside_each_other() -> None:
    ears = Ears()
    ears.sent(block(9), 0.0)  # nothing came from it yet
    for number in (1, 2):
        ears.heard(block(number), 0.0)
        ears.sent(block(10 * number), 0.0)
    assert tuple(map(first, ears.take())) == ([1, 2], [10, 20])
    assert ears.take() == ([], [])


def test_who_does_not_listen_was_sent_silence() -> None:
    ears = Ears()
    for number in (1, 2, 3):
        ears.heard(block(number), 0.0)
    ears.sent(block(30), 0.0)
    assert tuple(map(first, ears.take())) == ([1, 2, 3], [0, 0, 30])


def test_what_nobody_takes_is_bounded() -> None:
    ears = Ears()
    for number in range(MAX_TICKS + 7):
        ears.heard(block(number), 0.0)
        ears.sent(block(number), 0.0)
    returned, sent = ears.take()
    assert len(returned) == len(sent) == MAX_TICKS
    assert first(returned)[0] == 7
