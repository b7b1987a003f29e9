"""What is synced, and what a checkpoint says of itself."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcu.store import settling


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE words (word TEXT)")
    yield connection
    connection.close()


def test_the_log_is_synced_and_nothing_else(
    path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[os.stat_result, int]] = []
    monkeypatch.setattr(settling, "_sync", lambda fd: synced.append((os.fstat(fd), fd)))
    settling.sync_log(path)
    ((found, descriptor),) = synced
    assert os.path.samestat(found, os.stat(settling.log_of(path)))
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)


def test_a_log_that_is_not_there_is_no_success(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        settling.sync_log(path)


def test_other_connections_keep_their_locks(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    settling.sync_log(path)
    other = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    connection.execute("COMMIT")


def test_a_checkpoint_is_whole_unless_somebody_reads(
    path: Path, connection: sqlite3.Connection
) -> None:
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT * FROM words").fetchall() == []
    connection.execute("INSERT INTO words VALUES ('late')")
    assert not settling.checkpoint(connection)
    reader.close()
    assert settling.checkpoint(connection)
    assert b"late" in path.read_bytes()
