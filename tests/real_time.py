"""Which tests run beside which when several processes share them (``pytest -n``).

Tests with browsers, telephones and daemons, and those that measure, have sound and pictures in
real time; the others are computation alone. A machine that did the former with all its cores at
once, and then the latter, would be short of them at first and keep them idle then: so half of the
processes do the ones and half the others, as long as there are both.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

PLACES = ("tests/interop/", "tests/bench/")


def in_real_time(test: str) -> bool:
    """Whether a test or a file of tests, given by its node id, must keep up with the clock."""
    return test.startswith(PLACES)


class RealTimeBesideTheRest(LoadFileScheduling):
    """As ``--dist loadfile``, whole files to each process, but not in any order.

    And a test that ends its process fails once; by itself, pytest-xdist would give it to the next
    process, and to the next, until none is left for the others.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        others = [work for other, work in self.assigned_work.items() if other is not node]
        watched = sum(any(map(in_real_time, _left(work))) for work in others)
        wanted = watched < max(1, len(self.assigned_work) // 2)
        for scope in self.workqueue:
            if in_real_time(scope) == wanted:
                self.workqueue.move_to_end(scope, last=False)
                break
        super()._assign_work_unit(node)

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
