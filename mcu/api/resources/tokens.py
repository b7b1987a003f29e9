"""Access tokens, for administrators."""

from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.openapi import LOCATION_HEADER
from mcu.api.problem import forbidden, invalid
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.registry import IssuedToken, NewToken, Token, TokenQuery
from mcu.api.withdrawal import enforce
from mcu.sentences import sentence
from mcu.store import records

TAG: Final = "tokens"


async def list_tokens(call: Call) -> web.Response:
    """One page of the tokens of the unit and what is below it, without their secrets."""
    query = call.query(TokenQuery)
    page = await call.services.store.tokens.list(
        within=call.who.token.unit, limit=query.limit, cursor=query.cursor
    )
    items = [Token.model_validate(token) for token in page.items]
    return json_response(Page[Token](items=items, next_cursor=page.next_cursor))


async def create_token(call: Call) -> web.Response:
    """Issue a token within the asking one's own reach."""
    new = call.body(NewToken)
    if new.role == "bridge":
        if new.unit is not None:
            raise invalid("$.unit", sentence("token.unit-of-room"))
        await _require_bridge(call, new.bridge)
    else:
        call.reach.require_unit(Action.MANAGE_TOKENS, new.unit, "issue tokens")
    token, secret = await call.services.store.tokens.create(
        new.role,
        name=new.name,
        unit=new.unit,
        bridge=new.bridge,
        conference=new.conference,
        expires_at=new.expires_at,
    )
    call.target = f"{BASE}/tokens/{token.id}"
    document = IssuedToken(**Token.model_validate(token).model_dump(), token=secret)
    return json_response(document, 201, location=call.target)


async def read_token(call: Call) -> web.Response:
    """One token, without its secret."""
    return json_response(Token.model_validate(await _token(call)))


async def revoke_token(call: Call) -> web.Response:
    """End a token for good, with its sessions, event streams and media connections."""
    token = await _token(call)
    await call.services.store.tokens.revoke(token.id)
    await enforce(call.api)
    return no_content()


async def _token(call: Call) -> records.Token:
    token = await call.services.store.tokens.get(call.path("token"))
    if token.bridge is not None:
        await _require_bridge(call, token.bridge)
    else:
        call.reach.require_unit(Action.MANAGE_TOKENS, token.unit, "manage tokens")
    return token


async def _require_bridge(call: Call, bridge: str | None) -> None:
    if call.who.token.unit is None:
        return
    if bridge is None:
        raise invalid("$.bridge", sentence("token.room-missing"))
    record = await call.services.store.bridges.get(bridge)
    if not call.reach.bridge(Action.MANAGE_TOKENS, record.id, record.unit):
        raise forbidden(sentence("token.room-out-of-reach", room=bridge))


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/tokens", "list_tokens", list_tokens,
        "Tokens within reach, without secrets", TAG, Action.MANAGE_TOKENS,
        (Answer(200, "one page", Page[Token]),), query=TokenQuery,
    ),
    Route(
        "POST", f"{BASE}/tokens", "create_token", create_token,
        "Issue a token", TAG, Action.MANAGE_TOKENS,
        (Answer(201, "shown this once", IssuedToken, headers=(LOCATION_HEADER,)),),
        body=Body(NewToken), secret=True, problems=("not-found",),
    ),
    Route(
        "GET", f"{BASE}/tokens/{{token}}", "read_token", read_token,
        "One token, without its secret", TAG, Action.MANAGE_TOKENS,
        (Answer(200, "the token", Token),),
    ),
    Route(
        "DELETE", f"{BASE}/tokens/{{token}}", "revoke_token", revoke_token,
        "Revoke a token; its sessions, event streams and media connections end at once", TAG,
        Action.MANAGE_TOKENS,
        (Answer(204, "revoked"),),
    ),
)  # fmt: skip
