"""Alarms by REST: sorted, with whom to call and what helps; taken note of under a name."""

import asyncio
import csv
import io

import pytest

from mcu.conference.alarm_model import NoteTroubles, TroubleBegan, TroubleEnded
from tests.mcu.api.live import ADMIN, Api

ROOMS = ("tinh-a", "xa-1-a", "xa-2-a")


def raise_alarm(api: Api, conference: str, who: str, kind: str, **detail: float) -> None:
    since = api.clock.utcnow()
    fact = NoteTroubles((TroubleBegan(who, kind, since, detail),))  # type: ignore[arg-type]
    api.conferences.note(conference, fact)


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """A conference of three rooms that have joined, with alarms of two."""
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": list(ROOMS), "chair": "tinh-a"}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    for bridge in ROOMS:
        await api.join(conference, await api.token("bridge", bridge=bridge))
    raise_alarm(api, conference, "xa-1-a", "loss", loss_percent=7.5)
    raise_alarm(api, conference, "xa-2-a", "echo", delay_ms=180.0, level_db=-12.0)
    return api, conference


async def test_the_worst_first_with_contact_and_what_helps(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    reply = await api.call("GET", f"/conferences/{conference}/alarms", status=200)
    echo, loss = reply.json["items"]
    assert (echo["number"], echo["kind"], echo["severity"]) == (2, "echo", "critical")
    assert echo["detail"] == {"delay_ms": 180.0, "level_db": -12.0}
    assert echo["contact"] == {"name": "Trực", "phone": "0900 000 000", "role": ""}
    assert echo["actions"] == ["mute", "call"]
    assert (loss["severity"], loss["actions"]) == ("minor", ["call"])
    assert loss["label"] == "Điểm cầu xa-1-a"


async def test_an_alarm_leads_to_its_incident(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    alarms = f"/conferences/{conference}/alarms"

    async def incidents(token: str | None = ADMIN) -> dict[int, tuple[str | None, str | None]]:
        items = (await api.call("GET", alarms, token=token, status=200)).json["items"]
        return {one["number"]: (one["incident"], one["incident_state"]) for one in items}

    assert await incidents() == {1: (None, None), 2: (None, None)}
    body = {"conference": conference, "alarm": 2}
    made = (await api.call("POST", "/incidents", body, status=201)).json["id"]
    assert await incidents() == {1: (None, None), 2: (made, "open")}
    reply = await api.call("POST", f"{alarms}/2/acknowledge", status=200)
    assert reply.json["incident"] == made
    await api.call("PATCH", f"/incidents/{made}", {"state": "closed"}, status=200)
    assert (await incidents())[2] == (made, "closed")
    table = await api.call("GET", f"{alarms}.csv", status=200)
    assert [(row["incident"], row["incident_state"]) for row in table.rows] == [
        (made, "closed"), ("", ""),
    ]  # fmt: skip


async def test_who_is_on_duty_is_called_first(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    await api.call("DELETE", f"/conferences/{conference}", status=204)
    scenario = {
        "name": "Kịch bản", "unit": "tinh",
        "expected": ["xa-1-a"],
        "items": [{"id": "mo-dau", "title": "Mở đầu", "duration_s": 600}],
        "duties": [
            {"role": "kỹ thuật", "name": "Hùng", "phone": "0912 345 678", "bridge": "xa-1-a"}
        ],
    }  # fmt: skip
    made = (await api.call("POST", "/scenarios", scenario, status=201)).json["id"]
    body = {"name": "Họp", "unit": "tinh", "scenario": made}
    second = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    raise_alarm(api, second, "xa-1-a", "lost")
    (lost,) = (await api.call("GET", f"/conferences/{second}/alarms", status=200)).json["items"]
    assert lost["contact"] == {"name": "Hùng", "phone": "0912 345 678", "role": "kỹ thuật"}
    # Who has no number is reached through the room.
    agenda = f"/conferences/{second}/agenda"
    items = (await api.call("GET", agenda, status=200)).json["items"]
    items = [{name: each[name] for name in ("id", "title", "duration_s")} for each in items]
    duties = [{"role": "kỹ thuật", "name": "Hùng", "bridge": "xa-1-a"}]
    await api.call("PUT", agenda, {"items": items, "duties": duties}, status=200)
    (lost,) = (await api.call("GET", f"/conferences/{second}/alarms", status=200)).json["items"]
    assert lost["contact"] == {"name": "Hùng", "phone": "0900 000 000", "role": "kỹ thuật"}
    assert "call" in lost["actions"]


async def test_acknowledged_by_name_once(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    alarms = f"/conferences/{conference}/alarms"
    operator = await api.token("operator", unit="tinh")
    reply = await api.call("POST", f"{alarms}/2/acknowledge", token=operator, status=200)
    assert reply.json["acknowledged_by"] == "operator"
    again = await api.call("POST", f"{alarms}/2/acknowledge", status=200)
    assert again.json["acknowledged_by"] == "operator"
    await api.call("POST", f"{alarms}/9/acknowledge", status=404)
    await api.call("POST", f"{alarms}/x/acknowledge", status=404)


async def test_those_that_are_over_and_the_table(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    alarms = f"/conferences/{conference}/alarms"
    api.conferences.note(conference, NoteTroubles((TroubleEnded("xa-2-a", "echo"),)))
    found = (await api.call("GET", alarms, params={"state": "cleared"}, status=200)).json["items"]
    assert [(one["kind"], one["state"], one["actions"]) for one in found] == [
        ("echo", "cleared", ["call"])
    ]
    both = await api.call(
        "GET", alarms, params={"state": "all"}, headers={"Accept": "text/csv"}, status=200
    )
    same = await api.call("GET", f"{alarms}.csv", params={"state": "all"}, status=200)
    assert same.body == both.body
    rows = list(csv.DictReader(io.StringIO(both.body.decode("utf-8-sig"))))
    assert [(row["kind"], row["phone"]) for row in rows] == [
        ("loss", "0900 000 000"), ("echo", "0900 000 000"),
    ]  # fmt: skip
    assert rows[0]["detail"] == "loss_percent=7.5"
    assert rows[1]["cleared_at"]
    assert [row["ending"] for row in rows] == ["", "well"]


async def test_rooms_and_strangers_hear_nothing_of_them(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    await api.call("GET", f"/conferences/{conference}/alarms", token=room, status=403)
    other = await api.token("operator", unit="khac")
    await api.call("GET", f"/conferences/{conference}/alarms", token=other, status=403)
    watcher = await api.token("observer", unit="tinh")
    await api.call("GET", f"/conferences/{conference}/alarms", token=watcher, status=200)
    await api.call(
        "POST", f"/conferences/{conference}/alarms/1/acknowledge", token=watcher, status=403
    )


async def test_the_stream_tells_operators(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    feed = api.conferences.subscribe(conference=conference)
    raise_alarm(api, conference, "tinh-a", "black")
    await api.call("POST", f"/conferences/{conference}/alarms/3/acknowledge", status=200)
    async with asyncio.timeout(5), feed:
        event = await anext(feed)
        assert (event.type, event.data["alarm"]["severity"]) == ("alarm.raised", "critical")
        event = await anext(feed)
        assert (event.type, event.data["number"]) == ("alarm.acknowledged", 3)
