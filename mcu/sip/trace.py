"""What was said in a call, for people who look for a fault: a bounded record, secrets masked."""

import re
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from sipmessage import Request

from mcu.sip.no_way import MAX_DETAIL, why
from signalling.sip import SendMessage

MAX_MESSAGES: Final = 200
"""Of one call; of longer ones the last are kept, with the first four."""
FIRST_MESSAGES: Final = 4
MAX_CALLS: Final = 300
"""Calls whose messages are kept; the one that was silent for longest goes first."""
MAX_STRANGERS: Final = 100
"""Exchanges that became no call (refused, scans): they push out no call."""
MAX_MESSAGE_BYTES: Final = 8_192

Direction = Literal["received", "sent"]

MASK: Final = "***"
_LOOKUP: Final = "lookup "
_CALL_ID = re.compile(rb"(?:\A|\n)(?:call-id|i)[ \t]*:[ \t]*([^\s]{1,200})", re.IGNORECASE)
_CREDENTIALS = re.compile(
    r"^((?:proxy-)?authorization|(?:proxy|www)-authenticate|authentication-info)"
    r"([ \t]*:[ \t]*)((?:[^\r\n]|\r?\n[ \t])*)",
    re.IGNORECASE | re.MULTILINE,
)
_SECRET = re.compile(
    r"\b(response|nonce|cnonce|nextnonce|opaque|rspauth)([ \t]*=[ \t]*)(\"[^\"]*\"|[^,\s]+)",
    re.IGNORECASE,
)
_CRYPTO = re.compile(r"^(a=crypto:\S+[ \t]+\S+[ \t]+)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_PASSWORD = re.compile(r"^(a=ice-pwd:|k=)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_KEY_PRESSED = re.compile(r"^([ \t]*signal[ \t]*=[ \t]*)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_PIN_DIALLED = re.compile(r"^content-type[ \t]*:[ \t]*application/dtmf\b", re.I | re.M)


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """One message. ``hop`` is the other side, ``udp:192.0.2.7:5060``.

    ``failure``: why one of ours found no way, in words; ``text`` says so then. Where it could be
    written at all it stands before. ``cause``, ``detail``: the same as ``no_way.why`` has it.
    """

    at: datetime
    direction: Direction
    hop: str
    text: str
    failure: str = ""
    cause: str = ""
    detail: str = ""


@dataclass(slots=True)
class _Record:
    first: list[TracedMessage] = field(default_factory=list)
    last: deque[TracedMessage] = field(
        default_factory=lambda: deque(maxlen=MAX_MESSAGES - FIRST_MESSAGES)
    )

    def add(self, message: TracedMessage) -> None:
        if len(self.first) < FIRST_MESSAGES:
            self.first.append(message)
        else:
            self.last.append(message)


class Trace:
    """Messages by Call-ID. Cost: some ten microseconds a message."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, _Record] = OrderedDict()
        self._strangers: OrderedDict[str, _Record] = OrderedDict()

    def add(self, data: bytes, direction: Direction, hop: str, at: datetime) -> None:
        """Note a message; one without a Call-ID belongs to no call."""
        found = _CALL_ID.search(data)
        if found is None:
            return
        call_id = found[1].decode("latin-1")
        calls = self._calls if call_id in self._calls else self._strangers
        record = calls.get(call_id)
        if record is None:
            record = calls[call_id] = _Record()
            if len(calls) > MAX_STRANGERS:
                calls.popitem(last=False)
        calls.move_to_end(call_id)
        record.add(TracedMessage(at, direction, hop, masked(data)))

    def failed(self, sent: SendMessage, at: datetime, cause: str, detail: str = "") -> None:
        """Note that a message of ours found no way; of unknown calls nothing is noted.

        Args:
            cause, detail: see ``no_way.why``.
        """
        message = sent.message
        call_id = message.headers.get("Call-ID") or ""
        record = self._calls.get(call_id) or self._strangers.get(call_id)
        if record is not None:
            what = message.method if isinstance(message, Request) else str(message.code)
            record.add(_failure(what, str(sent.hop), at, cause, detail))

    def nowhere(self, key: str, hop: str, at: datetime, cause: str, detail: str) -> None:
        """Note that there was nowhere to send an INVITE to, which has no Call-ID then.

        Args:
            key: of ``lookup_name``; it is found by this, as by a Call-ID.
            hop: as of ``TracedMessage``, a name in place of the address.
        """
        self.keep(key)
        self._calls[key].add(_failure("INVITE", hop, at, cause, detail))

    def forget_lookup(self, name: str) -> None:
        """One that nobody will ask for again, or they would push out calls; calls stay."""
        if name.startswith(_LOOKUP):
            self._calls.pop(name, None)

    def keep(self, call_id: str) -> None:
        """This one is a call: keep it longer than what strangers send."""
        if call_id not in self._calls:
            self._calls[call_id] = (
                self._strangers.pop(call_id) if call_id in self._strangers else _Record()
            )
            if len(self._calls) > MAX_CALLS:
                self._calls.popitem(last=False)

    def messages(self, call_id: str) -> Sequence[TracedMessage]:
        """What was said, in its order; empty where nothing is known."""
        record = self._calls.get(call_id) or self._strangers.get(call_id)
        return () if record is None else (*record.first, *record.last)


def lookup_name(number: int) -> str:
    """Names an attempt that has no Call-ID, which this cannot be: it has a space in it."""
    return f"{_LOOKUP}{number}"


def _failure(what: str, hop: str, at: datetime, cause: str, detail: str) -> TracedMessage:
    words = why(cause, detail)
    return TracedMessage(at, "sent", hop, f"{what}: {words}", words, cause, detail[:MAX_DETAIL])


def masked(data: bytes) -> str:
    """A message as text without what would let its reader act or listen in somebody's place.

    Masked are digests with their nonces, keys of SRTP, passwords of ICE, and keys that were
    pressed, as they may be a PIN.
    """
    text = data[:MAX_MESSAGE_BYTES].decode("utf-8", "replace")
    head, end, body = text.partition("\r\n\r\n")
    if _PIN_DIALLED.search(head):
        body = _KEY_PRESSED.sub(rf"\g<1>{MASK}", body) if "=" in body else MASK
    else:
        body = _CRYPTO.sub(rf"\g<1>{MASK}", body)
        body = _PASSWORD.sub(rf"\g<1>{MASK}", body)
    cut = "" if len(data) <= MAX_MESSAGE_BYTES else f"\r\n[{len(data)} bytes in all]"
    return _CREDENTIALS.sub(_without_secrets, head) + end + body + cut


def _without_secrets(match: re.Match[str]) -> str:
    name, colon, value = match[1], match[2], match[3]
    if not value.lstrip().lower().startswith("digest") and name.lower() != "authentication-info":
        return f"{name}{colon}{MASK}"
    return name + colon + _SECRET.sub(rf"\g<1>\g<2>{MASK}", value)
