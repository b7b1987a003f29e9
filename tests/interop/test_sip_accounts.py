"""A real phone signs in at the real daemon with what the interface gave it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers.baresip import Baresip, is_installed
from tests.peers.daemon import Daemon
from tests.peers.free_ports import free_port, free_range
from tests.peers.waiting import until, until_read

pytestmark = pytest.mark.skipif(not is_installed(), reason="baresip is not installed")

ROOM = {"id": "codec", "name": "Phòng họp", "unit": "tinh", "kind": "sip"}


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    first, last = free_range(4)
    sip = {
        "HOST": "127.0.0.1", "UDP_PORT": str(free_port()), "TCP_PORT": "0",
        "TLS_PORT": "0", "REGISTRATION_MIN_S": "10",
    }  # fmt: skip
    environment = {f"MCU_SIP__{name}": value for name, value in sip.items()}
    environment["MCU_MEDIA__SIP_PORTS"] = f"{first}-{last}"
    async with Daemon(tmp_path / "data", environment=environment) as running:
        await running.call("POST", "/units", {"id": "tinh", "name": "Tỉnh", "level": "province"})
        await running.call("POST", "/bridges", ROOM)
        yield running


def phone(directory: Path, account: dict[str, Any], secret: str, settings: str = "") -> Baresip:
    host = account["server"]
    assert host.endswith(f":{account['ports']['udp']}")
    address = (
        f"sip:{account['user_name']}@{host}>;auth_user={account['user_name']};"
        f"auth_pass={secret};regint=60{settings}"
    )
    return Baresip(directory, address)


async def sip_of(daemon: Daemon, *, registered: bool) -> dict[str, Any]:
    """How the room stands, once it stands so."""
    bridge: dict[str, Any] = await until_read(
        lambda: daemon.call("GET", "/bridges/codec"),
        lambda bridge: bridge["sip"]["registered"] == registered,
    )
    sip: dict[str, Any] = bridge["sip"]
    return sip


async def signs_in(daemon: Daemon, codec: Baresip) -> None:
    """This version of the phone gives up at SHA-256; once it comes again, MD5 alone is offered."""
    challenged = 'mcu_sip_refused_total{reason="challenged"}'
    await until_read(daemon.metrics, lambda samples: samples.get(challenged, 0) >= 1)
    await codec.kill()
    await codec.start()


async def test_a_phone_signs_in_and_a_restart_keeps_it(daemon: Daemon, tmp_path: Path) -> None:
    account = await daemon.call("POST", "/bridges/codec/sip-secret")
    async with phone(tmp_path / "phone", account, account["secret"]) as codec:
        await signs_in(daemon, codec)
        sip = await sip_of(daemon, registered=True)
        (contact,) = sip["contacts"]
        assert contact["transport"] == "udp"
        assert contact["source"].startswith("127.0.0.1:")
        assert contact["user_agent"].startswith("baresip")
        # What it says of itself every minute is written within seconds, not at the end.
        store = daemon.data_dir / "mcu.sqlite3-wal"
        await until(lambda: contact["address"].encode() in store.read_bytes(), 0.2)
        await daemon.kill()
        await daemon.start()
        again = await sip_of(daemon, registered=True)
        assert again["contacts"][0]["address"] == contact["address"]
        assert again["since"][:19] == sip["since"][:19]
    for file in daemon.data_dir.iterdir():
        if file.is_file():
            assert account["secret"].encode() not in file.read_bytes(), file.name


async def test_a_wrong_secret_and_a_revoked_one(daemon: Daemon, tmp_path: Path) -> None:
    account = await daemon.call("POST", "/bridges/codec/sip-secret")
    async with phone(tmp_path / "wrong", account, "guessed-by-somebody") as codec:
        await signs_in(daemon, codec)
        wrong = 'mcu_sip_refused_total{reason="wrong credentials"}'
        await until_read(daemon.metrics, lambda samples: samples.get(wrong, 0) >= 1)
        refused = (await sip_of(daemon, registered=False))["last_refused"]
        # It tries at once again, until it is locked out.
        assert refused["reason"] in ("wrong_password", "locked_out")
        assert refused["source"] == "127.0.0.1"
        counted = 'mcu_sip_sign_ins_refused_total{reason="wrong_password"}'
        assert (await daemon.metrics())[counted] >= 1
    account = await daemon.call("POST", "/bridges/codec/sip-secret")
    async with phone(tmp_path / "right", account, account["secret"]) as codec:
        await signs_in(daemon, codec)
        assert (await sip_of(daemon, registered=True))["last_refused"] is None
        await daemon.call("DELETE", "/bridges/codec/sip-secret")
        sip = await sip_of(daemon, registered=False)
        assert not sip["has_secret"]


async def test_a_number_is_dialled_and_the_ladder_read(daemon: Daemon, tmp_path: Path) -> None:
    account = await daemon.call("POST", "/bridges/codec/sip-secret")
    started = {"name": "Họp", "unit": "tinh", "bridges": ["codec"]}
    async with phone(tmp_path / "phone", account, account["secret"], ";answermode=auto") as codec:
        await signs_in(daemon, codec)
        await sip_of(daemon, registered=True)
        conference = await daemon.call("POST", "/conferences", started)
        assert conference["number"] == "1001"
        path = f"/conferences/{conference['id']}/participants/codec"
        # The conference calls its room, which answers.
        await until_read(lambda: daemon.call("GET", path), lambda who: who["state"] == "connected")
        trace = (await daemon.call("GET", f"{path}/sip-trace"))["items"]
        assert [entry["summary"] for entry in trace if entry["summary"].startswith(("INV", "2"))][
            :2
        ] == ["INVITE", "200 Answering (INVITE)"]
        assert account["secret"] not in str(trace)
        await daemon.call("DELETE", "/bridges/codec/sip-secret")
