"""What the two roles tell whoever drives them."""

from dataclasses import dataclass
from typing import Literal

from signalling.bfcp.association import Failure
from signalling.bfcp.board import Request
from signalling.bfcp.registry import RequestStatus

GoneCause = Failure | Literal["goodbye"]

# Of the server


@dataclass(frozen=True, slots=True)
class FloorAsked:
    """A participant wants floors and the policy leaves it to whoever drives the server."""

    request: Request


@dataclass(frozen=True, slots=True)
class FloorGranted:
    """A participant has its floors now."""

    request: Request


@dataclass(frozen=True, slots=True)
class FloorEnded:
    """A request has come to its end: ``request.status`` says how.

    ``held``: it had its floors until now; if nobody else was granted them, they are free.
    """

    request: Request
    held: bool


@dataclass(frozen=True, slots=True)
class ParticipantGone:
    """A participant said goodbye, or is not heard any more; its requests have ended.

    It may come again. Over a reliable transport ``protocol`` and ``no answer`` mean that the
    connection is to be closed.
    """

    user: int
    cause: GoneCause


ServerEvent = FloorAsked | FloorGranted | FloorEnded | ParticipantGone

# Of the client


@dataclass(frozen=True, slots=True)
class RequestChanged:
    """How far the own request has come; after a final status there is none any more."""

    status: RequestStatus
    queue_position: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The server does not take the request, or the release: ``code`` is of ``ErrorCode``."""

    code: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class HolderChanged:
    """Somebody else has the floor, or nobody (``user`` None); oneself does not count."""

    user: int | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ServerGone:
    """The server said goodbye, or is not heard any more: no floor is held."""

    cause: GoneCause


ClientEvent = RequestChanged | RequestRefused | HolderChanged | ServerGone
