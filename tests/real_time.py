"""Which tests run beside which when several processes share them (``pytest -n``).

Tests with browsers, telephones and daemons, and those that measure, have sound and pictures in real
time. They run after each other, in one process; what is pure computation runs beside them, file by
file, in the others. Two of the former at once could slow each other down until one fails.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

PLACES = ("tests/interop/", "tests/bench/")


def in_real_time(test: str) -> bool:
    """Whether a test, given by its node id, must keep up with the clock."""
    return test.startswith(PLACES)


class RealTimeAfterEachOther(LoadFileScheduling):
    """As ``--dist loadfile``, but what runs in real time is one piece of work.

    And a test that ends its process fails once; by itself, pytest-xdist would give it to the next
    process, and to the next, until none is left for the others.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "in real time" if in_real_time(nodeid) else super()._split_scope(nodeid)

    def remove_node(self, node: WorkerController) -> str | None:
        """Give what a process had left to others; gives the test that it was at when it ended."""
        work = self.assigned_work.pop(node)
        left = [(test, unit) for unit in work.values() for test, done in unit.items() if not done]
        if not left:
            return None
        ended, unit = left[0]  # they run in this order
        unit[ended] = True
        self.workqueue.update(
            {scope: unit for scope, unit in work.items() if not all(unit.values())}
        )
        for other in self.assigned_work:
            self._reschedule(other)
        return ended
