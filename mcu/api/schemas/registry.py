"""Units, bridges and tokens."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from mcu.api.rights import Role
from mcu.api.schemas.base import (
    MAX_LIST,
    FutureTime,
    Identifier,
    Input,
    Name,
    Output,
    PageQuery,
    Presence,
    Remark,
    Time,
    shape,
)
from signalling.sip.sign_in import SignInFault

Level = Literal["central", "province", "district", "commune", "agency"]
Kind = Literal["webrtc", "sip"]
VISIBLE: Final = shape(r"^[!-~]+$", "form.visible")
Phone = Annotated[
    str,
    StringConstraints(
        max_length=40,
        pattern=shape(
            r"^[0-9+() .-]*$",
            "form.phone",
        ),
    ),
]
Address = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=VISIBLE),
    Field(
        description="of a device that is called by SIP, as in `sip:room@example.org`; `sip:` may "
        "be left out. Refused are other schemes (`tel:`), transports but udp, tcp and tls, and "
        "addresses of this very server"
    ),
]
BridgeAddress = Annotated[
    str,
    StringConstraints(max_length=255, pattern=shape(r"^[!-~]*$", "form.visible")),
    Field(description="as `address` of a guest; empty or null: none. Only of a bridge of kind sip"),
]
Importance = Annotated[int, Field(ge=0, le=100, description="higher stands first")]
SipSecretText = Annotated[
    str,
    StringConstraints(min_length=12, max_length=128, pattern=VISIBLE),
    Field(description="12 to 128 visible ASCII characters"),
]
Standard = Annotated[
    dict[
        Annotated[
            str,
            StringConstraints(
                pattern=shape(
                    r"^[a-z][a-z0-9_]{0,63}$",
                    "form.standard-name",
                )
            ),
        ],
        str | int | float | bool,
    ],
    Field(max_length=32, description="what the room must have, for the readiness check"),
]


class Unit(Output):
    """A unit of the administrative tree."""

    id: str
    name: str
    level: Level
    parent: str | None
    version: int


class NewUnit(Input):
    """A unit to be added."""

    id: Identifier
    name: Name
    level: Level
    parent: Identifier | None = None


class UnitChange(Input):
    """What of a unit changes; a move is a change of ``parent``, a merge ends the unit."""

    name: Name | None = None
    level: Level | None = None
    parent: Identifier | None = None
    merged_into: Identifier | None = Field(
        default=None,
        description="the unit ends, and all it holds becomes this one's; nothing else changes then",
    )
    keep_tokens: bool = Field(
        default=False,
        description="with `merged_into`: tokens scoped to the unit reach the other from then on "
        "(for who may manage tokens there); else they are revoked",
    )


class NewUnitPart(Input):
    """A unit that is made out of another, with what it takes along."""

    id: Identifier
    name: Name
    level: Level
    units: list[Identifier] = Field(default_factory=list, max_length=MAX_LIST)
    bridges: list[Identifier] = Field(default_factory=list, max_length=MAX_LIST)
    scenarios: list[Identifier] = Field(default_factory=list, max_length=MAX_LIST)


class UnitSplit(Input):
    """What a unit is split into; the parts stand beside it."""

    into: list[NewUnitPart] = Field(min_length=1, max_length=200)
    dissolve: bool = Field(
        default=False,
        description="the unit itself ends; nothing may be left in it. Its records belong to the "
        "unit above from then on",
    )


class Units(Output):
    """Units that were made."""

    items: list[Unit]


class UnitPeriod(Output):
    """What a unit was; ``since`` null: from before this was written down."""

    name: str
    level: Level
    parent: str | None
    since: Time | None
    until: Time
    change: Literal["changed", "merged", "split", "deleted"]


class FormerUnit(Output):
    """How a unit ended."""

    name: str
    level: Level
    successor: str | None = Field(description="to whom its records belong")
    ended_at: Time
    change: Literal["merged", "split", "deleted"]
    parts: list[str] = Field(description="what it was split into")


class UnitHistory(Output):
    """A unit over time, the oldest period first, without the present one."""

    unit: str
    periods: list[UnitPeriod]
    former: FormerUnit | None = Field(description="null while it lives")
    predecessors: list[str] = Field(description="units that it succeeded")


class Contact(Output):
    """Who is on duty at the bridge."""

    name: str
    phone: str


class NewContact(Input):
    """Who is on duty at the bridge."""

    name: Annotated[Remark, StringConstraints(max_length=200)] | None = None
    phone: Phone | None = None


class SipContact(Output):
    """One registered device of a room."""

    address: str = Field(description="its Contact")
    transport: Literal["udp", "tcp", "tls"]
    source: str = Field(description="address and port its registration came from")
    expires_at: Time
    user_agent: str


class SipRefusal(Output):
    """Somebody was not let who named the room's account: what to correct in its device."""

    time: Time
    reason: SignInFault = Field(
        description="`old_password`: a device still has the secret from before; it locks nobody "
        "out. `wrong_case`: the user name was given in capital letters that the account's does not "
        "have. `locked_out`: too many wrong passwords came from there, so for half a minute "
        "none is looked at. `wrong_realm`: a realm is typed into the device, and it is not ours. "
        "`unknown_algorithm`, `no_answer`: it does not know the digest algorithms that are offered "
        "(`sip.digest_algorithms`; old devices know MD5 alone), or has no password. "
        "`wrong_address`: the password is right, but the device registers another name or domain. "
        "`unreadable`: what it sent is no digest of RFC 7616 with `qop=auth`. `unknown_account`: "
        "the room has no secret."
    )
    source: str = Field(description="address it came from; over UDP it may be feigned")
    method: str = Field(description="`REGISTER`: to sign in; `INVITE`: to call")
    count: int = Field(description="refusals since the room was let last")


class BridgeSip(Output):
    """How a room of kind sip stands."""

    registered: bool
    reachable: Literal["registered", "address", "nowhere"] = Field(
        description="how it can be called; `nowhere`: it is not signed in and has no `address`, so "
        "a conference can only wait until it calls: sign its device in, or give it an address"
    )
    since: Time | None = Field(description="when the first of its devices registered")
    contacts: list[SipContact]
    has_secret: bool = Field(description="it can sign in")
    has_outbound: bool = Field(description="we can sign in at it, where it asks for it")
    last_refused: SipRefusal | None = Field(
        description="the last attempt to sign in as this room that was refused; null once a device "
        "of it has signed in, or it was given another secret. Kept in memory, not over a restart"
    )


class Whereabouts(Output):
    """The running conference whose roster a room is on, whoever has called it there."""

    id: str
    name: str
    unit: str
    unit_name: str
    state: Presence = Field(description="of the room in it")
    joined_at: Time | None
    may_read: bool = Field(
        description="this token may look at the conference; false where another unit holds it, "
        "which calls the room without having to ask"
    )


class Bridge(Output):
    """A registered meeting room; ``sip`` null for one of kind webrtc."""

    id: str
    name: str
    unit: str
    kind: Kind
    address: str
    contact: Contact
    importance: int
    standard: dict[str, Any]
    sip: BridgeSip | None
    conference: Whereabouts | None
    version: int


class NewSipSecret(Input):
    """A secret for the room's devices; null: one is made."""

    secret: SipSecretText | None = None


class SipAccount(Output):
    """What is typed into a device; the secret is shown this once."""

    user_name: str
    secret: str
    server: str = Field(
        description="name or address, with the port where that is not the usual one of the first "
        "of UDP, TCP, TLS that is on"
    )
    realm: str
    ports: dict[str, int] = Field(description="by transport: udp, tcp, tls; empty: SIP is off")
    address: str = Field(description="how others call this room: user name and `server`")


class SipOutbound(Input):
    """With what we sign in at a room that asks us to."""

    user_name: Annotated[
        str,
        StringConstraints(
            pattern=shape(
                r"^[!#-~]{1,128}$",
                "form.user-name",
            )
        ),
    ]
    secret: Annotated[
        str,
        StringConstraints(
            min_length=1,
            max_length=128,
            pattern=shape(r"^[ -~]+$", "form.secret"),
        ),
    ]


class NewBridge(Input):
    """A bridge to be added; also one row of an import."""

    id: Identifier
    name: Name
    unit: Identifier
    kind: Kind = "webrtc"
    address: BridgeAddress | None = None
    contact: NewContact = NewContact()
    importance: Importance = 0
    standard: Standard = Field(default_factory=dict)


class BridgeChange(Input):
    """What of a bridge changes; null or an empty text clears ``address``.

    One that becomes of kind webrtc loses its address and its secrets.
    """

    name: Name | None = None
    unit: Identifier | None = None
    kind: Kind | None = None
    address: BridgeAddress | None = None
    contact: NewContact | None = None
    importance: Importance | None = None
    standard: Standard | None = None


class UnitQuery(PageQuery):
    """Which units."""

    within: Identifier | None = Field(default=None, description="only this unit and those below it")


class BridgeQuery(PageQuery):
    """Which bridges."""

    unit: Identifier | None = Field(default=None, description="only this unit and those below it")


class Imported(Output):
    """How many bridges an import added."""

    created: int


class BridgeToken(Output):
    """The secret of a room, shown this once, and the link that carries it."""

    token: str
    join_url: str
    id: str
    expires_at: Time | None


class NewBridgeToken(Input):
    """How long the room's token is good; null: until it is revoked."""

    expires_at: FutureTime | None = None
    conference: Identifier | None = Field(default=None, description="good for this conference only")


class Token(Output):
    """An access token without its secret."""

    id: str
    name: str
    role: Role
    unit: str | None
    bridge: str | None
    conference: str | None
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Time | None


class NewToken(Input):
    """A token to be issued; ``bridge`` is for the role of that name, and only for it."""

    name: Name = Field(default="", description="whose it is, for the list")
    role: Role
    unit: Identifier | None = Field(default=None, description="null: the whole installation")
    bridge: Identifier | None = None
    conference: Identifier | None = Field(default=None, description="good for this conference only")
    expires_at: FutureTime | None = None


class IssuedToken(Token):
    """A new token with its secret, which is shown this once."""

    token: str


class TokenQuery(PageQuery):
    """Which tokens: all that the asking one may manage."""
