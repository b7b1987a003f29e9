import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.fifo import SampleFifo


def numbers(first: int, count: int) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.int16)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=50))
def test_what_goes_in_comes_out_in_order(steps: list[tuple[int, int]]) -> None:
    fifo = SampleFifo(100)
    model: list[int] = []
    total = 0
    for pushed, popped in steps:
        if len(model) + pushed <= 100:
            fifo.push(numbers(total, pushed))
            model += range(total, total + pushed)
            total += pushed
        popped = min(popped, len(model))
        assert fifo.peek(7).tolist() == model[:7]
        assert fifo.pop(popped).tolist() == model[:popped]
        model = model[popped:]
        assert len(fifo) == len(model)


def test_it_never_holds_more_than_its_capacity() -> None:
    fifo = SampleFifo(10)
    fifo.push(numbers(0, 8))
    with pytest.raises(OverflowError):
        fifo.push(numbers(0, 3))
    assert len(fifo) == 8


def test_popping_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="3 samples"):
        SampleFifo(10).pop(3)


def test_replace_changes_the_front_only() -> None:
    fifo = SampleFifo(20)
    fifo.push(numbers(0, 8))
    fifo.pop(2)
    fifo.replace(3, numbers(50, 5))
    assert fifo.pop(8).tolist() == [50, 51, 52, 53, 54, 5, 6, 7]
