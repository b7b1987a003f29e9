"""One request on its way through: who asks, what was sent, and what it may reach."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import BaseModel

from mcu.api.auth import Identity
from mcu.api.body import invalid_input, json_path
from mcu.api.etag import read_if_match
from mcu.api.problem import FieldError, Problem
from mcu.api.reach import Reach
from mcu.api.route import JSON_TYPE, Route
from mcu.api.schemas.base import Output, Query
from mcu.api.services import Services
from mcu.conference.service import Actor
from mcu.sentences import sentence
from mcu.store.records import AuditRow

if TYPE_CHECKING:
    from mcu.api.state import ApiState

Sent = TypeVar("Sent", bound=BaseModel)
Asked = TypeVar("Asked", bound=Query)


@dataclass(slots=True)
class Call:
    """What a handler gets.

    Args:
        data: the raw body, within its limit; empty where the route takes none.
        target: for the audit, what was acted on; handlers may name it more exactly.
        key: its Idempotency-Key, which it has taken.
        echo: members of what GET gives that were sent back with a change, and cannot be changed.
        kept: audit and answer were written together with what was done.
    """

    request: web.Request
    route: Route
    api: "ApiState"
    target: str
    data: bytes = b""
    model: BaseModel | None = None
    asked: Query | None = None
    identity: Identity | None = None
    scope: Reach | None = None
    key: str | None = None
    kept: bool = False
    echo: Mapping[str, Any] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        """What the API stands on."""
        return self.api.services

    @property
    def who(self) -> Identity:
        """Who asks; only for routes that need a token."""
        if self.identity is None:
            raise RuntimeError(f"{self.route.name} is open to anyone and has no identity")
        return self.identity

    @property
    def reach(self) -> Reach:
        """How far the token reaches; only for routes that need a token."""
        if self.scope is None:
            raise RuntimeError(f"{self.route.name} is open to anyone and has no reach")
        return self.scope

    @property
    def actor(self) -> Actor:
        """What commands are signed with."""
        token = self.who.token
        return Actor(token.id, token.role, token.name, self.request.remote)

    def audit_row(self, status: int) -> AuditRow:
        """What the audit says of this request; only for routes that need a token."""
        token = self.who.token
        outcome = "done" if status < 400 else "failed" if status >= 500 else "refused"
        if status in (401, 403):
            outcome = "denied"
        return AuditRow(
            time=self.services.now(),
            actor=token.id,
            role=token.role,
            address=self.request.remote,
            action=self.route.name,
            target=on_one_line(self.target)[:300],
            outcome=f"{outcome} {status}",
        )

    def body(self, model: type[Sent]) -> Sent:
        """The body, which was validated against the route's model."""
        if not isinstance(self.model, model):
            raise RuntimeError(f"{self.route.name} does not read {model.__name__}")
        return self.model

    def refuse_other_echo(self, document: Output) -> None:
        """See that what cannot be changed was sent back as it stands.

        Args:
            document: what GET gives now.
        Raises:
            Problem: invalid-input, with a path for each member that is another.
        """
        if not self.echo:
            return
        now = json.loads(document.model_dump_json())
        others = [
            FieldError(json_path((name,)), sentence("form.fixed"))
            for name, value in self.echo.items()
            if value != now[name]
        ]
        if others:
            raise invalid_input(others)

    def query(self, model: type[Asked]) -> Asked:
        """The query, which was validated against the route's model."""
        if not isinstance(self.asked, model):
            raise RuntimeError(f"{self.route.name} does not ask {model.__name__}")
        return self.asked

    def path(self, name: str) -> str:
        """A path parameter, decoded."""
        return self.request.match_info[name]

    def text(self) -> str:
        """The raw body as text; raises ``Problem`` malformed-request unless it is UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise Problem(
                "malformed-request", f"The body is not UTF-8 (byte {error.start}); send it anew."
            ) from None

    def if_version(self, current: int) -> int | None:
        """The version that If-Match asks for, or None when any will do.

        Raises:
            Problem: precondition-failed when it can be seen already that ``current`` is another.
        """
        return current if self.if_tag(str(current)) else None

    def if_tag(self, current: str) -> bool:
        """Whether If-Match asks for this tag; False when any will do.

        Raises:
            Problem: precondition-failed when it asks for another.
        """
        tags = read_if_match(self.request.headers.getall(hdrs.IF_MATCH, []))
        if tags is None:
            return False
        if current not in tags:
            raise Problem(
                "precondition-failed",
                sentence("changed-meanwhile"),
                headers={hdrs.ETAG: f'"{current}"'},
            )
        return True


def on_one_line(text: str) -> str:
    """A text as it may stand in a record that people read: what cannot be shown in % and hex.

    A path has been decoded when it comes here, and may hold anything.
    """
    return "".join(each if each.isprintable() else quote(each, safe="") for each in text)


def json_response(
    body: Output,
    status: int = 200,
    *,
    version: int | str | None = None,
    location: str | None = None,
) -> web.Response:
    """A model as the answer, with its ETag and Location where given."""
    response = web.Response(
        status=status, body=body.model_dump_json().encode(), content_type=JSON_TYPE
    )
    if version is not None:
        response.headers[hdrs.ETAG] = f'"{version}"'
    if location is not None:
        response.headers[hdrs.LOCATION] = location
    return response


def no_content() -> web.Response:
    """Done, nothing to say."""
    return web.Response(status=204)
