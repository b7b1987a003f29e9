"""The SIP agent alone, without sockets: what a call and a registration cost it.

A peer made of text asks; only the agent's own CPU time counts: reading, deciding, writing. Time is
virtual and goes on at ``PACE_HZ``, so that what is kept for repetitions (32 s after each answer
over UDP) is there in its number, and its timers run.
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from signalling.sip import (
    AgentSettings,
    CallReceived,
    Credentials,
    DigestVerifier,
    Hop,
    Listener,
    Registrar,
    SendMessage,
    UserAgent,
    ha1,
)
from signalling.sip.digest import answer

PACE_HZ = 200.0
"""Calls or registrations a second of virtual time."""
ROOMS = 145
SECRET = "bench"
OURS = "192.0.2.1"
SETTINGS = AgentSettings(
    (Listener("udp", OURS, 5060),), max_calls=1_000_000, max_transactions=1_000_000
)
PEER = Hop("udp", "192.0.2.7", 5060)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 9 8 0 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    "m=video 40002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1\r\na=rtcp-fb:96 nack pli\r\n"
)
_TO_TAG = re.compile(rb"\r\nTo: [^\r\n]*;tag=([^\r\n;]+)")
_CHALLENGE = re.compile(rb"\r\nWWW-Authenticate: ([^\r\n]+)")


@dataclass(frozen=True, slots=True)
class Cost:
    """What was done, and the CPU seconds of the agent for all of it."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """How many one processor does in a second."""
        return self.count / self.seconds


class Asked:
    """An agent and the time it has spent."""

    def __init__(self, agent: UserAgent) -> None:
        self.agent = agent
        self.now = 1_000.0
        self.seconds = 0.0

    def ask(self, data: bytes) -> list[bytes]:
        """What the agent sends, once it has been handed a message."""
        return self._timed(lambda: self.agent.receive(data, PEER, self.now))

    def pass_time(self) -> None:
        """Go on by one step; timers that are due run."""
        self.now += 1.0 / PACE_HZ
        at = self.agent.next_timer()
        if at is not None and at <= self.now:
            self._timed(lambda: self.agent.handle_timer(self.now))

    def _timed(self, work: Callable[[], None]) -> list[bytes]:
        sent = []
        began = time.process_time()
        work()
        while effects := self.agent.effects():
            for effect in effects:
                if isinstance(effect, SendMessage):
                    sent.append(effect.data)
                elif isinstance(effect, CallReceived):
                    self.agent.accept(effect.call, SDP.encode(), self.now)
        self.seconds += time.process_time() - began
        return sent


def calls(count: int) -> Cost:
    """Calls that come, are answered and hung up: INVITE, ACK, BYE.

    Raises:
        RuntimeError: one was not answered.
    """
    asked = Asked(UserAgent(SETTINGS, rng=random.Random(1)))
    for number in range(count):
        asked.pass_time()
        tag = _tag(asked.ask(_request("INVITE", number, body=SDP)), b"SIP/2.0 200")
        asked.ask(_request("ACK", number, branch="a", to_tag=tag))
        _tag(asked.ask(_request("BYE", number, branch="b", to_tag=tag, cseq=2)), b"SIP/2.0 200")
    return Cost(count, asked.seconds)


def registrations(count: int) -> Cost:
    """Rooms that register, each after being asked for its credentials.

    Raises:
        RuntimeError: one was refused.
    """
    verifier = DigestVerifier("mcu", lambda user, kind: ha1(user, "mcu", SECRET, kind))
    asked = Asked(UserAgent(SETTINGS, verifier, Registrar(), rng=random.Random(1)))
    for number in range(count):
        asked.pass_time()
        room = f"room{number % ROOMS}"
        found = asked.ask(_register(room, number, 1))
        challenges = [one.decode() for one in _CHALLENGE.findall(found[-1])]
        uri = f"sip:{OURS}"
        given = answer(challenges, "REGISTER", uri, Credentials(room, SECRET))
        _tag(asked.ask(_register(room, number, 2, f"Authorization: {given}\r\n")), b"SIP/2.0 200")
    return Cost(count, asked.seconds)


def _request(
    method: str, number: int, *, branch: str = "i", to_tag: str = "", cseq: int = 1, body: str = ""
) -> bytes:
    tag = f";tag={to_tag}" if to_tag else ""
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:1001@{OURS} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK{number}{branch};rport\r\n"
        f'From: "Room" <sip:room@192.0.2.7>;tag=t{number}\r\nTo: <sip:1001@{OURS}>{tag}\r\n'
        f"Call-ID: call{number}@192.0.2.7\r\nCSeq: {cseq} {method}\r\n"
        "Contact: <sip:room@192.0.2.7:5060>\r\nMax-Forwards: 70\r\nUser-Agent: Codec/1.0\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\nSupported: timer\r\n"
        f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _register(room: str, number: int, attempt: int, fields: str = "") -> bytes:
    return (
        f"REGISTER sip:{OURS} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKr{number}.{attempt};rport\r\n"
        f"From: <sip:{room}@{OURS}>;tag=t{number}\r\nTo: <sip:{room}@{OURS}>\r\n"
        f"Call-ID: {room}@192.0.2.7\r\nCSeq: {2 * number + attempt} REGISTER\r\n"
        f"Contact: <sip:{room}@192.0.2.7:5060>\r\nExpires: 3600\r\nMax-Forwards: 70\r\n"
        f"User-Agent: Codec/1.0\r\n{fields}Content-Length: 0\r\n\r\n"
    ).encode()


def _tag(answers: list[bytes], wanted: bytes) -> str:
    """Our tag in the last answer, which has to begin as wanted."""
    if not answers or not answers[-1].startswith(wanted):
        raise RuntimeError(f"not answered as it should be: {answers[-1:]!r}")
    found = _TO_TAG.search(answers[-1])
    if found is None:
        raise RuntimeError("answered without a tag")
    return found[1].decode()
