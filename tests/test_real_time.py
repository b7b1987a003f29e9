"""Who gets which tests, with processes that only note what they are given."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.real_time import (
    LONGEST,
    RealTimeBesideTheRest,
    in_front,
    in_real_time,
    is_behind,
    processes,
)

REAL_TIME = [f"tests/interop/test_{file}.py::test_{n}" for file in "abcdef" for n in range(5)]
REST = [f"tests/mcu/test_{file}.py::test_{n}" for file in "abc" for n in range(5)]


class Process:
    """Has to do what it was sent, in that order."""

    def __init__(self, name: str) -> None:
        self.shutting_down = False
        self.todo: list[int] = []
        self.gateway = SimpleNamespace(id=name)

    def send_runtest_some(self, tests: list[int]) -> None:
        assert tests, "nothing to do is never told to be done"
        self.todo += tests

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """A whole run; ``tests`` are told to the scheduler, ``done`` is what became of them."""

    def __init__(self, tests: list[str], count: int = 3) -> None:
        self.tests = tests
        self.count = count
        self.scheduler = RealTimeBesideTheRest(
            SimpleNamespace(
                option=SimpleNamespace(loadscopereorder=False),
                getvalue=lambda name: ["popen"] * count,
            )
        )
        self.processes: list[Process] = []
        self.done: list[str] = []
        self._names = 0
        for _ in range(count):
            self.join()
        self.scheduler.schedule()

    def join(self) -> None:
        process = Process(f"gw{self._names}")
        self._names += 1
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

    def now(self) -> list[bool]:
        """Of each process that has something to do, whether it is in real time."""
        return [in_real_time(self.tests[one.todo[0]]) for one in self.processes if one.todo]

    def rest_left(self) -> bool:
        """Whether there is a file outside of real time that no process has begun."""
        return not all(map(in_real_time, self.scheduler.workqueue))

    def finish(self) -> None:
        """Do all that is left, one test of each process in turn."""
        while any(process.todo for process in self.processes):
            assert sum(self.now()) <= in_front(self.count) or not self.rest_left()
            for process in self.processes:
                if process.todo:
                    self.step(process)
        assert self.scheduler.tests_finished
        assert all(process.shutting_down for process in self.processes)


@pytest.mark.parametrize(
    ("cores", "count", "front"), [(1, 2, 1), (2, 3, 2), (4, 5, 3), (8, 9, 5), (64, 9, 5)]
)
def test_there_is_one_process_more_than_cores(cores: int, count: int, front: int) -> None:
    assert processes(cores) == count
    names = [f"gw{number}" for number in range(count)]
    assert [is_behind(name, count) for name in names] == [n >= front for n in range(count)]


@pytest.mark.parametrize("tests", [REAL_TIME + REST, REST + REAL_TIME], ids=["first", "last"])
def test_those_in_front_are_in_real_time_and_the_one_behind_does_the_rest(tests: list[str]) -> None:
    run = Run(tests)
    for _ in REST:
        assert run.now() == [True, True, False]
        for process in run.processes:
            run.step(process)
    assert run.now() == []
    assert sorted(run.done) == sorted(tests)


def test_when_there_is_no_rest_any_more_who_is_behind_helps() -> None:
    tests = REAL_TIME + REST[:5]
    run = Run(tests)
    for _ in range(5):
        assert run.now() == [True, True, False]
        for process in run.processes:
            run.step(process)
    assert run.now() == [True, True, True]
    run.finish()
    assert sorted(run.done) == sorted(tests)


def test_who_is_in_front_does_the_rest_when_nothing_else_is_left() -> None:
    run = Run(REAL_TIME[:10] + REST)
    for _ in range(5):
        for process in run.processes:
            run.step(process)
    assert run.now() == [False, False]
    run.finish()
    assert sorted(run.done) == sorted(REAL_TIME[:10] + REST)


def test_the_longest_files_are_begun_first() -> None:
    watched, other = (
        [f"{file}::test_{n}" for n in range(5)]
        for file in (
            next(filter(in_real_time, LONGEST)),
            next(file for file in LONGEST if not in_real_time(file)),
        )
    )
    run = Run(REAL_TIME + watched + REST + other)
    assert run.tests[run.processes[0].todo[0]] in watched
    assert run.tests[run.processes[-1].todo[0]] in other
    run.finish()
    assert sorted(run.done) == sorted(run.tests)


@pytest.mark.parametrize("file", LONGEST)
def test_each_of_the_longest_is_there(file: str) -> None:
    assert (Path(__file__).parents[1] / file).is_file()


@pytest.mark.parametrize("count", [1, 2, 3, 9])
@pytest.mark.parametrize("tests", [REAL_TIME, REST, REST[:5], REST[:1]])
def test_of_one_kind_alone_all_are_done(tests: list[str], count: int) -> None:
    run = Run(tests, count)
    run.finish()
    assert sorted(run.done) == sorted(tests)


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("before", range(6))
def test_a_test_that_ends_its_process_fails_once_and_all_others_run(
    before: int, which: int
) -> None:
    tests = REAL_TIME + REST
    run = Run(tests)
    for _ in range(before):
        run.step(run.processes[which])
    running = run.tests[run.processes[which].todo[0]]
    assert run.crash(run.processes[which]) == running
    run.join()
    run.scheduler.schedule()
    run.finish()
    assert sorted([*run.done, running]) == sorted(tests)


def test_who_is_behind_watches_when_nobody_in_front_is_left() -> None:
    tests = REAL_TIME + REST
    run = Run(tests)
    ended = [run.crash(run.processes[0]) for _ in range(2)]
    run.finish()
    assert sorted([*run.done, *filter(None, ended)]) == sorted(tests)


def test_a_process_that_ends_with_nothing_to_do_failed_nothing() -> None:
    run = Run(REST)
    run.finish()
    assert run.crash(run.processes[0]) is None
