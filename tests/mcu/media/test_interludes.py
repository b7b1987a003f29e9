from hypothesis import given
from hypothesis import strategies as st

from mcu.media.interludes import REMEMBERED, Interludes


def test_numbers_close_up() -> None:
    ranks = Interludes()
    assert [ranks.number(one) for one in (10, 11)] == [10, 11]
    assert [ranks.skip(one) for one in (12, 13)] == [12, 12]
    assert [ranks.number(one) for one in (14, 15)] == [12, 13]


def test_late_sound_keeps_its_place() -> None:
    ranks = Interludes()
    ranks.number(10)
    ranks.skip(12)
    assert ranks.number(13) == 12
    assert ranks.number(11) == 11


def test_an_interlude_that_sound_has_overtaken_stays_a_gap() -> None:
    ranks = Interludes()
    assert [ranks.number(one) for one in (10, 12)] == [10, 12]
    ranks.skip(11)
    assert ranks.number(13) == 13


@given(st.lists(st.booleans(), max_size=5 * REMEMBERED))
def test_sound_in_order_has_no_gaps(sounds: list[bool]) -> None:
    ranks = Interludes()
    numbers = []
    for sequence, sound in enumerate(sounds, 70_000):
        if sound:
            numbers.append(ranks.number(sequence))
        else:
            ranks.skip(sequence)
    assert numbers == list(range(70_000, 70_000 + len(numbers)))
