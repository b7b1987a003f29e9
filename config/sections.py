"""The sections of the settings: one frozen model each, every key with its unit and meaning."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

MIN_TOKEN_CHARACTERS = 16
"""Shortest bootstrap token accepted; it opens everything."""

CONSENT_S = 30
"""A peer that was silent for so long is sent nothing any more (RFC 7675 section 5.1)."""


class Section(BaseModel):
    """What every section has in common: immutable, and unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address") from None


def _host(text: str) -> str:
    looks_like_address = ":" in text or text.rpartition(".")[2].isdigit()
    if (
        not text
        or any(character.isspace() or character in "/@[]" for character in text)
        or (looks_like_address and not _is_address(text))
    ):
        raise ValueError("must be a host name or an address, without scheme, port or brackets")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _origin_url(text: str) -> str:
    scheme, separator, rest = text.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not separator or not rest:
        raise ValueError("must begin with https:// or http:// and name a host")
    if any(character.isspace() or character in "/?#@" for character in rest):
        raise ValueError("must be scheme, host and port only, as in https://mcu.example.org:8443")
    return f"{scheme}://{rest}"


def _within_consent(seconds: float) -> float:
    if seconds >= CONSENT_S:
        raise ValueError(
            f"must be shorter than {CONSENT_S} s: after so long a silence a room is sent nothing "
            "any more (RFC 7675), and must be shown as lost before that"
        )
    return seconds


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even, as pictures are stored with half the colour resolution")
    return value


def _four(value: int) -> int:
    if value % 4:
        raise ValueError("must be a multiple of 4, as encoders want it of pictures without a copy")
    return value


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone's name, as in Asia/Ho_Chi_Minh") from None
    return name


def _token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < MIN_TOKEN_CHARACTERS:
        raise ValueError(f"must have at least {MIN_TOKEN_CHARACTERS} characters")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII without spaces, as it travels in a header")
    return secret


Port = Annotated[int, Field(ge=0, le=65535)]
"""A port; 0 lets the system choose a free one."""

IpAddress = Annotated[str, AfterValidator(_ip_address)]
Host = Annotated[str, AfterValidator(_host)]
OriginUrl = Annotated[str, AfterValidator(_origin_url)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Token = Annotated[SecretStr, AfterValidator(_token)]
FilePath = Annotated[Path, Field(strict=False)]


class PortRange(Section):
    """First and last port, both included; written ``20000-20999``."""

    first: Annotated[int, Field(ge=1, le=65535)]
    last: Annotated[int, Field(ge=1, le=65535)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("must not end before it begins")
        return self

    def __str__(self) -> str:
        """As it is written in the file."""
        return f"{self.first}-{self.last}"


def _port_range(value: object) -> object:
    if isinstance(value, str):
        first, separator, last = value.partition("-")
        if not separator or not first.strip().isdecimal() or not last.strip().isdecimal():
            raise ValueError("must be two ports, as in 20000-20999")
        return {"first": int(first), "last": int(last)}
    return value


class HttpSettings(Section):
    """Where the REST API, the console and the join page are served."""

    host: Host = Field("127.0.0.1", description="Address to listen on; `::` is every address.")
    port: Port = Field(8080, description="TCP port; 0 lets the system choose.")
    tls_certificate: FilePath | None = Field(
        None,
        description="PEM file with the organisation's certificate and its chain. Without it, "
        "an address other than loopback is served with a self-signed certificate.",
    )
    tls_key: FilePath | None = Field(None, description="PEM file with the certificate's key.")
    public_url: OriginUrl | None = Field(
        None,
        description="Address under which rooms reach the server, used in join links. Where empty, "
        "a link names the address at which it was asked for, or, if that is this machine's "
        "loopback and others can connect, an address of this machine: set it.",
    )

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: give both or neither")
        return self


class MediaSettings(Section):
    """The media port and the default picture."""

    host: IpAddress = Field("::", description="Address of the media port; `::` is IPv4 and IPv6.")
    port: Port = Field(5004, description="The one UDP port of all WebRTC legs.")
    public_addresses: tuple[IpAddress, ...] = Field(
        (),
        description="Addresses told to the rooms, for a server behind address translation; "
        "the machine's own addresses where empty.",
    )
    sip_ports: Annotated[PortRange, BeforeValidator(_port_range)] = Field(
        PortRange(first=20000, last=21999),
        description="UDP ports for the media of SIP legs, and UDP and TCP ports for their floor "
        "control.",
    )
    width: Annotated[int, Field(ge=160, le=1920), AfterValidator(_even)] = Field(
        1280, description="Width of a composed picture in pixels."
    )
    height: Annotated[int, Field(ge=90, le=1080), AfterValidator(_four)] = Field(
        720, description="Height of a composed picture in pixels."
    )
    fps: Annotated[int, Field(ge=1, le=30)] = Field(25, description="Pictures a second.")
    bitrate_bps: Annotated[int, Field(ge=50_000, le=20_000_000)] = Field(
        1_500_000, description="Bits a second of a composed picture at full size."
    )
    time_zone: TimeZone = Field(
        "Asia/Ho_Chi_Minh", description="Of the clock in the composed picture."
    )
    # The validator stands first, so that its reason is given and not the bare bound.
    lost_after_s: Annotated[float, AfterValidator(_within_consent), Field(gt=0, lt=CONSENT_S)] = (
        Field(5.0, description="Silence after which a room is shown as lost, in seconds.")
    )
    left_after_s: Annotated[float, Field(gt=0, le=86400)] = Field(
        30.0, description="Silence after which a lost room counts as left, in seconds."
    )
    max_speakers: Annotated[int, Field(ge=1, le=32)] = Field(
        8, description="Rooms that are heard at the same time."
    )
    video_processes: Annotated[int, Field(ge=0, le=64)] = Field(
        0,
        description="Processes that decode and encode pictures, conferences spread over them; "
        "0 is one for each four processors.",
    )
    workers: Annotated[int, Field(ge=0, le=256)] = Field(
        0,
        description="Threads in each of these processes; 0 shares the processors among them.",
    )

    @model_validator(mode="after")
    def _lost_before_left(self) -> Self:
        if self.left_after_s < self.lost_after_s:
            raise ValueError("left_after_s must not be shorter than lost_after_s")
        return self


class ConferenceSettings(Section):
    """How conferences go where nobody steers them."""

    presentation: Literal["queue", "steal"] = Field(
        "queue",
        description="A hardware room that asks to present (BFCP) while another presents waits "
        "until that one stops, or takes the presentation from it.",
    )
    convene_within_s: Annotated[int, Field(ge=30, le=86_400)] = Field(
        600, description="Seconds in which all rooms are to be here once they are convened."
    )
    calls_at_once: Annotated[int, Field(ge=1, le=200)] = Field(
        16, description="Rooms that are called at the same time when they are convened."
    )


class ReadinessSettings(Section):
    """How rooms are checked before a meeting. What a room must reach stands in its record."""

    before_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        60,
        description="Minutes before the beginning of a scenario's session at which its bridges are "
        "checked by themselves; 0: never.",
    )
    measured_at_once: Annotated[int, Field(ge=1, le=100)] = Field(
        12, description="Rooms whose sound and pictures are measured at the same time."
    )
    reached_at_once: Annotated[int, Field(ge=1, le=500)] = Field(
        48, description="Rooms that are called, or awaited, at the same time."
    )
    reach_s: Annotated[float, Field(ge=5, le=600)] = Field(
        60.0, description="How long a room is called or awaited, in seconds."
    )
    measure_s: Annotated[float, Field(ge=12, le=300)] = Field(
        20.0, description="How long a room is measured, in seconds."
    )
    confirm_s: Annotated[float, Field(ge=0, le=600)] = Field(
        60.0,
        description="How long after that somebody in the room may still confirm that the tone is "
        "heard, in seconds.",
    )
    limit_s: Annotated[float, Field(ge=30, le=7200)] = Field(
        600.0, description="A check ends after so long, in seconds."
    )
    confirmation: Literal["required", "reported"] = Field(
        "required",
        description="Whether a room is ready only when somebody in it has confirmed that the tone "
        "is heard, or is told of as unconfirmed.",
    )
    drift: Literal["refused", "reported"] = Field(
        "refused",
        description="Whether a room whose configuration has changed is not ready until an operator "
        "accepts that, or is told of as changed.",
    )


class StoreSettings(Section):
    """How long `data_dir` keeps what happened.

    Kept within these bounds: the event log, the audit, and of ended conferences everything but
    name, unit, beginning and end, which stay for good. Expired and revoked tokens go as long after
    their end. What a running conference needs is kept however old it is. What is over is deleted
    once an hour.
    """

    retention_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        90, description="Days for which events, audit and ended conferences are kept."
    )
    retention_rows: Annotated[int, Field(ge=1_000, le=100_000_000)] = Field(
        1_000_000,
        description="Events that are kept at most, and rows of the audit; the oldest go first.",
    )


class RecordingSettings(Section):
    """What of conferences is recorded, under `data_dir`/recordings, and how long it is kept."""

    retention_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        365, description="Days after its end for which a recording is kept; then it is deleted."
    )
    reserve_mb: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        2048,
        description="Space that recordings leave free on the disk, in MiB: below it they end, and "
        "none begins. From twice as much on the operators are warned.",
    )


class AuthSettings(Section):
    """Who may come in first."""

    bootstrap_token: Token | None = Field(
        None,
        description="An administrator's token for first use. Where empty, one is generated at the "
        "first start, printed once, and stored hashed.",
    )


class ClusterSettings(Section):
    """Several machines as one installation. Not in this version: `nats_url` must stay empty."""

    nats_url: str = Field("", description="Address of the NATS servers; empty: a single machine.")


class LimitSettings(Section):
    """How much is accepted before a request is refused; protects those who are already in."""

    max_legs: Annotated[int, Field(ge=1)] = Field(500, description="Media connections at once.")
    max_load: Annotated[float, Field(gt=0, le=1)] = Field(
        0.95,
        description="Part of the processors from which on new connections are refused; pictures "
        "are given up a little before that.",
    )
    overload_protection: bool = Field(
        True,
        description="Give up pictures, and refuse new connections, when the machine is full; "
        "without it everybody suffers alike. Late sound counts only where the server itself uses "
        "a third of that: what other programs delay refuses nobody.",
    )
    max_conferences: Annotated[int, Field(ge=1)] = Field(50, description="Running conferences.")
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        1_048_576, description="Size of a request's body in bytes."
    )
    requests_per_second: Annotated[float, Field(gt=0)] = Field(
        50.0,
        description="Sustained requests a second of one token, or of one address without; "
        "an IPv6 network of 64 bits counts as one address.",
    )
    request_burst: Annotated[int, Field(ge=1)] = Field(
        200, description="Requests that one token may make at once after a pause."
    )
    max_event_streams: Annotated[int, Field(ge=1)] = Field(
        500, description="Open event streams (server-sent events and WebSockets)."
    )


class LoggingSettings(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least important messages that are written."
    )
    format: Literal["json", "console"] = Field(
        "console", description="One JSON object a line, or lines for people."
    )
