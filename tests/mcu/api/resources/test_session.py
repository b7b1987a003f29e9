"""Browser sessions: the cookie, its CSRF token, its end."""

from http.cookies import Morsel
from typing import Any

from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import ADMIN, Api, Reply


async def sign_in(api: Api, token: str = ADMIN) -> tuple[dict[str, str], dict[str, Any], Reply]:
    """Headers that carry the session, its document, and the whole reply."""
    reply = await api.call("POST", "/session", token=token, status=201)
    cookie = reply.cookies["mcu_session"].value
    return {"Cookie": f"mcu_session={cookie}"}, reply.json, reply


async def test_the_cookie_cannot_be_read_by_scripts_and_stays_on_this_site(api: Api) -> None:
    _, document, reply = await sign_in(api)
    morsel: Morsel[str] = reply.cookies["mcu_session"]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Strict"
    assert morsel["path"] == "/"
    assert not morsel["secure"]
    assert int(morsel["max-age"]) == 12 * 3600
    assert document["role"] == "admin"
    assert document["expires_at"] == "2026-11-21T20:00:00.000000Z"
    assert ADMIN not in reply.body.decode()
    assert morsel.value not in reply.body.decode()


async def test_the_cookie_is_secure_under_tls(make_api: MakeApi) -> None:
    api = await make_api(public_url="https://mcu.example.org")
    _, _, reply = await sign_in(api)
    assert reply.cookies["mcu_session"]["secure"]
    assert reply.headers["Strict-Transport-Security"]


async def test_a_session_reads_and_with_its_csrf_token_writes(api: Api) -> None:
    cookie, document, _ = await sign_in(api)
    await api.call("GET", "/units", token=None, headers=cookie, status=200)
    unit = {"id": "tinh", "name": "Tỉnh", "level": "province"}
    for headers in (cookie, cookie | {"X-CSRF-Token": "guessed"}):
        reply = await api.call("POST", "/units", unit, token=None, headers=headers, status=403)
        assert reply.kind == "csrf"
    headers = cookie | {"X-CSRF-Token": document["csrf_token"]}
    await api.call("POST", "/units", unit, token=None, headers=headers, status=201)


async def test_a_bearer_token_needs_no_csrf_token_and_says_who_it_is(api: Api) -> None:
    await api.province()
    token = await api.token("bridge", bridge="xa-1-a")
    document = (await api.call("GET", "/session", token=token, status=200)).json
    assert document["csrf_token"] is None
    assert (document["role"], document["bridge"]) == ("bridge", "xa-1-a")


async def test_signing_out_ends_the_session(api: Api) -> None:
    cookie, document, _ = await sign_in(api)
    other, _, _ = await sign_in(api)
    headers = cookie | {"X-CSRF-Token": document["csrf_token"]}
    reply = await api.call("DELETE", "/session", token=None, headers=headers, status=204)
    assert reply.cookies["mcu_session"]["max-age"] == "0"
    await api.call("GET", "/session", token=None, headers=cookie, status=401)
    await api.call("GET", "/session", token=None, headers=other, status=200)
    assert (await api.call("DELETE", "/session", status=409)).kind == "conflict"


async def test_a_session_ends_with_its_time_and_with_its_token(api: Api) -> None:
    token, text = await api.store.tokens.create("admin", name="a")
    cookie, _, _ = await sign_in(api, text)
    await api.call("DELETE", f"/tokens/{token.id}", status=204)
    await api.call("GET", "/session", token=None, headers=cookie, status=401)
    cookie, _, _ = await sign_in(api)
    api.clock.advance(12 * 3600)
    await api.call("GET", "/session", token=None, headers=cookie, status=401)


async def test_a_forged_cookie_is_refused(api: Api) -> None:
    for value in ("", "x", "a" * 4000, ADMIN):
        headers = {"Cookie": f"mcu_session={value}"}
        await api.call("GET", "/session", token=None, headers=headers, status=401)


async def enter_room(api: Api, bridge: str) -> tuple[str, str]:
    """The cookie of a room, as ``name=value``, and its CSRF token."""
    token = await api.token("bridge", bridge=bridge)
    reply = await api.call("POST", "/session", token=token, status=201)
    name = f"mcu_session_{bridge}"
    assert list(reply.cookies) == [name]
    return f"{name}={reply.cookies[name].value}", reply.json["csrf_token"]


async def test_one_browser_holds_an_operator_and_several_rooms(api: Api) -> None:
    await api.province()
    operator, document, _ = await sign_in(api)
    first, _ = await enter_room(api, "xa-1-a")
    second, csrf = await enter_room(api, "xa-1-b")
    both = {"Cookie": "; ".join((operator["Cookie"], first, second))}

    async def who(headers: dict[str, str]) -> str | None:
        found = await api.call("GET", "/session", token=None, headers=headers, status=200)
        return str(found.json["bridge"] or found.json["role"])

    assert await who(both) == "admin"
    assert await who(both | {"X-MCU-Room": "xa-1-a"}) == "xa-1-a"
    assert await who(both | {"X-MCU-Room": "xa-1-b"}) == "xa-1-b"

    left = both | {"X-MCU-Room": "xa-1-b", "X-CSRF-Token": document["csrf_token"]}
    assert (await api.call("DELETE", "/session", token=None, headers=left)).kind == "csrf"
    left["X-CSRF-Token"] = csrf
    reply = await api.call("DELETE", "/session", token=None, headers=left, status=204)
    assert list(reply.cookies) == ["mcu_session_xa-1-b"]
    assert await who(both) == "admin"
    assert await who(both | {"X-MCU-Room": "xa-1-a"}) == "xa-1-a"
    await api.call("GET", "/session", token=None, headers=left, status=401)


async def test_a_session_counts_only_as_what_it_is(api: Api) -> None:
    await api.province()
    operator, _, _ = await sign_in(api)
    room, _ = await enter_room(api, "xa-1-a")
    secret = room.partition("=")[2]
    admin = operator["Cookie"].partition("=")[2]
    for cookie, wanted in (
        (room, None),
        (room, "xa-1-b"),
        (room, "xa-1-a; x"),
        (operator["Cookie"], "xa-1-a"),
        (f"mcu_session={secret}", None),
        (f"mcu_session_xa-1-b={secret}", "xa-1-b"),
        (f"mcu_session_xa-1-a={admin}", "xa-1-a"),
        (f"mcu_session_={admin}", ""),
    ):
        headers = {"Cookie": cookie} | ({} if wanted is None else {"X-MCU-Room": wanted})
        reply = await api.call("GET", "/session", token=None, headers=headers, status=401)
        assert reply.kind == "unauthenticated"


async def test_a_browser_keeps_no_more_rooms_than_a_header_holds(api: Api) -> None:
    await api.province()
    token = await api.token("bridge", bridge="xa-1-a")
    rooms = [f"mcu_session_r{number}" for number in range(17)]
    cookies = "; ".join(f"{name}=x" for name in ("mcu_session", *rooms))
    reply = await api.call("POST", "/session", token=token, headers={"Cookie": cookies}, status=201)
    dropped = {name for name, morsel in reply.cookies.items() if morsel["max-age"] == "0"}
    assert dropped == {"mcu_session_r0", "mcu_session_r1"}
    assert reply.cookies["mcu_session_xa-1-a"].value


async def test_a_session_cannot_be_prolonged_by_itself(api: Api) -> None:
    cookie, document, _ = await sign_in(api)
    headers = cookie | {"X-CSRF-Token": document["csrf_token"]}
    await api.call("POST", "/session", token=None, headers=headers, status=409)
