"""Overlays over REST: pinned, listed, as CSV, removed; rights and events."""

import pytest

from tests.mcu.api.live import Api


@pytest.fixture
async def overlays(api: Api) -> str:
    await api.province()
    return f"/conferences/{await api.conference('tinh-a', 'xa-1-a')}/overlays"


async def test_pinned_listed_and_removed(api: Api, overlays: str) -> None:
    body = {"text": "Giải lao 15 phút", "position": "bottom-right", "duration_s": 900}
    reply = await api.call("POST", overlays, body, status=201)
    (one,) = reply.json["items"]
    assert one == {
        "number": 1, "kind": "text", "text": "Giải lao 15 phút", "position": "bottom-right",
        "view": None, "until": "2026-11-21T08:15:00.000000Z",
        "pinned_at": "2026-11-21T08:00:00.000000Z",
    }  # fmt: skip
    await api.call("POST", overlays, {"kind": "floor", "view": "chair"}, status=201)
    listed = await api.call("GET", overlays, status=200)
    assert [each["kind"] for each in listed.json["items"]] == ["text", "floor"]
    table = await api.call("GET", overlays, headers={"Accept": "text/csv"}, status=200)
    assert (await api.call("GET", f"{overlays}.csv", status=200)).body == table.body
    assert table.body.decode("utf-8-sig").splitlines()[1].startswith("1,text,Giải lao 15 phút,")
    conference = await api.call("GET", overlays.removesuffix("/overlays"), status=200)
    assert [each["number"] for each in conference.json["overlays"]] == [1, 2]
    stale = {"If-Match": '"1"'}
    await api.call("POST", overlays, {"text": "x"}, headers=stale, status=412)
    await api.call("DELETE", f"{overlays}/1", status=204)
    await api.call("DELETE", f"{overlays}/1", status=204)  # it is gone: that is what was wanted
    assert (await api.call("DELETE", f"{overlays}/9", status=404)).kind == "not-found"
    assert (await api.call("DELETE", f"{overlays}/all", status=404)).kind == "not-found"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "text"),
        ({"text": " "}, 422, "$.text"),
        ({"kind": "floor", "text": "chữ"}, 422, "text"),
        ({"text": "x", "position": "moon"}, 422, "$.position"),
        ({"text": "x", "view": "moon"}, 422, "$.view"),
        ({"text": "x", "duration_s": 0}, 422, "$.duration_s"),
        ({"text": "x" * 201}, 422, "$.text"),
        ({"text": "a\u202eb"}, 422, "$.text"),
        ({"text": "x", "colour": "red"}, 422, "$.colour"),
    ],
)
async def test_what_cannot_be_pinned_is_named(
    api: Api, overlays: str, body: dict[str, object], status: int, field: str
) -> None:
    reply = await api.call("POST", overlays, body, status=status)
    assert [one.removeprefix("$.") for one in reply.fields] == [field.removeprefix("$.")]


async def test_who_may_and_who_may_not(api: Api, overlays: str) -> None:
    for role, more in (("observer", {"unit": "tinh"}), ("bridge", {"bridge": "tinh-a"})):
        token = await api.token(role, **more)
        await api.call("GET", overlays, token=token, status=200)
        await api.call("POST", overlays, {"text": "x"}, token=token, status=403)
        await api.call("DELETE", f"{overlays}/1", token=token, status=403)
    stranger = await api.token("operator", unit="khac")
    await api.call("GET", overlays, token=stranger, status=403)
    await api.call("DELETE", overlays.removesuffix("/overlays"), status=204)
    await api.call("POST", overlays, {"text": "x"}, status=409)
