"""Yên Bái: a session comes down from the Government through the province to the communes.

The whole chain is tested from the centre to the commune before; everything is up at most ten
minutes after notice; the parameters of rooms are fixed, and a change is noticed and reported; who
is on duty is named; the department in charge has its report.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.peers.checked_rooms import Kind
from tests.peers.coded_media import BLUE, GREEN, RED, tone_db
from tests.peers.virtual_room import RoomSetup
from tests.scenario.meeting import FULL_DB, OWN_TONE_BELOW_DB
from tests.scenario.story import Story

pytestmark = pytest.mark.timeout(900)
"""A whole session; minutes where much else goes on."""

CENTRE, PROVINCE, DISTRICT, COMMUNE = "chinh-phu", "yen-bai", "van-yen", "van-yen-mau-a"
CHAIN = [CENTRE, PROVINCE, DISTRICT, COMMUNE]
DARK = "tram-tau-ban-mu"
"""A commune on the mountain whose power is out at first."""
ALL = 184
MEDIA = {
    CENTRE: RoomSetup(CENTRE, 440.0, colour=RED),
    PROVINCE: RoomSetup(PROVINCE, 1010.0, colour=GREEN),
    COMMUNE: RoomSetup(COMMUNE, 2130.0, colour=BLUE),
}
SCENARIO = {
    "id": "chinh-phu",
    "name": "Họp trực tuyến Chính phủ đến cấp xã",
    "unit": CENTRE,
    "chair": CENTRE,
    "layout": "1+7",
    "items": [
        {"id": "mo-dau", "title": "Thủ tướng phát biểu", "duration_s": 60, "unmuted": ["chair"]},
        {"id": "yen-bai", "title": "Yên Bái báo cáo", "duration_s": 60, "speaker": PROVINCE,
         "broadcast": True, "unmuted": ["chair"]},
    ],
    "duties": [
        {"role": "Điện, đường truyền", "name": "Giàng A Páo", "phone": "0216 3876 111",
         "bridge": DARK},
        {"role": "Đường dây nóng", "name": "VNPT Yên Bái", "phone": "0216 800 126"},
    ],
    "contingencies": [{"when": "Mất điện", "then": "Chạy máy phát, báo đường dây nóng"}],
}  # fmt: skip


async def test_from_the_government_down_to_the_communes(tmp_path: Path) -> None:
    kinds = {each: Kind() for each in CHAIN}
    async with Story(tmp_path, "yen-bai", media=MEDIA, kinds=kinds) as story:
        centre = await story.operator(CENTRE, "Văn phòng Chính phủ")
        province = await story.operator(PROVINCE, "Trực tỉnh Yên Bái")
        await the_chain_is_tested_an_hour_before(story, centre)
        await a_change_of_a_room_is_noticed_and_reported(story, centre)
        session = await everything_is_up_within_ten_minutes(story, centre)
        await each_level_sees_what_is_its_own(story, session, province)
        await the_province_reports_and_a_commune_is_asked(story, session, centre)
        await the_department_in_charge_has_its_report(story, session, centre, province)


async def the_chain_is_tested_an_hour_before(story: Story, centre: str) -> None:
    await story.keeps_to_its_means(*CHAIN)
    begins = story.site.network.utcnow() + timedelta(minutes=61)
    scenario = SCENARIO | {"begins_at": begins.isoformat(), "expected": CHAIN}
    await story.call("POST", "/scenarios", scenario | {"duties": []}, by=centre, status=201)
    assert await story.look_at_schedule() == [], "there is time"
    await story.pass_time(61)
    [check] = await story.look_at_schedule()
    rows = await story.check_ended(check, centre)
    assert {bridge: row["verdict"] for bridge, row in rows.items()} == dict.fromkeys(CHAIN, "go")
    assert await story.look_at_schedule() == [], "once"
    found = await story.get(f"/readiness-checks/{check}", centre)
    assert (found["scenario"], found["by"], found["due"] is not None) == (
        "chinh-phu", "schedule", True,
    )  # fmt: skip
    for bridge in CHAIN:  # what was found good is what the room is held to
        path = f"/readiness-checks/{check}/rooms/{bridge}/acceptance"
        await story.call("POST", path, by=centre, status=200)


async def a_change_of_a_room_is_noticed_and_reported(story: Story, centre: str) -> None:
    story.becomes(COMMUNE, Kind(codec="VP8"))
    rows = await story.checked_now([COMMUNE], centre)
    [changed] = [each for each in rows[COMMUNE]["findings"] if each["code"] == "changed"]
    assert changed["text"] == "video_codec was h264, is vp8", "the change is named"
    assert rows[COMMUNE]["verdict"] == "no-go"
    assert rows[COMMUNE]["contact"]["phone"], "and whom to call"
    story.becomes(COMMUNE, Kind())
    rows = await story.checked_now([COMMUNE], centre)
    assert rows[COMMUNE]["verdict"] == "go", "put back as it was"
    history = await story.items(f"/bridges/{COMMUNE}/readiness", centre)
    assert [each["verdict"] for each in history] == ["go", "no-go", "go", "go"]


async def everything_is_up_within_ten_minutes(story: Story, centre: str) -> str:
    change = {"expected": "subtree", "duties": SCENARIO["duties"]}
    await story.call("PATCH", "/scenarios/chinh-phu", change, by=centre, status=200)
    body = {"scenario": "chinh-phu", "calls": "when_convened"}
    session = (await story.call("POST", "/conferences", body, by=centre, status=201)).json["id"]
    assert len(await story.roster(session)) == ALL
    await story.pass_time(5)
    assert not any(row["legs"] for row in (await story.roster(session)).values()), "no notice yet"
    story.absent |= {DARK, *MEDIA}
    path = f"/conferences/{session}/convening"
    await story.call("POST", path, {"order": "units"}, by=centre, status=201)
    places = {row["participant"]: row["place"] for row in (await story.get(path))["rows"]}
    assert sorted(places, key=places.__getitem__)[:2] == [CENTRE, PROVINCE]
    assert places[DISTRICT] < places[COMMUNE]
    await story.pass_time(90)
    rows = (await story.get(path, centre))["rows"]
    missing = {row["participant"]: row for row in rows if row["state"] != "joined"}
    assert set(missing) == {DARK, *MEDIA}
    assert missing[DARK]["contact"]["name"] == "Giàng A Páo"
    for bridge in (DARK, *MEDIA):
        story.appear(bridge)
    await story.pass_time(10)
    board = await story.get(path, centre)
    assert (board["joined"], board["within_target"]) == (ALL, True)
    assert board["milestones"][-1]["after_s"] < 600
    return str(session)


async def each_level_sees_what_is_its_own(story: Story, session: str, province: str) -> None:
    path = f"/conferences/{session}"
    await story.call("GET", path, by=province, status=403)
    await story.call("POST", f"{path}/mute", {"scope": "all"}, by=province, status=403)
    # Who is on duty at a room looks after it there.
    commune = await story.technician(COMMUNE)
    seen = await story.roster(session, commune)
    assert (len(seen), seen[COMMUNE]["bridge"], seen[CENTRE]["bridge"]) == (ALL, COMMUNE, None)
    own, other = f"{path}/participants/{COMMUNE}", f"{path}/participants/{PROVINCE}"
    await story.call("PATCH", own, {"audio_muted": True}, by=commune, status=200)
    await story.call("PATCH", own, {"audio_muted": False}, by=commune, status=200)
    await story.call("PATCH", other, {"audio_muted": True}, by=commune, status=403)


async def the_province_reports_and_a_commune_is_asked(
    story: Story, session: str, centre: str
) -> None:
    path = f"/conferences/{session}"
    chair, province, commune = (story.rooms[each] for each in (CENTRE, PROVINCE, COMMUNE))
    for _ in range(2):
        await story.call("POST", f"{path}/agenda/next", by=centre, status=200)
    await story.pass_time(3)
    for room in (chair, commune):
        assert tone_db(room.sound(1.0), province.hz) > FULL_DB - 3.0, room.name
    assert story.site.colour(commune, 0, "1x1").is_like(province.colour)
    # The chair looks at a commune without the others' seeing it.
    await story.call("PUT", f"{path}/chair-view", {"participant": COMMUNE}, by=centre, status=200)
    await story.pass_time(2)
    assert story.site.colour(chair, 0, "1x1").is_like(commune.colour)
    assert story.site.colour(commune, 0, "1x1").is_like(province.colour), "as before"
    # And speaks with it, from the very top to the very bottom.
    grant = {"participant": COMMUNE, "time_limit_s": 60, "picture": "broadcast"}
    await story.call("PUT", f"{path}/floor", grant, by=centre, status=200)
    await story.pass_time(3)
    assert tone_db(chair.sound(1.0), commune.hz) > FULL_DB - 3.0
    await story.call("DELETE", f"{path}/floor", by=centre, status=204)
    await story.pass_time(2)
    assert tone_db(chair.sound(1.0), commune.hz) < FULL_DB - OWN_TONE_BELOW_DB
    # Everybody is noted: who is here when the session begins is present.
    roll = {"mode": "presence", "grace_s": 0}
    made = await story.call("POST", f"{path}/roll-calls", roll, by=centre, status=201)
    assert made.json["counts"]["present"] == ALL - 1, "but the chair"
    await story.call("POST", f"{path}/roll-calls/1/sign-off", {}, by=centre, status=200)


async def the_department_in_charge_has_its_report(
    story: Story, session: str, centre: str, province: str
) -> None:
    path = f"/conferences/{session}"
    body = {"conference": session, "bridge": DARK, "title": "Mất điện trước giờ họp",
            "comment": "Đã chạy máy phát"}  # fmt: skip
    made = (await story.call("POST", "/incidents", body, by=centre, status=201)).json
    closed = {"state": "closed", "comment": "Điện lưới có lại"}
    await story.call("PATCH", f"/incidents/{made['id']}", closed, by=centre, status=200)
    await story.end(session, centre)
    await story.written()
    report = await story.get(f"{path}/report", centre)
    rooms = {room["participant"]: room for room in report["rooms"]}
    assert len(rooms) == ALL
    assert {rooms[each]["readiness"] for each in CHAIN} == {"go"}
    assert rooms[COMMUNE]["floor_s"] > 0
    assert [each["state"] for each in report["incidents"]] == ["closed"]
    assert {action["by"] for action in report["actions"]} >= {"Văn phòng Chính phủ"}
    # The province reads of its own rooms, month by month; of the session itself it is the guest.
    await story.call("GET", f"{path}/report", by=province, status=403)
    month = await story.get(f"/reports/bridges/{COMMUNE}?month=2026-11", province)
    assert (month["expected"], month["attended"]) == (1, 1)
    assert month["conferences"][0]["status"] == "present"
