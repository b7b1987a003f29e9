"""What the HTTP interface stands on, handed in by the composition root."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

from prometheus_client.registry import Collector

from mcu.conference.convening_model import AT_ONCE, TARGET_S
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import Participant
from mcu.engine.thumbnail import Thumbnail
from mcu.legs.leg import LegKind, LegState, LegStatistics
from mcu.metrics import MediaReadings
from mcu.operations.reporter import Reporter
from mcu.readiness.service import ReadinessChecks
from mcu.sentences import sentence
from mcu.store.recordings import RecordingRecord
from mcu.store.store import Store
from signalling.sip.errors import SipError
from signalling.sip.typed_address import typed_address

Grade = Literal["good", "fair", "poor", "none"]


class NoCapacity(Exception):  # noqa: N818 - what there is none of
    """No further leg can be taken without harming those inside (503 with Retry-After)."""

    def __init__(self, reason: str, retry_after_s: int = 10) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class JoinedLeg:
    """An accepted offer."""

    id: str
    answer_sdp: str


@dataclass(frozen=True, slots=True)
class Receives:
    """Which picture a leg gets, and why no better one.

    Args:
        step: height of the picture (``720p``), or ``audio`` for sound alone; its size and rate.
        best: nothing better is offered to its codec.
        reason: what made it fall; text: the same for people, with the number.
        loss_percent, carries_bps: what was lost and what the line carried then.
    """

    step: str
    width: int = 0
    height: int = 0
    bitrate_bps: int = 0
    best: bool = True
    reason: Literal["loss", "rate", "delay"] | None = None
    text: str = ""
    loss_percent: float | None = None
    carries_bps: int | None = None


@dataclass(frozen=True, slots=True)
class LegInfo:
    """One leg now.

    Args:
        ice_ufrag: our present ICE user name fragment; it names the ICE session in the ETag.
        opened_by: id of the token that opened it.
        receives: None where it gets no picture.
    """

    id: str
    conference: str
    participant: str | None
    kind: LegKind
    state: LegState
    view: str
    opened_by: str
    ice_ufrag: str
    statistics: LegStatistics
    receives: Receives | None = None


class LegService(Protocol):
    """Media connections as the API sees them."""

    async def join(
        self,
        conference: str,
        participant: str | None,
        kind: LegKind,
        view: str | None,
        offer_sdp: str,
        actor: Actor,
    ) -> JoinedLeg:
        """Answer an offer.

        Args:
            conference: id of a running conference.
            participant: who it is, already on the roster; None for a viewer outside of it.
            kind: ``join`` both ways, ``publish`` (WHIP), ``view`` (WHEP).
            view: which view it receives; None: the one its participant receives, or ``main``.
            actor: whose token asked; ``LegInfo.opened_by`` is its token.
        Raises:
            SdpError, OfferRefused (``signalling``): the offer is broken or cannot be answered.
            NoCapacity: see there. Refused (``mcu.conference``): the conference does not let it in.
        """

    def get(self, leg_id: str) -> LegInfo | None:
        """A living leg, or None."""

    async def restart_ice(self, leg_id: str, fragment: str) -> str:
        """Restart ICE with the peer's new fragment (RFC 8840); gives ours.

        A fragment with the credentials in use only trickles candidates: the answer is empty.

        Raises:
            SdpError: the fragment is broken. KeyError: the leg is gone.
        """

    async def leave(self, leg_id: str, reason: str) -> None:
        """Close a leg; one that is gone already is no error."""

    def openers(self) -> Collection[str]:
        """Ids of the tokens that opened the living legs. O(legs)."""

    async def withdraw(self, token: str, reason: str) -> int:
        """Close every leg that a token opened; gives how many there were."""

    async def parted(self) -> None:
        """Wait until all legs of conferences that have ended are closed."""


class Pictures(Protocol):
    """JPEG pictures of what is seen now."""

    async def view_picture(self, conference: str, view: str) -> bytes | None:
        """The composed picture; None when there is none yet."""

    async def participant_picture(self, conference: str, participant: str) -> bytes | None:
        """What a participant sends; None when it sends nothing."""


class WallPictures(Protocol):
    """Thumbnails of all rooms, which are made while somebody looks."""

    def look(
        self, conference: str, participants: Collection[str], now: float
    ) -> Mapping[str, Thumbnail]:
        """Look at these rooms for some seconds from now on; look again to go on.

        Returns: the newest picture of each room that is looked at by anybody; replaced by new
            ones, never changed. None at all where the conference has no media.
        """

    def known(self, conference: str) -> Mapping[str, Thumbnail]:
        """The same, without looking."""


class NoWall:
    """Stands in where there is no media."""

    def look(
        self, conference: str, participants: Collection[str], now: float
    ) -> Mapping[str, Thumbnail]:
        """See ``WallPictures``."""
        return {}

    def known(self, conference: str) -> Mapping[str, Thumbnail]:
        """See ``WallPictures``."""
        return {}


@dataclass(frozen=True, slots=True)
class LineQuality:
    """A participant's line, over the last seconds; the worst of its legs.

    Args:
        refused: why pictures of the participant's that somebody wants to see are not shown.
        on_hold: the room has put the call on hold.
    """

    grade: Grade = "none"
    loss_percent: float | None = None
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    receives: Receives | None = None
    refused: Literal["too_large"] | None = None
    on_hold: bool = False


@dataclass(frozen=True, slots=True)
class LiveReading:
    """What of a participant changes all the time and is not stored."""

    level_db: float | None = None
    speaking: bool = False
    visible: bool = False
    quality: LineQuality = LineQuality()


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """How loaded the machine is, and what is done about it.

    Args:
        level: ``strained``: something of the pictures is given up; ``overloaded``: new rooms
            are refused too. Sound is never given up.
        signs: what showed it. given_up: what is given up, the first first.
        view_fps: pictures a second of all views now.
        processors: processor time of all our processes over the last second, as part of
            ``cores``. loop: of the thread that handles packets, as part of one.
        lateness_ms: 99th percentile of how late sound was mixed. ticks_missed: left out.
        frames_skipped: part of the views' pictures that were left out as work still ran.
        refused: cause → how many rooms were refused since the daemon began.
    """

    level: Literal["none", "strained", "overloaded"] = "none"
    signs: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    view_fps: int = 0
    processors: float = 0.0
    loop: float = 0.0
    cores: float = 1.0
    lateness_ms: float = 0.0
    ticks_missed: int = 0
    frames_skipped: float = 0.0
    legs: int = 0
    max_legs: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


class LoadReadings(Protocol):
    """The load as the API sees it."""

    def status(self) -> LoadStatus:
        """As of the last second."""


class RecordingService(Protocol):
    """The files of recordings."""

    async def of(self, conference: str) -> Sequence[RecordingRecord]:
        """All of a conference, the oldest first; sizes as of now.

        Raises:
            StoreUnavailable.
        """

    def path(self, recording: str, part: int) -> Path:
        """Where a part lies, whether it exists or not."""

    def refusal(self) -> str | None:
        """Why none may begin now, in a sentence; None: nothing speaks against it."""

    async def delete(self, recording: RecordingRecord) -> None:
        """Delete a recording that is over, with its files.

        Raises:
            StoreUnavailable. OSError: a file cannot be deleted; what is left stays listed.
        """


class LiveReadings(Protocol):
    """The media plane's present readings."""

    def live(self, conference: str, participant: str) -> LiveReading:
        """A reading; the default one where there is no media. O(1)."""


@dataclass(frozen=True, slots=True)
class SipContact:
    """One registered device of a room.

    Args:
        address: its Contact. source: address and port its REGISTER came from.
    """

    address: str
    transport: str
    source: str
    expires_at: datetime
    user_agent: str


@dataclass(frozen=True, slots=True)
class SipRefusal:
    """Somebody was not let who named a room's account.

    Args:
        reason: ``signalling.sip.sign_in.SignInFault``. source: address it came from.
        method: what it wanted, ``REGISTER`` or ``INVITE``.
        count: how often that has been so since the room was let last.
    """

    time: datetime
    reason: str
    source: str
    method: str
    count: int


@dataclass(frozen=True, slots=True)
class SipStatus:
    """How a room of kind sip stands.

    Args:
        since: when the first of its devices registered; None: none is.
        has_secret: it can sign in. has_outbound: we can, where it asks us to.
        last_refused: None where a device has signed in since, or none was refused.
        reachable: how it can be called, see ``with_address``.
    """

    registered: bool = False
    reachable: Literal["registered", "address", "nowhere"] = "nowhere"
    since: datetime | None = None
    contacts: tuple[SipContact, ...] = ()
    has_secret: bool = False
    has_outbound: bool = False
    last_refused: SipRefusal | None = None

    def with_address(self, address: str) -> "SipStatus":
        """The same of a room that has this address in the registry; empty: none."""
        is_called = address and self.reachable == "nowhere"
        return replace(self, reachable="address") if is_called else self


@dataclass(frozen=True, slots=True)
class SipTraceEntry:
    """One SIP message of a participant's calls.

    Args:
        direction: as seen from here. remote: the peer, ``192.0.2.7:5060``.
        summary: one line, ``INVITE`` or ``200 OK (INVITE)``. text: the whole message, secrets
            masked.
        failure: why a message of ours, which stands before, found no way; the text says so too.
        failure_cause, failure_detail: the same for programs: see ``mcu.api.schemas.sip``.
    """

    time: datetime
    direction: Literal["received", "sent"]
    transport: Literal["udp", "tcp", "tls"]
    remote: str
    summary: str
    text: str
    failure: str | None = None
    failure_cause: str | None = None
    failure_detail: str | None = None


@dataclass(frozen=True, slots=True)
class SipCaller:
    """Somebody who calls a conference and is to enter its PIN.

    Args:
        name: as the caller gives it. address: From. source: address and port it calls from.
        bridge: whose account it has signed in with; None: a guest.
        call: its name in our log and for its ladder. call_id: its Call-ID, as the device has it.
    """

    name: str
    address: str
    source: str
    bridge: str | None
    since: datetime
    tries_left: int
    call: str = ""
    call_id: str = ""


class SipService(Protocol):
    """Accounts of hardware rooms; see ``mcu.sip.accounts.SipAccounts``."""

    def status(self, bridge: str) -> SipStatus:
        """How a room stands now; the default where it has no account. O(its devices)."""

    async def set_secret(self, bridge: str, secret: str | None = None) -> str:
        """Give it a new secret (made where None), which is given back this once.

        Raises:
            InvalidRecord, UnknownRecord, StoreUnavailable.
        """

    async def revoke(self, bridge: str) -> None:
        """Take the secret away; registrations and calls by it end. Raises StoreUnavailable."""

    def forget(self, bridge: str) -> None:
        """The bridge is deleted, or not of kind sip any more: the same, the store has done it."""

    async def set_outbound(self, bridge: str, user_name: str, secret: str) -> None:
        """Set with what we sign in at the room. Raises as ``set_secret``."""

    async def clear_outbound(self, bridge: str) -> None:
        """Forget it. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class SipServer:
    """What a technician types into a device.

    Args:
        host: name or address. ports: transport → port, those that are on; empty: SIP is off.
    """

    host: str = ""
    realm: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)


def no_trace(conference: str, participant: str) -> Sequence[SipTraceEntry] | None:
    """Stands in where there is no SIP."""
    return None


def no_callers(conference: str) -> Sequence[SipCaller]:
    """Stands in where there is no SIP."""
    return ()


Transfer = Callable[[str, str, str, Actor], Awaitable[Participant]]


def well_formed_address(address: str) -> str:
    """A bridge's address by its form alone: without SIP there is no address of ours."""
    try:
        return str(typed_address(address))
    except SipError as error:
        raise ValueError(sentence("call.address", reason=error.detail)) from error


def no_outside(address: str) -> str:
    """Stands in where there is no SIP."""
    raise ValueError(sentence("sip.off"))


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """How much one client may ask for."""

    requests_per_second: float = 50.0
    request_burst: int = 200
    failed_sign_ins_per_minute: float = 30.0
    failed_sign_in_burst: int = 20
    max_body_bytes: int = 1 << 20
    max_event_streams: int = 500
    heartbeat_s: float = 15.0
    session_hours: float = 12.0


@dataclass(frozen=True, slots=True)
class Services:
    """Everything ``make_app`` needs.

    Args:
        sip_server: where devices sign in.
        sip_trace: the newest messages of a participant's calls (conference, participant), the
            oldest first; None: it has made none.
        sip_callers: who calls a conference and is to enter its PIN.
        sip_caller_trace: the messages of such a call (conference, call), also for some time after
            it was sent away; None: there was none.
        call_again: an operator has called a participant in (conference, participant) that was on
            the roster already; for hardware rooms that have hung up.
        bridge_changed: a bridge's record is another now; for hardware rooms that are to be called.
        outside_address: an address of SIP that an operator wants to have called, as it is called;
            raises ValueError with the reason where that may not be.
        bridge_address: the same for the address of a bridge of kind sip.
        transfer: moves a participant (conference, participant, other conference, actor) by SIP;
            None: there is no SIP.
        convene_within_s, calls_at_once: how rooms are convened where nothing else is said.
        leg_opened: told of each leg that was opened, with what its client calls itself.
        recordings: None: this server records nothing.
        collectors: further families of ``/metrics``.
        not_ready: why no new conference can be taken, or None (``/readyz``).
        public_url: scheme, host and port under which rooms reach this server; None: as the
            request addressed it.
        reachable_url: without ``public_url``, what links name in answers to requests over
            loopback; None where only this machine can connect.
        now: UTC; monotonic: seconds. Both are replaced in tests.
    """

    store: Store
    conferences: Conferences
    legs: LegService
    pictures: Pictures
    live: LiveReadings
    media: MediaReadings
    load: LoadReadings
    sip: SipService
    readiness: ReadinessChecks
    reports: Reporter
    sip_server: SipServer = SipServer()
    sip_trace: Callable[[str, str], Sequence[SipTraceEntry] | None] = no_trace
    sip_callers: Callable[[str], Sequence[SipCaller]] = no_callers
    sip_caller_trace: Callable[[str, str], Sequence[SipTraceEntry] | None] = no_trace
    call_again: Callable[[str, str], None] = lambda conference, participant: None
    bridge_changed: Callable[[str], None] = lambda bridge: None
    outside_address: Callable[[str], str] = no_outside
    bridge_address: Callable[[str], str] = well_formed_address
    transfer: Transfer | None = None
    convene_within_s: float = TARGET_S
    calls_at_once: int = AT_ONCE
    recordings: RecordingService | None = None
    collectors: Sequence[Collector] = ()
    leg_opened: Callable[[str, str], None] = lambda leg, user_agent: None
    not_ready: Callable[[], str | None] = lambda: None
    public_url: str | None = None
    reachable_url: Callable[[], str | None] = lambda: None
    wall: WallPictures = field(default_factory=NoWall)
    limits: ApiLimits = ApiLimits()
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    monotonic: Callable[[], float] = time.monotonic
