"""Agencies invited across the tree: who may invite, what the invited may, until when."""

import asyncio
import json

import pytest

from tests.mcu.api.live import Api

ROOM = "benh-vien"


@pytest.fixture
async def hospital(api: Api) -> Api:
    """A province, and an agency that belongs to nobody there, with a room and people of its own."""
    await api.province()
    unit = {"id": "so-y-te", "name": "Sở Y tế", "level": "agency", "parent": "khac"}
    await api.call("POST", "/units", unit, status=201)
    bridge = {"id": ROOM, "name": "Bệnh viện tỉnh", "unit": "so-y-te",
              "contact": {"name": "Trực", "phone": "0900 111 222"}}  # fmt: skip
    await api.call("POST", "/bridges", bridge, status=201)
    return api


async def invited(api: Api, conference: str, token: str, status: int = 201) -> str:
    """Invite the room; gives the address of its invitation."""
    body = {"bridge": ROOM, "note": "Họp về dịch bệnh"}
    path = f"/conferences/{conference}/invitations"
    await api.call("POST", path, body, token=token, status=status)
    return f"{path}/{ROOM}"


async def accepted(api: Api, conference: str, province: str, agency: str) -> str:
    path = await invited(api, conference, province)
    yes = {"answer": "accept"}
    await api.call("POST", f"{path}/answer", yes, token=agency, status=200)
    return path


async def roster(api: Api, conference: str) -> set[str]:
    reply = await api.call("GET", f"/conferences/{conference}/participants", status=200)
    return {each["id"] for each in reply.json["items"]}


async def test_who_may_invite_and_who_may_answer(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    conference = await api.conference("tinh-a", token=province)
    # A room outside of the subtree is not simply called.
    body = {"bridge": ROOM}
    reply = await api.call(
        "POST", f"/conferences/{conference}/participants", body, token=province, status=403
    )
    assert "invite it" in reply.json["detail"]
    start = {"name": "Họp", "unit": "tinh", "bridges": [ROOM]}
    await api.call("POST", "/conferences", start, token=province, status=403)
    # Who does not control the conference invites nobody; what is one's own needs no invitation.
    for role, unit in (("operator", "xa-1"), ("observer", "tinh"), ("technician", "tinh")):
        await invited(api, conference, await api.token(role, unit=unit), 403)
    await invited(api, conference, agency, 403)
    own = await api.call(
        "POST", f"/conferences/{conference}/invitations", {"bridge": "xa-1-a"}, token=province,
        status=422,
    )  # fmt: skip
    assert own.fields == ["$.bridge"]
    for nobody in ("khong-co", "so-y-te"):
        reply = await api.call(
            "POST", f"/conferences/{conference}/invitations", {"bridge": nobody}, token=province,
            status=422,
        )  # fmt: skip
        assert reply.fields == ["$.bridge"]
        assert f"/conferences/{conference}/invitable" in reply.json["detail"]
    path = await invited(api, conference, province)

    # Nobody answers but the room's own side; others are not told that there is an invitation.
    for role, unit, status in (
        ("operator", "tinh", 404), ("operator", "xa-1", 404), ("observer", "so-y-te", 403),
    ):  # fmt: skip
        token = await api.token(role, unit=unit)
        yes = {"answer": "accept"}
        reply = await api.call("POST", f"{path}/answer", yes, token=token, status=status)
        if status == 404:
            unasked = f"{path.rpartition('/')[0]}/khac-a/answer"
            other = await api.call("POST", unasked, yes, token=token, status=404)
            assert "/api/v1/invitations" in reply.json["detail"]
            said = other.json["detail"].replace("khac-a", ROOM)
            assert reply.json["detail"] == said, "whether it is invited is not told"
    assert ROOM not in await roster(api, conference)
    technician = await api.token("technician", unit="so-y-te")
    reply = await api.call(
        "POST", f"{path}/answer", {"answer": "accept"}, token=technician, status=200
    )
    assert (reply.json["status"], reply.json["answered_by"]) == ("accepted", "technician")
    assert ROOM in await roster(api, conference)
    audit = await api.store.audit.list(limit=100)
    done = {(row.action, row.outcome) for row in audit.items}
    assert {("invite_room", "done 201"), ("answer_invitation", "done 200")} <= done
    assert ("answer_invitation", "denied 403") in done


async def test_what_the_invited_see_before_they_answer(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    conference = await api.conference("tinh-a", token=province)
    async with api.conferences.subscribe() as feed:
        path = await invited(api, conference, province)
        while (event := await anext(aiter(feed))).type != "invitation.changed":
            pass
    assert (event.data["bridge"], event.data["unit"]) == (ROOM, "so-y-te")
    assert event.conference is None, "the room's side sees nothing of the conference yet"
    [asked] = (await api.call("GET", "/invitations", token=agency, status=200)).json["items"]
    assert (asked["conference_name"], asked["note"], asked["by"], asked["status"]) == (
        "Họp", "Họp về dịch bệnh", "operator", "open",
    )  # fmt: skip
    table = await api.call("GET", "/invitations.csv", token=agency, status=200)
    assert len(table.body.decode().splitlines()) == 2
    assert (await api.call("GET", "/invitations", token=province)).json["items"] == []
    await api.call("GET", f"/conferences/{conference}", token=agency, status=403)
    await api.call("GET", path.rpartition("/")[0], token=agency, status=403)
    mine = await api.call("GET", path.rpartition("/")[0], token=province, status=200)
    assert [each["status"] for each in mine.json["items"]] == ["open"]
    table = await api.call("GET", path.rpartition("/")[0] + ".csv", token=province, status=200)
    assert len(table.body.decode().splitlines()) == 2


async def test_agencies_elsewhere_can_be_looked_up_by_name_and_nothing_more(hospital: Api) -> None:
    api = hospital
    province = await api.token("operator", unit="tinh")
    conference = await api.conference("tinh-a", token=province)
    path = f"/conferences/{conference}/invitable"
    found = await api.call("GET", path, token=province, status=200)
    assert found.json["items"] == [
        {"bridge": ROOM, "name": "Bệnh viện tỉnh", "unit": "so-y-te", "unit_name": "Sở Y tế"}
    ], "no telephone, no address, and no rooms of other communes"
    none = await api.call("GET", path, token=province, params={"search": "công an"}, status=200)
    assert none.json["items"] == []
    one = await api.call("GET", path, token=province, params={"search": "viện"}, status=200)
    assert len(one.json["items"]) == 1
    below = await api.token("operator", unit="xa-1")
    await api.call("GET", path, token=below, status=403)
    assert (await api.call("GET", path, status=200)).json["items"] == [], "all is within reach"


async def test_what_the_invited_may_there_and_what_not(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    conference = await api.conference("tinh-a", "xa-1-a", token=province)
    await accepted(api, conference, province, agency)
    await api.join(conference, await api.token("bridge", bridge=ROOM))
    await api.join(conference, await api.token("bridge", bridge="tinh-a"))
    path = f"/conferences/{conference}"
    seen = (await api.call("GET", path, token=agency, status=200)).json
    assert (seen["name"], seen["pin"]) == ("Họp", None)
    people = (await api.call("GET", f"{path}/participants", token=agency, status=200)).json
    rows = {each["id"]: each for each in people["items"]}
    assert rows[ROOM]["invited"]
    assert (rows[ROOM]["bridge"], len(rows[ROOM]["legs"])) == (ROOM, 1)
    assert (rows["tinh-a"]["bridge"], rows["tinh-a"]["legs"]) == (None, []), "as rooms see others"
    # Its own room's things.
    own, other = f"{path}/participants/{ROOM}", f"{path}/participants/tinh-a"
    muted = {"audio_muted": True}
    reply = await api.call("PATCH", own, muted, token=agency, status=200)
    assert reply.json["audio_muted"]
    await api.call("PATCH", own, {"audio_muted": False}, token=agency, status=200)
    wish = {"participant": ROOM}
    await api.call("POST", f"{path}/floor/requests", wish, token=agency, status=200)
    await api.call("GET", f"{own}/picture.jpg", token=agency, status=200)
    # And nothing that is the conference's, nor another room's.
    for method, where, body in (
        ("PATCH", own, {"label": "Khác"}),
        ("PATCH", own, {"role": "chair"}),
        ("PATCH", other, muted),
        ("DELETE", other, None),
        ("POST", f"{path}/mute", {"scope": "all"}),
        ("PUT", f"{path}/broadcast", {"participant": ROOM}),
        ("PUT", f"{path}/floor", {"participant": ROOM}),
        ("POST", f"{path}/floor/requests", {"participant": "tinh-a"}),
        ("POST", f"{path}/roll-calls", {"mode": "presence"}),
        ("PUT", f"{path}/lock", None),
        ("GET", f"{other}/picture.jpg", None),
        ("GET", f"{path}/views/main.jpg", None),
        ("GET", f"{path}/conflicts", None),
        ("DELETE", path, None),
    ):
        reply = await api.call(method, where, body, token=agency)
        assert reply.status == 403, (method, where, body, reply.body)
    # The conference's operator has it as any other room, but takes it nowhere else.
    await api.call("PUT", f"{path}/broadcast", {"participant": ROOM}, token=province, status=200)
    elsewhere = await api.conference("tinh-b", token=province)
    transfer = {"conference": elsewhere}
    reply = await api.call("POST", f"{own}/transfer", transfer, token=province, status=403)
    assert "invited to this conference only" in reply.json["detail"]
    await api.call("DELETE", own, token=province, status=204)
    await api.call("GET", path, token=agency, status=403)
    again = {"bridge": ROOM}
    await api.call("POST", f"{path}/participants", again, token=province, status=201)
    await api.call("GET", path, token=agency, status=200)


async def test_the_right_ends_with_the_conference(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    technician = await api.token("technician", unit="so-y-te")
    conference = await api.conference("tinh-a", token=province)
    path = await accepted(api, conference, province, agency)
    own = f"/conferences/{conference}/participants/{ROOM}"
    await api.call("GET", own, token=agency, status=200)
    await api.call("DELETE", f"/conferences/{conference}", token=province, status=204)
    for token in (agency, technician):
        await api.call("GET", f"/conferences/{conference}", token=token, status=403)
        await api.call("GET", own, token=token, status=403)
    assert (await api.call("GET", "/invitations", token=agency)).json["items"] == []
    late = {"answer": "decline"}
    refused = await api.call("POST", f"{path}/answer", late, token=agency, status=409)
    assert "'Họp' has ended" in refused.json["detail"]
    assert "invites it to that one" in refused.json["detail"]
    said = await api.call("GET", path.rpartition("/")[0], token=province, status=200)
    assert [each["status"] for each in said.json["items"]] == ["ended"]
    # It was for that conference: the next one asks anew.
    following = await api.conference("tinh-a", token=province)
    body = {"bridge": ROOM}
    await api.call(
        "POST", f"/conferences/{following}/participants", body, token=province, status=403
    )


async def test_left_by_the_room_taken_back_by_who_invited(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    conference = await api.conference("tinh-a", token=province)
    path = await accepted(api, conference, province, agency)
    await api.call("POST", f"{path}/answer", {"answer": "decline"}, token=agency, status=200)
    assert ROOM not in await roster(api, conference)
    await api.call("GET", f"/conferences/{conference}", token=agency, status=403)
    refused = await api.call("POST", f"{path}/answer", {"answer": "accept"}, token=agency)
    assert (refused.status, "any more" in refused.json["detail"]) == (409, True)
    assert "Bệnh viện tỉnh" in refused.json["detail"]
    await accepted(api, conference, province, agency)
    await api.call("DELETE", path, token=agency, status=403)
    await api.call("DELETE", path, token=province, status=204)
    assert ROOM not in await roster(api, conference)
    body = {"bridge": ROOM}
    await api.call(
        "POST", f"/conferences/{conference}/participants", body, token=province, status=403
    )


async def test_of_two_who_answer_at_once_both_are_told_how_it_is(hospital: Api) -> None:
    api = hospital
    province = await api.token("operator", unit="tinh")
    people = [await api.token("operator", unit="so-y-te") for _ in range(2)]
    conference = await api.conference("tinh-a", token=province)
    path = await invited(api, conference, province)
    replies = await asyncio.gather(
        api.call("POST", f"{path}/answer", {"answer": "decline"}, token=people[0]),
        api.call("POST", f"{path}/answer", {"answer": "decline"}, token=people[1]),
    )
    assert [reply.json["status"] for reply in replies] == ["declined"] * 2
    late = await api.call("POST", f"{path}/answer", {"answer": "accept"}, token=people[0])
    assert late.status == 409
    assert ROOM not in await roster(api, conference)


async def test_wanted_by_two_conferences_it_is_a_conflict_as_any_other(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    own = await api.conference(ROOM, unit="so-y-te", token=agency)
    conference = await api.conference("tinh-a", token=province)
    await accepted(api, conference, province, agency)
    assert ROOM in await roster(api, own), "never silently taken, not even by a yes"
    assert ROOM not in await roster(api, conference)
    asks = (await api.call("GET", f"/conferences/{conference}/conflicts", token=province)).json
    assert [(each["bridge"], each["side"], each["status"]) for each in asks["items"]] == [
        (ROOM, "asking", "open")
    ]
    # The room's side is told by whom it is wanted, and what has it; in words, not in ids.
    refused = await api.call("GET", f"/conferences/{conference}", token=agency, status=403)
    assert "/api/v1/invitations" in refused.json["detail"]
    [seen] = (await api.call("GET", "/invitations", token=agency)).json["items"]
    assert (seen["status"], seen["conflict"], seen["presence"]) == ("accepted", "open", None)
    assert (seen["unit_name"], seen["conference_unit_name"]) == ("Sở Y tế", "tinh")
    assert (seen["held_by"], seen["held_by_name"], seen["held_by_unit_name"]) == (
        own, "Họp", "Sở Y tế",
    )  # fmt: skip
    assert seen["conference_started_at"] == api.conferences.get(conference).started_at.isoformat(
        timespec="microseconds"
    ).replace("+00:00", "Z")
    [told] = (await api.call("GET", f"/conferences/{conference}/invitations", token=province)).json[
        "items"
    ]
    assert (told["held_by"], told["held_by_unit_name"]) == (own, None), "as the conflict says"
    held = (await api.call("GET", f"/conferences/{own}/conflicts", token=agency)).json
    assert [(each["side"], each["conference"]) for each in held["items"]] == [
        ("holding", conference)
    ]
    move = f"/conferences/{conference}/conflicts/{ROOM}/decision"
    refused = await api.call("POST", move, {"decision": "move"}, token=province, status=403)
    assert "may not move anybody out of conference" in refused.json["detail"]
    await api.call("DELETE", f"/conferences/{own}", token=agency, status=204)
    while ROOM not in await roster(api, conference):  # noqa: ASYNC110 - what is given, is soon
        await asyncio.sleep(0.01)
    seen = (await api.call("GET", f"/conferences/{conference}", token=agency, status=200)).json
    assert seen["id"] == conference, "and then its people see it"
    [seen] = (await api.call("GET", "/invitations", token=agency)).json["items"]
    assert (seen["presence"], seen["conflict"], seen["held_by"]) == ("expected", None, None)


async def test_before_it_answers_who_invites_is_not_told_where_the_room_is(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    own = await api.conference(ROOM, unit="so-y-te", token=agency)
    conference = await api.conference("tinh-a", token=province)
    path = await invited(api, conference, province)
    [seen] = (await api.call("GET", path.rpartition("/")[0], token=province)).json["items"]
    assert (seen["held_by"], seen["held_by_name"]) == (None, None)
    [asked] = (await api.call("GET", "/invitations", token=agency)).json["items"]
    assert asked["held_by"] == own, "who answers knows where its room is"


async def test_another_note_is_told_the_same_one_is_not(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    conference = await api.conference("tinh-a", token=province)
    path = await invited(api, conference, province)
    async with api.conferences.subscribe() as feed:
        await invited(api, conference, province)
        body = {"bridge": ROOM, "note": "Chuyển sang 14 giờ"}
        reply = await api.call("POST", path.rpartition("/")[0], body, token=province, status=201)
        assert reply.json["note"] == "Chuyển sang 14 giờ"
        event = await anext(aiter(feed))
    assert (event.type, event.data["note"]) == ("invitation.sent", "Chuyển sang 14 giờ")
    [asked] = (await api.call("GET", "/invitations", token=agency)).json["items"]
    assert (asked["note"], asked["status"]) == ("Chuyển sang 14 giờ", "open")


async def test_the_rooms_side_hears_when_its_room_is_wanted_and_when_it_comes(
    hospital: Api,
) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    own = await api.conference(ROOM, unit="so-y-te", token=agency)
    conference = await api.conference("tinh-a", token=province)
    told = []
    async with api.conferences.subscribe() as feed:
        await accepted(api, conference, province, agency)
        await api.call("DELETE", f"/conferences/{own}", token=agency, status=204)
        async for event in feed:
            if event.type == "invitation.changed":
                told.append((event.data["status"], event.data["conflict"], event.data["presence"]))
                if told[-1] == ("accepted", None, "expected"):
                    break
    assert told[:3] == [("open", None, None), ("accepted", None, None), ("accepted", "open", None)]


async def test_its_people_hear_of_their_room_and_of_others_what_rooms_hear(hospital: Api) -> None:
    api = hospital
    province, agency = (
        await api.token("operator", unit="tinh"),
        await api.token("operator", unit="so-y-te"),
    )
    conference = await api.conference("tinh-a", token=province)
    seen = []
    url = f"{api.url}/api/v1/events"
    headers = {"Authorization": f"Bearer {agency}"}
    async with api.http.get(url, headers=headers) as stream:
        path = await accepted(api, conference, province, agency)
        leg = await api.join(conference, await api.token("bridge", bridge="tinh-a"))
        poll = {"interval_s": 5, "view": "chair"}
        await api.call("PUT", f"/conferences/{conference}/polling", poll, token=province)
        await api.call("DELETE", path, token=province, status=204)
        await api.call("DELETE", f"/conferences/{conference}", token=province, status=204)
        own = await api.conference(ROOM, unit="so-y-te", token=agency)
        async for line in stream.content:
            if line.startswith(b"data:"):
                event = json.loads(line[5:])
                seen.append(event)
                if event["conference"] == own:
                    break
    kinds = [event["type"] for event in seen]
    assert "invitation.sent" not in kinds
    assert "polling.started" not in kinds
    # Asked, accepted, on the roster; taken back, off it.
    assert kinds.count("invitation.changed") == 5
    [joined] = [event for event in seen if event["type"] == "participant.joined"]
    assert joined["data"]["participant"]["legs"] == [], leg
    assert "participant.removed" in kinds
    assert "conference.ended" not in kinds, "it was not its conference any more"
