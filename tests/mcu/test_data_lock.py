"""One daemon for one directory, also after the first was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.problems import SettingsError
from mcu.data_lock import FILE_NAME, DataLock, holder

HOLDER = """
import sys
from pathlib import Path
from mcu.data_lock import DataLock
lock = DataLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def reason_of(directory: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        DataLock(directory)
    (problem,) = caught.value.problems
    assert problem.key == "data_dir"
    return problem.reason


def test_a_second_one_is_told_who_holds_it_until_the_kernel_frees_it(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    assert holder(directory) is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert f"in use by another mcu (process {process.pid})" in reason_of(directory)
        assert holder(directory) == f"process {process.pid}"
        process.kill()
        process.wait()
    assert holder(directory) is None
    DataLock(directory).release()


def test_a_child_does_not_keep_it(tmp_path: Path) -> None:
    with DataLock(tmp_path):
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            close_fds=False,
        )
        assert child.stdout is not None
        child.stdout.readline()
    try:
        assert holder(tmp_path) is None
    finally:
        child.communicate()


def test_it_is_let_go_and_looking_does_not_take_it(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    assert holder(tmp_path) is not None
    first.release()
    first.release()
    assert holder(tmp_path) is None
    with DataLock(tmp_path):
        pass


def test_a_file_without_a_process_id(tmp_path: Path) -> None:
    with DataLock(tmp_path):
        (tmp_path / FILE_NAME).write_bytes(b"\xffnonsense")
        assert "(its process is not known)" in reason_of(tmp_path)


def test_what_cannot_be_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    assert "file cannot be used (File exists)" in reason_of(tmp_path / "file")
    assert "(Not a directory)" in reason_of(tmp_path / "file" / "below")
