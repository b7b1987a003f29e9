"""A wall clock that is set while somebody meets, and one that is set while nobody does."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from mcu.conference.clock import MeetingClock
from mcu.conference.commands import NoteJoined, ShowMessage, StartConference
from mcu.conference.floor_model import GrantFloor
from mcu.conference.polling_model import StartPolling
from tests.mcu.conference.conftest import OPERATOR, Office
from tests.mcu.conference.meeting import NOW

HOUR_S = 3600.0


@dataclass
class Machine:
    """Its two clocks; ``set_s``: what people have set the wall clock forward by."""

    seconds: float = 0.0
    set_s: float = 0.0

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds + self.set_s)

    def monotonic(self) -> float:
        return 1_000.0 + self.seconds


def made(machine: Machine, *, meeting: bool) -> MeetingClock:
    return MeetingClock(lambda: meeting, machine.wall, machine.monotonic)


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_time_goes_on_steadily_while_somebody_meets(step_s: float) -> None:
    machine = Machine()
    clock = made(machine, meeting=True)
    machine.seconds, machine.set_s = 10.0, step_s
    assert clock.utcnow() == NOW + timedelta(seconds=10)
    machine.seconds = 300.0
    assert clock.utcnow() == NOW + timedelta(seconds=300)
    assert clock.now() == 1_300.0


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_it_is_followed_when_nobody_does(step_s: float) -> None:
    machine = Machine()
    clock = made(machine, meeting=True)
    machine.set_s = step_s
    assert clock.utcnow() == NOW
    clock.meeting = lambda: False
    assert clock.utcnow() == NOW + timedelta(seconds=step_s)
    clock.meeting = lambda: True
    machine.seconds = 60.0
    assert clock.utcnow() == NOW + timedelta(seconds=step_s + 60)


def test_small_corrections_are_followed_at_once_and_add_up() -> None:
    machine = Machine()
    clock = made(machine, meeting=True)
    for _ in range(20):
        machine.set_s += 0.4
        assert clock.utcnow() == machine.wall()


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_what_comes_due_in_a_conference_is_not_moved(office: Office, step_s: float) -> None:
    machine = Machine()
    clock = made(machine, meeting=True)
    office.clock = clock  # type: ignore[assignment]
    async with office.daemon() as conferences:
        state = await conferences.start(StartConference("Họp", "tinh", "subtree"), OPERATOR)
        for bridge in ("b0", "b1", "b2"):
            conferences.note(state.id, NoteJoined(bridge, f"leg-{bridge}"))
        await conferences.execute(state.id, GrantFloor("b1", 60), OPERATOR)
        await conferences.execute(state.id, ShowMessage("Nghỉ", 60), OPERATOR)
        await conferences.execute(state.id, StartPolling(10.0, view="main"), OPERATOR)
        conferences.handle_timer(clock.now())
        shown = conferences.get(state.id).polling.participant
        assert shown is not None

        machine.seconds, machine.set_s = 5.0, step_s
        conferences.handle_timer(clock.now())
        found = conferences.get(state.id)
        assert found.floor.holder is not None
        assert found.message is not None
        assert found.polling.participant == shown
        assert conferences.next_timer() == pytest.approx(clock.now() + 5.0)

        machine.seconds = 10.0
        conferences.handle_timer(clock.now())
        assert conferences.get(state.id).polling.participant != shown
        machine.seconds = 60.0
        conferences.handle_timer(clock.now())
        found = conferences.get(state.id)
        assert found.floor.holder is None
        assert found.message is None
