"""Alive, ready, and the figures."""

import pytest

from mcu.api.resources import health
from mcu.store.errors import StoreUnavailable
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import Api


async def test_alive_and_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.call("GET", "//healthz", token=None, status=200)
    await api.call("GET", "//readyz", token=None, status=200)

    async def away() -> int:
        raise StoreUnavailable("The database is locked: end the other program.")

    monkeypatch.setattr(api.store.events, "last_seq", away)
    reply = await api.call("GET", "//readyz", token=None, status=503)
    assert "locked" in reply.json["detail"]
    await api.call("GET", "//healthz", token=None, status=200)


async def test_not_ready_says_why(make_api: MakeApi) -> None:
    api = await make_api(not_ready=lambda: "the media port is not open")
    reply = await api.call("GET", "//readyz", token=None, status=503)
    assert "media port" in reply.json["detail"]


async def test_metrics_from_this_machine(api: Api) -> None:
    reply = await api.call("GET", "//metrics", token=None, status=200)
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert 'mcu_legs{kind="join",state="connected"} 3.0' in reply.body.decode()


async def test_metrics_from_elsewhere_need_a_token(api: Api) -> None:
    await api.province()
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}
    await api.call("GET", "//metrics", token=None, headers=elsewhere, status=401)
    for role, status in (("observer", 200), ("operator", 200), ("technician", 200)):
        token = await api.token(role, unit="tinh")
        await api.call("GET", "//metrics", token=token, headers=elsewhere, status=status)
    room = await api.token("bridge", bridge="tinh-a")
    await api.call("GET", "//metrics", token=room, headers=elsewhere, status=403)
    await api.call("GET", "//metrics", token="wrong", status=401)


@pytest.mark.parametrize(
    ("remote", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
        ("", False),
        (None, False),
        ("/run/socket", False),
    ],
)
def test_what_counts_as_this_machine(remote: str | None, loopback: bool) -> None:
    assert health._is_loopback(remote) is loopback
