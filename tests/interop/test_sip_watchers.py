"""Strangers who ask the real daemon within a call of theirs who is in a conference (RFC 4575).

The telephone is written by hand: none of those that we have asks before it is let in.
"""

import asyncio
import re
from pathlib import Path

import pytest

from tests.peers.meeting import meeting
from tests.peers.sip_daemon import SipDaemon
from tests.peers.sip_wire import StreamPeer, tcp_peer
from tests.peers.waiting import until_read

pytestmark = pytest.mark.timeout(60)

SECRET_NAME = "Phòng họp kín"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 8\r\na=inactive\r\n"
)


class Telephone:
    """One call, over a connection."""

    def __init__(self, peer: StreamPeer, conference: str) -> None:
        self.peer = peer
        self.conference = conference
        self.tag = ""
        self._number = 0

    def send(
        self, method: str, *fields: str, body: str = "", conference: str = "", number: int = 0
    ) -> int:
        """Send a request within the call, or the one that makes it; gives its number."""
        if not number:
            self._number = number = self._number + 1
        to = f"<sip:{self.conference}@127.0.0.1>" + (f";tag={self.tag}" if self.tag else "")
        lines = [
            f"{method} sip:{conference or self.conference}@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/TCP 127.0.0.1:5999;branch=z9hG4bK{method}{number}",
            "From: <sip:stranger@127.0.0.1>;tag=s", f"To: {to}", "Call-ID: stranger-1",
            f"CSeq: {number} {method}", "Max-Forwards: 70",
            "Contact: <sip:stranger@127.0.0.1:5999;transport=tcp>", *fields,
            f"Content-Length: {len(body)}", "", body,
        ]  # fmt: skip
        self.peer.write("\r\n".join(lines).encode())
        return number

    async def answer(self, method: str, number: int) -> str:
        """The final answer; requests that come meanwhile are passed over."""
        while True:
            text = (await self.peer.message()).decode()
            found = re.match(r"SIP/2\.0 (\d)", text)
            if found and found[1] != "1" and f"CSeq: {number} {method}" in text:
                return text

    async def subscribes(self, conference: str = "") -> str:
        """The status line of the answer."""
        fields = ("Event: conference", "Expires: 600")
        number = self.send("SUBSCRIBE", *fields, conference=conference)
        return (await self.answer("SUBSCRIBE", number)).partition("\r\n")[0]


async def test_who_has_not_entered_the_pin_is_not_told_who_is_there(tmp_path: Path) -> None:
    async with (
        SipDaemon(tmp_path / "data") as daemon,
        meeting(daemon, {"kin": SECRET_NAME}, pin="2468") as held,
        meeting(daemon, {"khac": SECRET_NAME}, pin="1357") as other,
        tcp_peer(daemon.sip_port) as peer,
        asyncio.timeout(40),
    ):
        phone = Telephone(peer, held.id)
        number = phone.send("INVITE", "Content-Type: application/sdp", body=SDP)
        answer = await phone.answer("INVITE", number)
        assert answer.startswith("SIP/2.0 200")
        tag = re.search(r"^To: .*;tag=(\S+)", answer, re.MULTILINE)
        assert tag is not None
        phone.tag = tag[1]
        phone.send("ACK", number=number)
        assert (await phone.subscribes()).startswith("SIP/2.0 403")
        assert (await phone.subscribes(other.id)).startswith("SIP/2.0 403")

        for digit in "2468":
            body = f"Signal={digit}\r\nDuration=160\r\n"
            key = phone.send("INFO", "Content-Type: application/dtmf-relay", body=body)
            await phone.answer("INFO", key)
        await until_read(held.roster, lambda found: len(found) == 2)
        assert (await phone.subscribes()).startswith("SIP/2.0 200")
        notify = (await peer.message()).decode()
        assert notify.startswith("NOTIFY ")
        assert SECRET_NAME in notify
        # Whatever it names from now on, it is told of this conference again.
        phone.peer.write(answer_to(notify))
        assert (await phone.subscribes(other.id)).startswith("SIP/2.0 200")
        notify = (await peer.message()).decode()
        assert f'entity="sip:{held.id}@' in notify
        assert other.id not in notify


def answer_to(request: str) -> bytes:
    kept = [
        line
        for line in request.partition("\r\n\r\n")[0].split("\r\n")
        if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")
    ]
    return "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode()
