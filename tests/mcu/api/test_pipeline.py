"""What happens around every handler: sizes, types, audit."""

import io
import json
from collections.abc import AsyncIterator

import pytest

from mcu.api.route import MAX_BODY_BYTES
from mcu.store.errors import StoreUnavailable
from mcu.store.records import AuditRow
from tests.mcu.api.live import ADMIN, OFFER, Api

UNIT = {"id": "tinh", "name": "Tỉnh", "level": "province"}


async def audit(api: Api) -> list[AuditRow]:
    return list((await api.store.audit.list()).items)


async def test_bodies_that_are_too_large(api: Api) -> None:
    big = io.BytesIO(json.dumps({**UNIT, "name": "a" * MAX_BODY_BYTES}).encode())
    headers = {"Content-Type": "application/json"}
    reply = await api.call("POST", "/units", data=big, headers=headers, status=413)
    assert reply.kind == "too-large"

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 16_384

    reply = await api.call("POST", "/units", data=chunks(), headers=headers, status=413)
    assert reply.kind == "too-large"
    await api.province()
    conference = await api.conference("xa-1-a")
    reply = await api.call(
        "POST", f"/conferences/{conference}/legs", data=OFFER + "a=x\r\n" * 20_000,
        headers={"Content-Type": "application/sdp"}, status=413,
    )  # fmt: skip
    assert "65536" in reply.json["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/sdp"])
async def test_content_types_that_are_not_read(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    reply = await api.call("POST", "/units", data="{}", headers=headers, status=415)
    assert reply.kind == "unsupported-media-type"
    assert reply.headers["Accept-Post"] == "application/json"


async def test_other_character_sets_are_not_read(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-16"}
    body = json.dumps(UNIT).encode("utf-16")
    reply = await api.call("POST", "/units", data=body, headers=headers, status=415)
    assert "UTF-8" in reply.json["detail"]


async def test_queries_that_are_not_known(api: Api) -> None:
    reply = await api.call("GET", "/units?limit=0&limit=1&colour=red", status=422)
    assert reply.fields == ["query.limit"]
    assert (await api.call("GET", "/units?limit=501", status=422)).fields == ["query.limit"]
    assert (await api.call("GET", "/units?colour=red", status=422)).fields == ["query.colour"]
    assert (await api.call("GET", "/session?x=1", status=422)).fields == ["query.x"]
    assert (await api.call("GET", "/units?cursor=%21", status=422)).fields == ["query.cursor"]


async def test_unsafe_requests_are_audited_with_their_outcome(api: Api) -> None:
    await api.call("POST", "/units", UNIT, status=201)
    await api.call("POST", "/units", UNIT, status=409)
    observer = await api.token("observer", unit="tinh")
    await api.call("POST", "/units", UNIT, token=observer, status=403)
    await api.call("GET", "/units", status=200)
    rows = await audit(api)
    assert [(row.role, row.action, row.outcome) for row in reversed(rows)] == [
        ("admin", "create_unit", "done 201"),
        ("admin", "create_unit", "refused 409"),
        ("observer", "create_unit", "denied 403"),
    ]
    assert {row.address for row in rows} == {"127.0.0.1"}
    assert rows[-1].actor == "bootstrap"


async def test_the_audit_names_what_was_made_and_no_secret(api: Api) -> None:
    await api.province()
    conference = await api.conference("xa-1-a")
    secret = (await api.call("POST", "/bridges/xa-1-a/token", status=201)).json["token"]
    text = str(await audit(api))
    assert f"/api/v1/conferences/{conference}" in text
    assert secret not in text
    assert ADMIN not in text


async def test_a_record_of_the_audit_is_one_line(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    await api.call("DELETE", "/units/x%0d%0ay%1b%5b2J%E2%80%AE", status=404)
    (row,) = await audit(api)
    assert row.target == "/api/v1/units/x%0D%0Ay%1B[2J%E2%80%AE"
    assert "\x1b[2J" not in capsys.readouterr().out


async def test_outsiders_cannot_fill_the_audit(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    await api.call("POST", "/units", UNIT, token=None, status=401)
    ended, text = await api.store.tokens.create("admin", name="a")
    await api.store.tokens.revoke(ended.id)
    for token in ("wrong", "mcu_x_y", text):
        await api.call("POST", "/units", UNIT, token=token, status=401)
    assert await audit(api) == []
    said = capsys.readouterr().out
    assert said.count("status=401") == 4
    assert said.count("address=127.0.0.1") == 4


async def test_the_store_being_away_is_a_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The disk is full: free space, then repeat.")

    monkeypatch.setattr(api.store.units, "create", away)
    monkeypatch.setattr(api.store.audit, "append", away)
    reply = await api.call("POST", "/units", UNIT, status=503)
    assert reply.kind == "unavailable"
    assert reply.headers["Retry-After"] == "5"
    assert "free space" in reply.json["detail"]


async def test_what_was_done_stays_done_without_an_audit(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("The disk is full: free space, then repeat.")

    monkeypatch.setattr(api.store.audit, "append", away)
    await api.call("POST", "/units", UNIT, status=201)


async def test_ids_that_are_too_long(api: Api) -> None:
    assert (await api.call("GET", "/units/" + "a" * 129, status=404)).kind == "not-found"
