"""Readiness checks over REST: rights, forms, bad input; media is tested elsewhere."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from mcu.readiness.model import Budget, NoteMeasured
from tests.mcu.api.live import Api
from tests.mcu.readiness.test_assessment import GOOD, RECORDED

STANDARD = {"width": 1280, "height": 720, "fps": 25}


async def begun(api: Api, *bridges: str, **body: Any) -> str:
    asked = body or {"bridges": list(bridges)}
    reply = await api.call("POST", "/readiness-checks", asked, status=201)
    assert reply.headers["Location"] == f"/api/v1/readiness-checks/{reply.json['id']}"
    return str(reply.json["id"])


async def look(api: Api, seconds: float = 1.0) -> None:
    """Let time pass and the check look at its rooms."""
    api.clock.advance(seconds)
    api.services.readiness.handle_timer(api.clock.now())
    await api.services.readiness.settled()


async def measured(api: Api, check: str, bridge: str) -> None:
    """The room joins the check's conference, and is measured as a healthy one."""
    await look(api)
    room = await api.token("bridge", bridge=bridge)
    await api.join(str(api.conferences.conference_of(bridge)), room)
    await look(api)
    await api.services.readiness.order(check, NoteMeasured(bridge, GOOD, RECORDED))


async def test_from_beginning_to_the_table(api: Api) -> None:
    await api.province()
    check = await begun(api, "xa-1-a", "xa-1-b")
    await measured(api, check, "xa-1-a")
    found = (await api.call("GET", f"/readiness-checks/{check}", status=200)).json
    assert found["running"]
    assert (found["counts"]["confirming"], found["counts"]["reaching"]) == (1, 1)
    room = await api.token("bridge", bridge="xa-1-a")
    history = (await api.call("GET", "/bridges/xa-1-a/readiness", token=room, status=200)).json
    assert history["current"] == {
        "check": check, "phase": "confirming", "confirmation": None, "loopback": False,
    }  # fmt: skip
    await api.call(
        "POST", f"/readiness-checks/{check}/rooms/xa-1-a/confirmation", {"heard": True},
        token=room, status=204,
    )  # fmt: skip
    await look(api, 61)
    found = (await api.call("GET", f"/readiness-checks/{check}", status=200)).json
    assert (found["running"], found["reason"], found["total_s"]) == (False, "complete", 63.0)
    assert [(each["bridge"], each["verdict"]) for each in found["rooms"]] == [
        ("xa-1-b", "no-go"),
        ("xa-1-a", "go"),
    ]
    assert found["rooms"][0]["reason"] == "could not be reached (no answer)"
    assert found["rooms"][0]["contact"] == {"name": "Trực", "phone": "0900 000 000"}
    # The conference in which rooms were met is gone.
    assert not api.conferences.running()

    reply = await api.call("GET", f"/readiness-checks/{check}.csv", status=200)
    rows = list(csv.DictReader(io.StringIO(reply.body.decode("utf-8-sig"))))
    assert rows[0]["reason"] == "could not be reached (no answer)"
    assert (rows[1]["verdict"], rows[1]["size"], rows[1]["capacity_down_kbps"]) == (
        "go", "1280x720", "3000",
    )  # fmt: skip
    listed = (await api.call("GET", "/readiness-checks", status=200)).json["items"]
    assert [(each["id"], each["counts"]["go"]) for each in listed] == [(check, 1)]
    again = await begun(api, "xa-2-a")
    await api.call("DELETE", f"/readiness-checks/{again}", status=204)
    await look(api, 0)
    table = await api.call("GET", "/readiness-checks.csv?limit=1", status=200)
    assert {row["id"] for row in table.rows} == {check, again}
    none = await api.call("GET", "/readiness-checks.csv", token=room, status=200)
    assert none.rows == []
    reply = await api.call("GET", "/readiness-checks", headers={"Accept": "text/csv"}, status=200)
    assert reply.body.decode("utf-8-sig").splitlines()[1].startswith(again)
    history = (await api.call("GET", "/bridges/xa-1-a/readiness", status=200)).json
    assert history["current"] is None
    assert [each["verdict"] for each in history["items"]] == ["go"]
    reply = await api.call("GET", "/bridges/xa-1-a/readiness.csv", status=200)
    assert f"{check},xa-1-a" in reply.body.decode()


async def test_one_room_once_more_and_its_configuration_accepted(api: Api) -> None:
    await api.province()
    check = await begun(api, "xa-1-a")
    path = f"/readiness-checks/{check}/rooms/xa-1-a"
    await api.call("POST", f"{path}/recheck", status=409)
    await api.call("POST", f"{path}/acceptance", status=409)
    await measured(api, check, "xa-1-a")
    await api.call("POST", f"{path}/confirmation", {"heard": True}, status=204)
    await api.services.readiness.settled()
    reply = await api.call("POST", f"{path}/acceptance", status=200)
    assert reply.json["rooms"][0]["verdict"] == "go"
    await api.services.readiness.settled()
    history = (await api.call("GET", "/bridges/xa-1-a/readiness", status=200)).json
    assert history["recorded"]["configuration"]["user_agent"] == "Polycom/6"
    reply = await api.call("POST", f"{path}/recheck", status=200)
    assert (reply.json["running"], reply.json["rooms"][0]["phase"]) == (True, "waiting")
    await api.call("DELETE", f"/readiness-checks/{check}", status=204)
    reply = await api.call("GET", f"/readiness-checks/{check}", status=200)
    assert (reply.json["reason"], reply.json["rooms"][0]["reason"]) == (
        "cancelled",
        "the check was cancelled",
    )


async def test_a_bridge_in_another_conference_is_a_conflict_that_is_shown(api: Api) -> None:
    await api.province()
    other = await api.conference("xa-1-a")
    check = await begun(api, "xa-1-a")
    await look(api)
    found = (await api.call("GET", f"/readiness-checks/{check}", status=200)).json
    [finding] = found["rooms"][0]["findings"]
    assert (finding["code"], finding["values"]) == ("busy", {"name": "Họp", "conference": other})
    assert api.conferences.conference_of("xa-1-a") == other


async def test_the_rooms_of_a_conference_and_of_a_scenario(api: Api) -> None:
    await api.province()
    conference = await api.conference("xa-1-a", "xa-1-b")
    reply = await api.call("POST", "/readiness-checks", {"conference": conference}, status=201)
    assert (reply.json["name"], reply.json["conference"]) == ("Họp", conference)
    assert len(reply.json["rooms"]) == 2
    scenario = {
        "id": "giao-ban", "name": "Giao ban", "unit": "tinh", "expected": ["xa-2-a"],
        "items": [{"title": "Khai mạc", "duration_s": 300}],
    }  # fmt: skip
    await api.call("POST", "/scenarios", scenario, status=201)
    reply = await api.call("POST", "/readiness-checks", {"scenario": "giao-ban"}, status=201)
    assert (reply.json["scenario"], reply.json["unit"]) == ("giao-ban", "tinh")
    assert [room["bridge"] for room in reply.json["rooms"]] == ["xa-2-a"]


async def test_a_room_is_in_one_check_at_a_time(api: Api) -> None:
    await api.province()
    await begun(api, "xa-1-a")
    reply = await api.call("POST", "/readiness-checks", {"bridges": ["xa-1-a"]}, status=422)
    assert reply.fields == ["$.bridges"]
    assert "is being checked" in reply.json["detail"]


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 422, ["$"]),
        ({"bridges": ["xa-1-a"], "conference": "c-1"}, 422, ["$"]),
        ({"bridges": []}, 422, ["$.bridges"]),
        ({"bridges": ["xa-1-a", "nowhere"]}, 422, ["$.bridges[1]"]),
        ({"conference": "c-nowhere"}, 404, []),
        ({"scenario": "s-nowhere"}, 404, []),
        ({"bridges": ["xa-1-a"], "at_once": 99}, 422, ["$.at_once"]),
    ],
)
async def test_what_cannot_be_checked(
    api: Api, body: dict[str, Any], status: int, fields: list[str]
) -> None:
    await api.province()
    reply = await api.call("POST", "/readiness-checks", body, status=status)
    assert reply.fields == fields


async def test_who_may_check_whom(api: Api) -> None:
    await api.province()
    own = await api.token("operator", unit="xa-1")
    reply = await api.call("POST", "/readiness-checks", {"bridges": ["xa-1-a"]}, token=own)
    assert (reply.status, reply.json["unit"]) == (201, "xa-1")
    check = reply.json["id"]
    await api.call(
        "POST", "/readiness-checks", {"bridges": ["xa-1-b", "xa-2-a"]}, token=own, status=403
    )
    other = await api.token("operator", unit="xa-2")
    await api.call("GET", f"/readiness-checks/{check}", token=other, status=403)
    await api.call("DELETE", f"/readiness-checks/{check}", token=other, status=403)
    assert (await api.call("GET", "/readiness-checks", token=other, status=200)).json["items"] == []
    observer = await api.token("observer", unit="tinh")
    await api.call("GET", f"/readiness-checks/{check}", token=observer, status=200)
    await api.call("POST", "/readiness-checks", {"bridges": ["xa-1-b"]}, token=observer, status=403)
    stranger = await api.token("bridge", bridge="xa-1-b")
    path = f"/readiness-checks/{check}/rooms/xa-1-a/confirmation"
    await api.call("POST", path, {"heard": True}, token=stranger, status=403)
    await api.call("POST", path, {}, status=422)
    await api.call("GET", "/bridges/xa-1-a/readiness", token=stranger, status=403)
    await api.call("GET", f"/readiness-checks/{check}", token=stranger, status=403)


async def test_whom_to_call_is_who_is_on_duty_at_the_session(api: Api) -> None:
    await api.province()
    scenario = {
        "name": "Kịch bản", "unit": "tinh", "expected": ["xa-1-a", "xa-1-b", "xa-2-a"],
        "items": [{"title": "Mở đầu", "duration_s": 600}],
        "duties": [
            {"role": "Kỹ thuật", "name": "Minh", "phone": "0912 345 678", "bridge": "xa-1-a"},
            {"role": "Kỹ thuật", "name": "Hùng", "bridge": "xa-1-b"},
        ],
    }  # fmt: skip
    made = (await api.call("POST", "/scenarios", scenario, status=201)).json["id"]
    wanted = {
        "xa-1-a": {"name": "Minh", "phone": "0912 345 678"},
        "xa-1-b": {"name": "Hùng", "phone": "0900 000 000"},
        "xa-2-a": {"name": "Trực", "phone": "0900 000 000"},
    }
    check = await begun(api, scenario=made)
    found = (await api.call("GET", f"/readiness-checks/{check}", status=200)).json
    assert {room["bridge"]: room["contact"] for room in found["rooms"]} == wanted
    await api.call("DELETE", f"/readiness-checks/{check}", status=204)
    body = {"scenario": made, "calls": "when_convened"}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    check = await begun(api, conference=conference)
    found = (await api.call("GET", f"/readiness-checks/{check}", status=200)).json
    assert {room["bridge"]: room["contact"] for room in found["rooms"]} == wanted


async def test_what_is_not_there(api: Api) -> None:
    await api.province()
    await api.call("GET", "/readiness-checks/check-0", status=404)
    await api.call("POST", "/readiness-checks/check-0/rooms/xa-1-a/recheck", status=404)
    path = "/readiness-checks/check-0/rooms/xa-1-a/confirmation"
    await api.call("POST", path, {"heard": True}, status=404)
    check = await begun(api, "xa-1-a")
    reply = await api.call("POST", f"/readiness-checks/{check}/rooms/xa-2-a/recheck", status=422)
    assert reply.fields == ["$.bridge"]


async def test_who_wants_a_room_that_is_being_checked_is_told_of_the_check(api: Api) -> None:
    await api.province()
    check = await begun(api, "xa-1-a")
    await look(api)
    body = {"name": "Họp", "unit": "tinh", "bridges": ["xa-1-a"]}
    reply = await api.call("POST", "/conferences", body, status=422)
    assert f"readiness check {check}" in reply.json["errors"][0]["message"]
    await api.call("DELETE", f"/readiness-checks/{check}", status=204)
    await look(api)
    await api.call("POST", "/conferences", body, status=201)


async def test_a_bridge_that_is_deleted_meanwhile(api: Api) -> None:
    await api.province()
    api.services.readiness.budget = replace(Budget(), reached_at_once=1)
    check = await begun(api, "xa-1-a", "xa-1-b")
    await look(api)
    await api.call("DELETE", "/bridges/xa-1-b", status=204)
    await look(api, 61)
    await look(api)
    await look(api)
    found = (await api.call("GET", f"/readiness-checks/{check}", status=200)).json
    reasons = {room["bridge"]: room["findings"][0]["code"] for room in found["rooms"]}
    assert reasons["xa-1-b"] == "gone"
