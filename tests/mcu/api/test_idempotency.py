"""A POST that is sent again does its work once."""

import asyncio
import hashlib
import json

from tests.mcu.api.live import OFFER, Api

UNIT = {"id": "tinh", "name": "Tỉnh", "level": "province"}
KEY = {"Idempotency-Key": "4f1c"}


async def test_the_same_answer_again(api: Api) -> None:
    first = await api.call("POST", "/units", UNIT, headers=KEY, status=201)
    second = await api.call("POST", "/units", UNIT, headers=KEY, status=201)
    assert second.body == first.body
    assert second.headers["Location"] == first.headers["Location"] == "/api/v1/units/tinh"
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


async def test_another_request_with_the_key_is_refused(api: Api) -> None:
    await api.call("POST", "/units", UNIT, headers=KEY, status=201)
    other = await api.call("POST", "/units", {**UNIT, "id": "b"}, headers=KEY, status=422)
    assert other.kind == "idempotency-key-reused"
    assert other.fields == ["header.Idempotency-Key"]
    elsewhere = await api.call("POST", "/session", headers=KEY, status=422)
    assert elsewhere.kind == "idempotency-key-reused"


async def test_keys_belong_to_their_token(api: Api) -> None:
    await api.call("POST", "/units", UNIT, headers=KEY, status=201)
    other = await api.token("admin")
    reply = await api.call("POST", "/units", UNIT, headers=KEY, token=other, status=409)
    assert reply.kind == "conflict"


async def test_a_refused_request_frees_its_key(api: Api) -> None:
    body = {**UNIT, "parent": "vn"}
    await api.call("POST", "/units", body, headers=KEY, status=422)
    await api.call("POST", "/units", {**UNIT, "id": "vn"}, status=201)
    await api.call("POST", "/units", body, headers=KEY, status=201)


async def test_while_the_first_still_runs_the_second_is_told_to_wait(api: Api) -> None:
    assert await api.store.idempotency.reserve("bootstrap", "4f1c", "other") is None
    reply = await api.call("POST", "/units", UNIT, headers=KEY, status=422)
    assert reply.kind == "idempotency-key-reused"
    replies = await asyncio.gather(
        *(api.call("POST", "/units", UNIT, headers={"Idempotency-Key": "k2"}) for _ in range(5))
    )
    assert {reply.status for reply in replies} <= {201, 409}
    assert len((await api.store.units.list()).items) == 1


async def test_unusable_keys(api: Api) -> None:
    for key in ("a b", "a" * 201, "é"):
        reply = await api.call("POST", "/units", UNIT, headers={"Idempotency-Key": key}, status=400)
        assert reply.fields == ["header.Idempotency-Key"]


async def test_secrets_are_replayed_but_not_stored(api: Api) -> None:
    await api.province()
    path = "/bridges/xa-1-a/token"
    first = await api.call("POST", path, headers=KEY, status=201)
    second = await api.call("POST", path, headers=KEY, status=201)
    assert first.json["token"] == second.json["token"]
    record = await api.store.idempotency.reserve("bootstrap", "4f1c", "")
    assert record is not None
    assert first.json["token"].encode() not in record.body


async def test_a_leg_is_not_opened_twice(api: Api) -> None:
    await api.province()
    conference = await api.conference("xa-1-a")
    token = await api.token("bridge", bridge="xa-1-a")
    for _ in range(2):
        reply = await api.call(
            "POST", f"/conferences/{conference}/legs", data=OFFER, token=token,
            headers={**KEY, "Content-Type": "application/sdp"}, status=201,
        )  # fmt: skip
        assert reply.headers["Location"] == "/api/v1/legs/leg-1"
    assert list(api.legs.legs) == ["leg-1"]


async def test_a_pin_cannot_be_found_by_trying_from_what_is_kept(api: Api) -> None:
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": [], "pin": "2468"}
    await api.call("POST", "/conferences", body, headers=KEY, status=201)
    record = await api.store.idempotency.reserve("bootstrap", "4f1c", "")
    assert record is not None
    text = json.dumps(body).encode()
    sent = b"POST\0/api/v1/conferences\0application/json\0" + text
    assert await api.store.idempotency.is_hash_of(
        record.request_hash, hashlib.sha256(sent).digest()
    )
    assert hashlib.sha256(sent).hexdigest() not in record.request_hash
