"""ICE-lite (RFC 8445 section 2.5): answer the peer's connectivity checks, follow its nomination.

A lite agent sends no checks and is always controlled. So there is nothing to time here: bytes
come in, answers and events go out. Whether the peer still consents to be sent to (RFC 7675)
follows from when it was last heard, which its leg keeps.
"""

from collections import Counter, deque
from dataclasses import dataclass

from signalling.sdp import IceCandidate
from signalling.webrtc import stun
from signalling.webrtc.stun import Address, StunError, StunMessage

__all__ = [
    "Address",
    "CheckReceived",
    "IceCandidate",
    "IceEvent",
    "IceLite",
    "Nominated",
    "StunError",
]

NOMINATION_HOLD_S = 3.0
"""A peer that nominates several pairs at once means the one of highest priority."""
MAX_QUEUED = 32
"""Answers kept until they are collected; the oldest go first."""
MAX_TRANSACTIONS = 512
"""Accepted checks that are remembered, so that none counts twice: 20 minutes of one every 2.5 s."""

_UNDERSTOOD = frozenset(
    {
        stun.USERNAME,
        stun.PRIORITY,
        stun.USE_CANDIDATE,
        stun.MESSAGE_INTEGRITY_SHA256,
    }
)
_OPTIONAL_FROM = 0x8000
"""Attributes from here on may be ignored when unknown (RFC 8489 section 14)."""


@dataclass(frozen=True, slots=True)
class CheckReceived:
    """An authenticated check came from ``address`` and was answered."""

    address: Address


@dataclass(frozen=True, slots=True)
class Nominated:
    """The peer chose the pair with ``address``; media goes there from now on."""

    address: Address


IceEvent = CheckReceived | Nominated


@dataclass(frozen=True, slots=True)
class _Credentials:
    username: str
    password: str


class IceLite:
    """One leg's end of ICE.

    Args:
        local_ufrag, local_pwd: ours, as in the answer. remote_ufrag: the peer's.
        remote_pwd: the peer's; a lite agent never signs with it, it is kept to be compared
            when the peer restarts.

    ``dropped`` counts datagrams that were refused, by reason. Nothing here ever raises for
    what a datagram contains.
    """

    def __init__(
        self, local_ufrag: str, local_pwd: str, remote_ufrag: str, remote_pwd: str
    ) -> None:
        self.nominated: Address | None = None
        self.dropped: Counter[str] = Counter()
        self._nominated_at = float("-inf")
        self._priority = 0
        self._out: deque[tuple[bytes, Address]] = deque(maxlen=MAX_QUEUED)
        self._transactions: dict[bytes, Address] = {}  # accepted ones, the oldest first
        self._before: _Credentials | None = None
        self._set(local_ufrag, local_pwd, remote_ufrag, remote_pwd)

    def restart(self, local_ufrag: str, local_pwd: str, remote_ufrag: str, remote_pwd: str) -> None:
        """Take new credentials (RFC 8445 section 9).

        The nominated pair stays in use, and checks under the old credentials are answered,
        until the peer nominates a pair under the new ones.
        """
        self._before = self._current
        self._set(local_ufrag, local_pwd, remote_ufrag, remote_pwd)

    def _set(self, local_ufrag: str, local_pwd: str, remote_ufrag: str, remote_pwd: str) -> None:
        self.local_ufrag, self.local_pwd = local_ufrag, local_pwd
        self.remote_ufrag, self.remote_pwd = remote_ufrag, remote_pwd
        self._current = _Credentials(f"{local_ufrag}:{remote_ufrag}", local_pwd)
        self._agreed = False

    def receive_datagram(self, data: bytes, address: Address, now: float) -> list[IceEvent]:
        """Take one datagram that ``is_stun``.

        Args:
            address: where it came from, IPv4-mapped addresses unmapped.
        Returns:
            What happened; empty where the datagram was dropped, which ``dropped`` counts.
        """
        try:
            return self._receive(StunMessage.parse(data), _Asker(address, len(data)), now)
        except StunError as error:
            self.dropped[error.reason] += 1
            return []

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Take the answers that wait."""
        datagrams = list(self._out)
        self._out.clear()
        return datagrams

    def _receive(self, request: StunMessage, asker: "_Asker", now: float) -> list[IceEvent]:
        if request.method != stun.BINDING or request.message_class != stun.REQUEST:
            # Indications keep NAT bindings alive and need no answer; responses cannot be ours.
            indication = request.message_class == stun.INDICATION
            self.dropped["indication" if indication else "not-a-request"] += 1
            return []
        if request.username is None or request.integrity is None:
            self._refuse(request, asker, 400)
            return []
        credentials = self._authenticate(request)
        if credentials is None:
            self._refuse(request, asker, 401)
            return []
        unknown = [kind for kind, _ in request.attributes if kind not in _UNDERSTOOD]
        unknown = [kind for kind in unknown if kind < _OPTIONAL_FROM]
        if unknown:
            listed = b"".join(kind.to_bytes(2, "big") for kind in unknown)
            more = ((stun.UNKNOWN_ATTRIBUTES, listed),)
            self._refuse(request, asker, 420, more, credentials.password)
            return []
        if request.has(stun.ICE_CONTROLLED):
            # Both controlled: the peer has to change, a lite agent cannot (section 7.3.1.1).
            self._refuse(request, asker, 487, (), credentials.password)
            return []
        accepted_from = self._transactions.get(request.transaction_id)
        if accepted_from is not None and accepted_from != asker.address:
            # A check is signed but not dated: whoever overhears one can send it from elsewhere,
            # and would have the media follow.
            self.dropped["replay"] += 1
            return []
        mapped = stun.encode_xor_address(asker.address, request.transaction_id)
        answer = StunMessage(
            stun.BINDING,
            stun.SUCCESS,
            request.transaction_id,
            ((stun.XOR_MAPPED_ADDRESS, mapped),),
        )
        self._out.append((answer.encode(credentials.password), asker.address))
        if accepted_from is not None:
            return []  # a retransmission: its answer was lost, all else is done
        self._transactions[request.transaction_id] = asker.address
        if len(self._transactions) > MAX_TRANSACTIONS:
            del self._transactions[next(iter(self._transactions))]
        return self._accept(request, asker.address, credentials is self._current, now)

    def _accept(
        self, request: StunMessage, address: Address, current: bool, now: float
    ) -> list[IceEvent]:
        events: list[IceEvent] = [CheckReceived(address)]
        # Under the old credentials of a restart nothing is nominated any more.
        if not current or not request.has(stun.USE_CANDIDATE):
            return events
        priority = int.from_bytes(request.attribute(stun.PRIORITY) or b"", "big")
        if self._agreed and address != self.nominated:
            held = now - self._nominated_at < NOMINATION_HOLD_S
            if held and priority < self._priority:
                return events
        if not self._agreed or address != self.nominated:
            events.append(Nominated(address))
        self._agreed = True
        self._before = None
        self.nominated = address
        self._nominated_at = now
        self._priority = priority
        return events

    def _authenticate(self, request: StunMessage) -> _Credentials | None:
        """The credentials the request was made with (RFC 8489 section 9.1.3)."""
        for credentials in (self._current, self._before):
            if (
                credentials is not None
                and request.username == credentials.username
                and request.is_signed_with(credentials.password)
            ):
                return credentials
        return None

    def _refuse(
        self,
        request: StunMessage,
        asker: "_Asker",
        code: int,
        attributes: tuple[tuple[int, bytes], ...] = (),
        password: str | None = None,
    ) -> None:
        """Answer with an error, signed where the request was authentic.

        An unauthenticated asker may be forged, so it gets no answer larger than what it sent.
        """
        self.dropped[str(code)] += 1
        value = bytes((0, 0, code // 100, code % 100))
        answer = StunMessage(
            stun.BINDING,
            stun.ERROR,
            request.transaction_id,
            ((stun.ERROR_CODE, value), *attributes),
        ).encode(password)
        if password is not None or len(answer) <= asker.sent_bytes:
            self._out.append((answer, asker.address))


@dataclass(frozen=True, slots=True)
class _Asker:
    address: Address
    sent_bytes: int
