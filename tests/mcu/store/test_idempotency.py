import asyncio
import hashlib

import pytest

from mcu.store.errors import StoreUnavailable
from mcu.store.secret_box import SecretBox
from mcu.store.store import Store


async def test_the_first_does_the_work_and_others_get_its_answer(store):
    keys = store.idempotency
    assert await keys.reserve("t1", "k", "hash") is None
    running = await keys.reserve("t1", "k", "hash")
    assert (running.status, running.request_hash) == (None, "hash")
    await keys.complete("t1", "k", 201, {"Location": "/x"}, b'{"id": "\xc3\xa1"}')
    keys.release("t1", "k")
    done = await keys.reserve("t1", "k", "other")
    assert (done.status, dict(done.headers), done.body) == (
        201, {"Location": "/x"}, b'{"id": "\xc3\xa1"}',
    )  # fmt: skip
    assert done.request_hash == "hash"


async def test_a_key_belongs_to_its_token(store):
    assert await store.idempotency.reserve("t1", "k", "hash") is None
    assert await store.idempotency.reserve("t2", "k", "hash") is None


async def test_of_two_at_once_one_does_the_work(store):
    answers = await asyncio.gather(
        *(store.idempotency.reserve("t1", "k", "hash") for _ in range(5))
    )
    assert [answer is None for answer in answers].count(True) == 1


async def test_released_keys_are_free_and_answers_are_not_released(store):
    keys = store.idempotency
    await keys.reserve("t1", "k", "hash")
    keys.release("t1", "k")
    assert await keys.reserve("t1", "k", "hash") is None
    await keys.complete("t1", "k", 200, {}, b"")
    keys.release("t1", "k")
    assert await keys.reserve("t1", "k", "hash") is not None


@pytest.mark.parametrize(("hours", "free"), [(23.9, False), (24, True)])
async def test_answers_are_kept_for_a_day(store, clock, hours, free):
    await store.idempotency.reserve("t1", "k", "hash")
    await store.idempotency.complete("t1", "k", 200, {}, b"")
    store.idempotency.release("t1", "k")
    clock.pass_(hours=hours)
    assert (await store.idempotency.reserve("t1", "k", "hash") is None) is free


async def test_a_key_whose_answer_expired_is_answered_anew(store, clock):
    keys = store.idempotency
    for status in (200, 201):
        assert await keys.reserve("t1", "k", f"hash {status}") is None
        await keys.complete("t1", "k", status, {}, b"")
        keys.release("t1", "k")
        clock.pass_(hours=24)
    clock.pass_(hours=-1)
    kept = await keys.reserve("t1", "k", "hash")
    assert (kept.status, kept.request_hash) == (201, "hash 201")


async def test_a_restart_frees_what_was_never_answered(store, path, clock):
    keys = store.idempotency
    await keys.reserve("t1", "dead", "hash")
    await keys.reserve("t1", "done", "hash")
    await keys.complete("t1", "done", 200, {}, b"")
    await store.close()
    after = await Store.open(path, clock)
    try:
        assert await after.idempotency.reserve("t1", "dead", "hash") is None
        assert await after.idempotency.reserve("t1", "done", "hash") is not None
    finally:
        await after.close()


async def test_a_store_that_cannot_be_read_takes_no_key(store, monkeypatch):
    async def away(*_):
        raise StoreUnavailable("The disk is away.")

    with monkeypatch.context() as patch:
        patch.setattr(store._database, "row", away)
        with pytest.raises(StoreUnavailable):
            await store.idempotency.reserve("t1", "k", "hash")
    assert await store.idempotency.reserve("t1", "k", "hash") is None


async def test_an_answer_is_kept_with_what_it_says_or_not_at_all(store):
    keys = store.idempotency
    await keys.reserve("t1", "k", "hash")
    answer = keys.answer("t1", "k", 200, {}, b"")

    def broken(connection):
        answer(connection)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it is the one above
        await store._database.commit(broken)
    keys.release("t1", "k")
    assert await keys.reserve("t1", "k", "hash") is None


async def test_requests_are_hashed_with_a_key_that_outlives_the_process(tmp_path):
    path = tmp_path / "mcu.sqlite3"
    store = await Store.open(path)
    try:
        kept = await store.idempotency.hash_request(b"a PIN")
        assert kept == await store.idempotency.hash_request(b"a PIN")
        assert hashlib.sha256(b"a PIN").hexdigest() not in kept
    finally:
        await store.close()
    after = await Store.open(path)
    try:
        assert await after.idempotency.is_hash_of(kept, b"a PIN")
        assert not await after.idempotency.is_hash_of(kept, b"another")
        await after.sip_secrets.rotate_key()
        SecretBox(tmp_path / "secrets.key").drop(())
        # Known to this process still; another finds the key gone, and nothing to compare with.
        assert await after.idempotency.is_hash_of(kept, b"a PIN")
        other = Store(after._database, key_file=tmp_path / "secrets.key")
        assert not await other.idempotency.is_hash_of(kept, b"a PIN")
        assert not await other.idempotency.is_hash_of("", b"a PIN")
    finally:
        await after.close()


async def test_a_key_file_that_cannot_be_used_is_said(store, tmp_path):
    broken = Store(store._database, key_file=tmp_path / "nowhere" / "secrets.key")
    with pytest.raises(StoreUnavailable, match=r"secrets\.key"):
        await broken.idempotency.hash_request(b"a PIN")
