"""Hải Phòng: two administrations meet as one, in a trial operation days before they become one.

The rooms of newly made communes are checked, and staff practise a lost connection; Hải Dương
watches and speaks in Hải Phòng's session by invitation; connections are lost and staff handle that;
then the two are merged while they meet.
"""

from pathlib import Path

import pytest

from tests.peers.checked_rooms import Kind
from tests.peers.coded_media import BLUE, GREEN, RED, tone_db
from tests.peers.network import Faults
from tests.peers.virtual_room import RoomSetup
from tests.scenario.meeting import FULL_DB, OWN_TONE_BELOW_DB
from tests.scenario.story import Story

pytestmark = pytest.mark.timeout(900)
"""A whole session; minutes where much else goes on."""

CITY, OTHER = "hai-phong", "hai-duong"
HEALTHY, DEAD, LOSSY = "phuong-thuy-nguyen", "phuong-chi-linh", "phuong-kinh-mon"
COMMUNES = 114
MEDIA = {
    CITY: RoomSetup(CITY, 440.0, colour=RED),
    OTHER: RoomSetup(OTHER, 1010.0, colour=GREEN),
    HEALTHY: RoomSetup(HEALTHY, 2130.0, colour=BLUE),
}
KINDS = {HEALTHY: Kind(), DEAD: Kind(comes=False), LOSSY: Kind(faults=Faults(loss=0.05))}


async def test_two_administrations_that_become_one(tmp_path: Path) -> None:
    async with Story(tmp_path, "hai-phong", media=MEDIA, kinds=KINDS) as story:
        city = await story.operator(CITY, "Trực Hải Phòng")
        other = await story.operator(OTHER, "Trực Hải Dương")
        await newly_made_communes_are_checked(story, city)
        await staff_practise_a_lost_connection(story, city)
        session = await the_trial_begins(story, city, other)
        await hai_duong_takes_part_by_invitation(story, session, city, other)
        await it_watches_and_speaks(story, session, city, other)
        await lost_connections_are_handled(story, session, city)
        await the_two_become_one_while_they_meet(story, session, city, other)
        await the_trial_is_reported(story, session, city)


async def newly_made_communes_are_checked(story: Story, city: str) -> None:
    bridges = [HEALTHY, DEAD, LOSSY]
    await story.keeps_to_its_means(*bridges)
    rows = await story.checked_now(bridges, city)
    assert {bridge: row["verdict"] for bridge, row in rows.items()} == {
        HEALTHY: "go", DEAD: "no-go", LOSSY: "no-go",
    }  # fmt: skip
    codes = {bridge: {each["code"] for each in row["findings"]} for bridge, row in rows.items()}
    assert "unreached" in codes[DEAD]
    assert codes[LOSSY] >= {"loss-up", "loss-down"}
    assert all(row["contact"]["phone"] for row in rows.values()), "whom to call"
    # Somebody goes there; that room alone is checked again.
    story.becomes(DEAD, Kind())
    story.becomes(LOSSY, Kind())
    check = rows[DEAD]["check"]
    for bridge in (DEAD, LOSSY):
        path = f"/readiness-checks/{check}/rooms/{bridge}/recheck"
        await story.call("POST", path, by=city, status=200)
    rows = await story.check_ended(check, city)
    assert {row["verdict"] for row in rows.values()} == {"go"}
    history = await story.items(f"/bridges/{DEAD}/readiness", city)
    assert [each["verdict"] for each in history] == ["go", "no-go"]


async def staff_practise_a_lost_connection(story: Story, city: str) -> None:
    drill = await story.start("toan-thanh-pho", city, chair=CITY, bridges=[CITY, HEALTHY],
                              name="Diễn tập mất kết nối", calls="at_once", drill=True)  # fmt: skip
    path = f"/conferences/{drill}"
    there = story.site.presence
    await story.until(lambda: set(there(drill).values()) == {"connected"}, 15)
    # Shorter than a lost leg is waited for: its line is back, and it need not join anew.
    fault = {"kind": "lost", "participants": [HEALTHY], "duration_s": 20}
    await story.call("POST", f"{path}/drill/faults", fault, by=city, status=201)

    def lost() -> list[int]:
        alarms = story.site.state(drill).alarms
        return [one.number for one in alarms if one.open and one.kind == "lost"]

    await story.until(lambda: bool(lost()), 18)
    await story.call("POST", f"{path}/alarms/{lost()[0]}/acknowledge", by=city, status=200)
    await story.call("POST", f"{path}/participants", {"bridge": HEALTHY}, by=city)
    await story.until(lambda: there(drill)[HEALTHY] == "connected" and not lost(), 60)
    [found] = (await story.get(f"{path}/drill", city))["faults"]
    times = [found[f"{what}_s"] for what in ("detected", "noticed", "acted", "recovered")]
    assert times == sorted(times), "found, then noticed, then acted upon, then over"
    assert times[-1] >= 20
    await story.end(drill, city)


async def the_trial_begins(story: Story, city: str, other: str) -> str:
    both = story.meeting("thu-nghiem")
    assert len(both["bridges"]) == COMMUNES + 2
    reply = await story.call("POST", "/conferences", both, by=city, status=403)
    assert "invite it" in reply.json["detail"], "a tree of its own is not simply called"
    session = await story.start("toan-thanh-pho", city, name="Vận hành thử nghiệm")
    fault = {"kind": "lost", "participants": [HEALTHY], "duration_s": 40}
    reply = await story.call("POST", f"/conferences/{session}/drill/faults", fault, by=city,
                             status=409)  # fmt: skip
    assert "drill" in reply.json["type"], "the trial is none"
    await story.call("GET", f"/conferences/{session}", by=other, status=403)
    convening = f"/conferences/{session}/convening"
    await story.call("POST", convening, {"at_once": 60}, by=city, status=201)
    await story.pass_time(8)
    board = await story.get(convening, city)
    assert (board["joined"], board["within_target"]) == (COMMUNES + 1, True)
    return session


async def hai_duong_takes_part_by_invitation(
    story: Story, session: str, city: str, other: str
) -> None:
    path = f"/conferences/{session}"
    own = await story.start("hai-don-vi", other, unit=OTHER, chair=OTHER, bridges=[OTHER],
                            name="Giao ban Hải Dương", calls="at_once")  # fmt: skip
    await story.pass_time(2)
    wish = {"bridge": OTHER, "note": "Liên thông hai địa phương"}
    await story.call("POST", f"{path}/invitations", wish, by=city, status=201)
    yes = {"answer": "accept"}
    answer = f"{path}/invitations/{OTHER}/answer"
    await story.call("POST", answer, yes, by=city, status=404)
    await story.call("POST", answer, yes, by=other, status=200)
    [asked] = await story.items(f"{path}/conflicts", city)
    assert (asked["bridge"], asked["conference_name"]) == (OTHER, "Giao ban Hải Dương")
    decision = f"{path}/conflicts/{OTHER}/decision"
    await story.call("POST", decision, {"decision": "move"}, by=city, status=403)
    await story.end(own, other)
    await story.soon(lambda: OTHER in story.site.state(session).participants)
    await story.until(lambda: story.site.presence(session)[OTHER] == "connected", 15)
    [invited] = (await story.get(f"{path}/invitations", city))["items"]
    assert (invited["status"], invited["answered_by"]) == ("accepted", "Trực Hải Dương")


async def it_watches_and_speaks(story: Story, session: str, city: str, other: str) -> None:
    path = f"/conferences/{session}"
    chair, guest, commune = (story.rooms[each] for each in (CITY, OTHER, HEALTHY))
    everybody = {"scope": "all", "except": ["chair"]}
    await story.call("POST", f"{path}/mute", everybody, by=city, status=200)
    await story.call("PUT", f"{path}/broadcast", {"participant": CITY}, by=city, status=200)
    await story.pass_time(3)
    assert story.site.colour(guest, 0, "1x1").is_like(chair.colour), "it watches"
    assert tone_db(guest.sound(1.0), chair.hz) > FULL_DB - 3.0
    await story.call("DELETE", f"{path}/broadcast", by=city, status=204)
    # Its own operator asks for the floor for it, and may do no more than that.
    wish = {"participant": OTHER}
    await story.call("POST", f"{path}/floor/requests", wish, by=other, status=200)
    await story.call("PUT", f"{path}/floor", wish, by=other, status=403)
    grant = {"participant": OTHER, "time_limit_s": 60, "picture": "broadcast"}
    await story.call("PUT", f"{path}/floor", grant, by=city, status=200)
    await story.pass_time(3)
    for room in (chair, commune):
        assert tone_db(room.sound(1.0), guest.hz) > FULL_DB - 3.0, "it speaks"
    assert story.site.colour(commune, 0, "1x1").is_like(guest.colour)
    # It is in its own hands: its operator mutes it in the middle of a word.
    own = f"{path}/participants/{OTHER}"
    await story.call("PATCH", own, {"audio_muted": True}, by=other, status=200)
    await story.pass_time(2)
    assert tone_db(chair.sound(1.0), guest.hz) < FULL_DB - OWN_TONE_BELOW_DB
    await story.call("DELETE", f"{path}/floor", by=city, status=204)


async def lost_connections_are_handled(story: Story, session: str, city: str) -> None:
    path = f"/conferences/{session}"
    await story.keeps_to_its_means("phuong-hong-bang")
    drop = [LOSSY, DEAD, "phuong-hong-bang"]
    places = (await story.get(f"{path}/layout?view=main", city))["slots"]
    story.lose(session, *drop)
    await story.alarmed(session, 3)
    alarms = (await story.get(f"{path}/alarms", city))["items"]
    assert {(each["participant"], each["kind"]) for each in alarms} == {
        (bridge, "lost") for bridge in drop
    }
    assert all("call" in each["actions"] for each in alarms), "whom to telephone is known"
    first = alarms[0]["number"]
    seen = await story.call("POST", f"{path}/alarms/{first}/acknowledge", by=city, status=200)
    assert seen.json["acknowledged_by"] == "Trực Hải Phòng"
    counts = (await story.get(path, city))["counts"]
    assert (counts["lost"], counts["connected"]) == (3, COMMUNES + 2 - 3), "others go on"
    story.find_again(session, *drop[:2])
    await story.alarmed(session, 1)
    roster = await story.roster(session, city)
    assert [roster[each]["state"] for each in drop] == ["connected", "connected", "lost"]
    assert (await story.get(f"{path}/layout?view=main", city))["slots"] == places
    [left] = (await story.get(f"{path}/alarms", city))["items"]
    body = {"conference": session, "alarm": left["number"], "comment": "Đứt cáp"}
    made = await story.call("POST", "/incidents", body, by=city, status=201)
    assert made.json["bridge"] == drop[2]


async def the_two_become_one_while_they_meet(
    story: Story, session: str, city: str, other: str
) -> None:
    path = f"/conferences/{session}"
    admin = {"merged_into": CITY}
    await story.call("PATCH", f"/units/{OTHER}", admin, by=city, status=403)
    await story.call("PATCH", f"/units/{OTHER}", admin, status=200)
    assert (await story.get(path, city))["state"] == "running", "nobody is cut"
    assert story.site.presence(session)[OTHER] == "connected"
    await story.call("GET", path, by=other, status=401)
    bridge = await story.get(f"/bridges/{OTHER}", city)
    assert bridge["unit"] == CITY
    history = await story.get("/units/hai-duong/history", city)
    assert history["former"]["successor"] == CITY
    # From now on it is one of the city's own rooms, and needs no invitation.
    own = {"bridge": OTHER}
    reply = await story.call("POST", f"{path}/invitations", own, by=city, status=422)
    assert reply.fields == ["$.bridge"]


async def the_trial_is_reported(story: Story, session: str, city: str) -> None:
    path = f"/conferences/{session}"
    await story.end(session, city)
    await story.written()
    report = await story.get(f"{path}/report", city)
    rooms = {room["participant"]: room for room in report["rooms"]}
    assert len(rooms) == COMMUNES + 2
    assert (rooms[OTHER]["unit"], rooms[OTHER]["unit_name"]) == (OTHER, "Tỉnh Hải Dương")
    assert rooms[OTHER]["floor_s"] > 0
    assert rooms[DEAD]["readiness"] == "go"
    lost = {fault["participant"]: fault for fault in report["faults"] if fault["kind"] == "lost"}
    assert set(lost) == {LOSSY, DEAD, "phuong-hong-bang"}
    assert lost[DEAD]["until"] is not None
    [incident] = report["incidents"]
    assert incident["bridge"] == "phuong-hong-bang"
    done = [action["action"] for action in report["actions"] if action["by"] == "Trực Hải Phòng"]
    assert done.count("grant_floor") == 1
    assert {"invite_room", "convene", "acknowledge_alarm"} <= set(done)
