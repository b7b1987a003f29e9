"""A registrar (RFC 3261 section 10): where the devices of an address can be reached, and how long.

Only decisions: who may register for an address is settled before, and the answer is sent by
others. All or nothing of a request is done.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sipmessage import Address

from signalling.sip.errors import SipError
from signalling.sip.fields import read_number, uri_of
from signalling.sip.hop import Hop
from signalling.sip.message import ReceivedRequest
from signalling.sip.timers import TimerQueue
from signalling.sip.uri import SipUri, parameter

DEFAULT_EXPIRES_S = 3_600
MAX_USER_AGENT = 100

_Q = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)\Z")


@dataclass(frozen=True, slots=True)
class RegistrarLimits:
    """What a registrar grants.

    Args:
        least_s: shorter times are refused (423). most_s: longer times are cut.
        contacts: for one address. addresses: in all.
    """

    least_s: int = 60
    most_s: int = 3_600
    contacts: int = 10
    addresses: int = 10_000


@dataclass(frozen=True, slots=True)
class Binding:
    """One device of an address.

    Args:
        q: preference, 0 to 1. source: where its last REGISTER came from, which is the way back
            to a device behind a NAT or on a stream.
        since: when it registered first. user_agent: what it calls itself, shortened.
    """

    contact: SipUri
    q: float
    expires_at: float
    call_id: str
    sequence: int
    source: Hop
    since: float = 0.0
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class BindingsChanged:
    """The devices of an address are others now; none: it cannot be reached any more."""

    address: str
    bindings: tuple[Binding, ...]


def address_of(uri: SipUri) -> str | None:
    """An address by itself, as it stands in the bindings unless somebody names them otherwise."""
    return str(SipUri("sip", uri.host.lower(), user=uri.user))


class Registrar:
    """Bindings of all addresses, in memory.

    Args:
        name_of: under which name the devices of an address are kept; None: it is not served here.
            Without it every address is, under ``address_of``.

    Memory is bounded by the limits. Cost: O(contacts) a request.
    """

    def __init__(
        self,
        limits: RegistrarLimits | None = None,
        name_of: Callable[[SipUri], str | None] = address_of,
    ) -> None:
        self.limits = limits or RegistrarLimits()
        self.name_of = name_of
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self._timers: TimerQueue[str] = TimerQueue()

    def __len__(self) -> int:
        return len(self._bindings)

    def bindings(self, address: str, now: float) -> tuple[Binding, ...]:
        """Devices of an address, the preferred first, of equals the one registered last."""
        return tuple(
            binding for binding in self._bindings.get(address, ()) if binding.expires_at > now
        )

    def all(self) -> Mapping[str, tuple[Binding, ...]]:
        """What is kept of every address now, for a store; expired ones may be among them."""
        return MappingProxyType(self._bindings)

    def restore(self, address: str, bindings: Iterable[Binding], now: float) -> None:
        """Take in what a store has kept, at the start; what has expired since is left out."""
        kept = sorted(
            (binding for binding in bindings if binding.expires_at > now),
            key=lambda binding: -binding.q,
        )
        self._store(address, (), tuple(kept[: self.limits.contacts]), now)

    def register(
        self, address: str, request: ReceivedRequest, source: Hop, now: float
    ) -> BindingsChanged | None:
        """Do what a REGISTER asks.

        Args:
            address: whose devices are changed; the sender may do so.

        Returns:
            what changed; None for a query, or a refresh of what was there.

        Raises:
            SipError: nothing was done; status 400, 423 (to be told ``Min-Expires``), 500 (an old
                request came late), 503 (no room).
        """
        envelope = request.envelope
        before = self.bindings(address, now)
        header = _expiry(request.headers.get("Expires"), None)
        if envelope.contact_star:
            if header != 0:
                raise SipError("Contact", "is * but Expires is not 0")
            for binding in before:
                _check_order(binding, request)
            return self._store(address, before, (), now)
        after = list(before)
        for contact in envelope.contacts:
            self._bind(after, contact, header, request, source, now)
        if len(after) > self.limits.contacts:
            raise SipError("Contact", f"are more than {self.limits.contacts} of one address", 503)
        if address not in self._bindings and after and len(self) >= self.limits.addresses:
            raise SipError("To", "no more addresses can be registered", 503)
        # A stable sort: of equal preference, the one that is newest stands first.
        after.sort(key=lambda binding: -binding.q)
        return self._store(address, before, tuple(after), now)

    def remaining(self, address: str, now: float) -> list[str]:
        """Values of Contact for the answer to a REGISTER."""
        return [
            f"<{binding.contact}>;expires={max(1, round(binding.expires_at - now))}"
            + (f";q={binding.q:g}" if binding.q != 1 else "")
            for binding in self.bindings(address, now)
        ]

    def forget(self, address: str, now: float) -> BindingsChanged | None:
        """Drop all devices of an address that is no longer served."""
        return self._store(address, self._bindings.get(address, ()), (), now)

    def next_timer(self) -> float | None:
        """When ``handle_timer`` wants to be called."""
        return self._timers.next()

    def handle_timer(self, now: float) -> list[BindingsChanged]:
        """Drop what has expired."""
        changes = []
        for address in list(self._timers.due(now)):
            before = self._bindings[address]
            change = self._store(address, before, self.bindings(address, now), now)
            if change is not None:
                changes.append(change)
        return changes

    def _bind(
        self,
        bindings: list[Binding],
        contact: Address,
        header: int | None,
        request: ReceivedRequest,
        source: Hop,
        now: float,
    ) -> None:
        uri = uri_of(contact)
        if not uri.is_sip:
            raise SipError("Contact", "is not a SIP address")
        seconds = _expiry(parameter(contact.parameters, "expires"), header)
        if seconds is None:
            seconds = DEFAULT_EXPIRES_S
        if 0 < seconds < self.limits.least_s:
            raise SipError("Expires", f"is below {self.limits.least_s} seconds", 423)
        known = next((binding for binding in bindings if binding.contact.same_as(uri)), None)
        if known is not None:
            _check_order(known, request)
            bindings.remove(known)
        if seconds == 0:
            return
        envelope = request.envelope
        bindings.insert(
            0,
            Binding(
                uri,
                _preference(contact),
                now + min(seconds, self.limits.most_s),
                envelope.call_id,
                envelope.cseq.sequence,
                source,
                now if known is None else known.since,
                (request.headers.get("User-Agent") or "")[:MAX_USER_AGENT],
            ),
        )

    def _store(
        self, address: str, before: tuple[Binding, ...], after: tuple[Binding, ...], now: float
    ) -> BindingsChanged | None:
        if after:
            self._bindings[address] = after
            self._timers.set(address, min(binding.expires_at for binding in after))
        else:
            self._bindings.pop(address, None)
            self._timers.cancel(address)
        places = [(str(binding.contact), binding.q, binding.source) for binding in after]
        if places == [(str(binding.contact), binding.q, binding.source) for binding in before]:
            return None
        return BindingsChanged(address, after)


def _check_order(binding: Binding, request: ReceivedRequest) -> None:
    envelope = request.envelope
    if envelope.call_id == binding.call_id and envelope.cseq.sequence <= binding.sequence:
        raise SipError("CSeq", "is not above that of the registration before", 500)


def _expiry(text: str | None, default: int | None) -> int | None:
    """Seconds; what is no number means the default (RFC 3261 section 10.2.1.1)."""
    try:
        seconds = read_number(text, "Expires")
    except SipError:
        return DEFAULT_EXPIRES_S
    return default if seconds is None else seconds


def _preference(contact: Address) -> float:
    text = parameter(contact.parameters, "q")
    if text is None:
        return 1.0
    if not _Q.match(text):
        raise SipError("Contact", "has a q that is not between 0 and 1")
    return float(text)
