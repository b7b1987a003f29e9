"""The session part of our descriptions, and which version they are."""

from collections.abc import Iterator, Sequence

from signalling.offer_answer.agreement import Family, LocalMedia
from signalling.sdp import Connection, Line, MediaSection, Origin, SessionDescription


def write_session(
    media: Sequence[MediaSection],
    local: LocalMedia,
    family: Family,
    *,
    previous: SessionDescription | None,
    time: str = "0 0",
    ice: bool = False,
) -> SessionDescription:
    """Put sections into a description.

    Its version is that of ``previous`` where nothing else differs from it, else one more (RFC
    3264 section 8): a peer may skip what it has read before.

    Args:
        time: of ``t=``; an answer repeats the offer's (RFC 3264 section 6).
        ice: some section does ICE, as the lite side.
    """
    version = previous.origin.session_version if previous else 1
    described = _describe(media, local, family, version, time, ice=ice)
    if previous is None or described == previous:
        return described
    return _describe(media, local, family, version + 1, time, ice=ice)


def _describe(
    media: Sequence[MediaSection],
    local: LocalMedia,
    family: Family,
    version: int,
    time: str,
    *,
    ice: bool,
) -> SessionDescription:
    lines = tuple(_session(local, family, version, time, ice=ice))
    return SessionDescription(lines, tuple(media))


def _session(
    local: LocalMedia, family: Family, version: int, time: str, *, ice: bool
) -> Iterator[Line]:
    if not local.address(family):
        family = "IP4" if local.ipv4 else "IP6"
    address = local.address(family)
    yield Line("v", "0")
    yield Line("o", str(Origin("-", local.session_id, version, address, family)))
    yield Line("s", "-")
    yield Line("c", str(Connection(address, family)))
    yield Line("t", time)
    if ice:
        yield Line.attribute("ice-lite")
