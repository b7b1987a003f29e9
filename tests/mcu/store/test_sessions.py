from datetime import timedelta

import pytest

from mcu.store import sessions
from mcu.store.errors import StoreUnavailable, UnknownRecord
from tests.mcu.store.conftest import NOW


@pytest.fixture
async def token(tree):
    made, _ = await tree.tokens.create("operator", unit="huyen")
    return made


async def test_the_cookie_finds_it_and_is_not_kept(tree, token, path):
    session, cookie = await tree.sessions.create(token.id)
    assert await tree.sessions.get(cookie) == session
    assert session.token == token
    assert len(session.csrf_token) >= 43
    assert session.csrf_token != cookie
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert cookie.encode() not in kept


async def test_other_texts_find_nothing(tree, token):
    _, cookie = await tree.sessions.create(token.id)
    for wrong in ("", cookie[:-1], cookie + "x", "x" * 100_000, "\ud800"):
        assert await tree.sessions.get(wrong) is None


async def test_it_ends_with_its_time(tree, token, clock):
    _, cookie = await tree.sessions.create(token.id, life=timedelta(hours=1))
    clock.pass_(minutes=59)
    assert await tree.sessions.get(cookie) is not None
    clock.pass_(minutes=1)
    assert await tree.sessions.get(cookie) is None


async def test_it_ends_with_its_token(tree, clock):
    short, _ = await tree.tokens.create("admin", expires_at=NOW + timedelta(minutes=5))
    session, cookie = await tree.sessions.create(short.id)
    assert session.expires_at == NOW + timedelta(minutes=5)
    await tree.tokens.revoke(short.id)
    assert await tree.sessions.get(cookie) is None


async def test_signing_out(tree, token):
    _, cookie = await tree.sessions.create(token.id)
    _, other = await tree.sessions.create(token.id)
    await tree.sessions.delete(cookie)
    await tree.sessions.delete(cookie)
    assert await tree.sessions.get(cookie) is None
    assert await tree.sessions.get(other) is not None


async def test_old_ones_are_swept_away(tree, token, clock):
    await tree.sessions.create(token.id)
    clock.pass_(days=1)
    await tree.sessions.create(token.id)
    rows = await tree._database.rows("SELECT count(*) AS n FROM sessions")
    assert rows[0]["n"] == 1


async def test_of_nobody(tree):
    with pytest.raises(UnknownRecord):
        await tree.sessions.create("nobody")


@pytest.fixture
async def full_disk(tree):
    """Every write fails until the function it gives is called."""
    writer = tree._database._writer
    await writer.execute("PRAGMA query_only = ON")

    async def mend():
        await writer.execute("PRAGMA query_only = OFF")

    return mend


async def rows(tree):
    return (await tree._database.rows("SELECT count(*) AS n FROM sessions"))[0]["n"]


class TestAFullDisk:
    """A meeting goes on, and rooms come into it by their link."""

    async def test_a_session_that_cannot_be_written_is_good_all_the_same(
        self, tree, token, clock, full_disk
    ):
        session, cookie = await tree.sessions.create(token.id, life=timedelta(hours=1))
        assert await tree.sessions.get(cookie) == session
        assert await rows(tree) == 0
        _, other = await tree.sessions.create(token.id)
        await tree.sessions.delete(other)
        assert await tree.sessions.get(other) is None
        clock.pass_(hours=1)
        assert await tree.sessions.get(cookie) is None

    async def test_it_is_written_with_the_next_one(self, tree, token, full_disk):
        session, cookie = await tree.sessions.create(token.id)
        await full_disk()
        await tree.sessions.create(token.id)
        assert await rows(tree) == 2
        assert await tree.sessions.get(cookie) == session
        await tree.sessions.delete(cookie)
        assert await tree.sessions.get(cookie) is None

    async def test_it_ends_with_its_token(self, tree, token, full_disk):
        _, cookie = await tree.sessions.create(token.id)
        await full_disk()
        await tree.tokens.revoke(token.id)
        assert await tree.sessions.get(cookie) is None
        async with tree._database.write() as connection:
            await connection.execute("DELETE FROM tokens WHERE id = ?", (token.id,))
        assert await tree.sessions.get(cookie) is None
        admin, _ = await tree.tokens.create("admin")
        await tree.sessions.create(admin.id)
        assert await rows(tree) == 1

    async def test_what_is_in_the_store_is_not_ended_in_appearance_only(self, tree, token):
        _, cookie = await tree.sessions.create(token.id)
        await tree._database._writer.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreUnavailable):
            await tree.sessions.delete(cookie)
        assert await tree.sessions.get(cookie) is not None

    async def test_only_so_many_are_kept(self, tree, token, full_disk, monkeypatch):
        monkeypatch.setattr(sessions, "MAX_UNWRITTEN", 2)
        cookies = [(await tree.sessions.create(token.id))[1] for _ in range(3)]
        found = [await tree.sessions.get(cookie) for cookie in cookies]
        assert [session is not None for session in found] == [False, True, True]
