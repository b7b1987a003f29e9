"""The packets of one source that wait for their time, and what their arrival says of the network.

``put`` is on the hot path (145 sources x 50 packets a second), so it does no more than check a
packet's place, note its transit and keep it; what needs thought is done when somebody plays.
"""

from dataclasses import dataclass
from typing import Protocol

from mixer.audio.block import SAMPLE_RATE_HZ
from mixer.audio.delay import DelayEstimate

HISTORY_PACKETS = 32
"""Kept of a source that is not heard."""
BUFFER_PACKETS = 256
"""Kept of one that is heard: more than 0.5 s even at 2.5 ms a packet."""

JUMP_S = 1.0
"""A transit that differs by more from the one before is not jitter."""
MAX_MISORDER = 100
MAX_DROPOUT = 3_000
"""Sequence numbers outside these are suspect (RFC 3550, A.1)."""
RESYNC_PACKETS = 3
"""So many suspects that agree with each other are a restarted sender."""


class Packet(Protocol):
    """What is read of an RTP packet; numbers are extended, not wrapped."""

    @property
    def sequence(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def payload(self) -> bytes: ...  # noqa: D102


@dataclass(slots=True)
class PacketCounters:
    """Packets of one source since it began."""

    received: int = 0
    duplicates: int = 0
    late: int = 0
    overflowed: int = 0
    suspects: int = 0
    resyncs: int = 0


class PacketStore:
    """Packets by sequence number, at most BUFFER_PACKETS.

    Args:
        samples_per_rtp_tick: 48 kHz samples in one step of the RTP timestamp.
    """

    def __init__(self, samples_per_rtp_tick: int = 1) -> None:
        self.counters = PacketCounters()
        self.held: dict[int, Packet] = {}
        """In order of arrival."""
        self.newest: Packet | None = None
        """The packet with the highest sequence number, held or not."""
        self.floor: int | None = None
        """Packets below this sequence number come too late. None: nothing is being played."""
        self.quiet_from: int | None = None
        """The sender says that it is silent before the packet with this sequence number."""
        self.delay = DelayEstimate()
        self.capacity = HISTORY_PACKETS
        self._seconds_per_rtp_tick = samples_per_rtp_tick / SAMPLE_RATE_HZ
        self._newest_sequence = 0
        self._transit = 0.0
        self._suspects: list[tuple[Packet, float]] = []

    def put(self, packet: Packet, now: float) -> None:
        """Take a packet as it arrived. Never raises. Cost: under 1 us."""
        counters = self.counters
        counters.received += 1
        sequence = packet.sequence
        transit = now - packet.timestamp * self._seconds_per_rtp_tick
        held = self.held
        if self.newest is None:
            self.newest = packet
            self._newest_sequence = sequence
        else:
            ahead = sequence - self._newest_sequence
            if not (
                -MAX_MISORDER <= ahead <= MAX_DROPOUT and -JUMP_S < transit - self._transit < JUMP_S
            ):
                self._suspect(packet, transit)
                return
            if sequence in held:
                counters.duplicates += 1
                return
            if self.floor is not None and sequence < self.floor:
                counters.late += 1
                self.delay.transits.append(transit)
                return
            if ahead > 0:
                self._newest_sequence = sequence
                self.newest = packet
        if self._suspects:
            self._suspects.clear()
        self._transit = transit
        self.delay.transits.append(transit)
        held[sequence] = packet
        if len(held) > self.capacity:
            del held[next(iter(held))]
            if self.floor is not None:
                counters.overflowed += 1

    def begin_anew(self) -> None:
        """Take the next packet for the first: those between were not put here. Counters go on."""
        self.held.clear()
        self.delay.clear()
        self._suspects.clear()
        self.newest = self.floor = None

    def trim(self, capacity: int) -> None:
        """Hold at most ``capacity`` packets from now on, the newest."""
        self.capacity = capacity
        for sequence in sorted(self.held)[:-capacity]:
            del self.held[sequence]

    def _suspect(self, packet: Packet, transit: float) -> None:
        """Hold back a packet from another time; believe it when others say the same."""
        self.counters.suspects += 1
        if self._suspects:
            last, last_transit = self._suspects[-1]
            ahead = packet.sequence - last.sequence
            if not (0 < ahead <= MAX_MISORDER and abs(transit - last_transit) < JUMP_S):
                self._suspects.clear()
        self._suspects.append((packet, transit))
        if len(self._suspects) < RESYNC_PACKETS:
            return
        suspects, self._suspects = self._suspects, []
        self.counters.resyncs += 1
        self.held.clear()
        self.delay.clear()
        for suspect, suspect_transit in suspects:
            self.held[suspect.sequence] = suspect
            self.delay.transits.append(suspect_transit)
        self.floor = None
        self.newest = packet
        self._newest_sequence = packet.sequence
        self._transit = transit
