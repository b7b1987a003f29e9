"""What one participant sends: its playout buffer, its level, and its voice while it is heard."""

from collections import deque
from collections.abc import Iterable
from functools import partial

from mcu.legs.leg import StreamCodec
from mcu.media.frames import AudioPacket
from mcu.media.lane import WAITING_PACKETS, Waiting
from mixer.audio.block import Int16Block, Int32Block
from mixer.audio.level import SILENCE_DBOV, level_dbov
from mixer.audio.mix import apply_gain
from mixer.audio.playout import PlayoutBuffer
from mixer.codecs.audio import FORMATS, LevelProbe, audio_codec_name, make_decoder

LEVEL_LIFETIME_S = 0.2
"""A level says nothing about now when no packet followed it for so long (DTX, lost line)."""
MEASURED_LIFETIME_S = 0.5
"""The same where levels are measured: with many sources their turn comes a few times a second."""
PROBE_RUN_IN_PACKETS = 2


class AudioSource:
    """One participant's sound as it comes in.

    Args:
        codec: what was negotiated for this direction.
        without_level: all sources whose packets carry no level; this one puts itself there.
    Raises:
        ValueError: no codec of the mixer.
    """

    __slots__ = (
        "_probe",
        "_probed",
        "_put",
        "_without_level",
        "carries_level",
        "codec",
        "participant",
        "playout",
        "scale",
        "tapped",
        "unmeasured",
        "waiting",
    )

    def __init__(
        self, participant: str, codec: StreamCodec, without_level: deque["AudioSource"]
    ) -> None:
        name = audio_codec_name(codec.name)
        self.participant = participant
        self.codec = name
        self.waiting = Waiting(SILENCE_DBOV)
        """Its packets while it is not heard, and its level, from them or measured."""
        self.carries_level = True
        self.unmeasured: bytes | None = None
        """The newest payload, where its level is to be found yet."""
        self.tapped = False
        """It is decoded for an observer, whether it is heard or not."""
        self.scale = 0.0
        """Of G.722 as last looked at coarsely."""
        self.playout = PlayoutBuffer(
            partial(make_decoder, name, max(1, codec.channels)),
            FORMATS[name].samples_per_rtp_tick,
        )
        self._put = self.playout.packets.put
        self._without_level = without_level
        self._probe: LevelProbe | None = None
        self._probed: int | None = None

    def receive(self, packet: AudioPacket, now: float) -> None:
        """Take one packet as it arrived.

        Nothing is decoded, and of most sources nothing is heard: of those the packet is only kept.
        """
        level = packet.level_dbov
        if not packet.payload:
            self._rest(packet.sequence, level, now)
            return
        if level is not None:
            self.waiting.level = level
            self.waiting.heard_at = now
            if not self.carries_level:
                self.carries_level = True
                self._without_level.remove(self)
        else:
            self.unmeasured = packet.payload
            if self.carries_level:
                self.carries_level = False
                self._without_level.append(self)
        if self.playout.playing:
            self._put(packet, now)
        else:
            self.waiting.packets.append((packet, now))

    def start(self) -> None:
        """Be heard from now on."""
        self.waiting.close()
        self._sort()
        self.playout.start()

    def stop(self) -> None:
        """Be heard no more; while an observer listens it is decoded on."""
        if self.tapped:
            return
        self.playout.stop()
        self.waiting.open = True

    def retire(self) -> None:
        """Be measured no more, whatever still comes."""
        if not self.carries_level:
            self._without_level.remove(self)
        self._without_level = deque()
        self.carries_level = True

    def take_level(self, level: float, now: float) -> None:
        """What is ``unmeasured`` has this level, dBov."""
        self.waiting.level, self.waiting.heard_at, self.unmeasured = level, now, None

    def level_at(self, now: float) -> float:
        """Level that still holds, dBov."""
        lifetime_s = LEVEL_LIFETIME_S if self.carries_level else MEASURED_LIFETIME_S
        waiting = self.waiting
        return waiting.level if now - waiting.heard_at < lifetime_s else SILENCE_DBOV

    @property
    def level(self) -> float:
        """The last one, dBov."""
        return self.waiting.level

    @property
    def heard_at(self) -> float:
        """When that was."""
        return self.waiting.heard_at

    @property
    def probing(self) -> bool:
        """It has a decoder of its own for measuring."""
        return self._probe is not None

    def measure(self, now: float) -> bool:
        """Measure the newest packet, unless that was done before.

        For sources whose packets carry no level. Cost: a decode at low rate, or
        PROBE_RUN_IN_PACKETS more; returns False when there was nothing to do.
        """
        self._sort()
        store = self.playout.packets
        newest = store.newest
        if newest is None or newest.sequence == self._probed:
            return False
        if self._probe is None:
            self._probe = LevelProbe(self.codec)
        if self._probed is None or newest.sequence != self._probed + 1:
            # The decoder's memory is of another moment: let it see some of what came between.
            for sequence in range(newest.sequence - PROBE_RUN_IN_PACKETS, newest.sequence):
                before = store.held.get(sequence)
                if before is not None:
                    self._probe.level_dbov(before.payload)
        self._probed = newest.sequence
        self.waiting.level = self._probe.level_dbov(newest.payload)
        self.waiting.heard_at = now
        return True

    def _rest(self, sequence: int, level: float | None, now: float) -> None:
        """The sender says that it is silent from ``sequence`` on, but for noise of ``level``."""
        self.unmeasured = None
        self.waiting.level = SILENCE_DBOV if level is None else level
        self.waiting.heard_at = now
        self.playout.packets.quiet_from = sequence

    def _sort(self) -> None:
        """Lay what waits into the playout buffer."""
        waiting = self.waiting.packets
        if len(waiting) == WAITING_PACKETS:
            # Older ones are gone; a gap of minutes would look like a sender that restarted.
            self.playout.packets.begin_anew()
        for packet, arrived_at in waiting:
            self._put(packet, arrived_at)
        waiting.clear()


class Voice:
    """A source while it is in the mix, and for the one tick in which it leaves."""

    __slots__ = ("_gain", "_look_ahead_s", "age_s", "leaving", "source")

    def __init__(self, source: AudioSource) -> None:
        self.source = source
        self.leaving = False
        self.age_s: float | None = None
        """How long what was taken had been here; None where nothing was."""
        self._gain = 0.0
        self._look_ahead_s = FORMATS[source.codec].look_ahead_s
        source.start()

    def take(self, gain: float, now: float, out: Int32Block) -> Int16Block:
        """Write this tick's sound to ``out``, int32 (960,), going over to ``gain`` in a ramp.

        Returns: the same as it came, int16 (960,), without any gain.
        """
        source = self.source
        block = source.playout.get(now)
        age_s = source.playout.age_s(now)
        self.age_s = None if age_s is None else age_s + self._look_ahead_s
        if self.leaving:
            gain = 0.0
        if not source.carries_level:
            source.take_level(level_dbov(block), now)
        apply_gain(block, self._gain, gain, out)
        self._gain = gain
        return block

    def end(self) -> None:
        """Give the decoder back."""
        self.source.stop()


def measure_some(sources: Iterable[AudioSource], budget: int, now: float) -> tuple[int, int]:
    """Measure sources in the order given until ``budget`` decodes were done.

    Returns: how many sources were looked at, and how many of them measured.
    """
    looked_at = measured = 0
    for source in sources:
        if measured >= budget:
            break
        looked_at += 1
        if not source.playout.playing and source.measure(now):
            measured += 1
    return looked_at, measured
