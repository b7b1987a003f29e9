"""Incidents by REST: opened by an alarm or by hand, dealt with, followed up; within one's units."""

import csv
import io

from mcu.conference.alarm_model import NoteTroubles, TroubleBegan
from tests.mcu.api.live import Api


async def with_alarm(api: Api) -> str:
    await api.province()
    conference = await api.conference("xa-1-a", "xa-2-a")
    fact = NoteTroubles((TroubleBegan("xa-1-a", "echo", api.clock.utcnow(), {"delay_ms": 90.0}),))
    api.conferences.note(conference, fact)
    return conference


async def test_opened_by_an_alarm_assigned_commented_closed_and_opened_again(api: Api) -> None:
    conference = await with_alarm(api)
    body = {"conference": conference, "alarm": 1, "comment": "vọng từ xã 1"}
    operator = await api.token("operator", unit="tinh")
    reply = await api.call("POST", "/incidents", body, token=operator, status=201)
    one = reply.json
    assert (one["title"], one["severity"]) == ("echo: Điểm cầu xa-1-a", "critical")
    assert (one["unit"], one["bridge"], one["state"]) == ("tinh", "xa-1-a", "open")
    assert (one["kind"], one["opened_by"]) == ("echo", "operator")
    path = reply.headers["Location"].removeprefix("/api/v1")
    await api.call("POST", "/incidents", body, status=409)  # the alarm has one

    reply = await api.call("PATCH", path, {"assignee": "Hùng"}, status=200)
    assert (reply.json["assignee"], reply.headers["ETag"]) == ("Hùng", '"2"')
    stale = await api.call("PATCH", path, {"comment": "x"}, headers={"If-Match": '"1"'}, status=412)
    assert stale.headers["ETag"] == '"2"'
    closing = {"state": "closed", "comment": "đã thay micro"}
    reply = await api.call("PATCH", path, closing, headers={"If-Match": '"2"'}, status=200)
    assert (reply.json["state"], reply.json["version"]) == ("closed", 3)
    assert [each["kind"] for each in reply.json["entries"]] == ["opened", "assigned", "closed"]
    same = await api.call("PATCH", path, {"state": "closed"}, status=200)
    assert same.json["version"] == 3
    refused = await api.call("PATCH", path, {"assignee": "Minh"}, status=422)
    assert "reopen" in refused.json["detail"]
    again = {"state": "open", "comment": "lại vọng", "assignee": "Minh"}
    reply = await api.call("PATCH", path, again, status=200)
    assert (reply.json["state"], reply.json["assignee"]) == ("open", "Minh")
    read = await api.call("GET", path, status=200)
    assert read.json == reply.json


async def test_opened_by_hand_for_a_room_and_followed_up(api: Api) -> None:
    await api.province()
    for bridge, title in (("xa-1-a", "Màn hình hỏng"), ("xa-1-a", "Thiếu cáp"), ("xa-2-a", "Loa")):
        await api.call("POST", "/incidents", {"bridge": bridge, "title": title}, status=201)
    found = (await api.call("GET", "/incidents", params={"bridge": "xa-1-a"}, status=200)).json
    assert [one["title"] for one in found["items"]] == ["Thiếu cáp", "Màn hình hỏng"]
    assert {one["unit"] for one in found["items"]} == {"xa-1"}
    path = f"/incidents/{found['items'][0]['id']}"
    await api.call("PATCH", path, {"state": "closed"}, status=200)
    assert [one.bridge for one in await api.store.incidents.open_of("xa-1-a")] == ["xa-1-a"]
    params = {"bridge": "xa-1-a", "state": "open"}
    found = (await api.call("GET", "/incidents", params=params, status=200)).json
    assert [one["title"] for one in found["items"]] == ["Màn hình hỏng"]


async def test_pages_and_the_table(api: Api) -> None:
    await api.province()
    for number in range(5):
        body = {"unit": "tinh", "title": f"Sự cố {number}", "comment": "=1+1"}
        await api.call("POST", "/incidents", body, status=201)
    titles, cursor = [], None
    while True:
        params = {"limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        page = (await api.call("GET", "/incidents", params=params, status=200)).json
        titles += [one["title"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert titles == [f"Sự cố {number}" for number in (4, 3, 2, 1, 0)]
    table = await api.call(
        "GET", "/incidents", params={"limit": "2"}, headers={"Accept": "text/csv"}, status=200
    )
    same = await api.call("GET", "/incidents.csv", params={"state": "open"}, status=200)
    assert same.body == table.body
    rows = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"))))
    assert [row["title"] for row in rows] == titles
    assert "opened =1+1" in rows[0]["entries"]


async def test_the_table_says_it_in_words_with_the_rooms_name(api: Api) -> None:
    await api.province()
    body = {"name": "Diễn tập", "unit": "tinh", "bridges": ["xa-1-a"], "drill": True}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    fact = NoteTroubles((TroubleBegan("xa-1-a", "echo", api.clock.utcnow(), {"delay_ms": 90.0}),))
    api.conferences.note(conference, fact)
    made = {"conference": conference, "alarm": 1}
    path = (await api.call("POST", "/incidents", made, status=201)).headers["Location"]
    await api.call("PATCH", path.removeprefix("/api/v1"), {"state": "closed"}, status=200)
    by_hand = {"bridge": "xa-2-a", "title": "echo: như hôm qua"}
    await api.call("POST", "/incidents", by_hand, status=201)
    items = (await api.call("GET", "/incidents", status=200)).json["items"]
    assert [(one["bridge_name"], one["drill"], one["title"]) for one in items] == [
        ("Điểm cầu xa-2-a", False, "echo: như hôm qua"),
        ("Điểm cầu xa-1-a", True, "echo: Điểm cầu xa-1-a"),
    ]
    for language, said in (("vi", "vọng tiếng"), ("en", "echo")):
        reply = await api.call("GET", f"/incidents.csv?lang={language}", status=200)
        hand, alarm = reply.rows
        assert (hand["title"], alarm["title"]) == ("echo: như hôm qua", f"{said}: Điểm cầu xa-1-a")
        assert (alarm["bridge_name"], alarm["drill"]) == ("Điểm cầu xa-1-a", "True")
        assert [alarm[time] for time in ("opened_at", "closed_at")] == [
            items[1][time] for time in ("opened_at", "closed_at")
        ]


async def test_units_keep_to_their_own(api: Api) -> None:
    conference = await with_alarm(api)
    await api.call("POST", "/incidents", {"conference": conference, "alarm": 1}, status=201)
    await api.call("POST", "/incidents", {"bridge": "xa-1-a", "title": "Loa"}, status=201)
    commune = await api.token("operator", unit="xa-1")
    found = (await api.call("GET", "/incidents", token=commune, status=200)).json["items"]
    assert [one["title"] for one in found] == ["Loa"]
    stranger = await api.token("operator", unit="khac")
    assert (await api.call("GET", "/incidents", token=stranger, status=200)).json["items"] == []
    path = f"/incidents/{found[0]['id']}"
    await api.call("GET", path, token=stranger, status=403)
    await api.call("PATCH", path, {"comment": "x"}, token=stranger, status=403)
    await api.call("GET", "/incidents", params={"unit": "tinh"}, token=commune, status=403)
    for body in (
        {"conference": conference, "alarm": 1},
        {"bridge": "xa-1-a", "title": "x"},
        {"bridge": "xa-1-a", "unit": "khac", "title": "x"},
    ):
        await api.call("POST", "/incidents", body, token=stranger, status=403)
    watcher = await api.token("technician", unit="tinh")
    await api.call("GET", path, token=watcher, status=200)
    await api.call("PATCH", path, {"comment": "x"}, token=watcher, status=403)
    room = await api.token("bridge", bridge="xa-1-a")
    await api.call("GET", "/incidents", token=room, status=403)


async def test_what_cannot_be_opened(api: Api) -> None:
    conference = await with_alarm(api)
    for body in (
        {"title": "x"},
        {"bridge": "xa-1-a"},
        {"alarm": 1, "title": "x", "unit": "tinh"},
    ):
        await api.call("POST", "/incidents", body, status=422)
    missing = {"conference": conference, "alarm": 9}
    await api.call("POST", "/incidents", missing, status=404)
    await api.call("POST", "/incidents", {"bridge": "nobody", "title": "x"}, status=404)
    await api.call("POST", "/incidents", {"unit": "nowhere", "title": "x"}, status=404)
    await api.call("GET", "/incidents/nothing", status=404)


async def test_every_change_is_audited(api: Api) -> None:
    await api.province()
    made = await api.call("POST", "/incidents", {"unit": "tinh", "title": "x"}, status=201)
    await api.call("PATCH", f"/incidents/{made.json['id']}", {"comment": "y"}, status=200)
    rows = (await api.store.audit.list()).items
    actions = [row.action for row in rows]
    assert {"open_incident", "change_incident"} <= set(actions)
