import sqlite3

from mcu.store import known
from mcu.store.known import Known


class Version:
    def __init__(self) -> None:
        self.now: int | None = 1

    def __call__(self) -> int | None:
        return self.now


def test_it_is_true_until_somebody_writes():
    version = Version()
    values: Known[str] = Known(version)
    assert values.get(b"a") is None
    values.put(b"a", "1", version())
    assert values.get(b"a") == "1"
    version.now = 2
    assert values.get(b"a") is None
    version.now = 1
    assert values.get(b"a") is None


def test_what_was_read_before_a_commit_is_not_believed_after_it():
    version = Version()
    values: Known[str] = Known(version)
    before = version()
    version.now = 2
    values.put(b"b", "new", version())
    values.put(b"a", "old", before)
    assert values.get(b"a") is None


def test_a_version_that_cannot_be_told_is_none():
    version = Version()
    values: Known[str] = Known(version)
    version.now = None
    values.put(b"a", "1", version())
    assert values.get(b"a") is None
    version.now = 1
    values.put(b"a", "1", version())
    version.now = None
    assert values.get(b"a") is None


def test_those_longest_unused_go_first(monkeypatch):
    monkeypatch.setattr(known, "MAX_KNOWN", 2)
    values: Known[str] = Known(lambda: 1)
    for key in (b"a", b"b"):
        values.put(key, "1", 1)
    assert values.get(b"a") == "1"
    values.put(b"c", "1", 1)
    assert [values.get(key) for key in (b"a", b"b", b"c")] == ["1", None, "1"]
    values.forget(b"a")
    assert values.get(b"a") is None


class TestTokens:
    """Nobody who revokes tells the cache."""

    async def test_it_saves_reading(self, tree, monkeypatch):
        token, text = await tree.tokens.create("admin")
        await tree.tokens.authenticate(text)
        await tree.tokens.authenticate(text)

        async def no(*_):
            raise AssertionError("read again")

        monkeypatch.setattr(tree._database, "row", no)
        assert (await tree.tokens.authenticate(text)).id == token.id
        assert await tree.tokens.authenticate("x" * 600) is None

    async def test_a_revoked_token_is_refused_at_once(self, tree):
        token, text = await tree.tokens.create("admin")
        for _ in range(3):
            assert await tree.tokens.authenticate(text) is not None
        await tree.tokens.revoke(token.id)
        assert await tree.tokens.authenticate(text) is None

    async def test_revoked_by_another_process(self, tree, path):
        token, text = await tree.tokens.create("admin")
        _, cookie = await tree.sessions.create(token.id)
        for _ in range(3):
            assert await tree.tokens.authenticate(text) is not None
            assert await tree.sessions.get(cookie) is not None
        other = sqlite3.connect(path)
        with other:
            other.execute("UPDATE tokens SET revoked_at = created_at WHERE id = ?", (token.id,))
        other.close()
        assert await tree.tokens.authenticate(text) is None
        assert await tree.sessions.get(cookie) is None

    async def test_gone_with_its_bridge(self, tree):
        _, text = await tree.tokens.create("bridge", bridge="b1")
        for _ in range(3):
            assert await tree.tokens.authenticate(text) is not None
        await tree.bridges.delete("b1")
        assert await tree.tokens.authenticate(text) is None

    async def test_a_wrong_secret_is_not_helped_by_a_right_one(self, tree):
        _, text = await tree.tokens.create("admin")
        await tree.tokens.authenticate(text)
        await tree.tokens.authenticate(text)
        assert await tree.tokens.authenticate(text + "x") is None

    async def test_a_session_that_was_never_written_ends_too(self, tree):
        token, _ = await tree.tokens.create("admin")
        await tree._database._writer.execute("PRAGMA query_only = ON")
        _, cookie = await tree.sessions.create(token.id)
        assert await tree.sessions.get(cookie) is not None
        await tree.sessions.delete(cookie)
        assert await tree.sessions.get(cookie) is None
