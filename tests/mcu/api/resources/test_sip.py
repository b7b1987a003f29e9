"""Secrets of hardware rooms, what is shown of their registrations, and the ladder."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from mcu.api.services import SipServer, SipTraceEntry
from signalling.sip.digest import ha1
from signalling.sip.hop import Hop
from signalling.sip.registrar import Registrar
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import ADMIN, Api
from tests.mcu.api.resources.test_events import stream
from tests.signalling.sip.messages import request

CODEC = {"id": "codec", "name": "Phòng họp", "unit": "xa-1", "kind": "sip"}
ROSTERS = {"xa-1": ("codec", "xa-1-a"), "khac": ("khac-a",)}
SOURCE = Hop("udp", "10.0.0.7", 5060)


@pytest.fixture
async def province(api: Api) -> Api:
    await api.province()
    await api.call("POST", "/bridges", CODEC, status=201)
    return api


def registered(api: Api, *fields: str, cseq: int = 1) -> None:
    """What the endpoint does once a device has signed in."""
    register = request(
        "REGISTER", f"z9hG4bK{cseq}", "Contact: <sip:codec@10.0.0.7>", *fields, cseq=cseq
    )
    registrar: Registrar = api.services.sip.registrar  # type: ignore[attr-defined]
    change = registrar.register("codec", register, SOURCE, api.clock.now())
    if change is not None:
        api.services.sip.bindings_changed(change)  # type: ignore[attr-defined]


class TestSecret:
    async def test_shown_once_with_what_a_technician_types(self, make_api: MakeApi) -> None:
        server = SipServer("mcu.example.org", "mcu", {"udp": 5060, "tls": 5061})
        api = await make_api(sip_server=server)
        await api.province()
        await api.call("POST", "/bridges", CODEC, status=201)
        reply = await api.call("POST", "/bridges/codec/sip-secret", status=201)
        secret = reply.json["secret"]
        assert reply.json == {
            "user_name": "codec", "secret": secret, "server": "mcu.example.org", "realm": "mcu",
            "ports": {"udp": 5060, "tls": 5061}, "address": "sip:codec@mcu.example.org",
        }  # fmt: skip
        (kept,) = await api.store.sip_secrets.all()
        assert kept.ha1["MD5"] == ha1("codec", "mcu", secret, "MD5")
        shown = await api.call("GET", "/bridges/codec", status=200)
        assert secret not in shown.body.decode()
        assert shown.json["sip"] == {
            "registered": False, "since": None, "contacts": [],
            "has_secret": True, "has_outbound": False,
        }  # fmt: skip

    async def test_chosen_by_the_operator(self, province: Api) -> None:
        body = {"secret": "chosen-by-people"}
        reply = await province.call("POST", "/bridges/codec/sip-secret", body, status=201)
        assert reply.json["secret"] == "chosen-by-people"
        for unfit in ("short", "with blanks in it", "x" * 129):
            refused = await province.call(
                "POST", "/bridges/codec/sip-secret", {"secret": unfit}, status=422
            )
            assert refused.fields == ["$.secret"]

    async def test_for_sip_bridges_only(self, province: Api) -> None:
        refused = await province.call("POST", "/bridges/xa-1-a/sip-secret", status=422)
        assert refused.fields == ["path.bridge"]
        await province.call("POST", "/bridges/nobody/sip-secret", status=404)

    async def test_the_same_request_gets_the_same_secret(self, province: Api) -> None:
        headers = {"Idempotency-Key": "one"}
        first = await province.call(
            "POST", "/bridges/codec/sip-secret", headers=headers, status=201
        )
        again = await province.call(
            "POST", "/bridges/codec/sip-secret", headers=headers, status=201
        )
        assert first.json == again.json

    async def test_within_reach_only(self, province: Api) -> None:
        own = await province.token("technician", unit="xa-1")
        other = await province.token("operator", unit="xa-2")
        observer = await province.token("observer", unit="xa-1")
        room = await province.token("bridge", bridge="codec")
        await province.call("POST", "/bridges/codec/sip-secret", token=own, status=201)
        for token in (other, observer, room):
            await province.call("POST", "/bridges/codec/sip-secret", token=token, status=403)
            await province.call("DELETE", "/bridges/codec/sip-secret", token=token, status=403)

    async def test_revoked(self, province: Api) -> None:
        ended: list[str] = []
        province.services.sip.on_revoked.append(ended.append)  # type: ignore[attr-defined]
        await province.call("POST", "/bridges/codec/sip-secret", status=201)
        registered(province)
        await province.call("DELETE", "/bridges/codec/sip-secret", status=204)
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert (shown.json["sip"]["has_secret"], shown.json["sip"]["registered"]) == (False, False)
        assert ended == ["codec"]
        await province.call("DELETE", "/bridges/codec/sip-secret", status=204)

    @pytest.mark.parametrize("how", ["deleted", "of another kind"])
    async def test_gone_with_the_bridge(self, province: Api, how: str) -> None:
        ended: list[str] = []
        province.services.sip.on_revoked.append(ended.append)  # type: ignore[attr-defined]
        await province.call("POST", "/bridges/codec/sip-secret", status=201)
        if how == "deleted":
            await province.call("DELETE", "/bridges/codec", status=204)
        else:
            changed = await province.call("PATCH", "/bridges/codec", {"kind": "webrtc"}, status=200)
            assert changed.json["sip"] is None
        assert ended == ["codec"]
        assert await province.store.sip_secrets.all() == []

    async def test_audited_without_the_secret(self, province: Api) -> None:
        body = {"secret": "chosen-by-people"}
        await province.call("POST", "/bridges/codec/sip-secret", body, status=201)
        page = await province.store.audit.list(limit=1)
        assert "chosen" not in repr(page)
        assert page.items[0].action == "issue_sip_secret"
        assert page.items[0].target == "/api/v1/bridges/codec/sip-secret"


class TestOutbound:
    async def test_set_never_shown_and_cleared(self, province: Api) -> None:
        body = {"user_name": "mcu", "secret": "what the codec wants"}
        await province.call("PUT", "/bridges/codec/sip-outbound", body, status=204)
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["has_outbound"]
        assert "wants" not in shown.body.decode()
        await province.call("DELETE", "/bridges/codec/sip-outbound", status=204)
        assert await province.store.sip_secrets.outbound("codec") is None

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"user_name": "", "secret": "x"}, "$.user_name"),
            ({"user_name": 'a"b', "secret": "x"}, "$.user_name"),
            ({"user_name": "a", "secret": ""}, "$.secret"),
            ({"user_name": "a", "secret": "x\r\ny"}, "$.secret"),
            ({"user_name": "a"}, "$.secret"),
        ],
    )
    async def test_unfit(self, province: Api, body: dict[str, str], field: str) -> None:
        refused = await province.call("PUT", "/bridges/codec/sip-outbound", body, status=422)
        assert refused.fields == [field]

    async def test_within_reach_only(self, province: Api) -> None:
        technician = await province.token("technician", unit="xa-1")
        body = {"user_name": "mcu", "secret": "what the codec wants"}
        await province.call(
            "PUT", "/bridges/codec/sip-outbound", body, token=technician, status=403
        )
        refused = await province.call("PUT", "/bridges/xa-1-a/sip-outbound", body, status=422)
        assert refused.fields == ["path.bridge"]


class TestRegistered:
    async def test_where_and_since(self, province: Api) -> None:
        registered(province, "Expires: 600", "User-Agent: Codec/2.1")
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["registered"]
        assert shown.json["sip"]["since"] == "2026-11-21T08:00:00.000000Z"
        assert shown.json["sip"]["contacts"] == [
            {
                "address": "sip:codec@10.0.0.7", "transport": "udp", "source": "10.0.0.7:5060",
                "expires_at": "2026-11-21T08:10:00.000000Z", "user_agent": "Codec/2.1",
            }
        ]  # fmt: skip
        listed = await province.call("GET", "/bridges?unit=xa-1", status=200)
        assert [item["sip"] and item["sip"]["registered"] for item in listed.json["items"]] == [
            True, None, None,
        ]  # fmt: skip

    async def test_events_for_who_may_read_the_room(self, province: Api) -> None:
        tokens = {
            "admin": ADMIN,
            "observer": await province.token("observer", unit="xa-1"),
            "its room": await province.token("bridge", bridge="codec"),
            "a room beside it": await province.token("bridge", bridge="xa-1-a"),
            "elsewhere": await province.token("observer", unit="khac"),
        }
        async with AsyncExitStack() as stack:
            readers = {
                name: await stack.enter_async_context(stream(province, token=token))
                for name, token in tokens.items()
            }
            registered(province)
            await province.services.sip.flush()  # type: ignore[attr-defined]
            for unit in ("xa-1", "khac"):
                await province.conference(*ROSTERS[unit], unit=unit)
            seen = {}
            for name, reader in readers.items():
                events = await reader.until("conference.started")
                seen[name] = [event["type"] for event in events]
        assert [name for name, types in seen.items() if "bridge.registered" in types] == [
            "admin", "observer", "its room",
        ]  # fmt: skip


class TestTrace:
    ENTRY = SipTraceEntry(
        datetime(2026, 11, 21, 8, tzinfo=UTC), "received", "udp", "10.0.0.7:5060", "INVITE", "INV"
    )

    async def test_the_ladder(self, make_api: MakeApi) -> None:
        asked: list[tuple[str, str]] = []

        def trace(conference: str, participant: str) -> list[SipTraceEntry] | None:
            asked.append((conference, participant))
            return [self.ENTRY] if participant == "codec" else None

        api = await make_api(sip_trace=trace)
        await api.province()
        await api.call("POST", "/bridges", CODEC, status=201)
        conference = await api.conference("codec", "xa-1-a")
        path = f"/conferences/{conference}/participants/codec/sip-trace"
        reply = await api.call("GET", path, status=200)
        assert reply.json == {
            "items": [
                {
                    "time": "2026-11-21T08:00:00.000000Z", "direction": "received",
                    "transport": "udp", "remote": "10.0.0.7:5060", "summary": "INVITE",
                    "text": "INV",
                }
            ]
        }  # fmt: skip
        assert asked == [(conference, "codec")]
        nothing = path.replace("codec", "xa-1-a")
        assert (await api.call("GET", nothing, status=200)).json == {"items": []}
        await api.call("GET", path.replace("codec", "nobody"), status=404)
        technician = await api.token("technician", unit="xa-1")
        await api.call("GET", path, token=technician, status=200)
        for role, unit in (("technician", "xa-2"), ("observer", "tinh")):
            other = await api.token(role, unit=unit)
            await api.call("GET", path, token=other, status=403)
