"""Recordings leave room to everything else."""

import pytest

from mcu.recording.space import judge


@pytest.mark.parametrize(
    ("free", "room"), [(99, "full"), (100, "low"), (199, "low"), (200, "ample"), (10_000, "ample")]
)
def test_judge(free, room):
    assert judge(free, 100) == room
