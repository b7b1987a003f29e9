"""Secrets of hardware rooms, what is shown of their registrations, and the ladder."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from mcu.api.services import SipCaller, SipServer, SipTraceEntry
from signalling.sip.digest import ha1
from signalling.sip.hop import Hop
from signalling.sip.registrar import Registrar
from signalling.sip.sign_in import SignedIn, SignInRefused
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
            "registered": False, "reachable": "nowhere", "since": None, "contacts": [],
            "has_secret": True, "has_outbound": False, "last_refused": None,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("ports", "server"),
        [
            ({"udp": 5060, "tcp": 5070}, "mcu.example.org"),
            ({"udp": 5070, "tcp": 5070, "tls": 5061}, "mcu.example.org:5070"),
            ({"tls": 5061}, "mcu.example.org"),
            ({"tls": 5071}, "mcu.example.org:5071"),
            ({}, "mcu.example.org"),
        ],
    )
    async def test_the_server_with_a_port_that_is_not_the_usual(
        self, make_api: MakeApi, ports: dict[str, int], server: str
    ) -> None:
        api = await make_api(sip_server=SipServer("mcu.example.org", "mcu", ports))
        await api.province()
        await api.call("POST", "/bridges", CODEC, status=201)
        reply = await api.call("POST", "/bridges/codec/sip-secret", status=201)
        assert (reply.json["server"], reply.json["address"]) == (server, f"sip:codec@{server}")

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
        assert (shown.json["sip"]["registered"], shown.json["sip"]["reachable"]) == (
            True, "registered",
        )  # fmt: skip
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

    async def test_how_it_can_be_called(self, province: Api) -> None:
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["reachable"] == "nowhere"
        body = {"address": "sip:codec@10.0.0.7"}
        changed = await province.call("PATCH", "/bridges/codec", body, status=200)
        assert changed.json["sip"]["reachable"] == "address"
        registered(province)
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["reachable"] == "registered"

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


class TestRefused:
    def refused(self, api: Api, account: str = "codec") -> None:
        """What the endpoint does once somebody had a wrong password."""
        event = SignInRefused(account, "", SOURCE, "wrong_password", "REGISTER")
        api.services.sip.sign_in(event)  # type: ignore[attr-defined]

    async def test_beside_the_room_until_it_is_let(self, province: Api) -> None:
        for _ in range(3):
            self.refused(province)
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["last_refused"] == {
            "time": "2026-11-21T08:00:00.000000Z", "reason": "wrong_password",
            "source": "10.0.0.7", "method": "REGISTER", "count": 3,
        }  # fmt: skip
        listed = await province.call("GET", "/bridges?unit=xa-1", status=200)
        assert listed.json["items"][0]["sip"]["last_refused"]["reason"] == "wrong_password"
        province.services.sip.sign_in(SignedIn("codec", SOURCE))  # type: ignore[attr-defined]
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["last_refused"] is None

    async def test_a_new_secret_begins_anew(self, province: Api) -> None:
        self.refused(province)
        await province.call("POST", "/bridges/codec/sip-secret", status=201)
        shown = await province.call("GET", "/bridges/codec", status=200)
        assert shown.json["sip"]["last_refused"] is None

    async def test_told_as_it_happens(self, province: Api) -> None:
        async with stream(province, token=ADMIN) as reader:
            self.refused(province)
            await province.services.sip.flush()  # type: ignore[attr-defined]
            await province.conference("codec", unit="xa-1")
            events = await reader.until("conference.started")
        told = [event for event in events if event["type"] == "bridge.refused"]
        assert [event["data"]["sip"]["last_refused"]["reason"] for event in told] == [
            "wrong_password"
        ]


class TestCallers:
    async def test_at_the_pin_prompt(self, make_api: MakeApi) -> None:
        since = datetime(2026, 11, 21, 8, tzinfo=UTC)
        caller = SipCaller(
            "Phòng 1", "sip:p1@example.org", "10.0.0.7:5070", None, since, 2, "ab12", "x@10.0.0.7"
        )
        entry = TestTrace.ENTRY
        api = await make_api(
            sip_callers=lambda conference: [caller],
            sip_caller_trace=lambda conference, call: [entry] if call == "ab12" else None,
        )
        await api.province()
        path = f"/conferences/{await api.conference('xa-1-a')}/callers"
        assert (await api.call("GET", path, status=200)).json == {
            "items": [
                {
                    "name": "Phòng 1", "address": "sip:p1@example.org", "source": "10.0.0.7:5070",
                    "bridge": None, "since": "2026-11-21T08:00:00.000000Z", "tries_left": 2,
                    "call": "ab12", "call_id": "x@10.0.0.7",
                }
            ]
        }  # fmt: skip
        table = await api.call("GET", f"{path}.csv", status=200)
        assert table.body.decode().splitlines()[1] == (
            "Phòng 1,sip:p1@example.org,10.0.0.7:5070,,2026-11-21T08:00:00.000000Z,2,"
            "ab12,x@10.0.0.7"
        )
        ladder = await api.call("GET", f"{path}/ab12/sip-trace", status=200)
        assert [one["summary"] for one in ladder.json["items"]] == ["INVITE"]
        await api.call("GET", f"{path}/cd34/sip-trace", status=404)
        for role, unit in (("technician", "xa-2"), ("observer", "tinh")):
            other = await api.token(role, unit=unit)
            await api.call("GET", f"{path}/ab12/sip-trace", token=other, status=403)
        room = await api.token("bridge", bridge="xa-1-a")
        await api.call("GET", path, token=room, status=403)
        await api.call("GET", "/conferences/nothing/callers", status=404)


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
                    "text": "INV", "failure": None, "failure_cause": None,
                    "failure_detail": None,
                }
            ]
        }  # fmt: skip
        assert asked == [(conference, "codec")]
        nothing = path.replace("codec", "xa-1-a")
        assert (await api.call("GET", nothing, status=200)).json == {"items": []}
        await api.call("GET", path.replace("codec", "nobody"), status=404)
        technician = await api.token("technician", unit="xa-1")
        await api.call("GET", path, token=technician, status=200)
        # Once it is gone, for who may read those of the whole conference.
        await api.call("DELETE", f"/conferences/{conference}/participants/codec", status=204)
        assert (await api.call("GET", path, status=200)).json == reply.json
        elsewhere = await api.token("technician", unit="xa-2")
        await api.call("GET", path, token=elsewhere, status=403)
        await api.call("DELETE", f"/conferences/{conference}", status=204)
        assert (await api.call("GET", path, status=200)).json == reply.json
        await api.call("GET", path.replace("codec", "nobody"), status=404)
        for role, unit in (("technician", "xa-2"), ("observer", "tinh")):
            other = await api.token(role, unit=unit)
            await api.call("GET", path, token=other, status=403)
