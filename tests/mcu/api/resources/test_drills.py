"""Drills by REST: who may, what is refused and named, the timeline, the table, the report."""

import csv
import io

import pytest

from mcu.api.event_sight import seen_by_room
from mcu.conference.alarm_model import NoteTroubles, TroubleBegan
from tests.mcu.api.live import Api

ROOMS = ("xa-1-a", "xa-2-a")
BLACK = {"kind": "black", "participants": ["xa-1-a"], "duration_s": 120}


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """A drill of two rooms that are here."""
    await api.province()
    body = {"name": "Diễn tập", "unit": "tinh", "bridges": list(ROOMS), "drill": True}
    made = (await api.call("POST", "/conferences", body, status=201)).json
    assert made["drill"] is True
    for bridge in ROOMS:
        await api.join(made["id"], await api.token("bridge", bridge=bridge))
    return api, f"/conferences/{made['id']}"


@pytest.mark.parametrize("drill", [True, False])
async def test_a_scenario_is_held_as_a_drill_where_that_is_asked_for(api: Api, drill: bool) -> None:
    await api.province()
    scenario = {"id": "bao", "name": "Họp bão", "unit": "tinh", "expected": list(ROOMS),
                "items": [{"title": "Khai mạc", "duration_s": 60}]}  # fmt: skip
    await api.call("POST", "/scenarios", scenario, status=201)
    body = {"scenario": "bao", "drill": drill}
    made = (await api.call("POST", "/conferences", body, status=201)).json
    assert (made["name"], made["drill"]) == ("Họp bão", drill)
    await api.call("GET", f"/conferences/{made['id']}/drill", status=200 if drill else 409)


async def test_injected_seen_dealt_with_and_cleared(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    reply = await api.call("POST", f"{path}/drill/faults", BLACK, status=201)
    assert reply.headers["Location"] == f"/api/v1{path}/drill/faults/1"
    made = reply.json
    assert (made["number"], made["state"], made["labels"]) == (1, "active", ["Điểm cầu xa-1-a"])
    conference = path.rpartition("/")[2]
    trouble = TroubleBegan("xa-1-a", "black", api.clock.utcnow(), {})
    api.conferences.note(conference, NoteTroubles((trouble,)))
    await api.call("POST", f"{path}/alarms/1/acknowledge", status=200)
    incident = {"conference": conference, "alarm": 1}
    made = (await api.call("POST", "/incidents", incident, status=201)).json
    await api.call("PATCH", f"/incidents/{made['id']}", {"comment": "Đã gọi"}, status=200)
    await api.call("DELETE", f"{path}/drill/faults/1", status=204)
    await api.call("DELETE", f"{path}/drill/faults/1", status=204)
    (fault,) = (await api.call("GET", f"{path}/drill", status=200)).json["faults"]
    assert (fault["state"], fault["ending"]) == ("ended", "cleared")
    assert [(one["kind"], one["what"]) for one in fault["marks"]] == [
        ("detected", "black"), ("noticed", "acknowledged"), ("acted", "incident-commented"),
    ]  # fmt: skip
    assert fault["noticed_s"] is not None
    assert fault["recovered_s"] is None  # the alarm lasts


async def test_calling_a_room_again_is_an_act(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("POST", f"{path}/drill/faults", BLACK, status=201)
    await api.call("POST", f"{path}/participants", {"bridge": "xa-1-a"}, status=201)
    (fault,) = (await api.call("GET", f"{path}/drill", status=200)).json["faults"]
    assert [(one["kind"], one["what"]) for one in fault["marks"]] == [
        ("noticed", "called"), ("acted", "called"),
    ]  # fmt: skip


async def test_what_a_room_does_for_itself_is_not_the_staffs(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("POST", f"{path}/drill/faults", BLACK, status=201)
    room = await api.token("bridge", bridge="xa-1-a")
    address = f"{path}/participants/xa-1-a"
    await api.call("PATCH", address, {"audio_muted": True}, token=room, status=200)
    (fault,) = (await api.call("GET", f"{path}/drill", status=200)).json["faults"]
    assert fault["marks"] == []


async def test_what_is_no_drill_says_so_by_name(meeting: tuple[Api, str]) -> None:
    api, _ = meeting
    await api.call("POST", "/bridges", {"id": "khac", "name": "Khác", "unit": "tinh"}, status=201)
    other = await api.conference("khac")
    path = f"/conferences/{other}/drill"
    script = {"steps": []}
    for method, address, body in (
        ("GET", path, None),
        ("GET", f"{path}.csv", None),
        ("POST", f"{path}/faults", {"kind": "black"}),
        ("DELETE", f"{path}/faults", None),
        ("DELETE", f"{path}/faults/1", None),
        ("PUT", f"{path}/script", script),
        ("POST", f"{path}/script/start", None),
        ("POST", f"{path}/script/stop", None),
    ):
        refused = await api.call(method, address, body, status=409)
        assert refused.json["type"] == "urn:mcu:problem:not-a-drill", address
    refused = await api.call("PATCH", f"/conferences/{other}", {"drill": True}, status=422)
    assert refused.json["errors"][0]["field"] == "$.drill"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "black", "participants": ["khac"]}, "$.participants[0]"),
        ({"kind": "gone"}, "$.kind"),
        ({"kind": "black", "duration_s": 0}, "$.duration_s"),
        ({"kind": "black", "loss_percent": 3}, "$.loss_percent"),
        ({"kind": "loss", "loss_percent": 101}, "$.loss_percent"),
        ({"kind": "overload"}, "$.rate_kbps"),
        ({"kind": "restart", "participants": ["xa-1-a"]}, "$.participants"),
        ({"kind": "black", "when": "now"}, "$.when"),
        ({}, "$.kind"),
    ],
)
async def test_bad_input_is_refused_by_field(
    meeting: tuple[Api, str], body: dict[str, object], field: str
) -> None:
    api, path = meeting
    refused = await api.call("POST", f"{path}/drill/faults", body, status=422)
    assert field in [one["field"] for one in refused.json["errors"]]
    steps = {"steps": [{"at_s": 5, **body}]}
    refused = await api.call("PUT", f"{path}/drill/script", steps, status=422)
    where = field.replace("$", "$.steps[0]", 1)
    assert where in [one["field"] for one in refused.json["errors"]]


async def test_a_script_is_written_started_and_stopped(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    steps = [{"at_s": 90, **BLACK}, {"at_s": 0, "kind": "muted", "participants": ["xa-2-a"]}]
    drill = (await api.call("PUT", f"{path}/drill/script", {"steps": steps}, status=200)).json
    assert [one["at_s"] for one in drill["script"]["steps"]] == [0, 90]
    drill = (await api.call("POST", f"{path}/drill/script/start", status=200)).json
    assert drill["script"]["state"] == "running"
    assert drill["script"]["next_step"] == 2
    assert [(one["kind"], one["step"]) for one in drill["faults"]] == [("muted", 1)]
    await api.call("PUT", f"{path}/drill/script", {"steps": []}, status=409)
    drill = (await api.call("POST", f"{path}/drill/script/stop", status=200)).json
    assert (drill["script"]["state"], drill["faults"][0]["state"]) == ("idle", "active")
    await api.call("DELETE", f"{path}/drill/faults", status=204)
    drill = (await api.call("GET", f"{path}/drill", status=200)).json
    assert [one["state"] for one in drill["faults"]] == ["ended"]


async def test_who_may(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    for role, reads in (("technician", 200), ("observer", 200)):
        token = await api.token(role, unit="tinh")
        await api.call("GET", f"{path}/drill", token=token, status=reads)
        await api.call("POST", f"{path}/drill/faults", BLACK, token=token, status=403)
    room = await api.token("bridge", bridge="xa-1-a")
    await api.call("GET", f"{path}/drill", token=room, status=403)
    elsewhere = await api.token("operator", unit="xa-2")
    await api.call("POST", f"{path}/drill/faults", BLACK, token=elsewhere, status=403)
    assert seen_by_room("drill.fault-injected", {"number": 1}, frozenset({"xa-1-a"})) is None


async def test_the_table_and_the_report_tell_of_it(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("POST", f"{path}/drill/faults", BLACK, status=201)
    reply = await api.call("GET", f"{path}/drill.csv", status=200)
    (row,) = csv.DictReader(io.StringIO(reply.body.decode("utf-8-sig")))
    assert (row["number"], row["kind"], row["participants"]) == ("1", "black", "xa-1-a")
    assert row["detected_at"] == ""
    await api.call("DELETE", path, status=204)
    (fault,) = (await api.call("GET", f"{path}/drill", status=200)).json["faults"]
    assert fault["ending"] == "ended"
    report = (await api.call("GET", f"{path}/report", status=200)).json
    assert [one["kind"] for one in report["drill"]] == ["black"]
    reply = await api.call("GET", f"{path}/report.csv?table=drill", status=200)
    (row,) = csv.DictReader(io.StringIO(reply.body.decode("utf-8-sig")))
    assert row["ending"] == "ended"
    for language in ("vi", "en"):
        reply = await api.call("GET", f"{path}/report.pdf?lang={language}", status=200)
        assert reply.body.startswith(b"%PDF")
