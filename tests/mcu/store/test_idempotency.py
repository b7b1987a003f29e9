import asyncio

import pytest


async def test_the_first_does_the_work_and_others_get_its_answer(store):
    keys = store.idempotency
    assert await keys.reserve("t1", "k", "hash") is None
    running = await keys.reserve("t1", "k", "hash")
    assert (running.status, running.request_hash) == (None, "hash")
    await keys.complete("t1", "k", 201, {"Location": "/x"}, b'{"id": "\xc3\xa1"}')
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
    await keys.release("t1", "k")
    assert await keys.reserve("t1", "k", "hash") is None
    await keys.complete("t1", "k", 200, {}, b"")
    await keys.release("t1", "k")
    assert await keys.reserve("t1", "k", "hash") is not None


@pytest.mark.parametrize(("hours", "free"), [(23.9, False), (24, True)])
async def test_answers_are_kept_for_a_day(store, clock, hours, free):
    await store.idempotency.reserve("t1", "k", "hash")
    await store.idempotency.complete("t1", "k", 200, {}, b"")
    clock.pass_(hours=hours)
    assert (await store.idempotency.reserve("t1", "k", "hash") is None) is free


async def test_a_restart_frees_what_was_never_answered(store):
    keys = store.idempotency
    await keys.reserve("t1", "dead", "hash")
    await keys.reserve("t1", "done", "hash")
    await keys.complete("t1", "done", 200, {}, b"")
    await keys.release_all()
    assert await keys.reserve("t1", "dead", "hash") is None
    assert await keys.reserve("t1", "done", "hash") is not None
