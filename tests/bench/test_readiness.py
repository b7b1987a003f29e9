from typing import Any

import pytest

from bench import readiness
from bench.readiness import Cost


def cost(check: dict[str, Any] | None = None) -> Cost:
    alone = {"server_cores": 0.5, "tick_lateness_ms_p99": 1.0}
    checked = {"server_cores": 0.62, "ticks_missed": 0, "tick_lateness_ms_p99": 2.0}
    return Cost(alone, checked, 12, check)


@pytest.mark.parametrize("short", [True, False])
async def test_the_cost_is_what_the_check_adds(
    short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(legs: int, seconds: float, *, whole: bool) -> Cost:
        assert whole is not short
        return cost({"total_s": 280.0} if whole else None)

    monkeypatch.setattr(readiness, "run", run)
    found = {one.name: one for one in await readiness.measure(short=short)}
    legs = readiness.SHORT_LEGS if short else readiness.LEGS
    added = found[f"a check of {legs} rooms, 12 at once"]
    assert added.value == pytest.approx(0.12)
    assert found["for each room that is measured"].value == pytest.approx(0.01)
    assert all(one.holds is not False for one in found.values())
    assert (f"{legs} rooms checked" in found) is not short
