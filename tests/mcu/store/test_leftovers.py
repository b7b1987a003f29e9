from datetime import timedelta

import pytest

from mcu.store.errors import UnknownRecord
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from tests.mcu.store.conftest import NOW

DAY = timedelta(days=1)
BEFORE = NOW - 90 * DAY
SECOND = timedelta(seconds=1)


async def count(store, table: str) -> int:
    return (await store._database.rows(f"SELECT count(*) FROM {table}"))[0][0]


async def test_sessions_and_remembered_answers_that_are_over(tree, clock):
    token, _ = await tree.tokens.create("admin")
    await tree.sessions.create(token.id, life=DAY)
    await tree.sessions.create(token.id, life=3 * DAY)
    await tree.idempotency.reserve(token.id, "key", "hash")
    await tree.idempotency.complete(token.id, "key", 200, {}, b"")
    clock.pass_(days=1, seconds=-1)
    assert await tree.leftovers.prune(BEFORE) == 0
    clock.pass_(seconds=1)
    assert await tree.leftovers.prune(BEFORE) == 2
    assert await count(tree, "sessions") == 1
    assert await count(tree, "idempotency") == 0


async def test_tokens_that_ended_long_ago(tree, clock):
    clock.time = BEFORE - 2 * DAY
    good, _ = await tree.tokens.create("admin", name="good")
    later, _ = await tree.tokens.create("admin", expires_at=BEFORE + SECOND)
    expired, _ = await tree.tokens.create("admin", expires_at=BEFORE - SECOND)
    revoked, _ = await tree.tokens.create("admin")
    await tree.tokens.revoke(revoked.id)
    clock.time = BEFORE
    lately, _ = await tree.tokens.create("admin")
    await tree.tokens.revoke(lately.id)
    clock.time = NOW
    assert await tree.leftovers.prune(BEFORE) == 2
    for token in (expired, revoked):
        with pytest.raises(UnknownRecord):
            await tree.tokens.get(token.id)
    for token in (good, later, lately):
        assert (await tree.tokens.get(token.id)).id == token.id


async def test_snapshots_of_conferences_that_ended_long_ago(tree):
    long_ago = BEFORE - SECOND
    names = {
        "ended": long_ago, "with-events": long_ago, "lately": BEFORE, "running": None,
    }  # fmt: skip
    await tree.events.append(
        [StoredEvent(1, NOW, "conference.locked", "with-events", {"v": 1})],
        conferences=[ConferenceRecord(id_, id_, "tinh", long_ago, at) for id_, at in names.items()],
        snapshots=[Snapshot(id_, 7, {"v": 1}) for id_ in names],
    )
    assert await tree.leftovers.prune(BEFORE) == 1
    assert await tree.conferences.snapshot("ended") is None
    assert (await tree.conferences.get("ended")).ended_at == long_ago
    for id_ in ("with-events", "lately", "running"):
        assert await tree.conferences.snapshot(id_) == Snapshot(id_, 7, {"v": 1})
    assert await tree.leftovers.prune(BEFORE) == 0
