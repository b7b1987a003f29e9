"""Khánh Hòa: one meeting with all 145 rooms, while a district holds its own.

The leader hears localities report in turn, by a scenario prepared beforehand with each partner's
duty; another agency joins when required; what was found faulty is followed up after the session.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.peers.checked_rooms import Kind
from tests.peers.coded_media import BLUE, GREEN, RED, tone_db
from tests.peers.virtual_room import RoomSetup
from tests.scenario.meeting import FULL_DB, OWN_TONE_BELOW_DB
from tests.scenario.story import Story

pytestmark = pytest.mark.timeout(900)
"""A whole session; minutes where much else goes on."""

CHAIR, FIRST, SECOND = "khanh-hoa", "van-ninh", "dien-khanh"
LATE, DROPS = "khanh-son-ba-cum-bac", "cam-lam"
ALL, OF_NHA_TRANG = 145, 28
MEDIA = {
    CHAIR: RoomSetup(CHAIR, 440.0, colour=RED),
    FIRST: RoomSetup(FIRST, 1010.0, colour=GREEN),
    SECOND: RoomSetup(SECOND, 2130.0, colour=BLUE),
}
AGENDA = [
    {"id": "khai-mac", "title": "Khai mạc", "duration_s": 120, "unmuted": ["chair"]},
    {"id": "bao-cao-1", "title": "Vạn Ninh báo cáo", "duration_s": 60, "speaker": FIRST,
     "broadcast": True, "unmuted": ["chair"]},
    {"id": "bao-cao-2", "title": "Diên Khánh báo cáo", "duration_s": 60, "speaker": SECOND,
     "broadcast": True, "unmuted": ["chair"]},
    {"id": "ket-luan", "title": "Kết luận", "duration_s": 300, "unmuted": ["chair"]},
]  # fmt: skip
SCENARIO = {
    "id": "toan-tinh",
    "name": "Họp trực tuyến toàn tỉnh",
    "unit": "khanh-hoa",
    "chair": CHAIR,
    "layout": "1+7",
    "items": AGENDA,
    "duties": [
        {"role": "Điều khiển", "name": "Lê Minh", "phone": "0258 3822 222"},
        {"role": "Kỹ thuật", "name": "Bùi Tâm", "phone": "0258 3869 000", "bridge": LATE},
    ],
    "contingencies": [
        {"when": "MCU tỉnh mất liên lạc", "then": "Các huyện họp với xã bằng MCU của mình"}
    ],
}


async def test_the_whole_province_while_a_district_holds_its_own(tmp_path: Path) -> None:
    kinds = {DROPS: Kind()}
    async with Story(tmp_path, "khanh-hoa", media=MEDIA, kinds=kinds) as story:
        province = await story.operator("khanh-hoa", "Lê Minh")
        district = await story.operator("nha-trang", "Trực Nha Trang")
        own = await a_district_meets(story, district)
        session = await the_scenario_is_started(story, province, district)
        await all_are_there_within_ten_minutes(story, session, own, province, district)
        await rooms_are_called_one_after_the_other(story, session, province)
        await localities_report_in_turn(story, session, province)
        await the_police_take_part_for_once(story, session, province)
        await a_line_drops_and_is_taken_note_of(story, session, province)
        await the_report_says_it_all(story, session, province, district)
        await faults_are_followed_up(story, province)


async def a_district_meets(story: Story, district: str) -> str:
    everybody = story.meeting("toan-tinh")
    await story.call("POST", "/conferences", everybody, by=district, status=403)
    own = await story.start("nha-trang", district, calls="at_once")
    await story.pass_time(4)
    counts = (await story.get(f"/conferences/{own}", district))["counts"]
    assert (counts["connected"], sum(counts.values())) == (OF_NHA_TRANG, OF_NHA_TRANG)
    return own


async def the_scenario_is_started(story: Story, province: str, district: str) -> str:
    begins = story.site.network.utcnow() + timedelta(hours=1)
    scenario = SCENARIO | {"begins_at": begins.isoformat()}
    unknown = scenario | {"items": [{**AGENDA[1], "speaker": "hoa-binh"}]}
    wrong = await story.call("POST", "/scenarios:validate", unknown, by=province, status=200)
    assert [each["field"] for each in wrong.json["errors"]] == ["$.items[0].speaker"]
    right = await story.call("POST", "/scenarios:validate", scenario, by=province, status=200)
    assert (right.json["valid"], right.json["expected"]) == (True, ALL)
    await story.call("POST", "/scenarios", scenario, by=province, status=201)
    body = {"scenario": "toan-tinh", "busy": "ask", "calls": "when_convened"}
    await story.call("POST", "/conferences", body, by=district, status=403)
    started = (await story.call("POST", "/conferences", body, by=province, status=201)).json
    assert started["conflicts"] == OF_NHA_TRANG, "who sits with the district is asked for"
    assert started["counts"]["expected"] == ALL - OF_NHA_TRANG
    return str(started["id"])


async def all_are_there_within_ten_minutes(
    story: Story, session: str, own: str, province: str, district: str
) -> None:
    held = await story.items(f"/conferences/{own}/conflicts", district)
    assert len(held) == OF_NHA_TRANG
    assert {each["conference_name"] for each in held} == {SCENARIO["name"]}
    await story.call("GET", f"/conferences/{session}", by=district, status=403)
    # The province's operator steers the district's meeting, as it does every descendant's.
    superior: list[tuple[str, str, Any]] = [
        ("PUT", "broadcast", {"participant": "nha-trang"}),
        ("POST", "mute", {"scope": "all", "except": ["chair"]}),
        ("DELETE", "broadcast", None),
        ("POST", "unmute", {"scope": "all"}),
        ("POST", "roll-calls", {"mode": "presence"}),
    ]
    for method, what, body in superior:
        reply = await story.call(method, f"/conferences/{own}/{what}", body, by=province)
        assert reply.status < 300, (method, what, reply.body)

    story.absent |= {LATE, *MEDIA}
    convene = {"order": "units"}
    path = f"/conferences/{session}/convening"
    await story.call("POST", path, convene, by=province, status=201)
    called = [row for row in (await story.get(path))["rows"] if row["state"] == "called"]
    assert min(called, key=lambda row: row["place"])["participant"] == CHAIR, "from the top down"
    await story.pass_time(60)
    board = await story.get(path, province)
    missing = {row["participant"]: row for row in board["rows"] if row["state"] != "joined"}
    assert set(missing) == {LATE, *MEDIA}
    assert (board["joined"], board["within_target"]) == (ALL - OF_NHA_TRANG - 4, None)
    assert missing[LATE]["cause"] == "unreachable"
    assert missing[LATE]["contact"] == {"name": "Bùi Tâm", "phone": "0258 3869 000"}, "on duty"
    # The district is done: its rooms come by themselves, nobody has taken them.
    await story.end(own, district)
    roster = story.site.state(session).participants
    assert len(roster) <= ALL
    await story.soon(lambda: len(story.site.state(session).participants) == ALL)
    await story.pass_time(90)
    for bridge in (LATE, *MEDIA):
        story.appear(bridge)
    await story.until(lambda: "connected" in story.site.presence(session)[CHAIR], 60)
    await story.pass_time(5)
    board = await story.get(path, province)
    assert (board["state"], board["joined"], board["within_target"]) == ("complete", ALL, True)
    reached = {each["percent"]: each["after_s"] for each in board["milestones"]}
    assert reached[50] < reached[90] < reached[100] < 600
    settled = await story.items(f"/conferences/{session}/conflicts", province)
    assert {each["status"] for each in settled} == {"settled"}


async def rooms_are_called_one_after_the_other(story: Story, session: str, province: str) -> None:
    path = f"/conferences/{session}/roll-calls"
    expected = [FIRST, SECOND, DROPS]
    body = {"mode": "called", "expected": expected}
    await story.call("POST", path, body, by=province, status=201)
    story.lose(session, DROPS)
    await story.pass_time(3)
    chair, first, second = (story.rooms[each] for each in (CHAIR, FIRST, SECOND))
    assert (await story.get(f"{path}/1", province))["calling"] == FIRST
    assert story.site.colour(second, 0, "1x1").is_like(first.colour)
    assert story.site.colour(chair, 0, "1+7").is_like(first.colour), "large, among the rooms"
    assert tone_db(chair.sound(1.0), first.hz) > FULL_DB - 3.0, "who is called is heard"
    assert tone_db(chair.sound(1.0), second.hz) < FULL_DB - OWN_TONE_BELOW_DB, "nobody else"
    button = await story.room(FIRST)
    await story.call("POST", f"{path}/1/marks", {"participant": FIRST}, by=button, status=204,
                     passing=True)  # fmt: skip
    await story.pass_time(2)
    assert (await story.get(f"{path}/1", province))["calling"] == SECOND
    assert story.site.colour(first, 0, "1x1").is_like(second.colour)
    second_is_here = {"participant": SECOND}
    await story.call(
        "POST", f"{path}/1/marks", second_is_here, by=province, status=200, passing=True
    )
    story.find_again(session, DROPS)
    record = await story.get(f"{path}/1", province)
    marks = {row["participant"]: (row["status"], row["source"]) for row in record["rows"]}
    assert marks == {
        FIRST: ("present", "room"), SECOND: ("present", "operator"), DROPS: ("lost", "rule"),
    }  # fmt: skip
    assert {row["participant"] for row in record["rows"] if row["picture"]} == {FIRST, SECOND}
    await story.call("POST", f"{path}/1/sign-off", {}, by=province, status=200)
    again = {"participant": DROPS, "status": "late", "note": "Đường truyền đã có lại"}
    await story.call("POST", f"{path}/1/marks", again, by=province, status=200, passing=True)
    record = await story.get(f"{path}/1", province)
    assert (record["state"], record["marks"][-1]["correction"]) == ("signed", True)


async def localities_report_in_turn(story: Story, session: str, province: str) -> None:
    path = f"/conferences/{session}"
    chair, first, second = (story.rooms[each] for each in (CHAIR, FIRST, SECOND))
    for _ in range(2):
        await story.call("POST", f"{path}/agenda/next", by=province, status=200)
    await story.pass_time(3)
    now = await story.get(path, province)
    assert now["broadcast"] == FIRST
    assert story.site.colour(second, 0, "1x1").is_like(first.colour)
    assert tone_db(chair.sound(1.0), first.hz) > FULL_DB - 3.0
    assert tone_db(chair.sound(1.0), second.hz) < FULL_DB - OWN_TONE_BELOW_DB
    # Another district wants to say something to it, and has a time.
    await story.call("POST", f"{path}/floor/requests", by=await story.room(SECOND), status=200)
    queue = (await story.get(f"{path}/floor", province))["requests"]
    assert [each["participant"] for each in queue] == [SECOND]
    grant = {"participant": SECOND, "time_limit_s": 10, "picture": "broadcast"}
    await story.call("PUT", f"{path}/floor", grant, by=province, status=200)
    await story.pass_time(3)
    assert tone_db(chair.sound(1.0), second.hz) > FULL_DB - 3.0
    await story.pass_time(9)
    assert (await story.get(f"{path}/floor", province))["holder"] is None, "its time is over"
    assert tone_db(chair.sound(1.0), second.hz) < FULL_DB - OWN_TONE_BELOW_DB, "muted as before"
    for _ in range(2):
        await story.call("POST", f"{path}/agenda/next", by=province, status=200)
    agenda = await story.get(f"{path}/agenda", province)
    assert agenda["current"] == "ket-luan"
    assert [len(item["held"]) for item in agenda["items"]] == [1, 1, 1, 1]


async def the_police_take_part_for_once(story: Story, session: str, province: str) -> None:
    unit = {"id": "cong-an", "name": "Công an tỉnh", "level": "agency", "parent": None}
    await story.call("POST", "/units", unit, status=201)
    room = {"id": "cong-an-tinh", "name": "Công an tỉnh Khánh Hòa", "unit": "cong-an"}
    await story.call("POST", "/bridges", room, status=201)
    agency = await story.operator("cong-an", "Trực ban Công an")
    path = f"/conferences/{session}"
    found = await story.items(f"{path}/invitable", province)
    assert [each["bridge"] for each in found] == ["cong-an-tinh"]
    await story.call("GET", path, by=agency, status=403)
    wish = {"bridge": "cong-an-tinh", "note": "Báo cáo tình hình an ninh"}
    await story.call("POST", f"{path}/invitations", wish, by=province, status=201)
    [asked] = (await story.get("/invitations", agency))["items"]
    assert (asked["conference_name"], asked["note"]) == (SCENARIO["name"], wish["note"])
    yes = {"answer": "accept"}
    answer = f"{path}/invitations/cong-an-tinh/answer"
    await story.call("POST", answer, yes, by=agency, status=200)
    await story.pass_time(4)
    seen = await story.roster(session, agency)
    assert (seen["cong-an-tinh"]["state"], seen["cong-an-tinh"]["invited"]) == ("connected", True)
    assert seen[FIRST]["unit"] is None, "others as rooms see them"
    await story.call("POST", f"{path}/mute", {"scope": "all"}, by=agency, status=403)


async def a_line_drops_and_is_taken_note_of(story: Story, session: str, province: str) -> None:
    path = f"/conferences/{session}"
    story.lose(session, DROPS)
    await story.alarmed(session, 1)
    [alarm] = (await story.get(f"{path}/alarms", province))["items"]
    assert (alarm["participant"], alarm["kind"]) == (DROPS, "lost")
    body = {"conference": session, "alarm": alarm["number"], "assignee": "VNPT Khánh Hòa"}
    made = (await story.call("POST", "/incidents", body, by=province, status=201)).json
    assert (made["bridge"], made["state"]) == (DROPS, "open")
    story.find_again(session, DROPS)
    await story.alarmed(session, 0)
    assert (await story.get(f"{path}/alarms", province))["items"] == []


async def the_report_says_it_all(story: Story, session: str, province: str, district: str) -> None:
    path = f"/conferences/{session}"
    await story.end(session, province)
    await story.written()
    await story.call("GET", f"{path}/report", by=district, status=403)
    report = await story.get(f"{path}/report", province)
    rooms = {room["participant"]: room for room in report["rooms"]}
    assert len(rooms) == ALL + 1, "with the agency"
    assert all(room["first_joined_at"] for room in rooms.values())
    assert [rooms[each]["status"] for each in (FIRST, SECOND, DROPS)] == [
        "present", "present", "late",
    ]  # fmt: skip
    assert rooms[SECOND]["floor_s"] == 10.0
    assert rooms[FIRST]["heard_s"] > 0
    assert rooms[DROPS]["lost_count"] == 2
    lost = [fault for fault in report["faults"] if fault["kind"] == "lost"]
    assert {fault["participant"] for fault in lost} == {DROPS}
    [incident] = report["incidents"]
    assert (incident["bridge"], incident["assignee"]) == (DROPS, "VNPT Khánh Hòa")
    titles = [item["title"] for item in report["agenda"]["items"] if item["held"]]
    assert titles == [item["title"] for item in AGENDA]
    done = {action["action"] for action in report["actions"] if action["by"] == "Lê Minh"}
    assert {"convene", "grant_floor", "sign_roll_call", "invite_room", "end_conference"} <= done
    table = await story.call("GET", f"{path}/report.csv", by=province, status=200)
    assert len(table.body.decode().splitlines()) == ALL + 2


async def faults_are_followed_up(story: Story, province: str) -> None:
    await story.keeps_to_its_means(DROPS)
    rows = await story.checked_now([DROPS], province)
    found = [each for each in rows[DROPS]["findings"] if each["topic"] == "incidents"]
    assert len(found) == 1, "what was found in the session is asked about before the next"
    assert rows[DROPS]["verdict"] == "go", "the line is good again"
