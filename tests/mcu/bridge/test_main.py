"""Which rooms ``mcu bridge`` runs, and how it ends; see tests/interop for the real process."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from config.problems import ConfigurationError
from mcu.bridge import main
from mcu.bridge.client import NotTls, Refused, Untrusted
from mcu.bridge.main import run
from tests.peers.room_daemon import QuietPeer, RoomDaemon
from tests.peers.waiting import until


class Bridge:
    """``run`` against a scripted daemon, with connections that connect at once."""

    def __init__(self, daemon: RoomDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
        self.daemon = daemon
        self._entered = 0
        monkeypatch.setattr(main, "Client", self._client)
        monkeypatch.setattr(main, "JOIN_SPACING_S", 0.0)
        monkeypatch.setattr(main, "POLL_S", 0.0)
        room = main.SoftwareRoom
        monkeypatch.setattr(main, "SoftwareRoom", lambda *a, **k: room(*a, connect=QuietPeer, **k))

    def _client(self, server: str, token: str, *, verify_tls: bool) -> "Bridge":
        assert (server, token) == ("http://mcu", "token")
        return self

    async def __aenter__(self) -> RoomDaemon:
        return self.daemon

    async def __aexit__(self, *_: object) -> None:
        return


@pytest.fixture
def daemon() -> RoomDaemon:
    return RoomDaemon()


@pytest.fixture
def bridge(daemon: RoomDaemon, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    return Bridge(daemon, monkeypatch)


async def connected(daemon: RoomDaemon, count: int) -> None:
    await until(lambda: len(daemon.legs) >= count)


@pytest.mark.usefixtures("bridge")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_makes_it_leave_properly(
    daemon: RoomDaemon, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    running = asyncio.create_task(run("http://mcu", "token"))
    await connected(daemon, 1)
    await until(lambda: "connected" in capsys.readouterr().err)
    os.kill(os.getpid(), number)
    assert await running == 0
    assert daemon.left == ["leg-1"]


@pytest.mark.usefixtures("bridge")
async def test_a_bridges_token_is_one_room(
    daemon: RoomDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("http://mcu", "token", count=2) == 1
    assert "--count needs an operator's token" in capsys.readouterr().err
    running = asyncio.create_task(run("http://mcu", "token"))
    await connected(daemon, 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "Phòng van-ninh: joining" in capsys.readouterr().err


@pytest.mark.usefixtures("bridge")
async def test_an_operators_token_takes_the_expected_rooms_then_guests(
    daemon: RoomDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.bridge = None
    daemon.running = ["c-2", "c-1"]
    daemon.roster = [
        {"bridge": "a", "label": None, "name": "Xã A", "state": "connected"},
        {"bridge": "b", "label": None, "name": "Xã B", "state": "expected"},
        {"bridge": None, "label": None, "name": "Khách", "state": "left"},
        {"bridge": "c", "label": "Phòng họp C", "name": "Xã C", "state": "left"},
    ]
    running = asyncio.create_task(run("http://mcu", "token", count=4))
    await connected(daemon, 4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [offer[1:] for offer in daemon.offers] == [
        ("c-2", "b", None),
        ("c-2", "c", None),
        ("c-2", None, "guest 1"),
        ("c-2", None, "guest 2"),
    ]
    said = capsys.readouterr().err
    assert "Phòng họp C: joining (c-2)" in said
    assert "[4/4 in]" in said


@pytest.mark.usefixtures("bridge")
async def test_it_waits_for_the_daemon_and_for_a_conference_and_says_so_once(
    daemon: RoomDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.bridge, daemon.down, daemon.running = None, True, []
    running = asyncio.create_task(run("http://mcu", "token"))
    await until(lambda: daemon.calls >= 5)
    daemon.down = False
    await until(lambda: daemon.calls >= 20)
    daemon.running = ["c-1"]
    await connected(daemon, 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    said = capsys.readouterr().err
    assert said.count("waiting for the daemon (nobody listens)") == 1
    assert said.count("waiting for a conference") == 1


@pytest.mark.usefixtures("bridge")
@pytest.mark.parametrize(
    "error",
    [
        Refused(401, "This token is unknown."),
        Untrusted("not trusted: use --insecure"),
        NotTls("no TLS there: write http://"),
    ],
)
async def test_what_cannot_get_better_ends_it_with_a_sentence(
    daemon: RoomDaemon,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    async def identity() -> Any:
        raise error

    monkeypatch.setattr(daemon, "identity", identity)
    assert await run("http://mcu", "token") == 1
    assert capsys.readouterr().err == f"mcu bridge: {error}\n"


@pytest.mark.usefixtures("bridge")
async def test_a_token_that_is_revoked_later_ends_all_rooms(
    daemon: RoomDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.bridge = None
    daemon.refusals = [Refused(401, "This token was revoked.")]
    assert await run("http://mcu", "token", count=3) == 1
    assert "mcu bridge: This token was revoked." in capsys.readouterr().err
    assert set(daemon.legs) == set()


@pytest.mark.parametrize("option", ["video", "audio"])
async def test_a_file_that_cannot_be_played_is_an_unusable_argument(
    tmp_path: Path, option: str
) -> None:
    words = tmp_path / "words.mp4"
    words.write_text("không phải phim")
    reason = rf"^--{option}: .*words\.mp4 cannot be played \(.+\); is it a sound or picture file\?$"
    with pytest.raises(ConfigurationError, match=reason) as refused:
        await run("http://mcu", "token", **{option: str(words)})  # type: ignore[arg-type]
    assert "Errno" not in str(refused.value)


@pytest.mark.usefixtures("bridge")
async def test_it_leaves_when_who_holds_its_input_is_gone(
    daemon: RoomDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, its = os.pipe()
    with os.fdopen(ours, "rb") as held:
        monkeypatch.setattr("sys.stdin", held)
        running = asyncio.create_task(run("http://mcu", "token", until_input_ends=True))
        await connected(daemon, 1)
        os.close(its)
        assert await running == 0
    assert daemon.left == ["leg-1"]
