"""How many processors this program may use: not those of the machine, in a container."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def available(root: Path = _ROOT, membership: Path = _MEMBERSHIP) -> float:
    """Processors that affinity and the quotas of our control groups allow together.

    Args:
        root: where the control groups are mounted. membership: says which one is ours.
    Cost: some 50 µs where there are groups.
    """
    cores = float(len(os.sched_getaffinity(0)))
    return min([cores, *_quotas(root, membership)])


def whole() -> int:
    """As many threads as ``available`` keeps busy; at least one."""
    return max(1, math.ceil(available()))


def _quotas(root: Path, membership: Path) -> Iterator[float]:
    """Of our group and all above it, version 2 (``cpu.max``) or version 1 (``cpu.cfs_…``)."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / controllers if controllers else root
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            quota = _quota(folder)
            if quota is not None:
                yield quota
            if folder == top:
                break


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            allowed, period = (folder / "cpu.max").read_text().split()
        else:
            allowed = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return int(allowed) / int(period) if int(allowed) > 0 else None
    except (OSError, ValueError):
        return None  # no such file, or "max": there is no quota here
