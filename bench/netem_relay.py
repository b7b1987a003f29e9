"""A relay between one peer and the daemon that behaves like a bad line, in user space.

The peer is told the relay's address in place of the daemon's (``through_relay`` rewrites the
answer), and the daemon sees one address for each peer. Datagrams are not looked into, but for the
clear header of RTP: the relay notes when packets of the peer's sound arrive.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from mcu.media.impairment import Conditions, Impairment

HOST = "127.0.0.1"
_CANDIDATE = re.compile(r"^a=candidate:(\S+) (\d+) (\S+) (\d+) (\S+) (\d+) typ .*\r\n", re.M)


def through_relay(answer_sdp: str, port: int) -> str:
    """An answer whose only candidate in each section is the relay's port."""
    sections = re.split(r"(?m)^(?=m=)", answer_sdp)
    rewritten = []
    for section in sections:
        found = _CANDIDATE.search(section)
        if found is not None:
            line = f"a=candidate:1 {found[2]} udp {found[4]} {HOST} {port} typ host\r\n"
            begin = found.start()
            section = section[:begin] + line + _CANDIDATE.sub("", section[begin:])
        rewritten.append(section)
    return "".join(rewritten)


def audio_ssrc(answer_sdp: str) -> int:
    """SSRC of the sound the daemon sends; -1 where it sends none."""
    audio = next((one for one in re.split(r"(?m)^(?=m=)", answer_sdp) if one[:7] == "m=audio"), "")
    found = re.search(r"^a=ssrc:(\d+) ", audio, re.M)
    return int(found[1]) if found else -1


@dataclass(slots=True)
class SoundSeen:
    """Sound that arrived at the peer since ``reset``."""

    packets: int = 0
    longest_gap_s: float = 0.0
    last_at: float | None = None
    numbers: set[int] = field(default_factory=set)

    def arrived(self, number: int, now: float) -> None:
        """A packet reaches the peer; repeated ones count once."""
        if number in self.numbers:
            return
        self.numbers.add(number)
        self.packets += 1
        if self.last_at is not None:
            self.longest_gap_s = max(self.longest_gap_s, now - self.last_at)
        self.last_at = now

    def reset(self) -> None:
        """Begin again; a gap that is open goes on."""
        self.packets, self.longest_gap_s = 0, 0.0
        self.numbers.clear()


class Relay:
    """One peer's line.

    Args:
        daemon: address of the daemon's media port. seed: of both directions.
    """

    def __init__(self, daemon: tuple[str, int], seed: object) -> None:
        self.port = 0
        """Where the peer is to send."""
        self.sound = SoundSeen()
        self.sound_ssrc = -1
        self.up = Impairment(Conditions(delay=0.0), f"{seed} up")
        self.down = Impairment(Conditions(delay=0.0), f"{seed} down")
        self._seed = seed
        self._daemon = daemon
        self._peer: Any = None
        self._front: asyncio.DatagramTransport
        self._back: asyncio.DatagramTransport
        self._loop = asyncio.get_running_loop()

    async def open(self) -> None:
        """Bind both sides."""
        self._front, _ = await self._loop.create_datagram_endpoint(
            lambda: _Side(self._from_peer), local_addr=(HOST, 0)
        )
        self.port = self._front.get_extra_info("sockname")[1]
        await self.change_path()

    async def change_path(self) -> None:
        """The daemon sees another address from now on, as when a NAT binds anew."""
        before = getattr(self, "_back", None)
        self._back, _ = await self._loop.create_datagram_endpoint(
            lambda: _Side(self._from_daemon), remote_addr=self._daemon
        )
        if before is not None:
            before.close()

    def set(self, up: Conditions, down: Conditions, name: str) -> None:
        """Another network from now on; its dice begin anew."""
        self.up = Impairment(up, f"{self._seed} {name} up")
        self.down = Impairment(down, f"{self._seed} {name} down")

    def cut(self, cut: bool) -> None:
        """Nothing comes through either way."""
        self.up.cut = self.down.cut = cut

    def close(self) -> None:
        """Close both sides."""
        self._front.close()
        self._back.close()

    def _from_peer(self, datagram: bytes, address: Any) -> None:
        self._peer = address
        now = self._loop.time()
        for at in self.up.arrivals(len(datagram), now):
            self._loop.call_at(at, self._send_up, datagram)

    def _from_daemon(self, datagram: bytes, address: Any) -> None:
        now = self._loop.time()
        for at in self.down.arrivals(len(datagram), now):
            self._loop.call_at(at, self._send_down, datagram)

    def _send_up(self, datagram: bytes) -> None:
        if not self._back.is_closing():
            self._back.sendto(datagram)

    def _send_down(self, datagram: bytes) -> None:
        if self._peer is None or self._front.is_closing():
            return
        if (
            len(datagram) > 12
            and 128 <= datagram[0] <= 191
            and int.from_bytes(datagram[8:12], "big") == self.sound_ssrc
        ):
            self.sound.arrived(int.from_bytes(datagram[2:4], "big"), self._loop.time())
        self._front.sendto(datagram, self._peer)


class _Side(asyncio.DatagramProtocol):
    def __init__(self, received: Any) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A port that is closed by now; what is lost is the line's business."""
