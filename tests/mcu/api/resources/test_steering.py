"""Mute, layout, broadcast, message, lock."""

from typing import Any

import pytest

from tests.mcu.api.live import Api


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    await api.province()
    reply = await api.call(
        "POST", "/conferences",
        {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a", "xa-1-a", "xa-2-a"],
         "chair": "tinh-a"},
        status=201,
    )  # fmt: skip
    return api, f"/conferences/{reply.json['id']}"


async def muted(api: Api, path: str) -> set[str]:
    items = (await api.call("GET", f"{path}/participants", status=200)).json["items"]
    return {item["id"] for item in items if item["audio_muted"]}


async def test_mute_all_but_the_chair_and_back(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("POST", f"{path}/mute", {"scope": "all", "except": ["chair"]}, status=200)
    assert await muted(api, path) == {"xa-1-a", "xa-2-a"}
    await api.call("POST", f"{path}/unmute", {"scope": ["xa-1-a"]}, status=200)
    assert await muted(api, path) == {"xa-2-a"}
    await api.call("POST", f"{path}/mute", {"scope": "xa-1"}, status=200)
    assert await muted(api, path) == {"xa-1-a", "xa-2-a"}
    await api.call("POST", f"{path}/unmute", {"scope": "all"}, status=200)
    assert await muted(api, path) == set()
    reply = await api.call("POST", f"{path}/mute", {"scope": ["nobody"]}, status=422)
    assert reply.fields == ["$.scope[0]"]


@pytest.mark.parametrize("order", ["mute", "unmute"])
async def test_whom_it_means_is_said(meeting: tuple[Api, str], order: str) -> None:
    api, path = meeting
    form = '$.scope must be "all", the id of a unit, or ids of participants'
    for body, told in (
        ({}, "$.scope is required"),
        ({"scope": None}, form),
        ({"scope": []}, form),
        ({"scope": 7}, form),
        ({"scope": "xã 1"}, "$.scope must be 1 to 64 letters"),
        ({"scope": ["xa-1-a", None]}, "$.scope[1] Input should be a valid string"),
    ):
        reply = await api.call("POST", f"{path}/{order}", body, status=422)
        assert len(reply.json["errors"]) == 1, "one mistake, one message"
        assert told in reply.json["detail"]
    await api.call("POST", f"{path}/{order}", status=415)
    assert await muted(api, path) == set()


async def test_layouts(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    slots: list[dict[str, Any]] = [
        {"participant": "xa-1-a"}, {"speaker": 1},
        {"polling": {"interval_s": 10, "participants": ["xa-2-a"]}}, {"presentation": True},
    ]  # fmt: skip
    body = {"view": "main", "layout": "2x2", "slots": slots}
    reply = await api.call("PUT", f"{path}/layout", body, status=200)
    assert reply.json == body | {"fit": "letterbox"}
    read = await api.call("GET", f"{path}/layout", status=200)
    assert read.json == reply.json
    assert read.headers["ETag"] == reply.headers["ETag"]
    chair = await api.call("GET", f"{path}/layout?view=chair", status=200)
    assert chair.json == {"view": "chair", "layout": "auto", "slots": None, "fit": "letterbox"}
    for wrong, field in (
        ({"layout": "2x2", "slots": [{}]}, "$.slots"),
        ({"layout": "1x1", "slots": [{"participant": "nobody"}]}, "$.slots[0].participant"),
        ({"layout": "auto", "slots": []}, "$.slots"),
        ({"layout": "2x2", "view": "moon"}, "$.view"),
        ({"layout": "2x2", "fit": "stretch"}, "$.fit"),
    ):
        assert (await api.call("PUT", f"{path}/layout", wrong, status=422)).fields == [field]
    stale = {"If-Match": '"1"'}
    await api.call("PUT", f"{path}/layout", {"layout": "3x3"}, headers=stale, status=412)


async def test_a_view_keeps_its_fit_until_another_is_asked_for(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    for body, fit in (
        ({"layout": "2x2"}, "letterbox"),
        ({"layout": "2x2", "fit": "crop"}, "crop"),
        ({"layout": "1+5"}, "crop"),
        ({"layout": "1+5", "fit": None}, "crop"),
        ({"layout": "auto", "fit": "letterbox"}, "letterbox"),
    ):
        changed = await api.call("PUT", f"{path}/layout", body, status=200)
        assert changed.json["fit"] == fit
        assert (await api.call("GET", path, status=200)).json["views"]["main"]["fit"] == fit
    chair = {"view": "chair", "layout": "auto", "fit": "crop"}
    await api.call("PUT", f"{path}/layout", chair, status=200)
    views = (await api.call("GET", path, status=200)).json["views"]
    assert {name: view["fit"] for name, view in views.items()} == {
        "main": "letterbox",
        "chair": "crop",
    }


async def test_broadcast_message_and_lock(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    shown = await api.call("PUT", f"{path}/broadcast", {"participant": "xa-1-a"}, status=200)
    assert shown.json["broadcast"] == "xa-1-a"
    unknown = await api.call("PUT", f"{path}/broadcast", {"participant": "nobody"}, status=422)
    assert unknown.fields == ["$.participant"]
    text = {"text": "Nghỉ 10 phút", "duration_s": 600}
    message = (await api.call("PUT", f"{path}/message", text, status=200)).json["message"]
    assert message == {"text": "Nghỉ 10 phút", "until": "2026-11-21T08:10:00.000000Z"}
    assert (await api.call("PUT", f"{path}/lock", status=200)).json["locked"]
    for thing in ("broadcast", "message", "lock"):
        await api.call("DELETE", f"{path}/{thing}", status=204)
        await api.call("DELETE", f"{path}/{thing}", status=204)
    after = (await api.call("GET", path, status=200)).json
    assert (after["broadcast"], after["message"], after["locked"]) == (None, None, False)


async def test_nothing_is_done_to_what_has_ended(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("DELETE", path, status=204)
    for method, thing, body in (
        ("POST", "mute", {"scope": "all"}),
        ("PUT", "layout", {"layout": "2x2"}),
        ("PUT", "lock", None),
        ("POST", "participants", {"bridge": "xa-1-b"}),
        ("DELETE", "participants/xa-1-a", None),
    ):
        reply = await api.call(method, f"{path}/{thing}", body, status=409)
        assert "ended" in reply.json["detail"]
    await api.call("POST", "/conferences/nothing/mute", {"scope": "all"}, status=404)


async def test_who_comes_late_to_a_locked_conference_waits_to_be_let_in(api: Api) -> None:
    await api.province()
    conference = await api.conference("tinh-a", "xa-1-a", "xa-2-a")
    path = f"/conferences/{conference}"
    await api.join(conference, await api.token("bridge", bridge="tinh-a"))
    await api.call("PUT", f"{path}/lock", status=200)
    for bridge in ("xa-1-a", "xa-2-a"):
        await api.join(conference, await api.token("bridge", bridge=bridge))
    assert (await api.call("GET", path)).json["waiting"] == 2
    one = {"participant": "xa-1-a"}
    below = await api.token("operator", unit="xa-1")
    await api.call("POST", f"{path}/waiting/admit", one, token=below, status=403)
    reply = await api.call("POST", f"{path}/waiting/admit", one, status=200)
    assert reply.json["waiting"] == 1
    assert not (await api.call("GET", f"{path}/participants/xa-1-a")).json["waiting"]
    for wanted in ({}, None, {"participant": None}, {"participant": "xa-2-a", "all": True}):
        for order in ("admit", "refuse"):
            reply = await api.call("POST", f"{path}/waiting/{order}", wanted)
            assert reply.status in (415, 422), "nobody is let in or sent away by a slip"
    assert "`participant`" in reply.json["detail"]
    assert (await api.call("GET", path)).json["waiting"] == 1
    reply = await api.call("POST", f"{path}/waiting/refuse", {"all": True}, status=200)
    assert reply.json["waiting"] == 0
    await api.call("GET", f"{path}/participants/xa-2-a", status=404)
    reply = await api.call("POST", f"{path}/waiting/admit", {"participant": "nobody"}, status=422)
    assert reply.fields == ["$.participant"]
