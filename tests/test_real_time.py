"""Who gets which tests, with processes that only note what they are given."""

from types import SimpleNamespace

import pytest

from tests.real_time import RealTimeBesideTheRest, in_real_time

REAL_TIME = [f"tests/interop/test_{file}.py::test_{n}" for file in "abcdef" for n in range(5)]
REST = [f"tests/mcu/test_{file}.py::test_{n}" for file in "abc" for n in range(5)]
CONFIG = SimpleNamespace(
    option=SimpleNamespace(loadscopereorder=False),
    getvalue=lambda name: ["popen", "popen"],
)


class Process:
    """Has to do what it was sent, in that order."""

    def __init__(self) -> None:
        self.shutting_down = False
        self.todo: list[int] = []
        self.gateway = SimpleNamespace(id=id(self))

    def send_runtest_some(self, tests: list[int]) -> None:
        assert tests, "nothing to do is never told to be done"
        self.todo += tests

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """A whole run; ``tests`` are told to the scheduler, ``done`` is what became of them."""

    def __init__(self, tests: list[str]) -> None:
        self.tests = tests
        self.scheduler = RealTimeBesideTheRest(CONFIG)
        self.processes: list[Process] = []
        self.done: list[str] = []
        for _ in range(2):
            self.join()
        self.scheduler.schedule()

    def join(self) -> None:
        process = Process()
        self.processes.append(process)
        self.scheduler.add_node(process)
        self.scheduler.add_node_collection(process, self.tests)

    def step(self, process: Process) -> str:
        number = process.todo.pop(0)
        self.scheduler.mark_test_complete(process, number)
        self.done.append(self.tests[number])
        return self.tests[number]

    def crash(self, process: Process) -> str | None:
        self.processes.remove(process)
        return self.scheduler.remove_node(process)

    def finish(self) -> None:
        while any(process.todo for process in self.processes):
            for process in self.processes:
                if process.todo:
                    self.step(process)
        assert self.scheduler.tests_finished


@pytest.mark.parametrize("tests", [REAL_TIME + REST, REST + REAL_TIME], ids=["first", "last"])
def test_one_of_two_processes_is_in_real_time_while_there_is_something_else(
    tests: list[str],
) -> None:
    run = Run(tests)
    for _ in REST:
        assert len({in_real_time(run.step(process)) for process in run.processes}) == 2
    run.finish()
    assert sorted(run.done) == sorted(tests)


def test_at_the_end_both_are() -> None:
    run = Run(REAL_TIME + REST)
    for _ in REST:
        for process in run.processes:
            run.step(process)
    assert all(in_real_time(run.step(process)) for process in run.processes)


@pytest.mark.parametrize("tests", [REAL_TIME, REST, REST[:5], REST[:1]])
def test_of_one_kind_alone_all_are_done(tests: list[str]) -> None:
    run = Run(tests)
    run.finish()
    assert sorted(run.done) == sorted(tests)


@pytest.mark.parametrize("before", range(6))
def test_a_test_that_ends_its_process_fails_once_and_all_others_run(before: int) -> None:
    tests = REAL_TIME + REST
    run = Run(tests)
    for _ in range(before):
        run.step(run.processes[0])
    running = run.tests[run.processes[0].todo[0]]
    assert run.crash(run.processes[0]) == running
    run.join()
    run.scheduler.schedule()
    run.finish()
    assert sorted([*run.done, running]) == sorted(tests)


def test_a_process_that_ends_with_nothing_to_do_failed_nothing() -> None:
    run = Run(REST)
    run.finish()
    assert run.crash(run.processes[0]) is None
