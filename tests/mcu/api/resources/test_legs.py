"""Legs over HTTP: WHIP, WHEP and the rooms' own way (RFC 9725)."""

import pytest

from signalling.sdp import SdpError
from tests.mcu.api.live import OFFER, Api, no_capacity

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
TRICKLE = "a=ice-ufrag:peer\r\na=ice-pwd:0123456789012345678901\r\n"
RESTART = "a=ice-ufrag:newer\r\na=ice-pwd:0123456789012345678901\r\n"


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    await api.province()
    return api, await api.conference("tinh-a", "xa-1-a")


async def test_a_room_joins_and_leaves(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    path = f"/conferences/{conference}/legs"
    reply = await api.call("POST", path, data=OFFER, headers=SDP, token=room, status=201)
    assert reply.headers["Content-Type"] == "application/sdp"
    assert reply.headers["Location"] == "/api/v1/legs/leg-1"
    assert reply.headers["ETag"] == '"ours1"'
    assert reply.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert reply.body.startswith(b"v=0\r\n")
    who = await api.call("GET", f"/conferences/{conference}/participants/xa-1-a", status=200)
    assert (who.json["state"], who.json["legs"]) == ("connected", ["leg-1"])
    leg = await api.call("GET", "/legs/leg-1", token=room, status=200)
    assert leg.json["received"]["audio"]["packets"] == 50
    assert leg.headers["ETag"] == '"ours1"'
    await api.call("DELETE", "/legs/leg-1", token=room, status=204)
    await api.call("DELETE", "/legs/leg-1", token=room, status=404)
    assert api.legs.closed == [("leg-1", "bye")]


async def test_a_room_joins_by_its_link_while_the_store_cannot_be_written(
    meeting: tuple[Api, str],
) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    await api.store._database._writer.execute("PRAGMA query_only = ON")
    reply = await api.call("POST", "/session", token=room, status=201)
    cookie = reply.cookies["mcu_session_xa-1-a"].value
    headers = {
        "Cookie": f"mcu_session_xa-1-a={cookie}",
        "X-MCU-Room": "xa-1-a",
        "X-CSRF-Token": reply.json["csrf_token"],
    }
    await api.call("GET", "/conferences?state=running", token=None, headers=headers, status=200)
    path = f"/conferences/{conference}/legs"
    reply = await api.call("POST", path, data=OFFER, headers=SDP | headers, token=None, status=201)
    leg = reply.headers["Location"].removeprefix("/api/v1")
    await api.call("DELETE", leg, headers=headers, token=None, status=204)


async def test_whip_and_whep(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    reply = await api.call(
        "POST", f"//whip/{conference}", data=OFFER, headers=SDP, token=room, status=201
    )
    assert api.legs.legs["leg-1"].kind == "publish"
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" in reply.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in reply.headers
    observer = await api.token("observer", unit="tinh")
    await api.call(
        "POST", f"//whep/{conference}?view=chair", data=OFFER, headers=SDP, token=observer,
        status=201,
    )  # fmt: skip
    leg = api.legs.legs["leg-2"]
    assert (leg.kind, leg.view, leg.participant) == ("view", "chair", None)
    wrong = await api.call(
        "POST", f"//whep/{conference}?view=moon", data=OFFER, headers=SDP, token=observer,
        status=422,
    )  # fmt: skip
    assert wrong.fields == ["query.view"]
    await api.call("DELETE", "/legs/leg-2", token=observer, status=204)
    await api.call("DELETE", "/legs/leg-1", token=observer, status=403)


async def test_who_joins_as_whom(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    path = f"/conferences/{conference}/legs"

    async def offer(token: str, query: str, status: int) -> str | None:
        reply = await api.call(
            "POST", path + query, data=OFFER, headers=SDP, token=token, status=status
        )
        if status != 201:
            return None
        return api.legs.legs[reply.headers["Location"].rpartition("/")[2]].participant

    room = await api.token("bridge", bridge="xa-1-a")
    stranger = await api.token("bridge", bridge="xa-2-a")
    operator = await api.token("operator", unit="tinh")
    technician = await api.token("technician", unit="xa-1")
    observer = await api.token("observer", unit="tinh")
    assert await offer(room, "", 201) == "xa-1-a"
    assert await offer(room, "?bridge=xa-1-a", 201) == "xa-1-a"
    await offer(room, "?bridge=tinh-a", 403)
    await offer(room, "?name=Kh%C3%A1ch", 403)
    await offer(stranger, "", 403)
    await offer(operator, "", 422)
    assert await offer(operator, "?bridge=tinh-a", 201) == "tinh-a"
    assert await offer(operator, "?bridge=xa-2-a", 201) == "xa-2-a"
    await offer(operator, "?bridge=khac-a", 403)
    await offer(operator, "?bridge=nowhere", 404)
    await offer(operator, "?bridge=tinh-a&name=a", 422)
    guest = await offer(operator, "?name=Kh%C3%A1ch", 201)
    assert guest is not None
    assert guest.startswith("guest-")
    assert await offer(technician, "?bridge=xa-1-a", 201) == "xa-1-a"
    await offer(technician, "?bridge=tinh-a", 403)
    await offer(technician, "?bridge=xa-1-b", 403)
    await offer(observer, "?bridge=tinh-a", 403)


async def test_a_guest_whose_offer_is_refused_leaves_no_trace(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    before = set(api.conferences.get(conference).participants)
    await api.call(
        "POST", f"/conferences/{conference}/legs?name=a", data="hello", headers=SDP, status=400
    )
    assert set(api.conferences.get(conference).participants) == before


async def test_offers_that_cannot_be_answered(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    path = f"/conferences/{conference}/legs?bridge=tinh-a"
    broken = await api.call("POST", path, data="hello", headers=SDP, status=400)
    assert "line 1" in broken.json["detail"]
    bad_text = await api.call("POST", path, data=b"\xff\xfe", headers=SDP, status=400)
    assert bad_text.kind == "malformed-request"
    codecs = OFFER + "m=video 9 UDP/TLS/RTP/SAVPF 99\r\n"
    refused = await api.call("POST", path, data=codecs, headers=SDP, status=422)
    assert refused.kind == "offer-refused"
    assert any("opus" in codec.lower() for codec in refused.json["accepted_codecs"])
    assert refused.fields == ["media[0]"]
    await api.call("POST", path, data=OFFER, headers={"Content-Type": "text/plain"}, status=415)
    html = {**SDP, "Accept": "text/html, application/json"}
    assert (await api.call("POST", path, data=OFFER, headers=html, status=406)).kind
    for accept in ("application/sdp", "*/*", "application/*;q=0.5"):
        await api.call("POST", path, data=OFFER, headers={**SDP, "Accept": accept}, status=201)
    api.legs.refusal = no_capacity()
    full = await api.call("POST", path, data=OFFER, headers=SDP, status=503)
    assert full.headers["Retry-After"] == "7"
    api.legs.refusal = SdpError("no such thing", 3)
    await api.call("POST", path, data=OFFER, headers=SDP, status=400)
    await api.call("POST", "/conferences/nothing/legs", data=OFFER, headers=SDP, status=404)


async def test_ice_is_trickled_and_restarted(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    await api.join(conference, room)

    async def patch(body: str, tag: str | None, status: int) -> bytes:
        headers = FRAGMENT | ({"If-Match": tag} if tag else {})
        reply = await api.call(
            "PATCH", "/legs/leg-1", data=body, headers=headers, token=room, status=status
        )
        if status == 200:
            assert reply.headers["Content-Type"] == "application/trickle-ice-sdpfrag"
            assert reply.headers["ETag"] == '"again"'
        return reply.body

    await patch(TRICKLE, None, 428)
    await patch(TRICKLE, '"other"', 412)
    await patch(TRICKLE, '"ours1"', 204)
    await patch(TRICKLE, "*", 204)
    assert b"a=ice-ufrag:again" in await patch(RESTART, "*", 200)
    await patch("nonsense", "*", 400)
    await api.call(
        "PATCH", "/legs/leg-1", data=TRICKLE, headers={**SDP, "If-Match": "*"}, status=415
    )
    stranger = await api.token("bridge", bridge="tinh-a")
    for method in ("GET", "DELETE"):
        await api.call(method, "/legs/leg-1", token=stranger, status=403)
    observer = await api.token("observer", unit="tinh")
    await api.call("GET", "/legs/leg-1", token=observer, status=200)
    await api.call("DELETE", "/legs/leg-1", token=observer, status=403)
    operator = await api.token("operator", unit="tinh")
    await api.call("DELETE", "/legs/leg-1", token=operator, status=204)
    assert api.legs.closed == [("leg-1", "disconnected")]


async def test_a_viewer_need_not_know_the_ice_session(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    observer = await api.token("observer", unit="tinh")
    await api.call(
        "POST", f"//whep/{conference}", data=OFFER, headers=SDP, token=observer, status=201
    )
    (leg,) = api.legs.legs
    for body, tag, status in ((TRICKLE, None, 204), (RESTART, None, 200), (TRICKLE, '"x"', 412)):
        headers = FRAGMENT | ({"If-Match": tag} if tag else {})
        await api.call(
            "PATCH", f"/legs/{leg}", data=body, headers=headers, token=observer, status=status
        )


@pytest.mark.parametrize("path", ["//whip/c", "//whep/c?view=main", "/legs/l"])
async def test_preflights_of_other_origins(api: Api, path: str) -> None:
    headers = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    reply = await api.call("OPTIONS", path, token=None, headers=headers, status=204)
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    assert "DELETE" in reply.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in reply.headers
    name = "Accept-Patch" if path == "/legs/l" else "Accept-Post"
    assert reply.headers[name].startswith("application/")


async def test_refusals_can_be_read_by_other_origins_too(api: Api) -> None:
    reply = await api.call("POST", "//whip/c", data=OFFER, headers=SDP, token=None, status=401)
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in (await api.call("GET", "/units")).headers


async def test_get_and_put_are_not_for_whip(api: Api) -> None:
    for method in ("GET", "PUT", "HEAD"):
        await api.call(method, "//whip/c", status=405)


async def test_a_conference_that_has_ended_takes_nobody(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    await api.call("DELETE", f"/conferences/{conference}", status=204)
    path = f"/conferences/{conference}/legs?bridge=tinh-a"
    await api.call("POST", path, data=OFFER, headers=SDP, status=409)
