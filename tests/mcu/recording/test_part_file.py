"""A file of ours alone, as long as what was appended as a whole."""

import errno
import hashlib
import os

import pytest

from mcu.recording.part_file import PartFile, repair, sha256_of


def test_it_is_ours_alone_and_summed_up(tmp_path):
    path = tmp_path / "part.mp4"
    file = PartFile(path)
    file.append(b"a" * 1000)
    file.append(b"b" * 500)
    file.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert file.size == path.stat().st_size == 1500
    assert file.sha256 == sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_written_over_or_through_a_link(tmp_path):
    there = tmp_path / "there"
    there.write_bytes(b"mine")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for path in (there, link):
        with pytest.raises(FileExistsError):
            PartFile(path)
    assert there.read_bytes() == b"mine"


def test_what_does_not_fit_leaves_no_half(tmp_path, monkeypatch):
    file = PartFile(tmp_path / "part.mp4")
    file.append(b"whole")
    real = os.write

    def full(descriptor, data):
        if len(data) <= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data[: len(data) // 2]))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        file.append(b"x" * 40)
    monkeypatch.undo()
    file.close()
    assert file.path.read_bytes() == b"whole"
    assert file.sha256 == sha256_of(file.path)


def test_repair_cuts_what_is_half(tmp_path):
    path = tmp_path / "part.mp4"
    head = (16).to_bytes(4, "big") + b"moov" + bytes(8)
    path.write_bytes(head + b"\x00\x00\x01\x00moof")
    assert repair(path) == len(head)
    assert path.read_bytes() == head
