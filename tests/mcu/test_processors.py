"""Quotas of control groups, of both versions, bound what affinity allows."""

import os
from pathlib import Path

import pytest

from mcu import processors


@pytest.fixture(autouse=True)
def _eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))


def membership(folder: Path, text: str) -> Path:
    path = folder / "membership"
    path.write_text(text)
    return path


def test_without_groups_affinity_counts(tmp_path: Path) -> None:
    assert processors.available(tmp_path, tmp_path / "nothing") == 8
    assert processors.available(tmp_path, membership(tmp_path, "0::/\n")) == 8


def test_the_smallest_quota_of_the_groups_above_counts(tmp_path: Path) -> None:
    group = tmp_path / "machine" / "meeting"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("max 100000\n")
    (tmp_path / "machine" / "cpu.max").write_text("250000 100000\n")
    own = membership(tmp_path, "0::/machine/meeting\n")
    assert processors.available(tmp_path, own) == 2.5
    (group / "cpu.max").write_text("50000 100000\n")
    assert processors.available(tmp_path, own) == 0.5


def test_groups_of_the_first_version(tmp_path: Path) -> None:
    group = tmp_path / "cpu,cpuacct" / "docker"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("150000\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    own = membership(tmp_path, "7:memory:/docker\n4:cpu,cpuacct:/docker\n")
    assert processors.available(tmp_path, own) == 1.5
    (group / "cpu.cfs_quota_us").write_text("-1\n")
    assert processors.available(tmp_path, own) == 8


def test_a_part_of_a_processor_is_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "available", lambda: 0.5)
    assert processors.whole() == 1
    monkeypatch.setattr(processors, "available", lambda: 2.5)
    assert processors.whole() == 3
