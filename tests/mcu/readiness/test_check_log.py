"""Checks on their way to the store and back: in order, once, as long as it takes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcu.readiness import check_log
from mcu.readiness.assessment import Rules
from mcu.readiness.check_log import CheckLog
from mcu.readiness.decide import begin, evolve
from mcu.readiness.model import (
    Budget,
    Check,
    CheckBegun,
    CheckEnded,
    Event,
    RoomCalled,
    RoomEntry,
    RoomJudged,
    RoomReached,
)
from mcu.store.errors import StoreUnavailable
from mcu.store.store import Store

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
BEGUN = CheckBegun(
    "check-1", "Họp", "tinh", "An", Rules(), Budget(), (RoomEntry("xa-1", "Xã", "tinh", "sip"),)
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "mcu.sqlite3", lambda: NOW)
    yield opened
    await opened.close()


def after(check: Check, *events: Event) -> Check:
    for event in events:
        check = evolve(check, event, NOW)
    return check


async def written(log: CheckLog) -> None:
    assert log.writing is not None
    await log.writing
    assert not log.waits


async def test_what_was_decided_comes_back_in_its_order(store: Store) -> None:
    log, check = CheckLog(store, lambda: NOW), begin(BEGUN, NOW)
    await log.begin(check, BEGUN)
    told: tuple[Event, ...] = (RoomCalled("xa-1"), RoomReached("xa-1"))
    log.append(check := after(check, *told), told)
    judged: tuple[Event, ...] = (RoomJudged("xa-1", "no-go", ()), CheckEnded("complete"))
    log.append(check := after(check, *judged), judged)
    await written(log)
    rows = await store.readiness.events("check-1")
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert await CheckLog(store, lambda: NOW).load("check-1") == check
    assert [row.verdict for row in (await store.readiness.history("xa-1")).items] == ["no-go"]


async def test_whoever_goes_on_with_it_counts_on(store: Store) -> None:
    check = begin(BEGUN, NOW)
    await CheckLog(store, lambda: NOW).begin(check, BEGUN)
    log = CheckLog(store, lambda: NOW)
    assert list(await log.unfinished()) == ["check-1"]
    found = await log.go_on("check-1")
    assert found is not None
    log.append(found, (RoomCalled("xa-1"),))
    again = await log.go_on("check-1")
    assert again is not None
    log.append(again, (RoomReached("xa-1"),))
    await written(log)
    rows = await store.readiness.events("check-1")
    assert [(row.number, row.type) for row in rows] == [
        (1, "check.begun"), (2, "room.called"), (3, "room.reached"),
    ]  # fmt: skip
    assert await log.load("nothing") is None


class Broken:
    """A store that cannot be written until it is mended."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mended = False
        self.tried = asyncio.Event()
        write = store.readiness.write

        async def broken(*values: Any, **more: Any) -> None:
            self.tried.set()
            if not self.mended:
                raise StoreUnavailable("the disk is full")
            await write(*values, **more)

        monkeypatch.setattr(store.readiness, "write", broken)


async def test_what_cannot_be_written_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_log, "RETRY_S", 0.0)
    log, check = CheckLog(store, lambda: NOW), begin(BEGUN, NOW)
    await log.begin(check, BEGUN)
    disk = Broken(store, monkeypatch)
    log.append(check, (RoomCalled("xa-1"),))
    await disk.tried.wait()
    assert log.waits
    disk.mended = True
    await written(log)
    assert len(await store.readiness.events("check-1")) == 2


async def test_a_check_that_cannot_be_stored_is_not_begun(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, check = CheckLog(store, lambda: NOW), begin(BEGUN, NOW)
    Broken(store, monkeypatch)
    with pytest.raises(StoreUnavailable):
        await log.begin(check, BEGUN)
    assert not log.waits


async def test_what_is_lost_at_the_end_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, check = CheckLog(store, lambda: NOW), begin(BEGUN, NOW)
    await log.begin(check, BEGUN)
    disk = Broken(store, monkeypatch)
    log.append(check, (RoomCalled("xa-1"),))
    await disk.tried.wait()
    with capture_logs() as written:
        await log.close()
    [told] = [one for one in written if one["event"] == "readiness_events_lost"]
    assert (told["log_level"], told["waiting"]) == ("error", 1)
