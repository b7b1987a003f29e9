"""A dialog (RFC 3261 section 12): what both ends remember so that requests find their way.

Texts of From, To and routes are kept as they came. Only the rules stand here; who may send what
when is the business of the call.
"""

from dataclasses import dataclass, replace
from ipaddress import ip_address

from sipmessage import Address, Headers, Request

from signalling.sip.errors import SipError
from signalling.sip.fields import (
    MAX_SEQUENCE,
    read_address,
    split_list,
    uri_of,
    without_brackets,
)
from signalling.sip.hop import Hop, Transport, next_hop
from signalling.sip.message import ReceivedRequest, ReceivedResponse
from signalling.sip.uri import SipUri, parameter, parse_uri

MAX_ROUTES = 20
TARGET_REFRESHES = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})
"""Requests whose Contact replaces the remote target (RFC 3261, 3311, 6665, 3515)."""


@dataclass(frozen=True, slots=True)
class DialogId:
    """Names a dialog from our side; ``remote_tag`` is empty for peers of RFC 2543."""

    call_id: str
    local_tag: str
    remote_tag: str


class Dialog:
    """One dialog.

    Args:
        identifier: Call-ID and tags. local, remote: From and To of our requests, as texts.
        remote_target: where our requests go. route_set: texts, the next hop first.
        local_sequence: CSeq of the last request we sent. remote_sequence: of the last we got.
        source: where the peer's first message came from; a stream is used again.
        by_source: go to ``source`` in place of the remote target: the peer is behind address
            translation, and names itself as it sees itself.
    """

    def __init__(
        self,
        identifier: DialogId,
        local: str,
        remote: str,
        remote_target: SipUri,
        route_set: tuple[str, ...],
        local_sequence: int,
        remote_sequence: int | None,
        source: Hop | None = None,
        by_source: bool = False,
    ) -> None:
        self.id = identifier
        self.local = local
        self.remote = remote
        self.remote_target = remote_target
        self.route_set = route_set
        self.local_sequence = local_sequence
        self.remote_sequence = remote_sequence
        self.source = source
        self.by_source = by_source
        self._set_by_2xx = False

    @classmethod
    def of_server(
        cls, request: ReceivedRequest, local_tag: str, sequence: int, source: Hop
    ) -> "Dialog":
        """The callee's side, from the request that makes it (section 12.1.1).

        Args:
            sequence: what our own CSeq starts after.

        Raises:
            SipError: the request names no Contact to reach the peer at.
        """
        envelope = request.envelope
        contacts = envelope.contacts
        if not contacts and not envelope.from_tag:
            contacts = (envelope.from_address,)  # clients of RFC 2543 may name no Contact
        dialog = cls(
            DialogId(envelope.call_id, local_tag, envelope.from_tag),
            f"{request.headers['To']};tag={local_tag}",
            request.headers["From"],
            _target(contacts),
            _routes(request.headers, reverse=False),
            sequence,
            envelope.cseq.sequence,
            source,
            by_source=_is_elsewhere(envelope.vias[0].host, _target(contacts), source),
        )
        dialog._check_path()
        return dialog

    @classmethod
    def of_client(cls, request: Request, response: ReceivedResponse, source: Hop) -> "Dialog":
        """The caller's side, from our request and a response with a tag (section 12.1.2).

        Args:
            source: where the request went.

        Raises:
            SipError: the response names no Contact.
        """
        envelope = response.envelope
        target = _target(envelope.contacts)
        dialog = cls(
            DialogId(envelope.call_id, envelope.from_tag, envelope.to_tag),
            request.headers["From"],
            response.headers["To"],
            target,
            _routes(response.headers, reverse=True),
            envelope.cseq.sequence,
            None,
            source,
            by_source=_is_same_stream(target, source)
            or (not source.domain and _is_elsewhere(request.uri.host, target, source)),
        )
        dialog._set_by_2xx = response.code >= 200
        dialog._check_path()
        return dialog

    def confirm(self, response: ReceivedResponse) -> None:
        """A 2xx came for an early dialog: its routes and target count (section 13.2.2.4).

        Raises:
            SipError: they lead nowhere.
        """
        if not self._set_by_2xx:
            self.route_set = _routes(response.headers, reverse=True)
            self._set_by_2xx = True
        self.refresh_target(response.envelope.contacts)
        self._check_path()

    def request(self, method: str) -> Request:
        """A new request within the dialog, without Via; ACK repeats the sequence number."""
        if method != "ACK":
            self.local_sequence = self.local_sequence % MAX_SEQUENCE + 1
        uri, routes = self._path()
        request = Request(method, uri)
        if routes:
            request.headers.setlist("Route", routes)
        request.headers.set("Max-Forwards", "70")
        request.headers.set("From", self.local)
        request.headers.set("To", self.remote)
        request.headers.set("Call-ID", self.id.call_id)
        request.headers.set("CSeq", f"{self.local_sequence} {method}")
        return request

    def hop(self, default: Transport) -> Hop | None:
        """Where requests go: the first route, or the remote target (section 8.1.2).

        A stream over which the dialog came is used again where no route leads elsewhere: peers
        behind a NAT can be reached in no other way (RFC 5923 in spirit). So it is over UDP with
        a peer whose Contact shows that it does not know the address it is seen at (RFC 3581
        section 1).
        """
        source = self.source
        if self.route_set:
            found = next_hop(uri_of(read_address(self.route_set[0], "Route")), default)
        elif source is not None and (source.connection is not None or self.by_source):
            return source
        else:
            found = next_hop(self.remote_target, default)
        if found is None or source is None or (":" in found.host) != (":" in source.host):
            return found
        return replace(found, local=source.local)

    def take_sequence(self, request: ReceivedRequest) -> None:
        """Check that a request comes in its order (section 12.2.2).

        Raises:
            SipError: status 500, the number is not above the last one.
        """
        sequence = request.envelope.cseq.sequence
        if self.remote_sequence is not None and sequence <= self.remote_sequence:
            raise SipError("CSeq", "is not above that of the request before", 500)
        self.remote_sequence = sequence

    def refresh_target(self, contacts: tuple[Address, ...]) -> None:
        """Take a new remote target, where the peer named one that can be reached."""
        if contacts and next_hop(uri_of(contacts[0])) is not None:
            self.remote_target = uri_of(contacts[0])

    def _check_path(self) -> None:
        if self.hop("udp") is None:
            field = "Record-Route" if self.route_set else "Contact"
            raise SipError(field, "cannot be reached by SIP")

    def _path(self) -> tuple[SipUri, list[str]]:
        """Request-URI and routes; a first route without ``lr`` is a strict router (12.2.1.1)."""
        if not self.route_set:
            return self.remote_target, []
        first = uri_of(read_address(self.route_set[0], "Route"))
        if parameter(first.parameters, "lr") is not None:
            return self.remote_target, list(self.route_set)
        strict = parse_uri(str(first).partition("?")[0], "Route")
        return strict, [*self.route_set[1:], f"<{self.remote_target}>"]


def _is_same_stream(target: SipUri, source: Hop) -> bool:
    """Whether a peer that was reached by a stream names its own address there.

    Whatever port it names: that may be the one its end of the stream has, as Linphone's, where
    nobody listens.
    """
    return source.is_reliable and without_brackets(target.host) == source.host


def _is_elsewhere(own: str, target: SipUri, source: Hop) -> bool:
    """Whether a peer that calls itself ``own``, an address, is really at ``source``."""
    host = without_brackets(target.host)
    try:
        named = ip_address(host)
    except ValueError:
        return False
    return without_brackets(own) == host and str(named) != source.host


def _target(contacts: tuple[Address, ...]) -> SipUri:
    if len(contacts) != 1:
        raise SipError("Contact", "must name exactly one address to be reached at")
    target = uri_of(contacts[0])
    if not target.is_sip:
        raise SipError("Contact", "is not a SIP address")
    return target


def _routes(headers: Headers, reverse: bool) -> tuple[str, ...]:
    values = headers.getlist("Record-Route")
    routes = split_list(values, "Record-Route") if values else []
    if len(routes) > MAX_ROUTES:
        raise SipError("Record-Route", f"has more than {MAX_ROUTES} values", 513)
    return tuple(reversed(routes) if reverse else routes)
