"""How a section is protected: what its lines allow, what the site allows, what is taken.

Besides what the protocol of the ``m=`` line asks for, habits of devices are understood: keys or
fingerprints beside RTP/AVP (opportunistic SRTP, RFC 8643) and DTLS under RTP/SAVP(F).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from signalling.media.negotiated import DtlsRole
from signalling.media.transport import answering_role, first_value, usable_fingerprints
from signalling.offer_answer.agreement import (
    SUITES,
    Dtls,
    LocalMedia,
    Plain,
    Protection,
    Sdes,
    Security,
)
from signalling.offer_answer.crypto import KEY_BYTES, choose_key, read_key, suite_of, write_key
from signalling.offer_answer.refusal import SectionRefused
from signalling.sdp import Line, MediaSection, SessionDescription

PLAIN_PROTOCOLS = frozenset({"RTP/AVP", "RTP/AVPF"})
KEYED_PROTOCOLS = frozenset({"RTP/SAVP", "RTP/SAVPF"})
DTLS_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"})


def protections(description: SessionDescription, media: MediaSection) -> frozenset[Protection]:
    """What a section's protocol and lines leave the choice of; empty: no RTP that is known."""
    keyed: set[Protection] = {"sdes"} if media.cryptos else set()
    if usable_fingerprints((media, description)):
        keyed.add("dtls")
    if media.protocol in PLAIN_PROTOCOLS:
        return frozenset(keyed | {"plain"})
    if media.protocol in KEYED_PROTOCOLS:
        return frozenset(keyed)
    if media.protocol in DTLS_PROTOCOLS:
        return frozenset(keyed & {"dtls"})
    return frozenset()


def answer_security(
    offer: SessionDescription,
    media: MediaSection,
    local: LocalMedia,
    previous: Security | None,
) -> Security:
    """Choose the protection of an offered section: the best one both sides can do.

    Keys and roles of ``previous`` are kept where the peer lets them be, so that streams go on.

    Raises:
        SectionRefused: nothing that the site allows.
    """
    offered = protections(offer, media)
    reasons = []
    for protection in sorted(local.protections, key=lambda one: one == "plain"):
        if protection not in offered:
            continue
        if protection == "plain":
            return Plain()
        security = (
            _answer_keys(media, local, previous)
            if protection == "sdes"
            else _answer_dtls(offer, media, local, previous)
        )
        if isinstance(security, str):
            reasons.append(security)
        else:
            return security
    raise SectionRefused("; ".join(reasons) or _why(media, offered, local))


def _why(media: MediaSection, offered: frozenset[Protection], local: LocalMedia) -> str:
    known = PLAIN_PROTOCOLS | KEYED_PROTOCOLS | DTLS_PROTOCOLS
    if media.protocol not in known:
        return f"{media.protocol} is not taken"
    if offered == {"plain"}:
        return (
            f"{media.protocol} without keys is unprotected, which this site does not allow: "
            f"{' or '.join(map(str.upper, local.protections))} is required"
        )
    keyed = sorted(offered - {"plain"})
    if not keyed:
        return f"{media.protocol} comes without keys: neither a=crypto nor a usable a=fingerprint"
    return f"it is protected by {' or '.join(map(str.upper, keyed))}, which is not taken here"


def _answer_keys(
    media: MediaSection, local: LocalMedia, previous: Security | None
) -> Security | str:
    chosen = choose_key(media.cryptos, local.suites)
    if chosen is None:
        return f"none of its a=crypto lines can be used; taken are {', '.join(local.suites)}"
    profile = SUITES[chosen.suite]
    # A key of ours that is in use goes on, with its packet indexes.
    if isinstance(previous, Sdes) and previous.profile == profile:
        local_key = previous.local_key
    else:
        local_key = local.new_key(KEY_BYTES[chosen.suite])
    return Sdes(chosen.tag, profile, local_key, chosen.key, chosen.mki_bytes)


def _answer_dtls(
    offer: SessionDescription, media: MediaSection, local: LocalMedia, previous: Security | None
) -> Security | str:
    if not local.fingerprints:
        return "DTLS is not done here"
    setup = first_value((media, offer), "setup")
    role = answering_role(setup)
    if role is None:
        return f"a=setup:{(setup or '')[:20]} cannot be answered"
    found = Dtls(role, usable_fingerprints((media, offer)), tls_id(offer, media))
    if setup == "actpass" and isinstance(previous, Dtls):
        kept = Dtls(previous.role, found.fingerprints, found.tls_id)
        return kept if kept == previous else found  # RFC 8842 section 5.3
    return found


def tls_id(description: SessionDescription, media: MediaSection) -> str:
    """``a=tls-id`` (RFC 8842 section 4); empty where there is none."""
    return (first_value((media, description), "tls-id") or "")[:255]


@dataclass(frozen=True, slots=True)
class OfferedSecurity:
    """What an offer of ours puts into a section.

    Args:
        keys: ours by suite, in the order of their tags, which begin with ``first_tag``.
        dtls: our fingerprints stand there. plain: the answer may do without either.
    """

    protocol: str
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    first_tag: int = 1
    dtls: bool = False
    plain: bool = False

    def lines(self, local: LocalMedia) -> Iterator[Line]:
        """As they stand in the section."""
        for tag, (suite, key) in enumerate(self.keys.items(), start=self.first_tag):
            yield Line.attribute("crypto", write_key(tag, suite, key))
        if self.dtls:
            yield from dtls_lines(local, "actpass")


def offer_security(local: LocalMedia) -> OfferedSecurity:
    """What is offered for a new section: the first protection, plain RTP beside it if allowed."""
    first, plain = local.protections[0], "plain" in local.protections
    keys = {}
    if first == "sdes":
        keys = {suite: local.new_key(KEY_BYTES[suite]) for suite in local.suites}
    protected = "RTP/SAVP" if keys else "UDP/TLS/RTP/SAVP"
    protocol = "RTP/AVP" if plain else protected
    if local.early_feedback:
        protocol += "F"
    return OfferedSecurity(protocol, keys, dtls=first == "dtls", plain=plain)


def offer_again(security: Security, protocol: str) -> OfferedSecurity:
    """The protection a section has, offered once more as it is."""
    if isinstance(security, Sdes):
        keys = {suite_of(security.profile): security.local_key}
        return OfferedSecurity(protocol, keys, security.tag)
    return OfferedSecurity(
        protocol, dtls=isinstance(security, Dtls), plain=isinstance(security, Plain)
    )


def completed_security(
    offered: OfferedSecurity,
    answer: SessionDescription,
    media: MediaSection,
) -> Security:
    """What an answer chose of ``offered``.

    Raises:
        SectionRefused: nothing of it.
    """
    if offered.keys and media.cryptos:
        key = next((key for one in media.cryptos if (key := read_key(one))), None)
        if key is None or key.suite not in offered.keys:
            raise SectionRefused("the a=crypto line of its answer is none that was offered")
        tag = offered.first_tag + list(offered.keys).index(key.suite)
        return Sdes(tag, SUITES[key.suite], offered.keys[key.suite], key.key, key.mki_bytes)
    fingerprints = usable_fingerprints((media, answer))
    if offered.dtls and fingerprints:
        setup = first_value((media, answer), "setup") or "active"
        if setup not in ("active", "passive"):
            raise SectionRefused(f"a=setup:{setup[:20]} is no answer")
        role: DtlsRole = "server" if setup == "active" else "client"
        return Dtls(role, fingerprints, tls_id(answer, media))
    if offered.plain and media.protocol in PLAIN_PROTOCOLS:
        return Plain()
    raise SectionRefused("its answer has no keys, and was not offered to do without")


def security_lines(security: Security, local: LocalMedia) -> Iterator[Line]:
    """What an answer of ours says."""
    if isinstance(security, Sdes):
        suite = suite_of(security.profile)
        yield Line.attribute("crypto", write_key(security.tag, suite, security.local_key))
    elif isinstance(security, Dtls):
        yield from dtls_lines(local, "passive" if security.role == "server" else "active")


def dtls_lines(local: LocalMedia, setup: str) -> Iterator[Line]:
    """Our certificate, and who begins."""
    for fingerprint in local.fingerprints:
        yield Line.attribute("fingerprint", fingerprint)
    yield Line.attribute("setup", setup)
