"""Conferences, their participants, layouts and what an operator does to them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from mcu.api.schemas.base import (
    MAX_LIST,
    Identifier,
    Input,
    Name,
    Output,
    PageQuery,
    Presence,
    Query,
    Remark,
    Text,
    Time,
    shape,
)
from mcu.api.schemas.registry import Address
from mcu.conference.texts import MAX_REASON, NUMBER_PATTERN, PIN_PATTERN
from mcu.sentences import sentence
from mixer.video.layout import Fit

ViewName = Literal["main", "chair"]
LayoutName = Literal[
    "auto", "1x1", "2x2", "3x3", "4x4", "5x5", "6x6", "7x7",
    "1+5", "1+7", "1+12", "2+8", "lecture", "presenter",
]  # fmt: skip
ParticipantRole = Literal["participant", "chair"]
CallFailure = Literal[
    "busy", "no_answer", "unreachable", "refused", "not_found", "name_unknown", "dns_silent",
    "not_acceptable", "server_full", "no_address", "failed",
]  # fmt: skip
Pin = Annotated[
    str,
    Field(pattern=shape(f"^{PIN_PATTERN}$", "form.pin"), description="4 to 10 digits"),
]
Number = Annotated[
    str,
    Field(
        pattern=shape(f"^{NUMBER_PATTERN}$", "form.number-of-conference"),
        description="1 to 16 digits, for devices with a keypad",
    ),
]
OverlayKind = Literal["text", "floor"]
OverlayPosition = Literal[
    "top-left", "top", "top-right", "centre", "bottom-left", "bottom", "bottom-right"
]
Grade = Literal["good", "fair", "poor", "none"]
ParticipantId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=shape(
            r"^[A-Za-z0-9._-]+$",
            "form.participant",
        ),
    ),
]


def _scope_form(value: object) -> str | None:
    if isinstance(value, str):
        return "str"
    return "list[str]" if isinstance(value, list | tuple) and value else None


def _of_known_form(value: object) -> object:
    if _scope_form(value) is None:
        raise ValueError(sentence("form.scope"))
    return value


Scope = Annotated[
    Annotated[Identifier, Tag("str")]
    | Annotated[list[ParticipantId], Field(min_length=1, max_length=MAX_LIST), Tag("list[str]")],
    Discriminator(_scope_form),
    BeforeValidator(_of_known_form),
    Field(description="`all`, a unit with all below it, or these participants"),
]
"""Whom an order means; of three forms that it may have, an error speaks of the one it was in."""


class Polling(Input):
    """Participants in turn in one slot; without a list, all that are connected."""

    interval_s: float = Field(ge=2, le=3600)
    participants: list[ParticipantId] = Field(default_factory=list, max_length=MAX_LIST)


class NewSlot(Input):
    """What stands in a slot: exactly one of the members, or none for background."""

    participant: ParticipantId | None = None
    speaker: int | None = Field(default=None, ge=1, le=49, description="1: who speaks most lately")
    polling: Polling | None = None
    presentation: Literal[True] | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> "NewSlot":
        if sum(value is not None for value in self.__dict__.values()) > 1:
            raise ValueError(sentence("slot.one-of"))
        return self


class PollingState(Output):
    """A polling slot as it runs."""

    interval_s: float
    participants: list[str] = Field(default_factory=list)


def _absent(value: object) -> bool:
    return value is None


class Slot(Output):
    """What stands in a slot; none of the members: background."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    participant: str | None = Field(default=None, exclude_if=_absent)
    speaker: int | None = Field(default=None, exclude_if=_absent)
    polling: PollingState | None = Field(default=None, exclude_if=_absent)
    presentation: bool | None = Field(default=None, exclude_if=_absent)


class View(Output):
    """One composed picture; ``slots`` null: filled by the roster's order.

    ``fit``: pictures of another shape than their slot are shown whole with bars (letterbox), or
    fill it with their edges cut off (crop). A presentation is always shown whole.
    """

    layout: LayoutName
    slots: list[Slot] | None
    fit: Fit


class Message(Output):
    """The overlay text; ``until`` null: until it is cleared."""

    text: str
    until: Time | None


class Overlay(Output):
    """A text that is pinned to the picture, or the time that is left of the floor."""

    number: int
    kind: OverlayKind
    text: str = Field(description="empty for the time of the floor")
    position: OverlayPosition
    view: str | None = Field(description="null: on every view")
    until: Time | None = Field(description="null: until it is removed")
    pinned_at: Time


class Counts(Output):
    """Participants by state."""

    expected: int
    calling: int
    connected: int
    lost: int
    left: int


class FloorRequest(Output):
    """Somebody who waits for the floor."""

    participant: str
    place: int = Field(description="from 1")
    at: Time


class FloorHolder(Output):
    """Who has the floor."""

    participant: str
    since: Time
    until: Time | None = Field(description="null: no limit, or the chair speaks in between")
    time_limit_s: float | None
    picture: Literal["speaker", "broadcast", "none"]
    interrupted_at: Time | None = Field(description="since when the chair speaks in between")
    left_s: float | None = Field(description="what is left of its time while it is interrupted")


class FloorState(Output):
    """Who has the floor and who waits for it."""

    holder: FloorHolder | None
    requests: list[FloorRequest]
    previous: str | None = Field(description="who had it last")


class PollingRun(Output):
    """Rooms shown in turn, alone on a view."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    interval_s: float
    scope: str | list[str]
    except_: list[str] = Field(alias="except")
    view: ViewName
    participant: str | None = Field(description="who is shown; null: nobody has a picture")
    due: Time | None = Field(description="when the next one is shown; null while it is paused")
    paused: bool
    left_s: float | None = Field(description="what is left of its time while it is paused")


class OpenRollCall(Output):
    """The roll call that is not over."""

    number: int
    mode: Literal["presence", "called"]
    calling: str | None = Field(description="who is called now")
    paused: bool


class ConveningSummary(Output):
    """How far the rooms that were called together have come."""

    number: int = Field(description="from 1; rooms may be convened again")
    state: Literal["open", "complete", "stopped"]
    started_at: Time
    target_at: Time = Field(description="when all are to be here")
    ended_at: Time | None
    rooms: int
    joined: int
    within_target: bool | None = Field(description="null: not known yet")


class RunningRecording(Output):
    """A recording that runs now."""

    id: str
    name: str | None = Field(description="null for rooms")
    view: str
    by: str | None = Field(description="who started it; null for rooms")
    started_at: Time
    interruptions: int = Field(description="how often the server was restarted meanwhile")
    trouble: Literal["disk_low", "disk_slow"] | None = Field(
        description="the disk will be full soon, or does not keep up; null for rooms"
    )


class Conference(Output):
    """One meeting, running or ended."""

    id: str
    name: str
    unit: str
    state: Literal["running", "ended"]
    chair: str | None
    views: dict[str, View]
    locked: bool
    message: Message | None
    overlays: list[Overlay]
    broadcast: str | None
    presentation: str | None = Field(description="the participant that presents, if one does")
    floor: FloorState
    chair_view: str | None = Field(description="whom the chair alone looks at; null for rooms")
    polling: PollingRun | None = Field(description="null for rooms")
    roll_call: OpenRollCall | None
    convening: ConveningSummary | None
    waiting: int = Field(description="participants who came while it was locked and wait")
    conflicts: int = Field(description="bridges that two conferences want, not decided yet")
    may_control: bool = Field(
        description="this token may steer it; false where only a room of its unit takes part"
    )
    calls_when_convened: bool = Field(
        description="rooms are called when they are convened, not from the beginning"
    )
    recordings: list[RunningRecording] = Field(description="what is being recorded now")
    drill: bool = Field(
        description="it is held to practise: faults may be injected into it, and into no other"
    )
    counts: Counts
    number: str | None = Field(description="what devices with a keypad dial")
    scenario: str | None = Field(description="what its agenda was copied from")
    has_pin: bool = Field(description="callers that are not on the roster must enter a PIN")
    pin: str | None = Field(
        default=None, description="null also for a token that may not control the conference"
    )
    started_at: Time
    ended_at: Time | None
    damaged: bool = Field(
        description="true: the stored record of this ended conference cannot be read; name, unit "
        "and times are right, the rest is unknown"
    )
    version: int


class NewConference(Input):
    """A conference to be started; name and unit are needed where there is no scenario."""

    name: Name | None = Field(default=None, description="null: the scenario's")
    unit: Identifier | None = Field(default=None, description="null: the scenario's")
    bridges: Literal["subtree"] | Annotated[list[Identifier], Field(max_length=MAX_LIST)] = Field(
        default_factory=list,
        description="the bridges to expect, or all of the unit and those below it; a scenario has "
        "its own",
    )
    chair: Identifier | None = Field(default=None, description="must be one of the bridges")
    layout: LayoutName = "auto"
    pin: Pin | None = Field(
        default=None, description="asked of callers by SIP that are not on the roster"
    )
    number: Number | None = Field(default=None, description="null: the lowest that is free")
    calls: Literal["at_once", "when_convened"] = Field(
        default="at_once",
        description="`when_convened`: no room is called before `POST …/convening`; those that come "
        "by themselves come in",
    )
    busy: Literal["refuse", "ask"] = Field(
        default="refuse",
        description="bridges that are in another conference: refuse the start, or start without "
        "them and ask for them (see `/conflicts`)",
    )
    drill: bool = Field(
        default=False,
        description="held to practise: faults may be injected into it (see `/drill`), and it says "
        "so everywhere; cannot be changed later",
    )
    scenario: Identifier | None = Field(
        default=None,
        description="its bridges, chair, layout and agenda are taken where nothing else is given; "
        "the conference keeps a copy",
    )


class ConferenceChange(Input):
    """What of a running conference changes; null takes chair, PIN or number away."""

    name: Name | None = None
    chair: ParticipantId | None = None
    pin: Pin | None = None
    number: Number | None = None


class ConferenceQuery(PageQuery):
    """Which conferences."""

    state: Literal["running", "ended"] | None = Field(
        default=None, description="running ones unless said otherwise"
    )
    unit: Identifier | None = Field(default=None, description="only this unit and those below it")
    kind: Literal["meeting", "check", "all"] | None = Field(
        default=None,
        description="`check`: those in which rooms are met for a readiness check; left out: "
        "meetings, drills among them; to a room's token all, as it is to come to both",
    )


class Receives(Output):
    """Which picture a leg gets, and why no better one."""

    step: str = Field(description="height of the picture (`720p`), or `audio` for sound alone")
    width: int = 0
    height: int = 0
    bitrate_bps: int = 0
    best: bool = Field(default=True, description="nothing better is offered to its codec")
    reason: Literal["loss", "rate", "delay"] | None = Field(
        default=None, description="what made it fall"
    )
    text: str = Field(default="", description="the reason with its number, in English")
    loss_percent: float | None = Field(default=None, description="what was lost then")
    carries_bps: int | None = Field(default=None, description="what the line carried then")


class Quality(Output):
    """The line of a participant, from its legs' statistics of the last seconds."""

    grade: Grade = "none"
    loss_percent: float | None = None
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    receives: Receives | None = None
    refused: Literal["too_large"] | None = Field(
        default=None,
        description="its pictures are not shown: they are larger than level 4 of H.264 allows "
        "(8,192 macroblocks, as 1920x1088), whatever the codec",
    )
    on_hold: bool = Field(
        default=False,
        description="the room has put its call on hold (SIP): it hears nothing and is not heard",
    )


class Participant(Output):
    """A bridge or guest in one conference.

    A room's token sees others with the members that a room does not need as null (`legs` empty).
    """

    id: str
    bridge: str | None
    address: str | None = Field(description="of a guest that is called by SIP: where")
    name: str
    label: str
    unit: str | None
    role: ParticipantRole
    importance: int | None
    state: Presence
    waiting: bool = Field(description="it came late to a locked conference, and is not let in yet")
    invited: bool = Field(description="it is here by an invitation that its unit has accepted")
    call_failure: CallFailure | None = Field(
        description="why the last call to it came to nothing; null once it has come. `no_address`: "
        "a room of kind sip that cannot be called, as it is not signed in and has no address. "
        "`name_unknown`: the host name in its address is known neither to DNS nor to `/etc/hosts`; "
        "`dns_silent`: no name server answers, and `/etc/hosts` does not know it"
    )
    call_failure_detail: str | None = Field(
        description="what is known beyond `call_failure`, for technicians: the name and what was "
        "asked for it (NAPTR, SRV, A, AAAA), the status that the room answered; null: nothing"
    )
    audio_muted: bool
    video_muted: bool
    deafened: bool | None
    volume_db: float | None
    view: str | None
    level_db: float | None = Field(description="dBov, -127 is silence; null without a leg")
    speaking: bool
    visible: bool
    legs: list[str]
    quality: Quality | None
    joined_at: Time | None
    lost_at: Time | None = Field(
        description="since when its signal is lost; also in state `left` where it did not come back"
    )
    version: int


class NewParticipant(Input):
    """Who is called in: a bridge of the registry, a place by its SIP address, or a guest by name.

    A guest without `address` is not called: its place is reserved.
    """

    bridge: Identifier | None = None
    name: Name | None = Field(
        default=None,
        description="a guest's name; not with `bridge`; left out: the user part of `address`",
    )
    address: Address | None = Field(
        default=None,
        description="called until it is there, as in sip:room@example.org; not with `bridge`",
    )
    role: ParticipantRole = "participant"
    importance: int | None = Field(default=None, ge=0, le=100)

    @model_validator(mode="after")
    def _bridge_or_guest(self) -> "NewParticipant":
        if (self.bridge is None) == (self.name is None and self.address is None):
            raise ValueError(sentence("add.one-of"))
        return self


class NewTransfer(Input):
    """Where somebody is moved to."""

    conference: Identifier = Field(description="another running conference")


class ParticipantChange(Input):
    """What of a participant changes."""

    audio_muted: bool | None = None
    video_muted: bool | None = None
    deafened: bool | None = None
    importance: int | None = Field(default=None, ge=0, le=100)
    label: Name | None = None
    volume_db: float | None = Field(default=None, ge=-60, le=20)
    role: ParticipantRole | None = None


class Removal(Query):
    """Why somebody is taken off the roster."""

    reason: Remark = Field(
        default="",
        max_length=MAX_REASON,
        description="told to the room: in Reason of the BYE of a hardware room (RFC 3326), in the "
        "event `participant.removed` of its own page; kept in the audit",
    )


class ParticipantQuery(PageQuery):
    """Which participants."""

    state: Presence | None = None


class Mute(Input):
    """Whom to mute or to unmute; who means everybody says so.

    With `all` or a unit, who is added later comes in muted too, until it is undone for that scope.
    """

    scope: Scope
    except_: list[ParticipantId] = Field(
        default_factory=list,
        alias="except",
        max_length=MAX_LIST,
        description="participants left as they are; `chair`: whoever presides",
    )


class NewLayout(Input):
    """The layout of one view; ``slots`` null: filled by the roster's order."""

    view: ViewName = "main"
    layout: LayoutName
    slots: list[NewSlot] | None = Field(default=None, max_length=49)
    fit: Fit | None = Field(default=None, description="null: as it is; views start with letterbox")


class LayoutQuery(Query):
    """Which view."""

    view: ViewName = "main"


class Layout(View):
    """The layout of one view."""

    view: str


class Broadcast(Input):
    """Whose picture everybody sees."""

    participant: ParticipantId


class NewPresentation(Input):
    """Who presents."""

    participant: ParticipantId


class NewMessage(Input):
    """Text over the picture."""

    text: Text
    duration_s: float | None = Field(
        default=None, gt=0, le=86_400, description="null: until it is cleared"
    )


class OneOrAll(Input):
    """Whom it concerns: one, or expressly all. An empty body is a slip, and is refused."""

    participant: ParticipantId | None = None
    all: Literal[True] | None = Field(
        default=None, description="in place of `participant`: all of them"
    )

    @model_validator(mode="after")
    def _chosen(self) -> "OneOrAll":
        if (self.participant is None) == (self.all is None):
            raise ValueError(sentence("one-or-all"))
        return self


class WaitingParticipant(OneOrAll):
    """Whom it concerns of those who wait to be let in."""
