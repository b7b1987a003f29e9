"""What comes between the sound of a SIP peer: pressed keys and comfort noise.

They come under the sequence numbers of the sound. Here they are counted, keys are told, and whoever
listens hears that the peer is silent, and gets sound whose numbers have no gaps.
"""

from collections.abc import Callable

from mcu.legs.incoming import Incoming
from mcu.media.frames import AudioPacket
from mcu.media.interludes import Interludes
from mcu.media.receive import AudioSink
from mcu.media.rtp import HEADER, MARKER_BIT, bounds
from mcu.media.telephone_events import TelephoneEvents
from signalling.offer_answer.agreement import Flow

SILENCE_DBOV = -127


class Sound:
    """Between the sound that comes and whoever listens.

    Args:
        key_pressed: told of each key.
    """

    def __init__(self, agreed: Flow, key_pressed: Callable[[str], None]) -> None:
        self.agreed = agreed
        self.sink: AudioSink | None = None
        """Who listens."""
        self._key_pressed = key_pressed
        self._events = TelephoneEvents()
        self._interludes = Interludes()

    def feed(self, incoming: Incoming) -> None:
        """Have sound go to whoever listens; after each change of ``sink`` or agreement."""
        source = incoming.sources.get("audio")
        if source is None:
            return
        agreed = self.agreed
        interrupted = agreed.dtmf_receive is not None or agreed.comfort_noise is not None
        source.sink = self._number if self.sink is not None and interrupted else self.sink

    def is_interlude(self, payload_type: int) -> bool:
        """Whether packets of this type carry no sound."""
        return payload_type in (self.agreed.dtmf_receive, self.agreed.comfort_noise)

    def receive(self, packet: memoryview, length: int, incoming: Incoming, now: float) -> bool:
        """Take comfort noise (RFC 3389) or a telephone event (RFC 4733).

        Returns: whether the peer says that it falls silent.
        Raises:
            RtpError: the packet is broken.
        """
        _, start, end = bounds(packet, length)
        _, second, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
        payload = bytes(packet[start:end])
        level, rests = SILENCE_DBOV, False
        if second & 0x7F == self.agreed.dtmf_receive:
            key = self._events.receive(timestamp, second >= MARKER_BIT, payload, now)
            if key:
                self._key_pressed(key)
        elif payload:
            level, rests = -(payload[0] & 0x7F), True
        source = incoming.sources.get("audio")
        stream = source.audio if source is not None else None
        if stream is None or stream.ssrc != ssrc:
            return rests
        # Its timestamp may stand still, so that it says nothing of jitter.
        extended = stream.tracker.extend(sequence)
        stream.packets += 1
        stream.bytes += len(payload)
        stream.last_packet_at = now
        if extended is not None and self.sink is not None:
            number = self._interludes.skip(extended)
            self.sink(AudioPacket(number, stream.tracker.timestamp, b"", level, False), now)
        return rests

    def _number(self, packet: AudioPacket, now: float) -> None:
        number = self._interludes.number(packet.sequence)
        if number != packet.sequence:
            packet = packet._replace(sequence=number)
        if self.sink is not None:
            self.sink(packet, now)
