from datetime import timedelta

import pytest

from mcu.store.errors import UnknownRecord
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
