"""Bridges: records, tables, join links."""

from dataclasses import replace

import pytest

from mcu.api.services import well_formed_address
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import ADMIN, Api


@pytest.fixture
async def province(api: Api) -> Api:
    await api.province()
    return api


async def test_a_record(province: Api) -> None:
    reply = await province.call("GET", "/bridges/xa-1-a", status=200)
    assert reply.json == {
        "id": "xa-1-a", "name": "Điểm cầu xa-1-a", "unit": "xa-1", "kind": "webrtc",
        "address": "", "contact": {"name": "Trực", "phone": "0900 000 000"},
        "importance": 0, "standard": {}, "sip": None, "conference": None,
        "version": 1,
    }  # fmt: skip
    change = {"contact": None, "importance": 7, "standard": {"screens": 2}}
    changed = await province.call("PATCH", "/bridges/xa-1-a", change, status=200)
    assert changed.json["contact"] == {"name": "", "phone": ""}
    assert changed.json["standard"] == {"screens": 2}
    assert changed.headers["ETag"] == '"2"'


async def test_lists(province: Api) -> None:
    operator = await province.token("operator", unit="xa-1")
    everything = await province.call("GET", "/bridges", status=200)
    assert len(everything.json["items"]) == 8
    own = await province.call("GET", "/bridges", token=operator, status=200)
    assert [item["id"] for item in own.json["items"]] == ["xa-1-a", "xa-1-b"]
    await province.call("GET", "/bridges?unit=tinh", token=operator, status=403)
    subtree = await province.call("GET", "/bridges?unit=tinh", status=200)
    assert len(subtree.json["items"]) == 6


async def test_a_room_sees_its_own_record_only(province: Api) -> None:
    room = await province.token("bridge", bridge="xa-1-a")
    listed = await province.call("GET", "/bridges", token=room, status=200)
    assert [item["id"] for item in listed.json["items"]] == ["xa-1-a"]
    await province.call("GET", "/bridges/xa-1-a", token=room, status=200)
    await province.call("GET", "/bridges/xa-1-b", token=room, status=403)
    await province.call("PATCH", "/bridges/xa-1-a", {"name": "x"}, token=room, status=403)
    await province.call("GET", "/units", token=room, status=403)


async def test_its_own_unit_sees_where_a_room_was_called(province: Api) -> None:
    conference = await province.conference("xa-1-a", "xa-2-a")
    operator = await province.token("operator", unit="xa-1")
    technician = await province.token("technician", unit="xa-1")
    where = {
        "id": conference, "name": "Họp", "unit": "tinh", "unit_name": "tinh",
        "state": "expected", "joined_at": None, "may_read": False,
    }  # fmt: skip
    for token, may_read in ((operator, False), (technician, True), (ADMIN, True)):
        one = await province.call("GET", "/bridges/xa-1-a", token=token, status=200)
        assert one.json["conference"] == where | {"may_read": may_read}
        listed = await province.call("GET", "/bridges?unit=xa-1", token=token, status=200)
        assert {each["id"]: each["conference"] is not None for each in listed.json["items"]} == {
            "xa-1-a": True, "xa-1-b": False,
        }  # fmt: skip
    await province.call("GET", f"/conferences/{conference}", token=operator, status=403)
    await province.join(conference, await province.token("bridge", bridge="xa-1-a"))
    one = await province.call("GET", "/bridges/xa-1-a", token=operator, status=200)
    assert one.json["conference"]["state"] == "connected"
    await province.call("DELETE", f"/conferences/{conference}", status=204)
    one = await province.call("GET", "/bridges/xa-1-a", token=operator, status=200)
    assert one.json["conference"] is None


async def test_a_bridge_cannot_be_pulled_or_pushed_out_of_reach(province: Api) -> None:
    operator = await province.token("operator", unit="xa-1")
    await province.call("PATCH", "/bridges/xa-1-a", {"unit": "xa-2"}, token=operator, status=403)
    await province.call("PATCH", "/bridges/xa-2-a", {"unit": "xa-1"}, token=operator, status=403)
    await province.call("PATCH", "/bridges/xa-1-a", {"unit": "no"}, status=422)


async def test_a_table_is_imported_whole(province: Api) -> None:
    table = "id,name,unit\nc,Một,xa-1\nd,Hai,xa-2\n"
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    reply = await province.call("POST", "/bridges:import", data=table, headers=headers, status=201)
    assert reply.json == {"created": 2}
    again = await province.call("POST", "/bridges:import", data=table, headers=headers, status=422)
    assert again.fields == ["line 2, id", "line 3, id"]


async def test_what_is_exported_can_be_imported(province: Api) -> None:
    change = {
        "kind": "sip", "address": "sip:phong-hop@10.0.0.7", "importance": 40,
        "contact": {"name": "-Trực ban", "phone": "+84 258 3822 111"},
        "standard": {"width": 1920, "fps": 25, "panel": "A", "dual": True},
    }  # fmt: skip
    await province.call("PATCH", "/bridges/xa-1-a", change, status=200)
    operator = await province.token("operator", unit="xa-1")
    table = await province.call("GET", "/bridges.csv?limit=1", token=operator, status=200)
    assert [row["id"] for row in table.rows] == ["xa-1-a", "xa-1-b"]
    before = (await province.call("GET", "/bridges?unit=xa-1", status=200)).json["items"]
    for bridge in ("xa-1-a", "xa-1-b"):
        await province.call("DELETE", f"/bridges/{bridge}", status=204)
    headers = {"Content-Type": "text/csv"}
    text = table.body.decode()
    await province.call("POST", "/bridges:import", data=text, headers=headers, status=201)
    after = (await province.call("GET", "/bridges?unit=xa-1", status=200)).json["items"]
    assert [each | {"version": 0} for each in after] == [each | {"version": 0} for each in before]
    room = await province.token("bridge", bridge="xa-2-a")
    own = await province.call("GET", "/bridges.csv", token=room, status=200)
    assert [row["id"] for row in own.rows] == ["xa-2-a"]


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("id,name,unit\nc,Một,xa-1\nd,Hai,nowhere\n", "line 3, unit"),
        ("id,name,unit\nc,Một,xa-1\nc,Hai,xa-1\n", "line 3, id"),
        ("id,name,unit\nc,Một,xa-1\nd,,xa-1\n", "line 3, name"),
    ],
)
async def test_one_broken_line_stops_the_whole_table(province: Api, table: str, field: str) -> None:
    headers = {"Content-Type": "text/csv"}
    reply = await province.call("POST", "/bridges:import", data=table, headers=headers, status=422)
    assert reply.fields == [field]
    await province.call("GET", "/bridges/c", status=404)


async def test_a_table_reaches_no_further_than_its_token(province: Api) -> None:
    operator = await province.token("operator", unit="xa-1")
    reply = await province.call(
        "POST", "/bridges:import", data="- {id: c, name: Một, unit: xa-2}\n", token=operator,
        headers={"Content-Type": "application/yaml"}, status=422,
    )  # fmt: skip
    assert reply.fields == ["line 1, unit"]


async def test_a_join_link_carries_its_token_in_the_fragment(make_api: MakeApi) -> None:
    api = await make_api(public_url="https://mcu.example.org:8443")
    await api.province()
    reply = await api.call("POST", "/bridges/xa-1-a/token", status=201)
    token = reply.json["token"]
    assert reply.json["join_url"] == f"https://mcu.example.org:8443/join#token={token}"
    who = await api.call("GET", "/session", token=token, status=200)
    assert who.json["bridge"] == "xa-1-a"
    limited = {"expires_at": "2026-11-21T09:00:00Z"}
    reply = await api.call("POST", "/bridges/xa-1-a/token", limited, status=201)
    assert reply.json["expires_at"] == "2026-11-21T09:00:00.000000Z"
    past = {"expires_at": "2020-01-01T00:00:00Z"}
    assert (await api.call("POST", "/bridges/xa-1-a/token", past, status=422)).fields == [
        "$.expires_at"
    ]
    naive = {"expires_at": "2027-01-01T00:00:00"}
    await api.call("POST", "/bridges/xa-1-a/token", naive, status=422)


async def test_without_a_public_address_the_link_is_as_the_request_came(api: Api) -> None:
    await api.province()
    reply = await api.call("POST", "/bridges/xa-1-a/token", status=201)
    assert reply.json["join_url"].startswith(f"{api.url}/join#token=mcu_")


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost:8080", "https://192.0.2.7:8080"),
        ("[::1]:8080", "https://192.0.2.7:8080"),
        ("127.0.0.1", "https://192.0.2.7:8080"),
        ("mcu.example:8080", "http://mcu.example:8080"),
    ],
)
async def test_a_link_leads_here_from_elsewhere_also_when_asked_for_on_this_machine(
    make_api: MakeApi, host: str, base: str
) -> None:
    api = await make_api(reachable_url=lambda: "https://192.0.2.7:8080")
    await api.province()
    reply = await api.call("POST", "/bridges/xa-1-a/token", headers={"Host": host}, status=201)
    assert reply.json["join_url"].startswith(f"{base}/join#token=mcu_")


async def test_a_technician_issues_links_for_its_unit(province: Api) -> None:
    technician = await province.token("technician", unit="xa-1")
    await province.call("POST", "/bridges/xa-1-a/token", token=technician, status=201)
    await province.call("POST", "/bridges/xa-2-a/token", token=technician, status=403)


async def test_deleting_a_bridge_ends_its_tokens(province: Api) -> None:
    room = await province.token("bridge", bridge="xa-1-a")
    await province.call("DELETE", "/bridges/xa-1-a", status=204)
    await province.call("GET", "/session", token=room, status=401)


async def test_whoever_calls_rooms_is_told_of_a_changed_record(make_api: MakeApi) -> None:
    changed: list[str] = []
    api = await make_api(bridge_changed=changed.append)
    await api.province()
    await api.call("PATCH", "/bridges/xa-1-a", {"kind": "sip"}, status=200)
    await api.call("PATCH", "/bridges/xa-1-a", {"unit": "nowhere"}, status=422)
    assert changed == ["xa-1-a"]


UNFIT = (
    "sip:",
    "sip:codec@host:99999",
    "sip:[::1",
    "sip:codec@host;transport=foo",
    "tel:1",
    "sip:1001@mcu.example.org",
)


def judged(address: str) -> str:
    """As the server's: by form, and not its own."""
    if "@mcu.example.org" in address:
        raise ValueError("is of this server")
    return well_formed_address(address)


@pytest.mark.parametrize("address", UNFIT)
async def test_a_room_gets_no_address_that_cannot_be_called(
    make_api: MakeApi, address: str
) -> None:
    api = await make_api(bridge_address=judged)
    await api.province()
    new = {"id": "codec", "name": "Codec", "unit": "xa-1", "kind": "sip"}
    reply = await api.call("POST", "/bridges", {**new, "address": address}, status=422)
    assert reply.fields == ["$.address"]
    await api.call("POST", "/bridges", {**new, "address": "codec@10.0.0.7"}, status=201)
    change = {"address": address}
    assert (await api.call("PATCH", "/bridges/codec", change, status=422)).fields == ["$.address"]
    kept = await api.call("GET", "/bridges/codec", status=200)
    assert kept.json["address"] == "sip:codec@10.0.0.7"
    table = f"id,name,unit,kind,address\nc,Một,xa-1,sip,\nd,Hai,xa-1,sip,{address}\n"
    headers = {"Content-Type": "text/csv"}
    reply = await api.call("POST", "/bridges:import", data=table, headers=headers, status=422)
    assert reply.fields == ["line 3, address"]
    await api.call("GET", "/bridges/c", status=404)


async def test_a_rooms_address_is_judged_when_it_becomes_one_of_kind_sip(province: Api) -> None:
    old = await province.store.bridges.get("xa-1-a")  # from when web rooms could have one
    await province.store.bridges.update(replace(old, address="tel:1"))
    await province.call("PATCH", "/bridges/xa-1-a", {"importance": 7}, status=200)
    reply = await province.call("PATCH", "/bridges/xa-1-a", {"kind": "sip"}, status=422)
    assert reply.fields == ["$.address"]
    change = {"kind": "sip", "address": "codec@10.0.0.7"}
    changed = await province.call("PATCH", "/bridges/xa-1-a", change, status=200)
    assert changed.json["address"] == "sip:codec@10.0.0.7"


async def test_a_room_with_a_browser_has_no_sip_address(province: Api) -> None:
    address = {"address": "sip:codec@10.0.0.7"}
    new = {"id": "web", "name": "Web", "unit": "xa-1", **address}
    for method, path, body in (
        ("POST", "/bridges", new),
        ("POST", "/bridges", {**new, "kind": "webrtc"}),
        ("PATCH", "/bridges/xa-1-a", address),
    ):
        reply = await province.call(method, path, body, status=422)
        assert reply.fields == ["$.address"]
        assert "kind" in reply.json["detail"]
    table = "id,name,unit,kind,address\nc,Một,xa-1,webrtc,\nd,Hai,xa-1,,sip:a@b.example\n"
    headers = {"Content-Type": "text/csv"}
    reply = await province.call("POST", "/bridges:import", data=table, headers=headers, status=422)
    assert reply.fields == ["line 3, address"]
    # One that becomes such a room loses it, as it does its secrets, unless it is asked to keep it.
    await province.call("PATCH", "/bridges/xa-1-a", {"kind": "sip", **address}, status=200)
    both = {"kind": "webrtc", **address}
    reply = await province.call("PATCH", "/bridges/xa-1-a", both, status=422)
    assert reply.fields == ["$.address"]
    changed = await province.call("PATCH", "/bridges/xa-1-a", {"kind": "webrtc"}, status=200)
    assert changed.json["address"] == ""


@pytest.mark.parametrize("none", [None, ""], ids=["null", "empty"])
async def test_none_is_null_or_empty(province: Api, none: str | None) -> None:
    new = {
        "id": "codec", "name": "Codec", "unit": "xa-1", "kind": "sip", "address": none,
        "contact": {"name": none, "phone": none},
    }  # fmt: skip
    await province.call("POST", "/bridges", new, status=201)
    some = {"address": "sip:codec@10.0.0.7", "contact": {"name": "Trực", "phone": "0900"}}
    await province.call("PATCH", "/bridges/codec", some, status=200)
    change = {"address": none, "contact": {"name": none, "phone": none}}
    changed = await province.call("PATCH", "/bridges/codec", change, status=200)
    assert (changed.json["address"], changed.json["contact"]) == ("", {"name": "", "phone": ""})


async def test_a_table_of_rooms_holds_addresses_as_people_write_them(province: Api) -> None:
    rooms = "- {id: c, name: Một, unit: xa-1, kind: sip, address: '[2001:db8::7]:5062'}\n"
    headers = {"Content-Type": "application/yaml"}
    await province.call("POST", "/bridges:import", data=rooms, headers=headers, status=201)
    kept = await province.call("GET", "/bridges/c", status=200)
    assert kept.json["address"] == "sip:[2001:db8::7]:5062"
