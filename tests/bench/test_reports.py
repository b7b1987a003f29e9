import pytest

from bench.load import Figures
from bench.reports import added


def meeting(server: float, loop: float, generator: float) -> Figures:
    return {"server_cores": server, "server_loop_cores": loop, "generator_cores": generator}


def test_what_is_added_is_told_of_the_mean_and_of_each_turn() -> None:
    without = [meeting(0.90, 0.40, 0.30), meeting(0.94, 0.42, 0.32)]
    reporting = [meeting(0.98, 0.46, 0.38), meeting(1.00, 0.48, 0.40)]
    found = added(without, reporting)
    assert found["cores_without"] == pytest.approx(0.92)
    assert found["cores_with"] == pytest.approx(0.99)
    assert found["cores_added"] == pytest.approx(0.07)
    assert found["cores_added_each"] == pytest.approx([0.08, 0.06])
    assert found["loop_cores_added"] == pytest.approx(0.06)
    assert found["generator_cores_added"] == pytest.approx(0.08)
    assert found["with"] == reporting
