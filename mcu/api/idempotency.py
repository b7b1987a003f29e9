"""Idempotency-Key: a POST that is sent again does its work once and gets the same answer.

The key belongs to the token. The answer is kept for a day by the store; answers that carry a
secret (tokens) are sealed with a key that only this process has, so that no secret lies in the
file, and are refused with a clear sentence after a restart. Requests are kept as an HMAC, whose key
lies beside the file.
"""

import hashlib
import re
from typing import Final

from aiohttp import hdrs, web
from cryptography.fernet import Fernet, InvalidToken

from mcu.api.problem import FieldError, Problem
from mcu.sentences import sentence
from mcu.store.commits import Write
from mcu.store.records import IdempotencyRecord
from mcu.store.store import Store

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_KEY: Final = re.compile(r"[!-~]{1,200}")
_KEPT_HEADERS: Final = (hdrs.CONTENT_TYPE, hdrs.LOCATION, hdrs.ETAG, hdrs.LINK, "Accept-Patch")


def idempotency_key(request: web.Request) -> str | None:
    """The request's key; raises ``Problem`` malformed-request for one that is unusable."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(
            "malformed-request",
            f"{HEADER} must be 1 to 200 visible ASCII characters; a UUID will do.",
            errors=[FieldError(f"header.{HEADER}", "must be 1 to 200 visible ASCII characters")],
        )
    return key


def request_digest(request: web.Request, body: bytes) -> bytes:
    """What must be the same for a key to be used again: method, address and body.

    Not to be kept as it is: the body may hold a PIN, which is found by trying.
    """
    digest = hashlib.sha256()
    for part in (request.method, request.path_qs, request.content_type):
        digest.update(part.encode() + b"\0")
    digest.update(body)
    return digest.digest()


class Replays:
    """Takes keys, keeps answers and gives them again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seal = Fernet(Fernet.generate_key())

    async def begin(self, token: str, key: str, digest: bytes) -> web.Response | None:
        """Take a key: None when the work is to be done (``free`` it then), else the first answer.

        Raises:
            Problem: idempotency-key-reused (another request), conflict (the first still runs,
                or its answer held a secret and is gone). StoreUnavailable.
        """
        keys = self._store.idempotency
        record = await keys.reserve(token, key, await keys.hash_request(digest))
        if record is None:
            return None
        if not await keys.is_hash_of(record.request_hash, digest):
            raise Problem(
                "idempotency-key-reused",
                "This key was sent with another request before; make a new key.",
                errors=[FieldError(f"header.{HEADER}", "belongs to another request")],
            )
        if record.status is None:
            raise Problem(
                "conflict",
                sentence("request.being-done"),
                headers={hdrs.RETRY_AFTER: "1"},
            )
        return self._replay(record, record.status)

    def keep(self, token: str, key: str, response: web.Response, *, secret: bool) -> Write:
        """Keep a successful answer, within the transaction that does what it says."""
        return self._store.idempotency.answer(token, key, *self._kept(response, secret=secret))

    async def end(self, token: str, key: str, response: web.Response, *, secret: bool) -> None:
        """Keep a successful answer, after what it says was done."""
        await self._store.idempotency.complete(token, key, *self._kept(response, secret=secret))

    def free(self, token: str, key: str) -> None:
        """The request is over: without a kept answer it may be sent again."""
        self._store.idempotency.release(token, key)

    def _kept(self, response: web.Response, *, secret: bool) -> tuple[int, dict[str, str], bytes]:
        headers = {
            name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers
        }
        body = response.body if isinstance(response.body, bytes) else b""
        if secret:
            body = self._seal.encrypt(body)
            headers["sealed"] = "yes"
        return response.status, headers, body

    def _replay(self, record: IdempotencyRecord, status: int) -> web.Response:
        headers, body = dict(record.headers), record.body
        if headers.pop("sealed", None) is not None:
            try:
                body = self._seal.decrypt(body)
            except InvalidToken:
                raise Problem(
                    "conflict",
                    sentence("secret.not-kept"),
                ) from None
        return web.Response(status=status, body=body, headers={**headers, REPLAYED: "true"})
