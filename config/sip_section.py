"""The section ``sip``: where hardware rooms call, who may, and to what."""

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.dial_rule import DialRule
from config.sections import FilePath, Host, IpAddress, Port, Section

DigestAlgorithm = Literal["SHA-256", "MD5"]

INTERNAL_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
"""Private networks (RFC 1918, RFC 4193), this link and this machine."""


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError("must be a network, as in 10.0.0.0/8 or 2001:db8::/32") from None


def _host_rule(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        name = text.removeprefix("*.").lower()
    if not _NAME.fullmatch(name):
        raise ValueError("must be a name, *.example.org, an address or a network")
    return text.lower()


def _proxy(text: str) -> str:
    scheme, _, rest = text.partition(":")
    if text and (scheme not in ("sip", "sips") or not rest or any(c in " <>@" for c in rest)):
        raise ValueError("must be an address without user, as in sip:proxy.example.org;lr")
    return text


def _realm(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or any(c in '"\\' for c in text):
        raise ValueError("must be printable ASCII without quotation marks")
    return text


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("must not name one twice")
    return values


Network = Annotated[str, AfterValidator(_network)]
HostRule = Annotated[str, AfterValidator(_host_rule)]
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


class SipSettings(Section):
    """Where hardware codecs call, who may, and to what.

    A rule of `dial_plan` has a `pattern` and one target. The pattern is what stands before the `@`
    of the address that was dialled; in it `{conference}` and `{bridge}` stand for an id, `{number}`
    for 1 to 16 digits, `{pin}` for 4 to 10 digits, `{any}` for anything. The targets:
    `conference` (an id or a number; it may repeat placeholders), `participant` (a bridge's id: the
    conference that this bridge is in now), `own: true` (the conference that the calling bridge is
    expected in), `refuse: true`. The first rule that fits decides. After them come two that are
    always there: a number leads to the conference with this number, anything else to the
    conference with this id; end the list with `{pattern: "{any}", refuse: true}` to do without.

    ```yaml
    sip:
      host: "::"
      public_host: mcu.example.gov.vn
      domains: [mcu.example.gov.vn, 203.0.113.7]
      plain_rtp: internal
      guests: with_pin
      dial_plan:
        - {pattern: "0", own: true}
        - {pattern: "9{number}*{pin}", conference: "{number}"}
        - {pattern: giao-ban, conference: "1001"}
    ```
    """

    host: IpAddress | None = Field(None, description="Address to listen on; empty: no SIP.")
    udp_port: Port = Field(5060, description="Port for SIP over UDP; 0: not over UDP.")
    tcp_port: Port = Field(5060, description="Port for SIP over TCP; 0: not over TCP.")
    tls_port: Port = Field(5061, description="Port for SIP over TLS; 0: not over TLS.")
    public_host: Host | None = Field(
        None,
        description="Name or address by which devices reach this server, told to them in Contact "
        "and shown to technicians. Where empty: the first of `domains`, else "
        "`media.public_addresses`, else `host`, or where that is every address one of this "
        "machine.",
    )
    domains: tuple[Host, ...] = Field(
        (),
        description="Names and addresses that may stand behind the @ of addresses of ours; "
        "requests for others are refused. Where empty, every one is taken as ours.",
    )
    realm: Annotated[str, AfterValidator(_realm)] = Field(
        "mcu",
        description="Realm of the digest. Secrets are stored as a hash with the realm in it: with "
        "another realm every device needs a new secret.",
    )
    digest_algorithms: Annotated[
        tuple[DigestAlgorithm, ...], Field(min_length=1), AfterValidator(_different)
    ] = Field(
        ("SHA-256", "MD5"),
        description="`SHA-256` and `MD5`, offered in this order; most devices know MD5 only.",
    )
    registration_min_s: Annotated[int, Field(ge=10, le=86_400)] = Field(
        60, description="Shorter registrations are refused (423)."
    )
    registration_max_s: Annotated[int, Field(ge=60, le=86_400)] = Field(
        3_600, description="Longer registrations are cut."
    )
    outbound_proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        "", description="Through which everything goes out, as in `sip:proxy.example.org;lr`."
    )
    no_answer_s: Annotated[int, Field(ge=5, le=300)] = Field(
        45, description="How long a room rings before it counts as not answering."
    )
    redial_min_s: Annotated[int, Field(ge=1, le=3_600)] = Field(
        5,
        description="First pause before a room that could not be reached is called again, "
        "shortened by chance by up to a half, as all are.",
    )
    redial_max_s: Annotated[int, Field(ge=1, le=3_600)] = Field(
        120,
        description="Longest pause; each one is twice the one before. While rooms are convened, "
        "the convening's hold instead.",
    )
    guests: Literal["refused", "with_pin", "allowed"] = Field(
        "refused",
        description="Callers without an account: refused; let into conferences that have a PIN; "
        "or into every conference.",
    )
    pin_recording: FilePath | None = Field(
        None,
        description="Sound file (WAV, Ogg, MP3 ...) that asks callers for the conference's PIN, "
        "played after the tones; at most 30 s of it.",
    )
    dial_plan: tuple[DialRule, ...] = Field(
        (), description="Rules, the first that fits decides; see above."
    )
    call_hosts: tuple[HostRule, ...] | None = Field(
        None,
        description="Where operators may call by an address that is not in the registry: names, "
        "`*.example.org`, addresses, networks; an empty list: nowhere. Where left out: anywhere.",
    )
    room_transfers: Literal["refused", "own_units"] = Field(
        "own_units",
        description="Rooms that move themselves to another conference (REFER): refused; or to one "
        "of their own unit or a unit above it, with its PIN where it has one.",
    )
    plain_rtp: Literal["allowed", "internal", "refused"] = Field(
        "internal",
        description="Media without encryption: with anybody; with devices in "
        "`internal_networks`; with nobody.",
    )
    internal_networks: tuple[Network, ...] = Field(
        INTERNAL_NETWORKS, description="Networks of the organisation."
    )
    latching: Literal["off", "signalling", "anywhere"] = Field(
        "signalling",
        description="Whose media a leg takes first and keeps to, where a device is behind address "
        "translation: only from the address that was announced; also from the address its "
        "signalling comes from; from anywhere.",
    )
    tls_certificate: FilePath | None = Field(
        None,
        description="PEM file for SIP over TLS; where empty, that of `http.tls_certificate`, or "
        "the self-signed one.",
    )
    tls_key: FilePath | None = Field(None, description="PEM file with the certificate's key.")
    tls_ca: FilePath | None = Field(
        None,
        description="PEM file with the authorities that devices' and proxies' certificates are "
        "checked against; where empty, those of the system.",
    )
    tls_client_certificates: Literal["none", "asked", "required"] = Field(
        "none",
        description="Certificates of devices that connect: not asked for; checked where there is "
        "one; demanded.",
    )
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000, description="Open TCP and TLS connections."
    )
    max_connections_per_source: Annotated[int, Field(ge=1, le=100_000)] = Field(
        20, description="Of these, from one address (IPv6: one network of 64 bits)."
    )
    messages_per_second: Annotated[float, Field(gt=0, le=100_000)] = Field(
        50.0, description="Sustained messages a second of one source; others are dropped."
    )
    message_burst: Annotated[int, Field(ge=1, le=100_000)] = Field(
        200, description="Messages that one source may send at once after a pause."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: give both or neither")
        if self.registration_max_s < self.registration_min_s:
            raise ValueError("registration_max_s must not be below registration_min_s")
        if self.redial_max_s < self.redial_min_s:
            raise ValueError("redial_max_s must not be below redial_min_s")
        if self.host is not None and not (self.udp_port or self.tcp_port or self.tls_port):
            raise ValueError("at least one of udp_port, tcp_port and tls_port must not be 0")
        if self.tls_client_certificates == "required" and self.tls_ca is None:
            raise ValueError("tls_ca must be given where tls_client_certificates is required")
        return self
