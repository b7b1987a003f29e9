"""The rows of the store as values. Times are timezone-aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

UnitLevel = Literal["central", "province", "district", "commune", "agency"]
BridgeKind = Literal["webrtc", "sip"]
TokenRole = Literal["admin", "operator", "technician", "observer", "bridge"]

UNIT_LEVELS: tuple[UnitLevel, ...] = ("central", "province", "district", "commune", "agency")
BRIDGE_KINDS: tuple[BridgeKind, ...] = ("webrtc", "sip")
TOKEN_ROLES: tuple[TokenRole, ...] = ("admin", "operator", "technician", "observer", "bridge")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; ``next_cursor`` None on the last one."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A place in the administrative tree; ``parent`` None for a root."""

    id: str
    name: str
    level: UnitLevel
    parent: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is on duty at a bridge."""

    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A registered meeting room.

    Args:
        address: where a ``sip`` bridge is called (a URI); empty for ``webrtc``.
        importance: 0 to 100, higher stands first in automatic pictures.
        standard: what the room was accepted with (any JSON object).
    """

    id: str
    name: str
    unit: str
    kind: BridgeKind = "webrtc"
    address: str = ""
    contact: Contact = Contact()
    importance: int = 0
    standard: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True)
class SipSecret:
    """What a hardware room signs in with, as hashes.

    Args:
        ha1: digest algorithm → HA1, lower-case hex (RFC 7616 section 3.4.2); who has one can sign
            in with it, so they are not shown.
    """

    bridge: str
    realm: str
    changed_at: datetime
    ha1: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SipBinding:
    """Where a registered room is.

    Args:
        contact: its URI. q: preference, 0 to 1. since: when it registered first.
        call_id, sequence: of its last REGISTER. transport, host, port: where that came from.
    """

    bridge: str
    contact: str
    q: float
    expires_at: datetime
    call_id: str
    sequence: int
    transport: str
    host: str
    port: int | None
    since: datetime
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token without its secret (only the secret's hash is stored).

    Args:
        unit: the subtree it is good for; None: the whole installation (bridge: see there).
        bridge: whose token it is (role ``bridge``).
        conference: when set, it is good for this conference only.
    """

    id: str
    role: TokenRole
    name: str
    created_at: datetime
    unit: str | None = None
    bridge: str | None = None
    conference: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session, made out of a token; good as long as the token is."""

    token: Token
    csrf_token: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of the log; ``data`` is the event's own JSON with its schema version.

    ``data`` is None only where what was stored cannot be read any more.
    """

    seq: int
    time: datetime
    type: str
    conference: str
    data: Mapping[str, Any] | None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class ConferenceRecord:
    """What the list of conferences shows; ``ended_at`` None while it runs."""

    id: str
    name: str
    unit: str
    started_at: datetime
    ended_at: datetime | None = None
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A conference's state after the event ``seq``; None where it cannot be read any more."""

    conference: str
    seq: int
    state: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what. ``seq`` 0 until stored.

    Args:
        actor: token id, or None for somebody unknown.
        address: where from. action: method and route, or a verb. target: what was acted on.
        outcome: ``done``, ``refused``, ``denied``, ``failed`` with the status where there is one.
    """

    time: datetime
    actor: str | None
    role: str | None
    address: str | None
    action: str
    target: str
    outcome: str
    seq: int = 0


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """A request with an Idempotency-Key; ``status`` None while the first one is still running.

    Args:
        request_hash: HMAC of method, path and body: the same key with another request is an error.
        headers: the answer's headers worth repeating (``Location``, ``ETag``, ``Content-Type``).
    """

    key: str
    token: str
    request_hash: str
    expires_at: datetime
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
