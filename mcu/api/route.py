"""The shape of one route; the lists of them are both the router and the OpenAPI document."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from aiohttp import web
from pydantic import BaseModel

from mcu.api.problem import Kind
from mcu.api.rights import Action
from mcu.api.schemas.base import Query

if TYPE_CHECKING:
    from mcu.api.call import Call

BASE: Final = "/api/v1"
JSON_TYPE: Final = "application/json"
MAX_BODY_BYTES: Final = 1 << 20
MAX_PATH_PARAMETER: Final = 128
MAX_SDP_BYTES: Final = 64 << 10

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Handler = Callable[["Call"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Body:
    """What a route reads.

    Args:
        model: for JSON bodies; None for text that the handler parses itself.
        media_types: the accepted content types. limit: bytes, above it 413.
        required: an empty body is refused; else the model's defaults apply.
        parsed: else ``model`` is for the document only, and the handler validates the body, to
            name what is wrong with its form together with what else is.
        echo: what GET gives of the same; its members that ``model`` does not have may be sent back
            as they stand, which the handler sees to (``Call.refuse_other_echo``). readings: those
            of its members that differ from one GET to the next, and may do so here.
    """

    model: type[BaseModel] | None = None
    media_types: tuple[str, ...] = (JSON_TYPE,)
    limit: int = MAX_BODY_BYTES
    required: bool = True
    parsed: bool = True
    echo: type[BaseModel] | None = None
    readings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful answer, as documented.

    Args:
        model: of a JSON body; None for no body or for another media type.
        headers: name → description. other_types: the same in these, if Accept asks for them.
    """

    status: int
    description: str
    model: type[BaseModel] | None = None
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    other_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one address, and everything that is true of it.

    Args:
        path: with ``{name}`` for parameters, as aiohttp and OpenAPI both write it.
        name: the operation's id. action: what the token must be allowed to do; None: anyone.
        problems: kinds beyond those that follow from the other fields.
        conditional: takes If-Match (optional unless the handler insists).
        secret: its answer holds a secret. stream: it goes on until somebody hangs up.
    """

    method: Method
    path: str
    name: str
    handler: Handler
    summary: str
    tag: str
    action: Action | None
    answers: tuple[Answer, ...]
    body: Body | None = None
    query: type[Query] | None = None
    problems: tuple[Kind, ...] = ()
    conditional: bool = False
    secret: bool = False
    stream: bool = False

    @property
    def unsafe(self) -> bool:
        """Whether it changes something (audited, CSRF-checked)."""
        return self.method in ("POST", "PUT", "PATCH", "DELETE")
