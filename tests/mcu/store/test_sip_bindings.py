"""Where rooms are: kept over a restart, dropped when over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mcu.store.records import Bridge, SipBinding
from tests.mcu.store.conftest import NOW

HA1 = {"SHA-256": "a" * 64, "MD5": "b" * 32}
ONE = SipBinding(
    "codec", "sip:codec@10.0.0.7:5060", 0.5, NOW + timedelta(hours=1), "call-1", 7, "udp",
    "198.51.100.9", 40_000, NOW, "Codec 1.0",
)  # fmt: skip
TWO = replace(ONE, contact="sip:second@10.0.0.8", port=None)


@pytest.fixture
async def rooms(tree):
    for id_ in ("codec", "other"):
        await tree.bridges.create(Bridge(id_, "Phòng họp", "xa1", "sip"))
        await tree.sip_secrets.put(id_, "mcu", HA1)
    return tree


async def test_everything_is_kept(rooms):
    await rooms.sip_bindings.put({"codec": [ONE, TWO], "other": [replace(ONE, bridge="other")]})
    assert list(await rooms.sip_bindings.all()) == [ONE, TWO, replace(ONE, bridge="other")]
    await rooms.sip_bindings.put({"codec": [TWO, ONE]})
    assert list(await rooms.sip_bindings.all()) == [TWO, ONE, replace(ONE, bridge="other")]
    await rooms.sip_bindings.put({"codec": (), "other": ()})
    assert await rooms.sip_bindings.all() == []


async def test_what_has_expired_is_dropped(rooms, clock):
    await rooms.sip_bindings.put({"codec": [ONE]})
    clock.pass_(hours=2)
    assert await rooms.sip_bindings.all() == []
    await rooms.sip_bindings.put({})
    clock.pass_(hours=-2)
    assert await rooms.sip_bindings.all() == []


async def test_of_a_bridge_that_is_gone_or_has_no_secret_nothing_is_kept(rooms):
    await rooms.bridges.delete("other")
    await rooms.sip_bindings.put({"codec": [ONE], "other": [replace(ONE, bridge="other")]})
    assert list(await rooms.sip_bindings.all()) == [ONE]
    await rooms.sip_secrets.remove("codec")
    assert await rooms.sip_bindings.all() == []
