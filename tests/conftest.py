"""Settings of the whole test run."""

import gc
import os
from collections.abc import Generator
from typing import Any

import pytest
import pytest_timeout
from hypothesis import settings
from xdist.scheduler import Scheduling
from xdist.workermanage import WorkerController

from tests.overdue import alarm
from tests.real_time import LESS, RealTimeBesideTheRest, is_behind, processes
from tests.scratch import folder_in_memory

# How long an example takes says something of the machine, not of the program. The same examples
# in every run: a test that fails does so for everybody. New ones are what `make fuzz` is for, and
# `pytest --hypothesis-profile=search`.
settings.register_profile("mcu", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("mcu")

if (_scratch := folder_in_memory()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_scratch))

_limit_s = pytest.StashKey[float]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = False  # it would begin with the files of most tests
    return RealTimeBesideTheRest(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return processes(len(os.sched_getaffinity(0)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a process whether it is behind; see ``tests.real_time``."""
    if node.config.option.dist == "loadfile":
        count = node.workerinput["workercount"]
        node.workerinput["behind"] = is_behind(node.workerinput["workerid"], count)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Half a million objects that stay to the end are made here. To look among them for cycles again
    # and again took a quarter of the time, and more in each test that looks for what it has left.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_finish(session: pytest.Session) -> None:
    # Not before: all processes wait until the last has found its tests.
    if getattr(session.config, "workerinput", {}).get("behind"):
        os.nice(LESS)


def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> bool:
    """Instead of pytest-timeout's own alarm; see ``tests.overdue``."""
    item.stash[_limit_s] = settings.timeout
    return True


def pytest_timeout_cancel_timer() -> bool:
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with alarm(item.stash.get(_limit_s, 0.0)):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with alarm(item.stash.get(_limit_s, 0.0)):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    with alarm(item.stash.get(_limit_s, 0.0)):
        return (yield)
