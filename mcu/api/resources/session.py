"""Browser sessions: a token exchanged for a cookie that scripts cannot read."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.problem import conflict
from mcu.api.rights import Action, Role
from mcu.api.route import BASE, Answer, Route
from mcu.api.schemas.base import Output, Time
from mcu.api.security import SESSION_COOKIE, session_cookie, surplus_cookies
from mcu.sentences import sentence
from mcu.store import records

TAG: Final = "session"


class SessionDocument(Output):
    """Who is signed in; ``csrf_token`` null for a bearer token, which needs none."""

    csrf_token: str | None
    role: Role
    unit: str | None
    bridge: str | None
    conference: str | None
    name: str
    expires_at: Time | None


async def open_session(call: Call) -> web.Response:
    """Exchange the bearer token for a cookie."""
    if call.who.session is not None:
        raise conflict(sentence("session.token-needed"))
    life = timedelta(hours=call.services.limits.session_hours)
    session, secret = await call.services.store.sessions.create(call.who.token.id, life=life)
    response = json_response(_document(session.token, session), 201)
    room = session.token.bridge
    for name in surplus_cookies(call.request.cookies, room):
        _drop_cookie(call, response, name)
    response.set_cookie(
        session_cookie(room),
        secret,
        max_age=max(0, int((session.expires_at - call.services.now()).total_seconds())),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=_tls(call),
    )
    return response


async def read_session(call: Call) -> web.Response:
    """Who is signed in."""
    return json_response(_document(call.who.token, call.who.session))


async def close_session(call: Call) -> web.Response:
    """Sign out; the cookie is worthless from now on."""
    if call.who.cookie is None:
        raise conflict(sentence("session.none"))
    await call.services.store.sessions.delete(call.who.cookie)
    response = no_content()
    _drop_cookie(call, response, session_cookie(call.who.token.bridge))
    return response


def _drop_cookie(call: Call, response: web.Response, name: str) -> None:
    response.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=_tls(call))


def _tls(call: Call) -> bool:
    """Secure cookies wherever the page came over TLS, also when a proxy ends it."""
    return call.request.secure or (call.services.public_url or "").startswith("https://")


def _document(token: records.Token, session: records.Session | None) -> SessionDocument:
    return SessionDocument(
        csrf_token=session.csrf_token if session is not None else None,
        role=token.role,
        unit=token.unit,
        bridge=token.bridge,
        conference=token.conference,
        name=token.name,
        expires_at=session.expires_at if session is not None else token.expires_at,
    )


ROUTES: Final = (
    Route(
        "POST", f"{BASE}/session", "open_session", open_session,
        "Exchange the bearer token for a session cookie", TAG, Action.USE_SESSION,
        (
            Answer(
                201, "signed in", SessionDocument,
                headers=(
                    (
                        "Set-Cookie",
                        f"`{SESSION_COOKIE}`, with a room's token `{SESSION_COOKIE}_{{bridge}}`: "
                        "HttpOnly, SameSite=Strict",
                    ),
                ),
            ),
        ),
    ),
    Route(
        "GET", f"{BASE}/session", "read_session", read_session,
        "Who is signed in", TAG, Action.USE_SESSION,
        (Answer(200, "the session", SessionDocument),),
    ),
    Route(
        "DELETE", f"{BASE}/session", "close_session", close_session,
        "Sign out", TAG, Action.USE_SESSION,
        (Answer(204, "signed out"),), problems=("conflict",),
    ),
)  # fmt: skip
