"""Who asks: a bearer token or a session cookie, looked up on every request.

A token is looked up before anything is counted against an address, so that somebody who guesses
from behind the same address translation cannot lock out the rooms there. What is counted is
failure: beyond the limit a bad token gets 429 instead of 401.
"""

import hmac
import re
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from mcu.api.client_address import client_key
from mcu.api.problem import Problem
from mcu.api.rate_limit import RateLimiter
from mcu.api.rights import Holder
from mcu.api.security import CSRF_HEADER, same_origin, session_cookie
from mcu.api.services import Services
from mcu.sentences import sentence
from mcu.store.errors import UnknownRecord
from mcu.store.records import Session, Token
from mcu.store.tokens import is_good

REALM: Final = "mcu"
MAX_SECRET_CHARACTERS: Final = 512
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """A request's token, and the session it came by (None: by the Authorization header)."""

    token: Token
    session: Session | None = None
    cookie: str | None = None

    @property
    def holder(self) -> Holder:
        """What the rights look at."""
        token = self.token
        return Holder(token.role, token.unit, token.bridge, token.id, token.conference)


def bearer_secret(header: str) -> str | None:
    """The token in an Authorization header; None when it is of another scheme or broken."""
    if len(header) > MAX_SECRET_CHARACTERS + 16:
        return None
    match = _BEARER.fullmatch(header.strip())
    return match[1] if match else None


class Authenticator:
    """Finds out who asks; raises ``Problem`` unauthenticated, csrf or rate-limited."""

    def __init__(self, services: Services) -> None:
        limits = services.limits
        self._services = services
        self._requests = RateLimiter(limits.requests_per_second, limits.request_burst)
        self._failures = RateLimiter(
            limits.failed_sign_ins_per_minute / 60, limits.failed_sign_in_burst
        )

    async def identify(self, request: web.Request, room: str | None = None) -> Identity:
        """The identity behind a request that has used none of its limits yet.

        The Authorization header goes first; a cookie beside it is not looked at.

        Args:
            room: the bridge whose session is meant; None: only that of no room counts.
        """
        header = request.headers.get(hdrs.AUTHORIZATION)
        cookie = request.cookies.get(session_cookie(room))
        if header is None and cookie is None:
            self._limit(f"address {client_key(request.remote)}", "This address")
            raise unauthenticated("Send Authorization: Bearer TOKEN, or sign in.")
        if header is not None:
            identity = await self._by_token(header)
            hint = "The token is wrong, expired or revoked; ask your administrator for another."
        else:
            identity = await self._by_cookie(cookie or "", room)
            hint = "The session is over; sign in again with your token."
        if identity is None:
            raise self._failure(request, hint)
        self._limit(identity.token.id, "This token")
        return identity

    async def still_valid(self, identity: Identity) -> bool:
        """Whether an open stream may go on: its token and session are good still."""
        store = self._services.store
        if identity.cookie is not None:
            return await store.sessions.get(identity.cookie) is not None
        try:
            token = await store.tokens.get(identity.token.id)
        except UnknownRecord:
            return False
        return is_good(token, self._services.now())

    def check_csrf(self, request: web.Request, identity: Identity) -> None:
        """Unsafe requests by cookie must prove that a page of this site made them."""
        if identity.session is None:
            return
        sent = request.headers.get(CSRF_HEADER, "").encode()
        if not hmac.compare_digest(sent, identity.session.csrf_token.encode()):
            raise Problem(
                "csrf", f"Send the session's csrf_token (GET /api/v1/session) as {CSRF_HEADER}."
            )

    def check_origin(self, request: web.Request, identity: Identity) -> None:
        """A WebSocket by cookie must come from this site's pages (browsers send no CORS here)."""
        origin = request.headers.get(hdrs.ORIGIN)
        if identity.session is None and origin is None:
            return
        if not same_origin(origin, request.scheme, request.host, self._services.public_url):
            raise Problem("csrf", "Open the WebSocket from a page of this server.")

    async def _by_token(self, header: str) -> Identity | None:
        secret = bearer_secret(header)
        if secret is None:
            return None
        token = await self._services.store.tokens.authenticate(secret)
        return None if token is None else Identity(token)

    async def _by_cookie(self, cookie: str, room: str | None) -> Identity | None:
        session = await self._services.store.sessions.get(cookie)
        if session is None or session.token.bridge != room:
            return None
        return Identity(session.token, session, cookie)

    def _limit(self, key: str, who: str) -> None:
        wait = self._requests.take(key, self._services.monotonic())
        if wait is not None:
            raise Problem(
                "rate-limited",
                sentence("requests.too-many", who=who, wait_s=wait),
                headers={hdrs.RETRY_AFTER: str(wait)},
            )

    def _failure(self, request: web.Request, hint: str) -> Problem:
        """401, or 429 for an address that has failed too often."""
        wait = self._failures.take(client_key(request.remote), self._services.monotonic())
        if wait is None:
            return unauthenticated(hint, 'error="invalid_token"')
        return Problem(
            "rate-limited",
            sentence("sign-in.too-many", wait_s=wait),
            headers={hdrs.RETRY_AFTER: str(wait)},
        )


def unauthenticated(detail: str, *parameters: str) -> Problem:
    """401 with the challenge RFC 6750 section 3 asks for."""
    challenge = "Bearer " + ", ".join((f'realm="{REALM}"', *parameters))
    return Problem("unauthenticated", detail, headers={hdrs.WWW_AUTHENTICATE: challenge})
