"""The composition root: where it listens, and what it says of bad settings."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from config.problems import SettingsError
from config.settings import Settings, load
from mcu.daemon import Daemon
from mcu.store.records import AuditRow
from mcu.store.store import FILE_NAME, Store
from tests.peers.waiting import until_read


def settings(tmp_path: Path, **environment: str) -> Settings:
    base = {"MCU_DATA_DIR": str(tmp_path / "data"), "MCU_HTTP__PORT": "0", "MCU_MEDIA__PORT": "0"}
    return load(None, base | environment)


async def test_all_addresses_means_ipv4_and_ipv6(tmp_path: Path) -> None:
    async with Daemon(settings(tmp_path, MCU_HTTP__HOST="::")) as daemon:
        port = daemon.url.rpartition(":")[2]
        async with aiohttp.ClientSession() as http:
            for host in ("127.0.0.1", "[::1]"):
                async with http.get(f"https://{host}:{port}/healthz", ssl=False) as response:
                    assert response.status == 200


async def test_a_token_is_generated_once(tmp_path: Path) -> None:
    async with Daemon(settings(tmp_path)) as first:
        assert first.bootstrap_token is not None
        headers = {"Authorization": f"Bearer {first.bootstrap_token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(f"{first.url}/api/v1/units") as response,
        ):
            assert response.status == 200
    async with Daemon(settings(tmp_path)) as second:
        assert second.bootstrap_token is None


@pytest.mark.parametrize(
    ("kind", "key"), [(socket.SOCK_STREAM, "http.port"), (socket.SOCK_DGRAM, "media.port")]
)
async def test_a_port_in_use_is_named(tmp_path: Path, kind: socket.SocketKind, key: str) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        section = key.partition(".")[0].upper()
        environment = {
            f"MCU_{section}__PORT": str(taken.getsockname()[1]),
            f"MCU_{section}__HOST": "127.0.0.1",
        }
        with pytest.raises(SettingsError) as caught:
            async with Daemon(settings(tmp_path, **environment)):
                pass
    assert [problem.key for problem in caught.value.problems] == [key]


async def test_a_second_daemon_on_the_same_data_is_refused(tmp_path: Path) -> None:
    async with Daemon(settings(tmp_path)):
        with pytest.raises(SettingsError, match="in use by another mcu") as caught:
            async with Daemon(settings(tmp_path)):
                pass
        assert [problem.key for problem in caught.value.problems] == ["data_dir"]
    async with Daemon(settings(tmp_path)):
        pass


async def test_it_keeps_what_happened_as_long_as_it_is_told(tmp_path: Path) -> None:
    told = settings(tmp_path, MCU_STORE__RETENTION_DAYS="10", MCU_STORE__RETENTION_ROWS="2000")
    store = await Store.open(told.data_dir / FILE_NAME)
    now = datetime.now(UTC)
    for days in (11, 9):
        time = now - timedelta(days=days)
        await store.audit.append(AuditRow(time, None, None, None, "x", f"{days} days", "done"))

    async def targets() -> list[str]:
        return [row.target for row in (await store.audit.list()).items]

    try:
        async with Daemon(told):
            await until_read(targets, lambda found: found == ["9 days"])
    finally:
        await store.close()
