import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.scratch import folder_in_memory


def test_there_must_be_room(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path, 0) == tmp_path
    assert folder_in_memory(tmp_path, 1 << 60) is None


def test_not_every_system_has_one(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path / "shm", 0) is None


@pytest.mark.parametrize(
    ("flags", "free_pages", "found"),
    [(0, 100, True), (os.ST_NOEXEC, 100, False), (os.ST_RDONLY, 100, False), (0, 99, False)],
)
def test_nothing_may_stand_in_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: int, free_pages: int, found: bool
) -> None:
    mount = SimpleNamespace(f_flag=flags, f_bavail=free_pages, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda place: mount)
    assert (folder_in_memory(tmp_path, 409_600) == tmp_path) is found
