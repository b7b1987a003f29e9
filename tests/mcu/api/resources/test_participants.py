"""Participants: what is shown of them to whom, and who may change what."""

from contextlib import AsyncExitStack
from urllib.parse import quote

import pytest

from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import ADMIN, Api
from tests.mcu.api.resources.test_events import stream


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    await api.province()
    return api, f"/conferences/{await api.conference('tinh-a', 'xa-1-a', 'xa-1-b')}"


async def test_the_roster(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    listed = await api.call("GET", f"{path}/participants", status=200)
    assert [item["id"] for item in listed.json["items"]] == ["tinh-a", "xa-1-a", "xa-1-b"]
    first = await api.call("GET", f"{path}/participants?limit=2", status=200)
    cursor = first.json["next_cursor"]
    rest = await api.call("GET", f"{path}/participants?limit=2&cursor={cursor}", status=200)
    assert [item["id"] for item in rest.json["items"]] == ["xa-1-b"]
    none = await api.call("GET", f"{path}/participants?state=connected", status=200)
    assert none.json["items"] == []
    one = (await api.call("GET", f"{path}/participants/xa-1-a", status=200)).json
    assert (one["state"], one["level_db"], one["speaking"]) == ("expected", -31.5, True)
    assert one["quality"]["grade"] == "good"
    await api.call("GET", f"{path}/participants/nobody", status=404)
    table = await api.call("GET", f"{path}/participants.csv?limit=1", status=200)
    assert [(row["id"], row["state"], row["grade"]) for row in table.rows] == [
        ("tinh-a", "expected", "good"), ("xa-1-a", "expected", "good"),
        ("xa-1-b", "expected", "good"),
    ]  # fmt: skip
    room = await api.token("bridge", bridge="xa-1-a")
    seen = (await api.call("GET", f"{path}/participants.csv", token=room, status=200)).rows
    assert [(row["unit"], row["grade"]) for row in seen] == [
        ("", ""), ("xa-1", "good"), ("", ""),
    ]  # fmt: skip


async def test_bridges_and_guests_are_added(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    body = {"bridge": "xa-2-a", "importance": 9}
    added = await api.call("POST", f"{path}/participants", body, status=201)
    assert (added.json["id"], added.json["importance"]) == ("xa-2-a", 9)
    guest = await api.call(
        "POST", f"{path}/participants", {"name": "Khách", "role": "chair"}, status=201
    )
    assert guest.json["id"].startswith("guest-")
    assert guest.json["role"] == "chair"
    assert guest.headers["Location"].endswith(f"/participants/{guest.json['id']}")
    for body, status in (
        ({}, 422),
        ({"bridge": "a", "name": "b"}, 422),
        ({"bridge": "nowhere"}, 404),
    ):
        await api.call("POST", f"{path}/participants", body, status=status)


async def test_an_address_is_called_and_the_same_one_called_again(make_api: MakeApi) -> None:
    again: list[tuple[str, str]] = []

    def checked(address: str) -> str:
        if "mcu" in address:
            raise ValueError("is of this server")
        return f"sip:{address}"

    api = await make_api(outside_address=checked, call_again=lambda *who: again.append(who))
    await api.province()
    conference = await api.conference("tinh-a")
    path = f"/conferences/{conference}/participants"
    body = {"address": "phong-1@example.org"}
    added = (await api.call("POST", path, body, status=201)).json
    assert (added["address"], added["name"]) == ("sip:phong-1@example.org", "phong-1")
    assert (added["bridge"], added["state"]) == (None, "expected")
    same = (await api.call("POST", path, body, status=201)).json
    assert same["id"] == added["id"]
    assert again == [(conference, added["id"])]
    named = {"address": "example.org", "name": "Bộ Y tế", "importance": 4}
    assert (await api.call("POST", path, named, status=201)).json["name"] == "Bộ Y tế"
    refused = await api.call("POST", path, {"address": "1@mcu"}, status=422)
    assert refused.json["errors"][0]["field"] == "$.address"
    assert "of this server" in refused.body.decode()
    both = {"bridge": "xa-1-a", "address": "a@b"}
    await api.call("POST", path, both, status=422)
    room = await api.token("bridge", bridge="tinh-a")
    await api.call("POST", path, body, token=room, status=403)
    listed = (await api.call("GET", path, token=room, status=200)).json["items"]
    assert {one["address"] for one in listed} == {None}
    page = await api.store.audit.list(limit=1)
    assert page.items[0].action == "add_participant"


async def test_without_sip_no_address_is_called(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    body = {"address": "phong-1@example.org"}
    reply = await api.call("POST", f"{path}/participants", body, status=422)
    assert "SIP is off" in reply.body.decode()


async def test_a_locked_conference_takes_nobody(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("PUT", f"{path}/lock", status=200)
    reply = await api.call("POST", f"{path}/participants", {"bridge": "xa-2-a"}, status=409)
    assert "unlock" in reply.json["detail"]


async def test_an_operator_changes_everything(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    change = {
        "audio_muted": True, "video_muted": True, "deafened": True, "importance": 50,
        "label": "Huyện", "volume_db": -3.5, "role": "chair",
    }  # fmt: skip
    reply = await api.call("PATCH", f"{path}/participants/xa-1-a", change, status=200)
    assert {name: reply.json[name] for name in change} == change
    assert reply.json["view"] == "chair"
    stale = {"If-Match": '"1"'}
    await api.call(
        "PATCH", f"{path}/participants/xa-1-a", {"label": "x"}, headers=stale, status=412
    )
    null = await api.call("PATCH", f"{path}/participants/xa-1-a", {"label": None}, status=422)
    assert null.fields == ["$.label"]
    await api.call("DELETE", f"{path}/participants/xa-1-a", headers=stale, status=412)
    await api.call("DELETE", f"{path}/participants/xa-1-a", status=204)
    await api.call("GET", f"{path}/participants/xa-1-a", status=404)


async def test_removed_with_a_reason_that_is_told_and_audited(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    own = await api.token("bridge", bridge="xa-1-a")
    beside = await api.token("bridge", bridge="xa-1-b")
    for reason in ("x" * 121, "d\u00f2ng\x07", "a\r\nX-Header: b", "a\tb"):
        query = quote(reason)
        refused = await api.call("DELETE", f"{path}/participants/xa-1-a?reason={query}", status=422)
        assert refused.fields == ["query.reason"]
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(stream(api, token=token))
            for token in (ADMIN, own, beside)
        ]
        query = quote("Nhầm phòng")
        await api.call("DELETE", f"{path}/participants/xa-1-a?reason={query}", status=204)
        told = []
        for reader in readers:
            events = await reader.until("participant.removed")
            told.append(events[-1]["data"]["reason"])
    assert told == ["Nhầm phòng", "Nhầm phòng", ""]
    (row,) = (await api.store.audit.list(limit=1)).items
    assert (row.action, row.outcome) == ("remove_participant", "done 204")
    assert row.target.endswith("/participants/xa-1-a?reason=Nhầm phòng")


async def test_a_room_mutes_itself_and_nothing_else(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    mute = {"audio_muted": True, "video_muted": True}
    own = f"{path}/participants/xa-1-a"
    reply = await api.call("PATCH", own, mute, token=room, status=200)
    assert reply.json["audio_muted"]
    for change in ({"deafened": True}, {"role": "chair"}, {**mute, "volume_db": 3}):
        assert (
            "operator"
            in (await api.call("PATCH", own, change, token=room, status=403)).json["detail"]
        )
    await api.call("PATCH", f"{path}/participants/xa-1-b", mute, token=room, status=403)
    await api.call("DELETE", own, token=room, status=403)


async def test_a_room_sees_of_others_what_a_room_needs(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    await api.join(path.rpartition("/")[2], room)
    listed = await api.call("GET", f"{path}/participants", token=room, status=200)
    other, own, _ = listed.json["items"]
    assert own["legs"]
    assert own["quality"]["grade"] == "good"
    assert (other["name"], other["state"]) == ("Điểm cầu tinh-a", "expected")
    hidden = {name for name, value in other.items() if value in (None, [])}
    assert {"bridge", "unit", "importance", "quality", "level_db", "legs"} <= hidden


async def test_a_technician_mutes_the_rooms_of_its_unit_also_above(
    meeting: tuple[Api, str],
) -> None:
    api, path = meeting
    technician = await api.token("technician", unit="xa-1")
    mute = {"audio_muted": True}
    own = f"{path}/participants/xa-1-a"
    assert (await api.call("PATCH", own, mute, token=technician, status=200)).json["quality"]
    await api.call("PATCH", own, {"deafened": True}, token=technician, status=403)
    await api.call("PATCH", f"{path}/participants/tinh-a", mute, token=technician, status=403)
    await api.call("GET", f"{own}/picture.jpg", token=technician, status=200)
    await api.call("GET", f"{path}/participants/tinh-a/picture.jpg", token=technician, status=403)
    stranger = await api.token("technician", unit="khac")
    await api.call("GET", path, token=stranger, status=403)


async def test_moved_to_another_conference(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    other = await api.conference("khac-a", unit="khac")
    body = {"conference": other}
    operator = await api.token("operator", unit="xa-1")
    whole = await api.token("operator", unit="tinh")
    place = f"{path}/participants/xa-1-a/transfer"
    await api.call("POST", place, body, token=operator, status=403)
    await api.call("POST", place, body, token=whole, status=403)  # not of the other one
    await api.call("POST", place, {"conference": "nowhere"}, status=404)
    moved = await api.call("POST", place, body, status=201)
    assert moved.headers["Location"].endswith(f"/conferences/{other}/participants/xa-1-a")
    listed = await api.call("GET", f"/conferences/{other}/participants", status=200)
    assert [one["id"] for one in listed.json["items"]] == ["khac-a", "xa-1-a"]
    await api.call("GET", f"{path}/participants/xa-1-a", status=404)
    await api.call("POST", f"/conferences/{other}/participants/xa-1-a/transfer", body, status=422)
    await api.call("PUT", f"{path}/lock", status=200)
    there, back = f"/conferences/{other}/participants/xa-1-a/transfer", path.rpartition("/")[2]
    await api.call("POST", there, {"conference": back}, status=422)
    page = await api.store.audit.list(limit=10)
    assert "transfer_participant" in [one.action for one in page.items]
