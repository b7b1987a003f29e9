"""Hà Nội: online is the usual way of meeting, around the clock, several at once.

Every room meets one technical standard, and those that fall short are found and named; departments
hold their own meetings while the city meets its districts; who did what is recorded.
"""

from pathlib import Path

import pytest

from config.alarms_section import AlarmSettings
from tests.peers.checked_rooms import Kind
from tests.peers.coded_media import BLUE, GREEN, RED, tone_db
from tests.peers.virtual_room import RoomSetup
from tests.scenario.meeting import FULL_DB, OWN_TONE_BELOW_DB
from tests.scenario.story import Story

pytestmark = pytest.mark.timeout(900)
"""A whole session; minutes where much else goes on."""

CITY, FIRST, SECOND = "ha-noi", "ba-dinh", "dong-da"
SMALL, SHUT = "cau-giay", "tay-ho"
HEALTH = "so-y-te"
BRANCH = "chi-cuc-an-toan-ve-sinh-thuc-pham-ha-noi"
DISTRICTS, DEPARTMENTS = 30, 22
MEDIA = {
    CITY: RoomSetup(CITY, 440.0, colour=RED),
    FIRST: RoomSetup(FIRST, 1010.0, colour=GREEN),
    SECOND: RoomSetup(SECOND, 2130.0, colour=BLUE),
}
KINDS = {FIRST: Kind(), SMALL: Kind(), SHUT: Kind(black=True)}
QUICK = AlarmSettings(rooms_at_once=0, black_after_s=2)


async def test_the_city_meets_its_districts_while_a_department_meets_its_own(
    tmp_path: Path,
) -> None:
    async with Story(tmp_path, "ha-noi", media=MEDIA, kinds=KINDS, alarms=QUICK) as story:
        city = await story.operator(CITY, "Trung tâm điều hành")
        health = await story.operator(HEALTH, "Trực Sở Y tế")
        await rooms_that_fall_short_are_named(story, city)
        await a_camera_that_fails_is_seen_at_once(story, city)
        own = await a_department_meets_its_branch(story, city, health)
        session = await the_city_meets_its_districts(story, city)
        await the_chair_looks_at_one_after_the_other(story, session, city)
        await two_operators_act_at_once(story, session, city)
        await the_city_wants_the_department(story, own, city, health)
        await who_did_what_is_recorded(story, session, city, health)


async def rooms_that_fall_short_are_named(story: Story, city: str) -> None:
    await story.keeps_to_its_means(FIRST, SHUT)
    contact = {"contact": {"name": "Phạm Hà", "phone": "024 3833 3333"}}
    await story.call("PATCH", f"/bridges/{SMALL}", contact, by=city, status=200)
    standard = (await story.get(f"/bridges/{SMALL}", city))["standard"]
    assert (standard["width"], standard["height"], standard["fps"]) == (1280, 720, 25)
    rows = await story.checked_now([FIRST, SMALL, SHUT], city)
    assert {bridge: row["verdict"] for bridge, row in rows.items()} == {
        FIRST: "go", SMALL: "no-go", SHUT: "no-go",
    }  # fmt: skip
    said = {each["code"]: each["text"] for each in rows[SMALL]["findings"]}
    assert any("320" in text and "1280" in text for text in said.values()), said
    assert (rows[SMALL]["contact"]["name"], "black" in rows[SHUT]["reason"]) == ("Phạm Hà", True)
    check = rows[SMALL]["check"]
    table = await story.call("GET", f"/readiness-checks/{check}.csv", by=city, status=200)
    lines = table.body.decode().splitlines()
    assert len(lines) == 4
    assert "024 3833 3333" in table.body.decode(), "whom to call stands in the table"


async def a_camera_that_fails_is_seen_at_once(story: Story, city: str) -> None:
    body = {"name": "Giao ban nhanh", "unit": CITY, "bridges": [CITY, FIRST, SECOND],
            "chair": CITY}  # fmt: skip
    quick = (await story.call("POST", "/conferences", body, by=city, status=201)).json["id"]
    await story.pass_time(6)
    assert (await story.get(f"/conferences/{quick}/alarms", city))["items"] == []
    story.rooms[FIRST].camera_on = False
    await story.until(lambda: any(one.open for one in story.site.state(quick).alarms), 40)
    [alarm] = (await story.get(f"/conferences/{quick}/alarms", city))["items"]
    assert (alarm["participant"], alarm["kind"]) == (FIRST, "black")
    assert alarm["contact"]["phone"]
    story.rooms[FIRST].camera_on = True
    await story.until(lambda: not any(one.open for one in story.site.state(quick).alarms), 40)
    await story.end(quick, city)


async def a_department_meets_its_branch(story: Story, city: str, health: str) -> str:
    body = {"name": "Giao ban Sở Y tế", "unit": HEALTH, "bridges": "subtree", "chair": HEALTH}
    own = (await story.call("POST", "/conferences", body, by=health, status=201)).json["id"]
    await story.pass_time(3)
    assert set(await story.roster(own, health)) == {HEALTH, BRANCH}
    wanted = story.meeting("quan-huyen")
    await story.call("POST", "/conferences", wanted, by=health, status=403)
    # The city's control centre sees and steers what its departments hold.
    await story.call("PUT", f"/conferences/{own}/broadcast", {"participant": BRANCH}, by=city,
                     status=200)  # fmt: skip
    await story.call("DELETE", f"/conferences/{own}/broadcast", by=city, status=204)
    return str(own)


async def the_city_meets_its_districts(story: Story, city: str) -> str:
    session = await story.start("quan-huyen", city)
    await story.call("POST", f"/conferences/{session}/convening", {}, by=city, status=201)
    await story.pass_time(15)
    conference = await story.get(f"/conferences/{session}", city)
    assert conference["counts"]["connected"] == DISTRICTS + 1
    assert conference["convening"]["within_target"] is True
    assert conference["views"]["main"]["layout"] == "6x6"
    roll = {"mode": "presence", "grace_s": 0}
    made = await story.call("POST", f"/conferences/{session}/roll-calls", roll, by=city, status=201)
    assert made.json["counts"]["present"] == DISTRICTS
    return session


async def the_chair_looks_at_one_after_the_other(story: Story, session: str, city: str) -> None:
    path = f"/conferences/{session}"
    chair, first, second = (story.rooms[each] for each in (CITY, FIRST, SECOND))
    polling = {"interval_s": 4, "scope": [FIRST, SECOND, SMALL], "except": [SMALL]}
    await story.call("PUT", f"{path}/polling", polling | {"view": "chair"}, by=city, status=200)
    seen = []
    for _ in range(2):
        await story.pass_time(2)
        shown = story.site.colour(chair, 0, "1x1")
        seen.append(next((each.name for each in (first, second) if shown.is_like(each.colour)), ""))
        await story.pass_time(2)
    assert sorted(seen) == [FIRST, SECOND], "and not who was left out"
    await story.call("PATCH", f"{path}/polling", {"paused": True}, by=city, status=200)
    await story.call("DELETE", f"{path}/polling", by=city, status=204)
    # All but the chair are silent, then one is asked.
    everybody = {"scope": "all", "except": ["chair"]}
    await story.call("POST", f"{path}/mute", everybody, by=city, status=200)
    await story.pass_time(2)
    assert tone_db(second.sound(1.0), chair.hz) > FULL_DB - 3.0
    assert tone_db(second.sound(1.0), first.hz) < FULL_DB - OWN_TONE_BELOW_DB
    grant = {"participant": FIRST, "time_limit_s": 30, "picture": "broadcast"}
    await story.call("PUT", f"{path}/floor", grant, by=city, status=200)
    await story.pass_time(3)
    assert tone_db(second.sound(1.0), first.hz) > FULL_DB - 3.0
    assert story.site.colour(second, 0, "1x1").is_like(first.colour)
    message = {"text": "Nghỉ giải lao 15 phút", "duration_s": 900}
    await story.call("PUT", f"{path}/message", message, by=city, status=200)
    assert (await story.get(path, city))["message"]["text"] == message["text"]


async def two_operators_act_at_once(story: Story, session: str, city: str) -> None:
    path = f"/conferences/{session}/floor"
    second = await story.operator(CITY, "Trực ca hai")
    tag = {"If-Match": (await story.call("GET", path, by=city, status=200)).headers["ETag"]}
    await story.call("DELETE", path, by=city, status=204, headers=tag)
    grant = {"participant": SECOND}
    told = await story.call("PUT", path, grant, by=second, status=412, headers=tag)
    assert "changed in between" in told.json["detail"], "one wins, the other is told"
    assert (await story.get(path, city))["holder"] is None


async def the_city_wants_the_department(story: Story, own: str, city: str, health: str) -> None:
    wide = await story.start("so-nganh", city)
    asked = {
        each["bridge"]: each for each in await story.items(f"/conferences/{wide}/conflicts", city)
    }
    assert set(asked) == {CITY, HEALTH}, "each is in one conference at a time"
    assert asked[HEALTH]["conference"] == own
    decision = f"/conferences/{wide}/conflicts/{HEALTH}/decision"
    await story.call("POST", decision, {"decision": "move"}, by=health, status=403)
    await story.call("POST", decision, {"decision": "move"}, by=city, status=200)
    assert HEALTH in await story.roster(wide, city)
    assert set(await story.roster(own, health)) == {BRANCH}
    [told] = await story.items(f"/conferences/{own}/conflicts", health)
    assert (told["side"], told["status"], told["decided_by"]) == (
        "holding", "settled", "Trung tâm điều hành",
    ), "who lost it sees who has it, and by whom"  # fmt: skip
    assert told["conference_name"] == story.meeting("so-nganh")["name"]


async def who_did_what_is_recorded(story: Story, session: str, city: str, health: str) -> None:
    path = f"/conferences/{session}"
    await story.call("POST", f"{path}/roll-calls/1/sign-off", {}, by=city, status=200)
    await story.end(session, city)
    await story.written()
    report = await story.get(f"{path}/report", city)
    assert len(report["rooms"]) == DISTRICTS + 1
    assert sum(room["status"] == "present" for room in report["rooms"]) == DISTRICTS
    done = [action["action"] for action in report["actions"]]
    procedure = ["start_conference", "convene", "start_roll_call", "start_polling", "mute",
                 "grant_floor", "sign_roll_call", "end_conference"]  # fmt: skip
    kept = [each for each in done if each in procedure]
    assert [each for each in procedure if each in kept] == procedure
    assert {action["by"] for action in report["actions"]} == {"Trung tâm điều hành", "Trực ca hai"}
    refused = [each for each in report["actions"] if each["outcome"] == "refused 412"]
    assert [each["by"] for each in refused] == ["Trực ca hai"]
    await story.call("GET", f"{path}/report", by=health, status=403)
