"""Which tests run beside which when several processes share them (``pytest -n``).

Tests with browsers, telephones and daemons, and those that measure, have sound and pictures in
real time: most of what they take is waiting, and what they wait for must not come late. The others
are computation alone and may be done at any time. So there is one process more than cores; half of
them *in front*, which do what is in real time first, and half *behind*, which do the rest with what
those leave of the machine. When there is no rest any more, those behind help, still with less
priority: waiting takes less of the machine than the rest did.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

PLACES = ("tests/interop/", "tests/bench/")
LONGEST = (
    "tests/fuzz/test_api_schemathesis.py",
    "tests/interop/test_console_page.py",
    "tests/interop/test_console_sip.py",
    "tests/interop/test_console_sizes.py",
    "tests/interop/test_drill_pages.py",
    "tests/interop/test_invitation_pages.py",
    "tests/interop/test_join_page.py",
    "tests/interop/test_pages_with_daemon.py",
    "tests/interop/test_readiness_pages.py",
    "tests/mcu/watch/test_watcher.py",
)
"""Files of a minute and more, as measured with all others beside them, are begun first: one begun
last would run alone, and all others wait for it."""
LESS = 5
"""What is added to the niceness of processes behind: a third of a core where both want it all."""


def in_real_time(test: str) -> bool:
    """Whether a test or a file of tests, given by its node id, must keep up with the clock."""
    return test.startswith(PLACES)


def processes(cores: int) -> int:
    """How many to start by default; beyond nine there is no work for more."""
    return min(cores, 8) + 1


def in_front(processes: int) -> int:
    """How many of them are in front."""
    return (processes + 1) // 2


def is_behind(name: str, processes: int) -> bool:
    """Whether the process with this name (gw0, gw1, ...) is.

    One that takes the place of another has the next number, beyond the first ones.
    """
    return int(name.removeprefix("gw")) % processes >= in_front(processes)


class RealTimeBesideTheRest(LoadFileScheduling):
    """As ``--dist loadfile``, whole files to each process, but not in any order.

    And a test that ends its process fails once; by itself, pytest-xdist would give it to the next
    process, and to the next, until none is left for the others.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        scope = self._next(node)
        if scope is None:  # it ends in _reschedule
            return
        self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        nearly_done = self._pending_of(self.assigned_work[node]) <= 2
        if nearly_done and not node.shutting_down and self._next(node) is None:
            node.shutdown()
        super()._reschedule(node)

    def _next(self, node: WorkerController) -> str | None:
        """The file that a process should take; None when there is nothing for it any more."""
        others = [(other, work) for other, work in self.assigned_work.items() if other is not node]
        if all(map(in_real_time, self.workqueue)):
            watches = True
        elif self._behind(node) and not all(self._behind(other) for other, _ in others):
            watches = False
        else:
            watched = sum(any(map(in_real_time, _left(work))) for _, work in others)
            watches = watched < in_front(self.numnodes)
        mine = (scope for scope in self.workqueue if watches or not in_real_time(scope))
        return min(
            mine,
            key=lambda scope: (in_real_time(scope) != watches, scope not in LONGEST),
            default=None,
        )

    def _behind(self, node: WorkerController) -> bool:
        return is_behind(node.gateway.id, self.numnodes)

    def remove_node(self, node: WorkerController) -> str | None:
        """Give what a process had left to others; gives the test that it was at when it ended."""
        work = self.assigned_work.pop(node)
        left = _left(work)
        if not left:
            return None
        ended = left[0]  # they run in this order
        work[self._split_scope(ended)][ended] = True
        self.workqueue.update(
            {scope: unit for scope, unit in work.items() if not all(unit.values())}
        )
        for other in self.assigned_work:
            self._reschedule(other)
        return ended


def _left(work: dict[str, dict[str, bool]]) -> list[str]:
    return [test for unit in work.values() for test, done in unit.items() if not done]
