import asyncio
import sqlite3
import stat
import sys

import pytest

from mcu.store.database import Database, unavailable
from mcu.store.errors import InvalidRecord, StoreUnavailable
from mcu.store.migrations import MIGRATIONS
from mcu.store.settling import log_of
from tests.peers.waiting import until


@pytest.fixture
async def database(path):
    opened = await Database.open(path)
    try:
        yield opened
    finally:
        await opened.close()


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def add(database: Database, id_: str) -> None:
    async with database.write() as connection:
        await connection.execute(
            "INSERT INTO units (id, name, level) VALUES (?, 'x', 'commune')", (id_,)
        )


async def units(database: Database) -> list[str]:
    return [row["id"] for row in await database.rows("SELECT id FROM units ORDER BY id")]


async def test_only_the_owner_may_look(database, path):
    await add(database, "a")
    assert mode(path.parent) == 0o700
    assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    assert {file.name for file in path.parent.iterdir()} == {
        "mcu.sqlite3", "mcu.sqlite3-wal", "mcu.sqlite3-shm",
    }  # fmt: skip


async def test_a_file_that_was_too_open_is_closed(path):
    path.parent.mkdir(parents=True)
    path.touch(mode=0o644)
    database = await Database.open(path)
    await database.close()
    assert mode(path) == 0o600


async def test_settings(database):
    for connection in (database._writer, database._reader):
        for pragma, value in (
            ("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2),
            ("busy_timeout", 2000),
        ):  # fmt: skip
            rows = list(await connection.execute_fetchall(f"PRAGMA {pragma}"))
            assert rows[0][0] == value, pragma


async def test_opening_again_keeps_what_is_there(path):
    for id_ in ("a", "b"):
        database = await Database.open(path)
        await add(database, id_)
        await database.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert plain.execute("SELECT id FROM units").fetchall() == [("a",), ("b",)]
    plain.close()


async def test_a_file_of_a_newer_version_is_not_touched(path):
    await (await Database.open(path)).close()
    plain = sqlite3.connect(path)
    plain.execute("PRAGMA user_version = 999")
    plain.close()
    with pytest.raises(StoreUnavailable, match="schema 999"):
        await Database.open(path)


@pytest.mark.parametrize(
    "steps",
    [
        ("CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);",),
        ("CREATE TABLE half (x)", "INSERT INTO nowhere VALUES (1)"),
    ],
    ids=["one", "two"],
)
async def test_a_migration_that_breaks_leaves_the_old_schema(path, monkeypatch, steps):
    await (await Database.open(path)).close()
    broken = (*MIGRATIONS, *steps)
    monkeypatch.setattr("mcu.store.database.MIGRATIONS", broken)
    with pytest.raises(StoreUnavailable):
        await Database.open(path)
    monkeypatch.setattr("mcu.store.database.MIGRATIONS", MIGRATIONS)
    database = await Database.open(path)
    assert await database.rows("SELECT name FROM sqlite_master WHERE name = 'half'") == []
    await database.close()


async def add_all(database: Database, *parents: str | None, name: str = "x") -> None:
    """Units u0, u1, ... as one transaction."""
    async with database.write() as connection:
        for number, parent in enumerate(parents):
            await connection.execute(
                "INSERT INTO units VALUES (?, ?, 'commune', ?, 1)", (f"u{number}", name, parent)
            )


async def test_a_transaction_is_all_or_nothing(database):
    with pytest.raises(sqlite3.IntegrityError):
        await add_all(database, None, "nowhere")
    with pytest.raises(sqlite3.ProgrammingError):
        await add_all(database, None, object())  # our fault is not made to look like the disk's
    with pytest.raises(InvalidRecord):
        await add_all(database, None, "\ud800")
    with pytest.raises(InvalidRecord):
        await database.rows("SELECT 1 WHERE 'x' = ?", ("\ud800",))
    await add(database, "d")
    assert await units(database) == ["d"]


async def test_a_cancelled_transaction_is_rolled_back_and_the_next_one_goes_on(database):
    entered = asyncio.Event()

    async def half():
        async with database.write() as connection:
            await connection.execute("INSERT INTO units VALUES ('a', 'x', 'commune', NULL, 1)")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(half())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add(database, "b")
    assert await units(database) == ["b"]


async def test_readers_go_on_while_somebody_writes(database):
    async with database.write() as connection:
        await connection.execute("INSERT INTO units VALUES ('a', 'x', 'commune', NULL, 1)")
        assert await units(database) == []
    assert await units(database) == ["a"]


async def test_nothing_is_written_through_the_reader(database):
    with pytest.raises(StoreUnavailable, match="read-only"):
        await database.rows("DELETE FROM units")


async def test_writers_take_turns(database):
    await asyncio.gather(*(add(database, f"u{number:02}") for number in range(20)))
    assert len(await units(database)) == 20


async def test_a_full_disk_is_said_and_passes(database):
    writer = database._writer
    pages = next(iter(await writer.execute_fetchall("PRAGMA page_count")))[0]
    await writer.execute_fetchall(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="free space"):
        await add_all(database, *[None] * 1000, name="x" * 500)
    assert await units(database) == []
    await writer.execute_fetchall("PRAGMA max_page_count = 1000000")
    await add(database, "a")
    assert await units(database) == ["a"]


async def test_another_program_that_holds_the_file(database, path):
    await database._writer.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program"):
        await add(database, "a")
    other.close()
    await add(database, "a")


async def test_a_file_that_is_no_database(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is a letter, not a database. " * 100)
    with pytest.raises(StoreUnavailable, match="damaged"):
        await Database.open(path)


async def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="data_dir"):
        await Database.open(tmp_path / "file" / "mcu.sqlite3")


async def test_closed_is_closed(path):
    database = await Database.open(path)
    await database.close()
    await database.close()
    with pytest.raises(StoreUnavailable, match="stopping"):
        await database.rows("SELECT 1")
    with pytest.raises(StoreUnavailable, match="stopping"):
        await add(database, "a")


@pytest.mark.parametrize(
    "said", ["database or disk is full", "attempt to write a readonly database",
             "database is locked", "database disk image is malformed",
             "unable to open database file", "disk I/O error"],
)  # fmt: skip
def test_every_reason_says_what_to_do(said):
    reason = unavailable(sqlite3.OperationalError(said)).reason
    assert said in reason
    assert reason.endswith(".")


def adding(id_: str, name: str = "x"):
    def write(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO units VALUES (?, ?, 'commune', NULL, 1)", (id_, name))
        return id_

    return write


class Transactions:
    """Counts what the writer's connection commits."""

    def __init__(self, database: Database) -> None:
        self.said: list[str] = []
        self._writer = database._writer

    async def __aenter__(self) -> "Transactions":
        await self._writer.set_trace_callback(self.said.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.set_trace_callback(None)

    @property
    def commits(self) -> int:
        return self.said.count("COMMIT")


class TestCommit:
    async def test_it_gives_what_the_work_gave(self, database):
        assert await database.commit(adding("a")) == "a"
        assert await units(database) == ["a"]

    async def test_those_who_wait_share_a_transaction(self, database):
        async with Transactions(database) as seen:
            async with database.write():  # they wait for this one
                asked = [asyncio.ensure_future(database.commit(adding(f"u{n}"))) for n in range(10)]
                await asyncio.sleep(0)
            await asyncio.gather(*asked)
        assert seen.commits == 2
        assert len(await units(database)) == 10

    async def test_who_fails_takes_nobody_along(self, database):
        await database.commit(adding("a"))
        outcomes = await asyncio.gather(
            database.commit(adding("b")),
            database.commit(adding("a")),
            database.commit(adding("c", "\ud800")),
            database.commit(adding("d")),
            return_exceptions=True,
        )
        assert outcomes[::3] == ["b", "d"]
        assert isinstance(outcomes[1], sqlite3.IntegrityError)
        assert isinstance(outcomes[2], InvalidRecord)
        assert await units(database) == ["a", "b", "d"]

    async def test_who_went_away_before_is_left_out(self, database):
        async with database.write():
            asked = asyncio.ensure_future(database.commit(adding("a")))
            await asyncio.sleep(0)
            asked.cancel()
        await database.commit(adding("b"))
        assert asked.cancelled()
        assert await units(database) == ["b"]

    async def test_a_full_disk_is_said_to_all_and_passes(self, database):
        await database._writer.execute("PRAGMA query_only = ON")
        outcomes = await asyncio.gather(
            *(database.commit(adding(f"u{n}")) for n in range(3)), return_exceptions=True
        )
        assert [type(each) for each in outcomes] == [StoreUnavailable] * 3
        await database._writer.execute("PRAGMA query_only = OFF")
        await database.commit(adding("a"))
        assert await units(database) == ["a"]

    async def test_another_program_that_holds_the_file(self, database, path):
        await database._writer.execute("PRAGMA busy_timeout = 0")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another program"):
            await database.commit(adding("a"))
        other.close()
        await database.commit(adding("a"))

    async def test_closed_is_closed(self, path):
        database = await Database.open(path)
        async with database._turn:
            closing = asyncio.ensure_future(database.close())
            await asyncio.sleep(0)
            late = asyncio.ensure_future(database.commit(adding("a")))
            await asyncio.sleep(0)
        await closing
        with pytest.raises(StoreUnavailable, match="stopping"):
            await late
        with pytest.raises(StoreUnavailable, match="stopping"):
            await database.commit(adding("a"))
        assert database.access_changes() is None


async def level(database: Database) -> int:
    rows = list(await database._writer.execute_fetchall("PRAGMA synchronous"))
    return int(rows[0][0])


class TestPowerCut:
    """What waits for the disk, and what is brought there soon."""

    async def test_who_need_not_wait_does_not(self, database):
        await database.commit(adding("a"), durable=False)
        assert await level(database) == 1
        await database.commit(adding("b"))
        assert await level(database) == 2

    async def test_one_that_must_makes_all_wait(self, database):
        async with Transactions(database) as seen, database.write():
            asked = [
                asyncio.ensure_future(database.commit(adding(f"u{n}"), durable=n == 1))
                for n in range(3)
            ]
            await asyncio.sleep(0)
        await asyncio.gather(*asked)
        assert seen.said.count("PRAGMA synchronous = NORMAL") == 0
        assert await level(database) == 2

    async def test_other_transactions_always_wait(self, database):
        await database.commit(adding("a"), durable=False)
        async with Transactions(database) as seen:
            await add(database, "b")
        assert seen.said.index("PRAGMA synchronous = FULL") < seen.said.index("BEGIN IMMEDIATE")

    async def test_the_log_is_brought_to_the_disk_by_itself(self, database, path, monkeypatch):
        synced = []
        monkeypatch.setattr("mcu.store.database.SETTLE_S", 0.0)
        monkeypatch.setattr(
            "mcu.store.database.sync_log", lambda path: synced.append(log_of(path).read_bytes())
        )
        await database.commit(adding("a commune"), durable=False)
        await until(lambda: synced)
        assert b"a commune" in synced[-1]

    async def test_and_written_back_seldom(self, database, path, monkeypatch):
        monkeypatch.setattr("mcu.store.database.SETTLE_S", 0.0)
        for name, there in (("first", True), ("second", False)):
            await database.commit(adding(name), durable=False)
            await until(lambda: database._settling is None and database._settled is None)
            assert (name.encode() in path.read_bytes()) == there
        monkeypatch.setattr(database, "_checkpoint_at", 0.0)
        await database.commit(adding("third"), durable=False)
        await until(lambda: database._settling is None and database._settled is None)
        alone = path.with_name("alone.sqlite3")  # as after a cut that took the log
        alone.write_bytes(path.read_bytes())
        with sqlite3.connect(alone) as plain:
            names = plain.execute("SELECT id FROM units ORDER BY id").fetchall()
        plain.close()
        assert names == [("first",), ("second",), ("third",)]

    async def test_what_cannot_be_brought_there_is_said_and_tried_again(
        self, database, monkeypatch, capsys
    ):
        faults = [OSError(5, "the disk is broken"), sqlite3.OperationalError("disk I/O error")]
        said = len(faults)

        def fail(_: object) -> None:
            if faults:
                raise faults.pop()

        monkeypatch.setattr("mcu.store.database.SETTLE_S", 0.0)
        monkeypatch.setattr("mcu.store.database.sync_log", fail)
        await database.commit(adding("a"), durable=False)
        await until(lambda: database._settling is None and database._settled is None)
        assert not faults
        assert capsys.readouterr().out.count("store_unsettled") == said

    async def test_a_reader_that_stays_costs_no_more_than_a_longer_log(
        self, database, path, monkeypatch
    ):
        monkeypatch.setattr("mcu.store.database.SETTLE_S", 0.0)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM units").fetchall()
        for number in range(3):
            await database.commit(adding(f"room-{number}"), durable=False)
            await until(lambda: database._settling is None and database._settled is None)
        assert b"room-2" not in path.read_bytes()
        reader.close()
        await database.commit(adding("room-3"), durable=False)
        await until(lambda: database._settling is None and database._settled is None)
        assert b"room-3" in path.read_bytes()


MAKE_TOKEN = (
    "INSERT INTO tokens (id, secret_sha256, role, name, created_at) VALUES"
    " ('t', x'00', 'admin', '', '2026-01-01T00:00:00.000000Z')"
)
MAKE_SESSION = (
    "INSERT INTO sessions (id_sha256, token, csrf_token, created_at, expires_at) VALUES"
    " (x'01', 't', 'c', '2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z')"
)


async def test_who_changes_a_token_or_a_session_is_noticed_whoever_it_is(database, path):
    seen = [database.access_changes()]
    await database.commit(lambda connection: connection.execute(MAKE_TOKEN) and None)
    seen.append(database.access_changes())
    other = sqlite3.connect(path)
    other.execute("PRAGMA foreign_keys = ON")
    for sql in (
        "UPDATE tokens SET revoked_at = '2026-01-01T00:00:01.000000Z'",
        "UPDATE tokens SET unit = NULL",
        MAKE_SESSION,
        "UPDATE sessions SET expires_at = '2026-01-03T00:00:00.000000Z'",
        "DELETE FROM sessions",
        MAKE_SESSION,
        "DELETE FROM tokens",  # its session goes along
    ):
        with other:
            other.execute(sql)
        seen.append(database.access_changes())
        assert database.access_changes() == seen[-1]
    other.close()
    assert len(set(seen)) == len(seen)


async def test_what_changes_nobodys_access_is_not(database, path):
    await database.commit(lambda connection: connection.execute(MAKE_TOKEN) and None)
    before = database.access_changes()
    await database.commit(adding("a"))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE units SET name = 'y'")
        other.execute("UPDATE tokens SET last_used_at = '2026-01-01T00:00:01.000000Z'")
    other.close()
    assert database.access_changes() == before


WRITER = """
import asyncio, sys
from pathlib import Path
from mcu.store.database import Database

async def main():
    database = await Database.open(Path(sys.argv[1]))
    for number in range(10**9):
        await database.commit(
            lambda connection: connection.execute(
                "INSERT INTO units VALUES (?, 'x', 'commune', NULL, 1)", (f"{number:09}",)
            ),
            durable=number % 3 == 0,
        )
        print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_committed_survives_kill_9(path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said = [await process.stdout.readline() for _ in range(25)]
    process.kill()
    said += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    last = int([line for line in said if line.endswith(b"\n")][-1])
    database = await Database.open(path)
    kept = await units(database)
    await database.close()
    assert kept[: last + 1] == [f"{number:09}" for number in range(last + 1)]
