import hashlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.store.errors import InvalidRecord, UnknownParent, UnknownRecord
from mcu.store.tokens import BOOTSTRAP_ID, split
from tests.mcu.store.conftest import NOW


class TestCreate:
    async def test_only_the_hash_is_kept(self, tree, path):
        token, text = await tree.tokens.create("operator", unit="huyen", name="Trực ban")
        prefix, id_, secret = text.split("_", 2)
        assert (prefix, id_) == ("mcu", token.id)
        assert len(secret) >= 43
        row = await tree._database.row("SELECT * FROM tokens WHERE id = ?", (token.id,))
        assert row["secret_sha256"] == hashlib.sha256(secret.encode()).digest()
        kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert secret.encode() not in kept

    async def test_no_two_are_alike(self, tree):
        texts = {(await tree.tokens.create("admin"))[1] for _ in range(20)}
        assert len(texts) == 20

    @pytest.mark.parametrize(
        ("role", "scope", "error", "field"),
        [
            ("bridge", {}, InvalidRecord, "bridge"),
            ("operator", {"bridge": "b1"}, InvalidRecord, "bridge"),
            ("king", {}, InvalidRecord, "role"),
            ("operator", {"unit": "nowhere"}, UnknownParent, "unit"),
            ("bridge", {"bridge": "nobody"}, UnknownParent, "bridge"),
            ("admin", {"expires_at": NOW}, InvalidRecord, "expires_at"),
            ("admin", {"name": "a\x00"}, InvalidRecord, "name"),
        ],
    )
    async def test_refusals(self, tree, role, scope, error, field):
        with pytest.raises(error) as caught:
            await tree.tokens.create(role, **scope)
        assert caught.value.field == field


class TestAuthenticate:
    async def test_the_text_and_nothing_else(self, tree):
        token, text = await tree.tokens.create("bridge", bridge="b1", conference="c1")
        found = await tree.tokens.authenticate(text)
        assert found == token
        assert (found.bridge, found.conference) == ("b1", "c1")
        _, other = await tree.tokens.create("admin")
        swapped = f"mcu_{token.id}_{other.split('_', 2)[2]}"
        elsewhere = f"mcu_nobody_{text.split('_', 2)[2]}"
        nonsense = ("", " ", "mcu__", "x" * 100_000, "\ud800", "mcu_\udcff_x", f"mcu_{token.id}_")
        for wrong in (text[:-1], text + "x", text.upper(), swapped, elsewhere, *nonsense):
            assert await tree.tokens.authenticate(wrong) is None, wrong[:50]

    async def test_expiry(self, tree, clock):
        _, text = await tree.tokens.create("admin", expires_at=NOW + timedelta(hours=1))
        clock.pass_(minutes=59)
        assert await tree.tokens.authenticate(text) is not None
        clock.pass_(minutes=1)
        assert await tree.tokens.authenticate(text) is None

    async def test_last_used_is_written_once_a_minute(self, tree, clock):
        token, text = await tree.tokens.create("admin")

        async def used():
            await tree.tokens.authenticate(text)
            return (await tree.tokens.get(token.id)).last_used_at

        assert await used() == NOW
        clock.pass_(seconds=59)
        assert await used() == NOW
        clock.pass_(seconds=1)
        assert await used() == NOW + timedelta(minutes=1)

    async def test_a_full_disk_locks_nobody_out(self, tree):
        token, text = await tree.tokens.create("admin")
        await tree._database._writer.execute("PRAGMA query_only = ON")
        assert await tree.tokens.authenticate(text) == token


class TestRevoke:
    async def test_it_is_for_good(self, tree, clock):
        token, text = await tree.tokens.create("admin")
        revoked = await tree.tokens.revoke(token.id)
        assert revoked.revoked_at == NOW
        assert await tree.tokens.authenticate(text) is None
        clock.pass_(hours=1)
        assert (await tree.tokens.revoke(token.id)).revoked_at == NOW
        with pytest.raises(UnknownRecord):
            await tree.tokens.revoke("nobody")


async def test_withdrawn_are_those_revoked_or_gone_but_not_those_expired(tree, clock):
    good, _ = await tree.tokens.create("operator")
    ends, _ = await tree.tokens.create("operator", expires_at=NOW + timedelta(minutes=1))
    revoked, _ = await tree.tokens.create("operator")
    await tree.tokens.revoke(revoked.id)
    clock.pass_(hours=1)
    asked = [good.id, ends.id, revoked.id, "nobody's"]
    assert await tree.tokens.withdrawn(asked) == {revoked.id, "nobody's"}
    assert await tree.tokens.withdrawn([]) == frozenset()


async def test_a_list_keeps_to_the_subtree(tree):
    made = {}
    for name, role, scope in (
        ("admin", "admin", {}),
        ("huyen", "operator", {"unit": "huyen"}),
        ("xa", "observer", {"unit": "xa1"}),
        ("so", "operator", {"unit": "so"}),
        ("room", "bridge", {"bridge": "b3"}),
        ("other", "bridge", {"bridge": "s"}),
    ):
        made[(await tree.tokens.create(role, name=name, **scope))[0].id] = name
    listed = await tree.tokens.list(within="huyen")
    assert {made[token.id] for token in listed.items} == {"huyen", "xa", "room"}
    assert len((await tree.tokens.list()).items) == 6
    first = await tree.tokens.list(limit=4)
    second = await tree.tokens.list(limit=4, cursor=first.next_cursor)
    assert len({token.id for token in (*first.items, *second.items)}) == 6


class TestBootstrap:
    async def test_one_is_made_once(self, store):
        text = await store.tokens.ensure_bootstrap()
        assert text is not None
        found = await store.tokens.authenticate(text)
        assert (found.id, found.role, found.unit) == (BOOTSTRAP_ID, "admin", None)
        assert await store.tokens.ensure_bootstrap() is None

    async def test_none_is_needed_while_an_administrator_has_one(self, store, clock):
        await store.tokens.create("admin", expires_at=NOW + timedelta(days=1))
        assert await store.tokens.ensure_bootstrap() is None
        clock.pass_(days=2)
        assert await store.tokens.ensure_bootstrap() is not None

    @pytest.mark.parametrize("text", ["a-long-enough-secret", "mcu_looks_like-one-of-ours"])
    async def test_a_configured_one(self, store, text):
        assert await store.tokens.ensure_bootstrap(text) is None
        assert (await store.tokens.authenticate(text)).role == "admin"
        assert await store.tokens.authenticate(text + "x") is None

    async def test_a_changed_one_ends_the_old_one_and_its_sessions(self, store):
        await store.tokens.ensure_bootstrap("the-first-secret")
        _, cookie = await store.sessions.create(BOOTSTRAP_ID)
        await store.tokens.ensure_bootstrap("the-first-secret")
        assert await store.sessions.get(cookie) is not None
        await store.tokens.ensure_bootstrap("the-second-secret")
        assert await store.tokens.authenticate("the-first-secret") is None
        assert await store.tokens.authenticate("the-second-secret") is not None
        assert await store.sessions.get(cookie) is None

    async def test_a_short_one_is_refused(self, store):
        with pytest.raises(InvalidRecord) as caught:
            await store.tokens.ensure_bootstrap("secret")
        assert caught.value.field == "auth.bootstrap_token"


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: f"mcu_{text}"))
def test_any_text_is_taken_apart_or_not(text):
    parts = split(text)
    if parts is not None:
        id_, secret = parts
        assert f"mcu_{id_}_{secret}" == text
        assert id_
        assert secret
        assert "_" not in id_
        assert text.isascii()
