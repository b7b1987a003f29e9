"""A conference's agenda over HTTP: started from a scenario, gone through, edited, its clock."""

from typing import Any

import pytest

from tests.mcu.api.live import Api
from tests.mcu.api.resources.test_scenarios import SCENARIO


@pytest.fixture
async def session(api: Api) -> str:
    """The path of a conference that was started from a scenario."""
    await api.province()
    await api.call("POST", "/scenarios", SCENARIO, status=201)
    made = await api.call("POST", "/conferences", {"scenario": "giao-ban"}, status=201)
    return f"/conferences/{made.json['id']}"


async def test_a_conference_takes_bridges_chair_and_layout_from_its_scenario(
    api: Api, session: str
) -> None:
    state = (await api.call("GET", session, status=200)).json
    assert (state["name"], state["unit"], state["chair"], state["scenario"]) == (
        "Giao ban tháng 11", "tinh", "tinh-a", "giao-ban",
    )  # fmt: skip
    assert state["views"]["main"]["layout"] == "2x2"
    people = (await api.call("GET", f"{session}/participants", status=200)).json["items"]
    assert {each["id"] for each in people} == {"tinh-a", "xa-1-a"}
    agenda = (await api.call("GET", f"{session}/agenda", status=200)).json
    assert (agenda["state"], agenda["current"], agenda["scenario"]) == (
        "waiting", None, "giao-ban",
    )  # fmt: skip
    assert agenda["duties"][0]["phone"] == "+84 258 3822 111"


async def test_what_is_given_stands_before_the_scenario(api: Api) -> None:
    await api.province()
    await api.call("POST", "/scenarios", SCENARIO, status=201)
    body = {"scenario": "giao-ban", "name": "Khác", "chair": None, "bridges": ["xa-2-a"]}
    made = await api.call("POST", "/conferences", body, status=201)
    assert (made.json["name"], made.json["chair"]) == ("Khác", None)
    assert made.json["counts"]["expected"] == 1
    missing = await api.call("POST", "/conferences", {"bridges": []}, status=422)
    assert missing.fields == ["$.name", "$.unit"]
    await api.call("POST", "/conferences", {"scenario": "nowhere"}, status=404)


async def test_a_scenario_is_checked_again_before_it_is_used(api: Api) -> None:
    await api.province()
    await api.call("POST", "/scenarios", SCENARIO, status=201)
    await api.call("DELETE", "/bridges/xa-1-a", status=204)
    reply = await api.call("POST", "/conferences", {"scenario": "giao-ban"}, status=422)
    assert reply.fields == ["$.scenario.expected[1]"]


async def test_next_back_jump_and_the_clock(api: Api, session: str) -> None:
    first = await api.call("POST", f"{session}/agenda/next", status=200)
    assert (first.json["current"], first.json["behind_s"]) == ("i1", 0.0)
    api.clock.advance(120)
    second = await api.call("POST", f"{session}/agenda/next", status=200)
    assert (second.json["current"], second.json["behind_s"]) == ("bao-cao", -180.0)
    api.clock.advance(700)
    late = (await api.call("GET", f"{session}/agenda", status=200)).json
    assert late["behind_s"] == -80.0
    opening, report = late["items"]
    assert opening["planned_start"] == "2026-11-21T08:00:00.000000Z"
    assert report["planned_end"] == "2026-11-21T08:15:00.000000Z"
    assert opening["held"] == [
        {"started_at": "2026-11-21T08:00:00.000000Z", "ended_at": "2026-11-21T08:02:00.000000Z",
         "overran": False}
    ]  # fmt: skip
    state = (await api.call("GET", session, status=200)).json
    assert (state["broadcast"], state["message"]["text"]) == ("xa-1-a", "Xã 1 báo cáo")
    back = await api.call("POST", f"{session}/agenda/back", status=200)
    assert back.json["current"] == "i1"
    jump = await api.call("POST", f"{session}/agenda/jump", {"item": "bao-cao"}, status=200)
    assert jump.json["current"] == "bao-cao"
    assert len(jump.json["items"][1]["held"]) == 2
    over = await api.call("POST", f"{session}/agenda/next", status=200)
    assert (over.json["state"], over.json["current"]) == ("finished", None)
    assert (await api.call("POST", f"{session}/agenda/next", status=409)).kind == "conflict"
    unknown = await api.call("POST", f"{session}/agenda/jump", {"item": "x"}, status=422)
    assert unknown.fields == ["$.item"]


async def test_of_two_operators_one_goes_on_and_the_other_is_told(api: Api, session: str) -> None:
    tag = (await api.call("GET", f"{session}/agenda", status=200)).headers["ETag"]
    match = {"If-Match": tag}
    await api.call("POST", f"{session}/agenda/next", headers=match, status=200)
    late = await api.call("POST", f"{session}/agenda/next", headers=match, status=412)
    assert late.kind == "precondition-failed"
    now = (await api.call("GET", f"{session}/agenda", status=200)).json
    assert now["current"] == "i1"


async def test_it_is_edited_while_it_runs(api: Api, session: str) -> None:
    moved = await api.call("POST", f"{session}/agenda/next", status=200)
    tag = moved.headers["ETag"]
    items: list[dict[str, Any]] = [
        {"id": "i1", "title": "Khai mạc", "duration_s": 900},
        {"title": "Chen thêm", "duration_s": 60, "speaker": "tinh-a"},
    ]
    put = await api.call(
        "PUT", f"{session}/agenda", {"items": items}, headers={"If-Match": tag}, status=200
    )
    assert [each["id"] for each in put.json["items"]] == ["i1", "i2"]
    assert put.json["current"] == "i1"
    await api.call(
        "PUT", f"{session}/agenda", {"items": items}, headers={"If-Match": tag}, status=412
    )
    # An id that is made for a new item is never one that was held.
    gone = await api.call("PUT", f"{session}/agenda", {"items": items[1:]}, status=422)
    assert gone.fields == ["$.items"]
    items[1]["speaker"] = "xa-2-a"
    wrong = await api.call("PUT", f"{session}/agenda", {"items": items}, status=422)
    assert wrong.fields == ["$.items[1].speaker"]
    scenario = (await api.call("GET", "/scenarios/giao-ban", status=200)).json
    assert [each["title"] for each in scenario["items"]] == ["Khai mạc", "Báo cáo"]


async def test_any_conference_may_be_given_an_agenda(api: Api) -> None:
    await api.province()
    made = await api.call(
        "POST", "/conferences", {"name": "Họp", "unit": "tinh", "bridges": ["xa-1-a"]}, status=201
    )
    path = f"/conferences/{made.json['id']}/agenda"
    await api.call("GET", path, status=404)
    assert (await api.call("POST", f"{path}/next", status=409)).kind == "conflict"
    items = [{"title": "Mở", "duration_s": 60}]
    given = await api.call("PUT", path, {"items": items}, status=200)
    assert (given.json["state"], given.json["scenario"]) == ("waiting", None)


async def test_tables_show_planned_and_actual(api: Api, session: str) -> None:
    await api.call("POST", f"{session}/agenda/next", status=200)
    api.clock.advance(400)
    table = await api.call("GET", f"{session}/agenda.csv", status=200)
    first, second = table.body.decode().removeprefix("\ufeff").splitlines()[1:]
    assert first.startswith("1,i1,Khai mạc,2026-11-21T08:00:00.000000Z,")
    assert first.endswith(",2026-11-21T08:00:00.000000Z,,400,no")
    assert second.endswith(",,,,")
    duties = await api.call("GET", f"{session}/agenda/duties.csv", status=200)
    assert "Nguyễn Văn A" in duties.body.decode()


async def test_rooms_read_the_agenda_without_phones_and_steer_nothing(
    api: Api, session: str
) -> None:
    room = await api.token("bridge", bridge="xa-1-a")
    agenda = (await api.call("GET", f"{session}/agenda", token=room, status=200)).json
    assert (agenda["duties"], agenda["contingencies"]) == ([], [])
    assert {each["note"] for each in agenda["items"]} == {None}
    for path in ("agenda.csv", "agenda/duties.csv"):
        await api.call("GET", f"{session}/{path}", token=room, status=403)
    below = await api.token("operator", unit="xa-1")
    await api.call("POST", f"{session}/agenda/next", token=below, status=403)
    observer = await api.token("observer", unit="tinh")
    await api.call("POST", f"{session}/agenda/next", token=observer, status=403)


async def test_the_record_is_read_after_the_end(api: Api, session: str) -> None:
    await api.call("POST", f"{session}/agenda/next", status=200)
    await api.call("DELETE", session, status=204)
    agenda = (await api.call("GET", f"{session}/agenda", status=200)).json
    assert len(agenda["items"][0]["held"]) == 1
    await api.call("POST", f"{session}/agenda/next", status=409)


async def test_what_is_not_given_stays_as_it_is(api: Api, session: str) -> None:
    agenda = f"{session}/agenda"
    before = (await api.call("GET", agenda, status=200)).json
    items = [{"title": "Khai mạc", "duration_s": 900}]
    begins = "2026-11-21T08:05:00.000000Z"
    body = {"items": items, "begins_at": begins}
    assert (await api.call("PUT", agenda, body, status=200)).json["begins_at"] == begins
    after = (await api.call("PUT", agenda, {"items": []}, status=200)).json
    assert (after["begins_at"], after["items"]) == (begins, [])
    for kept in ("duties", "contingencies"):
        assert after[kept] == before[kept]
        assert before[kept], "else it says nothing"
    body = {"items": items, "begins_at": None, "duties": [], "contingencies": []}
    after = (await api.call("PUT", agenda, body, status=200)).json
    assert (after["begins_at"], after["duties"], after["contingencies"]) == (None, [], [])
