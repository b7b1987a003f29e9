"""What rooms sign in with, and what we sign in with at rooms."""

import sqlite3

import pytest

from mcu.store.errors import InvalidRecord, UnknownRecord
from mcu.store.records import Bridge
from mcu.store.sip_secrets import MAX_VOID
from mcu.store.store import Store

HA1 = {"SHA-256": "a" * 64, "MD5": "b" * 32}


@pytest.fixture
async def rooms(tree):
    for id_ in ("codec", "other"):
        await tree.bridges.create(Bridge(id_, "Phòng họp", "xa1", "sip"))
    return tree


async def test_put_read_replaced_and_removed(rooms, clock):
    await rooms.sip_secrets.put("codec", "mcu", HA1)
    (kept,) = await rooms.sip_secrets.all()
    assert (kept.bridge, kept.realm, kept.ha1, kept.changed_at) == ("codec", "mcu", HA1, clock())
    assert "aaaa" not in repr(kept)
    await rooms.sip_secrets.put("codec", "other", HA1)
    assert [each.realm for each in await rooms.sip_secrets.all()] == ["other"]
    await rooms.sip_secrets.remove("codec")
    await rooms.sip_secrets.remove("codec")
    assert await rooms.sip_secrets.all() == []


async def test_the_last_ones_before_are_remembered_as_void(rooms, clock):
    for number in range(MAX_VOID + 3):
        clock.pass_(seconds=1)
        await rooms.sip_secrets.put("codec", "mcu", {"SHA-256": str(number), "MD5": "m"})
    await rooms.sip_secrets.put("other", "mcu", HA1)
    assert [one.ha1["SHA-256"] for one in await rooms.sip_secrets.void()] == ["4", "3", "2"]
    clock.pass_(seconds=1)
    await rooms.sip_secrets.remove("codec")
    await rooms.sip_secrets.remove("codec")
    assert [one.ha1["SHA-256"] for one in await rooms.sip_secrets.void()] == ["5", "4", "3"]
    await rooms.bridges.delete("codec")
    assert await rooms.sip_secrets.void() == []


async def test_only_sip_bridges_have_some(rooms):
    with pytest.raises(UnknownRecord):
        await rooms.sip_secrets.put("nobody", "mcu", HA1)
    with pytest.raises(InvalidRecord):
        await rooms.sip_secrets.put("b1", "mcu", HA1)
    with pytest.raises(InvalidRecord):
        await rooms.sip_secrets.put_outbound("b1", "user", "secret")
    await rooms.sip_secrets.put("codec", "mcu", HA1)
    await rooms.bridges.update(Bridge("codec", "Phòng họp", "xa1", "webrtc"))
    assert await rooms.sip_secrets.all() == []


async def test_they_go_with_their_bridge(rooms):
    await rooms.sip_secrets.put("codec", "mcu", HA1)
    await rooms.sip_secrets.put_outbound("codec", "user", "secret")
    await rooms.bridges.delete("codec")
    assert await rooms.sip_secrets.all() == []
    assert await rooms.sip_secrets.with_outbound() == frozenset()


async def test_old_devices_go_with_their_bridge_and_its_secret(rooms):
    secrets = rooms.sip_secrets
    for bridge in ("codec", "other"):
        await secrets.put(bridge, "mcu", HA1)
    await secrets.put_old_devices(
        [("10.0.0.7", "codec"), ("10.0.0.8", "codec"), ("10.0.0.9", "other"), ("x", "nobody")]
    )
    assert await secrets.old_devices() == [
        ("10.0.0.7", "codec"), ("10.0.0.8", "codec"), ("10.0.0.9", "other"),
    ]  # fmt: skip
    await secrets.remove("codec")
    assert await secrets.old_devices() == [("10.0.0.9", "other")]
    await rooms.bridges.delete("other")
    assert await secrets.old_devices() == []
    await secrets.put_old_devices([])


async def test_outbound_secrets_lie_sealed_in_the_file(rooms, path, clock):
    await rooms.sip_secrets.put_outbound("codec", "mcu-user", "outbound-secret")
    assert await rooms.sip_secrets.outbound("codec") == ("mcu-user", "outbound-secret")
    assert await rooms.sip_secrets.outbound("other") is None
    assert await rooms.sip_secrets.with_outbound() == {"codec"}
    for file in path.parent.iterdir():
        assert b"outbound-secret" not in file.read_bytes()
    again = await Store.open(path, clock)
    try:
        assert await again.sip_secrets.outbound("codec") == ("mcu-user", "outbound-secret")
    finally:
        await again.close()
    await rooms.sip_secrets.remove_outbound("codec")
    assert await rooms.sip_secrets.outbound("codec") is None


async def test_one_row_cannot_stand_in_for_another(rooms, path):
    await rooms.sip_secrets.put_outbound("codec", "user", "secret")
    await rooms.sip_secrets.put_outbound("other", "user", "different")
    connection = sqlite3.connect(path)
    try:
        connection.execute(
            "UPDATE sip_outbound SET (key_id, sealed) ="
            " (SELECT key_id, sealed FROM sip_outbound WHERE bridge = 'other')"
            " WHERE bridge = 'codec'"
        )
        connection.commit()
    finally:
        connection.close()
    assert await rooms.sip_secrets.outbound("codec") is None


async def test_the_key_is_changed_under_a_daemon_that_runs(rooms, path, clock):
    await rooms.sip_secrets.put_outbound("codec", "user", "one")
    other = await Store.open(path, clock)  # the command, beside the daemon
    try:
        assert await other.sip_secrets.rotate_key() == 1
        assert await rooms.sip_secrets.outbound("codec") == ("user", "one")
        await rooms.sip_secrets.put_outbound("other", "user", "two")
        assert await other.sip_secrets.rotate_key() == 2
        assert await other.sip_secrets.rotate_key() == 2
    finally:
        await other.close()
    assert await rooms.sip_secrets.outbound("codec") == ("user", "one")
    assert await rooms.sip_secrets.outbound("other") == ("user", "two")


async def test_without_the_key_file_there_is_no_secret(rooms, path):
    await rooms.sip_secrets.put_outbound("codec", "user", "one")
    (path.parent / "secrets.key").unlink()
    assert await rooms.sip_secrets.outbound("codec") is None
    assert await rooms.sip_secrets.rotate_key() == 0
