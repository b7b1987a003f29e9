"""All calls of an agent, by what they are looked for."""

from signalling.sip.call import Call
from signalling.sip.core import Core
from signalling.sip.effects import CallId
from signalling.sip.incoming_call import IncomingCall
from signalling.sip.message import ReceivedRequest
from signalling.sip.transactions import Key


class Calls:
    """Calls by their name, by their dialog, and while they ring by their INVITE."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._calls: dict[CallId, Call] = {}
        self._by_tag: dict[tuple[str, str], Call] = {}
        self._by_invite: dict[Key, IncomingCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def get(self, call: CallId) -> Call | None:
        """A call by its name, unless its end was told."""
        found = self._calls.get(call)
        return None if found is None or found.is_over else found

    def standing(self, call: CallId) -> Call | None:
        """A call that was answered and has not ended."""
        found = self.get(call)
        return found if found is not None and found.state == "established" else None

    def of_dialog(self, request: ReceivedRequest) -> Call | None:
        """The call in whose dialog a request came, judging by our tag."""
        return self._by_tag.get((request.envelope.call_id, request.envelope.to_tag))

    def of_invite(self, key: Key) -> IncomingCall | None:
        """The incoming call that an INVITE made."""
        return self._by_invite.get(key)

    def is_merged(self, key: Key, request: ReceivedRequest) -> bool:
        """Whether an INVITE came before by another way (RFC 3261 section 8.2.2.2)."""
        envelope = request.envelope
        return any(
            other.envelope.call_id == envelope.call_id
            and other.envelope.from_tag == envelope.from_tag
            and other.envelope.cseq == envelope.cseq
            for other_key, call in self._by_invite.items()
            if other_key != key and (other := call.server.request)
        )

    def is_own(self, request: ReceivedRequest) -> bool:
        """Whether an INVITE is one of ours that came back (RFC 3261 section 16.3): a loop."""
        envelope = request.envelope
        call = self._by_tag.get((envelope.call_id, envelope.from_tag))
        return call is not None and not isinstance(call, IncomingCall)

    def keep(self, call: Call, call_id: str) -> None:
        """Take a new call.

        Args:
            call_id: of its messages.
        """
        self._calls[call.id] = call
        self._by_tag[call_id, call.tag] = call
        if isinstance(call, IncomingCall):
            self._by_invite[call.server.key] = call
            self._core.statistics.calls["in"] += 1
        else:
            self._core.statistics.calls["out"] += 1

    def call_gone(self, call: Call) -> None:
        """Nothing of the call is left."""
        self._calls.pop(call.id, None)
        for key in [key for key, found in self._by_tag.items() if found is call]:
            del self._by_tag[key]
        if isinstance(call, IncomingCall):
            self._by_invite.pop(call.server.key, None)
