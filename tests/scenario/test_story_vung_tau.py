"""Vũng Tàu: three kinds of meeting: up with the province, across with departments, down with wards.

The city is a guest of the province while its own departments wait for it; their heads come from a
laptop or a telephone over lines of any quality; wards are one room each; nobody sees what is not
its own.
"""

from pathlib import Path

import pytest

from config.alarms_section import AlarmSettings
from tests.mcu.api.live import OFFER
from tests.peers.coded_media import BLUE, GREEN, RED, YELLOW, tone_db
from tests.peers.network import Faults
from tests.peers.virtual_room import RoomSetup
from tests.scenario.meeting import FULL_DB, OWN_TONE_BELOW_DB
from tests.scenario.story import Story

pytestmark = pytest.mark.timeout(900)
"""A whole session; minutes where much else goes on."""

CITY, PROVINCE = "vung-tau", "ba-ria-vung-tau"
LAPTOP, PHONE, LATE = "phong-noi-vu", "phong-tu-phap", "phong-y-te"
WARD = "phuong-1"
MEDIA = {
    CITY: RoomSetup(CITY, 440.0, colour=RED),
    LAPTOP: RoomSetup(LAPTOP, 1010.0, colour=GREEN, codec="VP8"),
    PHONE: RoomSetup(PHONE, 2130.0, colour=BLUE, faults=Faults(loss=0.12, jitter=0.02)),
    LATE: RoomSetup(LATE, 3310.0, colour=YELLOW),
}
DEPARTMENTS, WARDS = 12, 17
LOSS_ALONE = AlarmSettings(rooms_at_once=0, pictures_at_once=0, loss_after_s=3)


async def test_up_across_and_down(tmp_path: Path) -> None:
    async with Story(tmp_path, "vung-tau", media=MEDIA, alarms=LOSS_ALONE) as story:
        province = await story.operator(PROVINCE, "Trực tỉnh")
        city = await story.operator(CITY, "Trực thành phố")
        up = await the_city_is_a_guest_of_the_province(story, province, city)
        story.absent.add(LATE)
        across = await departments_wait_for_the_chair(story, up, province, city)
        await heads_join_from_where_they_are(story, across, city)
        await who_is_late_to_a_locked_meeting_waits(story, across, city)
        down = await a_head_goes_over_to_the_wards(story, across, city)
        await nobody_sees_what_is_not_its_own(story, across, down)
        await each_meeting_has_its_report(story, across, down, city)


async def the_city_is_a_guest_of_the_province(story: Story, province: str, city: str) -> str:
    everybody = story.meeting("voi-tinh")
    await story.call("POST", "/conferences", everybody, by=city, status=403)
    up = await story.start("voi-tinh", province, calls="at_once")
    await story.pass_time(3)
    assert set(await story.roster(up)) == {PROVINCE, CITY}
    await story.call("GET", f"/conferences/{up}", by=city, status=403)
    desk = await story.technician(CITY)
    own = f"/conferences/{up}/participants/{CITY}"
    await story.call("PATCH", own, {"audio_muted": True}, by=desk, status=200)
    await story.call("PATCH", own, {"audio_muted": False}, by=desk, status=200)
    await story.call("PATCH", own, {"label": "Vũng Tàu"}, by=desk, status=403)
    return up


async def departments_wait_for_the_chair(story: Story, up: str, province: str, city: str) -> str:
    across = await story.start("phong-ban", city)
    [asked] = await story.items(f"/conferences/{across}/conflicts", city)
    assert (asked["bridge"], asked["side"]) == (CITY, "asking"), "its chair sits with the province"
    assert not asked["may_move"], "who controls but one of the two takes nobody away"
    decision = f"/conferences/{across}/conflicts/{CITY}/decision"
    await story.call("POST", decision, {"decision": "move"}, by=city, status=403)
    await story.call("POST", decision, {"decision": "wait"}, by=city, status=200)
    [held] = await story.items(f"/conferences/{up}/conflicts", province)
    assert (held["side"], held["status"], held["by"]) == ("holding", "waiting", "Trực thành phố")
    await story.call("POST", f"/conferences/{across}/convening", {}, by=city, status=201)
    await story.pass_time(15)
    counts = (await story.get(f"/conferences/{across}", city))["counts"]
    assert counts["connected"] == DEPARTMENTS - 1, "one head is late"
    # The province's meeting is over: the chair comes, and presides.
    await story.end(up, province)
    await story.soon(lambda: story.site.state(across).chair == CITY)
    await story.pass_time(5)
    assert (await story.roster(across, city))[CITY]["state"] == "connected"
    return across


async def heads_join_from_where_they_are(story: Story, across: str, city: str) -> None:
    path = f"/conferences/{across}"
    layout = {
        "layout": "2x2", "slots": [{"participant": each} for each in (CITY, LAPTOP, PHONE)] + [{}],
    }  # fmt: skip
    await story.call("PUT", f"{path}/layout", {"view": "main", **layout}, by=city, status=200)
    await story.pass_time(12)
    chair, laptop = story.rooms[CITY], story.rooms[LAPTOP]
    assert story.site.colour(laptop, 0, "2x2").is_like(chair.colour)
    assert story.site.colour(laptop, 2, "2x2").is_like(BLUE), "also over a bad line"
    assert tone_db(chair.sound(1.0), laptop.hz) > FULL_DB - 3.0
    assert tone_db(chair.sound(1.0), story.rooms[PHONE].hz) > FULL_DB - 12.0, "with gaps concealed"
    roster = await story.roster(across, city)
    assert roster[PHONE]["quality"]["grade"] == "poor"
    assert roster[LAPTOP]["quality"]["grade"] == "good"
    alarms = (await story.get(f"{path}/alarms", city))["items"]
    assert [(each["participant"], each["kind"]) for each in alarms] == [(PHONE, "loss")]
    story.rooms[PHONE].up.faults = story.rooms[PHONE].down.faults = Faults()
    await story.until(lambda: not any(one.open for one in story.site.state(across).alarms), 60)


async def who_is_late_to_a_locked_meeting_waits(story: Story, across: str, city: str) -> None:
    path = f"/conferences/{across}"
    await story.call("PUT", f"{path}/lock", by=city, status=200)
    story.appear(LATE)
    await story.until(lambda: story.site.state(across).participants[LATE].waiting, 90)
    await story.pass_time(3)
    late, chair = story.rooms[LATE], story.rooms[CITY]
    assert not story.site.colour(late, 0, "2x2").is_like(chair.colour), "it sees a card"
    assert tone_db(chair.sound(1.0), late.hz) < FULL_DB - OWN_TONE_BELOW_DB, "nobody hears it"
    assert (await story.get(path, city))["waiting"] == 1
    admit = {"participant": LATE}
    await story.call("POST", f"{path}/waiting/admit", admit, by=city, status=200)
    await story.pass_time(3)
    assert story.site.colour(late, 0, "2x2").is_like(chair.colour)
    assert tone_db(chair.sound(1.0), late.hz) > FULL_DB - 3.0
    await story.call("DELETE", f"{path}/lock", by=city, status=204)


async def a_head_goes_over_to_the_wards(story: Story, across: str, city: str) -> str:
    body = story.meeting("phuong-xa")
    body |= {"chair": None, "bridges": [each for each in body["bridges"] if each != CITY]}
    down = (await story.call("POST", "/conferences", body, by=city, status=201)).json["id"]
    await story.pass_time(4)
    assert (await story.get(f"/conferences/{down}", city))["counts"]["connected"] == WARDS
    over = f"/conferences/{across}/participants/{LATE}/transfer"
    await story.call("POST", over, {"conference": down}, by=city, status=201)
    await story.pass_time(4)
    assert LATE not in await story.roster(across, city)
    assert (await story.roster(down, city))[LATE]["state"] == "connected"
    await story.call("PUT", f"/conferences/{down}/broadcast", {"participant": LATE}, by=city,
                     status=200)  # fmt: skip
    assert (await story.get(f"/conferences/{across}", city))["broadcast"] is None, "only there"
    return str(down)


async def nobody_sees_what_is_not_its_own(story: Story, across: str, down: str) -> None:
    ward = await story.operator(WARD, "Trực phường")
    for path in (f"/conferences/{across}", f"/conferences/{down}"):
        await story.call("GET", path, by=ward, status=403)
    room = await story.room(WARD)
    await story.call("GET", f"/conferences/{across}", by=room, status=403)
    seen = await story.roster(down, room)
    assert seen[WARD]["unit"] == WARD
    assert {each["unit"] for id_, each in seen.items() if id_ != WARD} == {None}
    offer = story.api.call(
        "POST", f"/conferences/{across}/legs", token=room, data=OFFER,
        headers={"Content-Type": "application/sdp"}, status=403,
    )  # fmt: skip
    await story.meanwhile(offer)
    await story.call("GET", f"/conferences/{across}/views/main.jpg", by=room, status=403)


async def each_meeting_has_its_report(story: Story, across: str, down: str, city: str) -> None:
    for conference in (across, down):
        await story.end(conference, city)
    await story.written()
    report = await story.get(f"/conferences/{across}/report", city)
    rooms = {room["participant"]: room for room in report["rooms"]}
    assert set(rooms) == {CITY, *story.meeting("phong-ban")["bridges"]}
    assert rooms[PHONE]["worst_loss_percent"] > rooms[LAPTOP]["worst_loss_percent"]
    assert [(each["kind"], each["participant"]) for each in report["faults"]
            if each["kind"] == "loss"] == [("loss", PHONE)]  # fmt: skip
    assert rooms[LATE]["present_s"] < rooms[LAPTOP]["present_s"]
    wards = await story.get(f"/conferences/{down}/report", city)
    assert len(wards["rooms"]) == WARDS + 1
