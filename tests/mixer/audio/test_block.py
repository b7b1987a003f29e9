import numpy as np

from mixer.audio.block import SILENCE, ramp, to_int16


def test_to_int16_rounds_and_saturates() -> None:
    given = np.array([0.4, 0.6, -0.6, 40_000, -40_000], np.float32)
    assert to_int16(given).tolist() == [0, 1, -1, 32_767, -32_768]


def test_ramp_reaches_its_end_and_joins_the_next_without_a_kink() -> None:
    constant = np.full(100, 10_000, np.int16)
    first, second = ramp(constant, 0.0, 0.5), ramp(constant, 0.5, 1.0)
    assert first[-1] == 5_000
    assert second[-1] == 10_000
    steps = np.diff(np.concatenate((first, second)).astype(int))
    assert steps.min() >= 49
    assert steps.max() <= 51


def test_ramp_at_unity_is_the_same_samples() -> None:
    block = np.arange(-50, 50, dtype=np.int16)
    assert np.array_equal(ramp(block, 1.0, 1.0), block)


def test_ramp_takes_an_empty_block() -> None:
    assert len(ramp(np.zeros(0, np.int16), 0.0, 1.0)) == 0


def test_nobody_can_write_into_the_shared_silence() -> None:
    assert not SILENCE.flags.writeable
