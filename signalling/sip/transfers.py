"""REFER within a call (RFC 3515): the peer is asked to call somebody, or asks us to.

The subscription that a REFER makes lasts until the call it is about has been answered or refused,
and not longer than ``LIFE_S``. RFC 4488's ``Refer-Sub: false`` does without.
"""

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from sipmessage import Request

from signalling.sip.core import Core
from signalling.sip.effects import ReferProgressed, ReferReceived
from signalling.sip.errors import SipError
from signalling.sip.exchange import Outcome
from signalling.sip.fields import read_address, split_list, uri_of
from signalling.sip.message import (
    ReceivedRequest,
    ReceivedResponse,
    reason_phrase,
    response_to,
)
from signalling.sip.transactions import Key

if TYPE_CHECKING:
    from signalling.sip.call import Call

LIFE_S = 180.0
MAX_REFERS = 4
"""Of one call at once."""
SIPFRAG = "message/sipfrag;version=2.0"

_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6][0-9][0-9]) ")


class Transfers:
    """REFER of both sides in one call."""

    def __init__(self, core: Core, call: "Call") -> None:
        self._core = core
        self._call = call
        self._received: OrderedDict[str, int] = OrderedDict()  # name → CSeq of its REFER
        self._sent = 0  # ours that are under way

    def refer(self, target: str, referred_by: str, now: float) -> None:
        """Ask the peer to call ``target``, a URI."""

        def make() -> Request:
            request = self._call.request("REFER")
            request.headers.set("Refer-To", f"<{target}>")
            if referred_by:
                request.headers.set("Referred-By", f"<{referred_by}>")
            return request

        self._sent += 1
        self._call.exchange(make, now, self._referred)

    def report(self, refer: str, code: int, phrase: str, now: float) -> bool:
        """Tell the peer how what it asked for goes; a final code ends it. False for no REFER."""
        sequence = self._received.get(refer)
        if sequence is None:
            return False
        final = code >= 200
        if final:
            self._forget(refer)
        self._notify(sequence, code, phrase, "noresource" if final else "", now)
        return True

    def receive_refer(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Take a REFER; the peer is told that we try."""
        values = request.headers.getlist("Refer-To")
        targets = split_list(values, "Refer-To") if values else []
        if len(targets) != 1:
            raise SipError("Refer-To", "must name exactly one address")
        target = uri_of(read_address(targets[0], "Refer-To"))
        if len(self._received) >= MAX_REFERS:
            raise SipError("Refer-To", "comes while others are under way", 503)
        response = response_to(request, 202, self._call.tag)
        response.headers.set("Contact", self._core.contact(self._call.hop, self._call.user))
        silent = (request.headers.get("Refer-Sub") or "").strip().lower() == "false"
        if silent:
            response.headers.set("Refer-Sub", "false")
        self._core.respond(key, response, now)
        name = ""
        if not silent:
            name = self._core.new_name()
            sequence = request.envelope.cseq.sequence
            self._received[name] = sequence
            self._core.set_timer(self, name, now + LIFE_S)
            self._notify(sequence, 100, "", "", now)
        referred_by = (request.headers.get("Referred-By") or "")[:256]
        self._call.tell(ReferReceived(name, self._call.id, str(target), referred_by))

    def receive_notify(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Take a NOTIFY about a REFER of ours."""
        event = (request.headers.get("Event") or "").partition(";")[0].strip().lower()
        if event != "refer":
            raise SipError("Event", "is not subscribed to", 489)
        if self._sent == 0:
            raise SipError("Event", "is not subscribed to", 481)
        self._core.respond(key, response_to(request, 200, self._call.tag), now)
        state = (request.headers.get("Subscription-State") or "").partition(";")[0].strip().lower()
        status = _STATUS_LINE.match(request.body)
        code = int(status[1]) if status else 0
        final = state == "terminated" or code >= 200
        if final:
            self._sent -= 1
        self._call.tell(ReferProgressed(self._call.id, code, final))

    def stop(self) -> None:
        """The call is over."""
        for name in list(self._received):
            self._forget(name)
        self._sent = 0

    def timer_due(self, name: str, now: float) -> None:
        """Nobody said how it went."""
        sequence = self._received.get(name)
        if sequence is not None:
            self._forget(name)
            self._notify(sequence, 408, "", "timeout", now)

    def _forget(self, name: str) -> None:
        self._received.pop(name, None)
        self._core.cancel_timers(self, name)

    def _notify(self, sequence: int, code: int, phrase: str, ended: str, now: float) -> None:
        state = f"terminated;reason={ended}" if ended else f"active;expires={round(LIFE_S)}"
        body = f"SIP/2.0 {code} {reason_phrase(code, phrase)}\r\n".encode()

        def make() -> Request:
            request = self._call.request("NOTIFY", SIPFRAG, body)
            request.headers.set("Event", f"refer;id={sequence}")
            request.headers.set("Subscription-State", state)
            return request

        self._call.exchange(make, now)

    def _referred(self, outcome: Outcome, now: float) -> None:
        if isinstance(outcome, ReceivedResponse) and outcome.code < 300:
            if (outcome.headers.get("Refer-Sub") or "").strip().lower() == "false":
                self._sent -= 1
                self._call.tell(ReferProgressed(self._call.id, outcome.code, True))
            return
        self._sent -= 1
        code = outcome.code if isinstance(outcome, ReceivedResponse) else 0
        self._call.tell(ReferProgressed(self._call.id, code, True))
