"""Floor control of the presentation in descriptions: ``m=application ... BFCP`` (RFC 8856).

We are the floor control server wherever the peer lets us; a peer that insists on being the server
is followed as a client. What stays the same from one offer to the next keeps its connection.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from signalling.media.transport import first_value, usable_fingerprints
from signalling.offer_answer.agreement import (
    Family,
    Floor,
    FloorProtocol,
    FloorRole,
    LocalFloor,
    LocalMedia,
)
from signalling.offer_answer.ends import read_ends
from signalling.offer_answer.refusal import SectionRefused
from signalling.offer_answer.security import dtls_lines
from signalling.sdp import Connection, Fingerprint, Line, MediaSection, SessionDescription

PROTOCOLS: tuple[FloorProtocol, ...] = ("UDP/BFCP", "TCP/BFCP", "UDP/TLS/BFCP", "TCP/TLS/BFCP")
DISCARD_PORT = 9
"""Stands where we open the TCP connection (RFC 4145 section 4.1)."""

_FLOOR_ID = re.compile(r"([0-9]{1,5})(?:\s+(?:mstrm|m-stream):(.*))?\Z")
"""RFC 4583's examples write ``m-stream``, and so do devices."""
_IDENTIFIER = re.compile(r"[0-9]{1,10}\Z")


def floor_protocol(media: MediaSection) -> FloorProtocol | None:
    """Which floor control a section is about; None: it is about something else."""
    if media.kind != "application":
        return None
    return next((name for name in PROTOCOLS if name == media.protocol.upper()), None)


def slides_labels(description: SessionDescription) -> frozenset[str]:
    """Labels of the sections that some floor of a description is for."""
    return frozenset(
        label
        for media in description.media
        if floor_protocol(media) is not None
        for _, labels in _floors(media)
        for label in labels
    )


def answer_floor(
    offer: SessionDescription,
    index: int,
    local: LocalMedia,
    labels: tuple[str, ...],
    previous: Floor | None,
) -> tuple[Floor, MediaSection]:
    """Answer a section of floor control.

    Args:
        labels: of our sections that carry the presentation. previous: agreed before at this index.
    Raises:
        SectionRefused: it is not taken.
    """
    media = offer.media[index]
    ours, protocol = local.floor, floor_protocol(media)
    if media.port == 0:
        raise SectionRefused("switched off in the offer")
    if ours is None or protocol is None or protocol not in ours.protocols:
        raise SectionRefused(f"{media.protocol} is not taken")
    ends = read_ends(offer, media, mux=True)
    setup = first_value((media, offer), "setup")
    opens = _opens(setup)
    role = _answering_role(media)
    floors = _floors(media)
    fingerprints = _fingerprints(offer, media, protocol, local)
    if role == "client" and not floors:
        raise SectionRefused("its server names no floor")
    known = previous is not None and (previous.protocol, previous.family) == (protocol, ends.family)
    if opens and protocol.startswith("TCP"):
        port = DISCARD_PORT
    elif known and previous is not None and previous.local_port != DISCARD_PORT:
        port = previous.local_port
    else:
        port = ours.port(protocol)
    floor = Floor(
        index,
        protocol,
        role,
        ends.family,
        port,
        None if media.port == DISCARD_PORT and not opens else ends.remote,
        opens,
        ours.conference_id if role == "server" else _identifier(media, "confid"),
        ours.user_id if role == "server" else _identifier(media, "userid"),
        ours.floor_id if role == "server" else floors[0][0],
        labels if role == "server" else floors[0][1],
        fingerprints,
    )
    connection = None
    if media.has("connection") or protocol.startswith("TCP"):
        goes_on = previous == floor and media.attribute("connection") == "existing"
        connection = "existing" if goes_on else "new"
    answered = None if setup is None and not _manages(protocol) else opens
    return floor, write_floor(floor, local, _setup(answered), connection)


@dataclass(frozen=True, slots=True)
class OfferedFloor:
    """What an offer of ours says, to be completed by the answer."""

    floor: Floor
    previous: Floor | None = None


def offer_floor(
    local: LocalMedia,
    ours: LocalFloor,
    index: int,
    family: Family,
    labels: tuple[str, ...],
    previous: Floor | None,
) -> tuple[OfferedFloor, MediaSection]:
    """Offer to be the server, or again what was agreed before."""
    if previous is None:
        protocol = ours.protocols[0]
        floor = Floor(
            index,
            protocol,
            "server",
            family,
            ours.port(protocol),
            None,
            False,
            ours.conference_id,
            ours.user_id,
            ours.floor_id,
            labels,
        )
    else:
        floor = previous
    connection = None
    if _manages(floor.protocol):
        connection = "new" if previous is None else "existing"
    # The connection is opened by the side that is behind something: mostly the room.
    setup = "passive" if previous is None else _setup(floor.opens)
    section = write_floor(floor, local, setup if _manages(floor.protocol) else None, connection)
    return OfferedFloor(floor, previous), section


def complete_floor(offered: OfferedFloor, answer: SessionDescription) -> Floor:
    """Read what the peer answered, in a section that is not switched off.

    Raises:
        SectionRefused: it does not take what was offered.
    """
    floor = offered.floor
    media = answer.media[floor.index]
    if floor_protocol(media) != floor.protocol:
        raise SectionRefused(f"{floor.protocol} was offered, {media.protocol} answered")
    roles = media.floorctrl
    if roles and floor.role == "server" and not {"c-only", "c-s"} & set(roles):
        raise SectionRefused("both sides would be the server of the floor")
    ends = read_ends(answer, media, mux=True)
    if ends.family != floor.family:
        raise SectionRefused("the answer changes the family of addresses")
    fingerprints = usable_fingerprints((media, answer)) if "TLS" in floor.protocol else ()
    if "TLS" in floor.protocol and not fingerprints:
        raise SectionRefused("it has no usable a=fingerprint")
    reached = media.port != DISCARD_PORT
    return Floor(
        floor.index,
        floor.protocol,
        floor.role,
        floor.family,
        floor.local_port,
        ends.remote if reached else None,
        floor.opens,
        floor.conference_id,
        floor.user_id,
        floor.floor_id,
        floor.labels,
        fingerprints,
    )


def write_floor(
    floor: Floor, local: LocalMedia, setup: str | None, connection: str | None
) -> MediaSection:
    """The section as ours. ``setup`` and ``connection``: None where nothing is said."""
    return MediaSection(
        lines=tuple(_lines(floor, local, setup, connection)),
        kind="application",
        port=floor.local_port,
        protocol=floor.protocol,
        formats=("*",),
    )


def _lines(
    floor: Floor, local: LocalMedia, setup: str | None, connection: str | None
) -> Iterator[Line]:
    yield Line("c", str(Connection(local.address(floor.family), floor.family)))
    yield Line.attribute("floorctrl", "s-only" if floor.role == "server" else "c-only")
    if floor.role == "server":
        yield Line.attribute("confid", floor.conference_id)
        yield Line.attribute("userid", floor.user_id)
        streams = f" mstrm:{' '.join(floor.labels)}" if floor.labels else ""
        yield Line.attribute("floorid", f"{floor.floor_id}{streams}")
    if "TLS" in floor.protocol:
        yield from dtls_lines(local, setup or "passive")
    elif setup is not None:
        yield Line.attribute("setup", setup)
    if connection is not None:
        yield Line.attribute("connection", connection)


def _manages(protocol: FloorProtocol) -> bool:
    """Whether ``a=setup`` means something: not with plain UDP."""
    return protocol != "UDP/BFCP"


def _setup(opens: bool | None) -> str | None:
    if opens is None:
        return None
    return "active" if opens else "passive"


def _opens(setup: str | None) -> bool:
    """Whether we open the connection; the peer does wherever it can (RFC 4145 section 4.1)."""
    if setup in (None, "", "active", "actpass"):
        return False
    if setup == "passive":
        return True
    raise SectionRefused(f"a=setup:{(setup or '')[:20]} cannot be answered")


def _answering_role(media: MediaSection) -> FloorRole:
    """RFC 8856 section 5.1; without the attribute the offerer is a client."""
    roles = media.floorctrl
    if not roles or {"c-only", "c-s"} & set(roles):
        return "server"
    if "s-only" in roles:
        return "client"
    raise SectionRefused("none of its a=floorctrl roles is known")


def _fingerprints(
    offer: SessionDescription, media: MediaSection, protocol: FloorProtocol, local: LocalMedia
) -> tuple[Fingerprint, ...]:
    if "TLS" not in protocol:
        return ()
    found = usable_fingerprints((media, offer))
    if not found or not local.fingerprints:
        raise SectionRefused("it needs a certificate on both sides, named by a=fingerprint")
    return found


def _floors(media: MediaSection) -> list[tuple[int, tuple[str, ...]]]:
    """Floors of a section, each with the labels of its streams; malformed ones are left out."""
    found = []
    for value in media.attributes("floorid"):
        match = _FLOOR_ID.match(value.strip())
        if match and int(match[1]) < 1 << 16:
            found.append((int(match[1]), tuple((match[2] or "").split())))
    return found


def _identifier(media: MediaSection, name: str) -> int:
    """``a=confid`` or ``a=userid`` of a server (RFC 8856 sections 5.2, 5.3)."""
    value = media.attribute(name) or ""
    limit = 1 << 32 if name == "confid" else 1 << 16
    if not _IDENTIFIER.match(value) or int(value) >= limit:
        raise SectionRefused(f"its server gives no a={name}")
    return int(value)
