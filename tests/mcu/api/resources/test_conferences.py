"""Conferences: started, read, changed, ended; who may, and who sees which."""

import asyncio

import pytest

from mcu.conference.commands import StartConference
from mcu.conference.for_checks import for_check
from mcu.conference.service import Actor
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import Api


@pytest.fixture
async def province(api: Api) -> Api:
    await api.province()
    return api


async def test_from_start_to_end(province: Api) -> None:
    body = {"name": "Giao ban", "unit": "tinh", "bridges": "subtree", "chair": "tinh-a",
            "layout": "1+5"}  # fmt: skip
    made = await province.call("POST", "/conferences", body, status=201)
    conference = made.json["id"]
    assert made.headers["Location"] == f"/api/v1/conferences/{conference}"
    assert made.json["chair"] == "tinh-a"
    assert made.json["counts"]["expected"] == 6
    assert made.json["views"]["main"] == {
        "layout": "1+5",
        "slots": None,
        "fit": "letterbox",
    }
    path = f"/conferences/{conference}"
    tag = {"If-Match": made.headers["ETag"]}
    changed = await province.call("PATCH", path, {"name": "Họp"}, headers=tag, status=200)
    assert changed.json["name"] == "Họp"
    await province.call("PATCH", path, {"name": "Sớm"}, headers=tag, status=412)
    without = await province.call("PATCH", path, {"chair": None}, status=200)
    assert without.json["chair"] is None
    await province.call("DELETE", path, status=204)
    await province.call("DELETE", path, status=204)
    ended = await province.call("GET", path, status=200)
    assert ended.json["state"] == "ended"
    assert ended.json["ended_at"] is not None
    assert (await province.call("PATCH", path, {"name": "x"}, status=409)).kind == "conflict"
    lists = {
        state: [item["id"] for item in reply.json["items"]]
        for state in ("running", "ended")
        for reply in [await province.call("GET", f"/conferences?state={state}", status=200)]
    }
    assert lists == {"running": [], "ended": [conference]}


async def test_the_end_is_answered_when_all_have_been_told(province: Api) -> None:
    conference = await province.conference("tinh-a")
    province.legs.told.clear()
    ending = asyncio.create_task(province.call("DELETE", f"/conferences/{conference}", status=204))
    state = "running"
    while state == "running":
        state = (await province.call("GET", f"/conferences/{conference}", status=200)).json["state"]
    assert not ending.done()
    province.legs.told.set()
    await ending


async def test_a_damaged_one_hides_no_other(province: Api) -> None:
    ids = [await province.conference(bridge) for bridge in ("tinh-a", "tinh-b", "xa-1-a")]
    for conference in ids:
        await province.call("DELETE", f"/conferences/{conference}", status=204)
    async with province.store._database.write() as connection:
        await connection.execute("UPDATE conferences SET snapshot = '{' WHERE id = ?", (ids[1],))
    listed = await province.call("GET", "/conferences?state=ended", status=200)
    assert {item["id"]: item["damaged"] for item in listed.json["items"]} == {
        conference: conference == ids[1] for conference in ids
    }
    shown = await province.call("GET", f"/conferences/{ids[1]}", status=200)
    assert (shown.json["state"], shown.json["damaged"]) == ("ended", True)
    await province.call("DELETE", f"/conferences/{ids[1]}", status=204)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unit": "nowhere"}, "$.unit"),
        ({"bridges": ["nowhere"]}, "$.bridges[0]"),
        ({"bridges": ["tinh-a", "tinh-a"]}, "$.bridges"),
        ({"chair": "tinh-b"}, "$.chair"),
        ({"layout": "9x9"}, "$.layout"),
        ({"bridges": "all"}, "$.bridges"),
    ],
)
async def test_what_cannot_be_started(province: Api, change: dict[str, object], field: str) -> None:
    body = {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a"]} | change
    reply = await province.call("POST", "/conferences", body, status=422)
    assert set(reply.fields) == {field}


async def test_an_operator_starts_and_steers_in_its_subtree_only(province: Api) -> None:
    district = await province.token("operator", unit="xa-1")
    own = await province.conference("xa-1-a", unit="xa-1", token=district)
    above = await province.conference("tinh-a", "xa-1-b")
    for unit, bridges in (("tinh", ["xa-1-a"]), ("xa-2", []), ("xa-1", ["xa-2-a"])):
        body = {"name": "x", "unit": unit, "bridges": bridges}
        reply = await province.call("POST", "/conferences", body, token=district, status=403)
        assert reply.kind == "forbidden"
    listed = await province.call("GET", "/conferences", token=district, status=200)
    assert [item["id"] for item in listed.json["items"]] == [own]
    for method, path, json in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/participants", None),
        ("POST", "/participants", {"bridge": "xa-1-a"}),
        ("PATCH", "/participants/tinh-a", {"audio_muted": True}),
        ("DELETE", "/participants/tinh-a", None),
        ("POST", "/mute", {"scope": "all"}),
        ("GET", "/layout", None),
        ("PUT", "/layout", {"layout": "2x2"}),
        ("PUT", "/broadcast", {"participant": "tinh-a"}),
        ("DELETE", "/broadcast", None),
        ("PUT", "/message", {"text": "x"}),
        ("PUT", "/lock", None),
        ("GET", "/views/main.jpg", None),
        ("GET", "/participants/tinh-a/picture.jpg", None),
    ):
        await province.call(method, f"/conferences/{above}{path}", json, token=district, status=403)
    observer = await province.token("observer", unit="tinh")
    await province.call("GET", f"/conferences/{above}", token=observer, status=200)
    await province.call("PUT", f"/conferences/{above}/lock", token=observer, status=403)


async def test_a_unit_that_is_not_there_is_answered_as_one_out_of_reach(province: Api) -> None:
    district = await province.token("operator", unit="xa-1")
    said = set()
    for unit in ("khac", "khong-co"):
        body = {"name": "Họp", "unit": unit, "bridges": "subtree"}
        reply = await province.call("POST", "/conferences", body, token=district, status=403)
        said.add(reply.json["detail"].replace(unit, "UNIT"))
    assert len(said) == 1
    assert "Check the unit's id" in said.pop()
    reply = await province.call("POST", "/conferences", body, status=422)
    assert reply.fields == ["$.unit"], "who has the whole tree is told"


async def test_a_room_sees_the_conferences_it_is_called_to(province: Api) -> None:
    room = await province.token("bridge", bridge="xa-1-a")
    mine = await province.conference("xa-1-a", "xa-2-a")
    other = await province.conference("xa-2-b")
    listed = await province.call("GET", "/conferences", token=room, status=200)
    assert [item["id"] for item in listed.json["items"]] == [mine]
    await province.call("GET", f"/conferences/{other}", token=room, status=403)
    await province.call("DELETE", f"/conferences/{mine}", token=room, status=403)
    ended = await province.call("GET", "/conferences?state=ended", token=room, status=200)
    assert ended.json["items"] == []


async def test_a_token_for_one_conference_sees_no_other(province: Api) -> None:
    one = await province.conference("tinh-a")
    other = await province.conference("tinh-b")
    _, token = await province.store.tokens.create(
        "observer", name="khách", unit="tinh", conference=one
    )
    listed = await province.call("GET", "/conferences", token=token, status=200)
    assert [item["id"] for item in listed.json["items"]] == [one]
    await province.call("GET", f"/conferences/{other}", token=token, status=403)
    await province.call("GET", "/units/tinh", token=token, status=403)


async def test_lists_are_paged(province: Api) -> None:
    made = {await province.conference(bridge) for bridge in ("tinh-a", "tinh-b", "xa-1-a")}
    first = await province.call("GET", "/conferences?limit=2", status=200)
    cursor = first.json["next_cursor"]
    rest = await province.call("GET", f"/conferences?limit=2&cursor={cursor}", status=200)
    items = first.json["items"] + rest.json["items"]
    assert {item["id"] for item in items} == made
    assert len(items) == 3
    within = await province.call("GET", "/conferences?unit=xa-1", status=200)
    assert within.json["items"] == []
    ended = items[0]["id"]
    await province.call("DELETE", f"/conferences/{ended}", status=204)
    running = await province.call("GET", "/conferences.csv?limit=1", status=200)
    assert {(row["id"], row["state"], row["ended_at"]) for row in running.rows} == {
        (each, "running", "") for each in made - {ended}
    }
    over = await province.call("GET", "/conferences.csv?state=ended", status=200)
    assert [(row["id"], row["state"], row["name"]) for row in over.rows] == [
        (ended, "ended", "Họp"),
    ]  # fmt: skip
    assert over.rows[0]["started_at"] == items[0]["started_at"]
    room = await province.token("bridge", bridge="tinh-a")
    none = await province.call("GET", "/conferences.csv?state=ended", token=room, status=200)
    assert none.rows == []


async def test_checks_are_no_meetings_and_drills_are_marked(province: Api) -> None:
    by = Actor("", "admin")
    checks = [for_check(f"check-{number}", number) for number in (1, 2)]
    for id_ in checks:
        await province.conferences.start(StartConference("Kiểm tra", "tinh", id=id_), by)
    await province.conferences.add_bridge(checks[0], "xa-1-a", by)
    body = {"name": "Diễn tập", "unit": "tinh", "drill": True}
    drill = (await province.call("POST", "/conferences", body, status=201)).json["id"]
    meeting = await province.conference("tinh-a")
    room = await province.token("bridge", bridge="xa-1-a")
    invited = await province.call("GET", "/conferences", token=room, status=200)
    assert [each["id"] for each in invited.json["items"]] == checks[:1], "it is to come there"
    for state in ("running", "ended"):
        if state == "ended":
            for each in (*checks, drill, meeting):
                await province.call("DELETE", f"/conferences/{each}", status=204)
        for query, wanted in (("", {drill, meeting}), ("&kind=check", {*checks}),
                              ("&kind=all", {*checks, drill, meeting})):  # fmt: skip
            path = f"state={state}{query}"
            listed = await province.call("GET", f"/conferences?{path}", status=200)
            table = await province.call("GET", f"/conferences.csv?{path}", status=200)
            assert {each["id"]: str(each["drill"]) for each in listed.json["items"]} == {
                each["id"]: each["drill"] for each in table.rows
            }
            drills = {each["id"]: each["drill"] for each in listed.json["items"]}
            assert drills == {each: each == drill for each in wanted}
    first = await province.call("GET", "/conferences?state=ended&limit=1", status=200)
    rest = await province.call(
        "GET", f"/conferences?state=ended&cursor={first.json['next_cursor']}", status=200
    )
    assert len([*first.json["items"], *rest.json["items"]]) == 2


async def test_a_drill_of_which_nothing_is_kept_but_the_list_is_one_still(province: Api) -> None:
    body = {"name": "Diễn tập", "unit": "tinh", "drill": True}
    drill = (await province.call("POST", "/conferences", body, status=201)).json["id"]
    await province.call("DELETE", f"/conferences/{drill}", status=204)
    async with province.store._database.write() as connection:
        await connection.execute("UPDATE conferences SET snapshot = NULL, snapshot_seq = NULL")
        await connection.execute("DELETE FROM events")
    shown = await province.call("GET", f"/conferences/{drill}", status=200)
    assert (shown.json["drill"], shown.json["damaged"]) == (True, False)


async def test_none_is_started_while_the_daemon_is_not_ready(make_api: MakeApi) -> None:
    api = await make_api(not_ready=lambda: "the media port is not open")
    await api.province()
    body = {"name": "Họp", "unit": "tinh"}
    reply = await api.call("POST", "/conferences", body, status=503)
    assert "media port" in reply.json["detail"]


async def test_starts_at_once_do_not_pass_the_limit(make_api: MakeApi) -> None:
    made: list[Api] = []
    full = "as many conferences run as limits.max_conferences allows"
    api = await make_api(
        not_ready=lambda: full if len(made[0].conferences.running()) >= 2 else None
    )
    made.append(api)
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": []}
    replies = await asyncio.gather(*(api.call("POST", "/conferences", body) for _ in range(5)))
    assert sorted(reply.status for reply in replies) == [201, 201, 503, 503, 503]
    refused = next(reply for reply in replies if reply.status == 503)
    assert refused.kind == "unavailable"
    assert "limits.max_conferences" in refused.json["detail"]
    assert refused.headers["Retry-After"] == "5"


async def test_a_roster_has_a_bound(province: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcu.conference.roster.MAX_PARTICIPANTS", 2)
    bridges = ["tinh-a", "tinh-b", "xa-1-a"]
    for wanted in (bridges, "subtree"):
        body = {"name": "Họp", "unit": "tinh", "bridges": wanted}
        reply = await province.call("POST", "/conferences", body, status=422)
        assert reply.fields == ["$.bridges"]
        assert "at most 2 participants" in reply.json["detail"]
    conference = await province.conference(*bridges[:2])
    path = f"/conferences/{conference}/participants"
    reply = await province.call("POST", path, {"bridge": "xa-1-a"}, status=409)
    assert "The roster is full (2)" in reply.json["detail"]


class TestPinAndNumber:
    async def test_from_the_start(self, province: Api) -> None:
        body = {"name": "Họp", "unit": "tinh", "pin": "4711", "number": "88"}
        reply = await province.call("POST", "/conferences", body, status=201)
        assert (reply.json["pin"], reply.json["has_pin"], reply.json["number"]) == (
            "4711", True, "88",
        )  # fmt: skip
        taken = await province.call("POST", "/conferences", body)
        assert (taken.status, taken.fields) == (422, ["$.number"])
        other = await province.call(
            "POST", "/conferences", {"name": "Họp", "unit": "tinh"}, status=201
        )
        assert (other.json["pin"], other.json["number"]) == (None, "1001")

    async def test_changed_and_taken_away(self, province: Api) -> None:
        path = f"/conferences/{await province.conference('xa-1-a')}"
        changed = await province.call("PATCH", path, {"pin": "123456", "number": "7"}, status=200)
        assert (changed.json["pin"], changed.json["number"]) == ("123456", "7")
        renamed = await province.call("PATCH", path, {"name": "Khác"}, status=200)
        assert renamed.json["pin"] == "123456"
        cleared = await province.call("PATCH", path, {"pin": None}, status=200)
        assert (cleared.json["pin"], cleared.json["has_pin"]) == (None, False)
        assert cleared.json["number"] == "7"

    @pytest.mark.parametrize(
        ("body", "field"),
        [({"pin": "123"}, "$.pin"), ({"pin": "12345x"}, "$.pin"), ({"number": "01"}, "$.number")],
    )
    async def test_unfit(self, province: Api, body: dict[str, str], field: str) -> None:
        path = f"/conferences/{await province.conference('xa-1-a')}"
        refused = await province.call("PATCH", path, body, status=422)
        assert refused.fields == [field]

    async def test_shown_to_those_who_may_control_it(self, province: Api) -> None:
        path = f"/conferences/{await province.conference('xa-1-a')}"
        await province.call("PATCH", path, {"pin": "123456"}, status=200)
        for role, place, shown in (
            ("operator", {"unit": "tinh"}, "123456"),
            ("observer", {"unit": "tinh"}, None),
            ("technician", {"unit": "xa-1"}, None),
            ("bridge", {"bridge": "xa-1-a"}, None),
        ):
            token = await province.token(role, **place)
            for reply in (
                await province.call("GET", path, token=token, status=200),
                await province.call("GET", "/conferences", token=token, status=200),
            ):
                assert ("123456" in reply.body.decode()) == (shown is not None), role
        await province.call("DELETE", path, status=204)
        ended = await province.call("GET", path, status=200)
        assert ended.json["pin"] is None
