"""The playout buffer of one source: packets in at any time, 960 samples out on every tick.

While the source is not heard, its ``PacketStore`` keeps the newest packets. ``start`` makes a
decoder, lets it run in on packets that are past, and from then on ``get`` gives one tick after the
other.

What happens when the next packet is not there:

* later packets are there -> it is lost: in-band FEC out of its successor, else concealment;
* a hole in the timestamps without a hole in the sequence numbers -> the sender was silent (DTX);
* the sender said that it falls silent (``PacketStore.quiet_from``) -> silence, at once;
* nothing is there -> the clock of the playout stands still while concealed sound goes on, so that
  a late packet is still played; after FADE_SAMPLES it is silent and waits to begin anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mixer.audio.block import (
    MAX_PACKET_SAMPLES,
    SAMPLE_RATE_HZ,
    SILENCE,
    TICK_SAMPLES,
    Int16Block,
)
from mixer.audio.packets import BUFFER_PACKETS, HISTORY_PACKETS, Packet, PacketStore
from mixer.audio.seamless import FADE_SAMPLES, RELEASE_SAMPLES, SeamlessFifo
from mixer.audio.steer import least_spare, step_of, wanted_change
from mixer.audio.stretch import (
    MAX_LAG_SAMPLES,
    OVERLAP_SAMPLES,
    WINDOW_SAMPLES,
    find_lag,
    lengthen,
    shorten,
)
from mixer.codecs.audio_codec import AudioDecoder, PayloadError

RUN_IN_PACKETS = 4
"""Decoded and thrown away at the start, so that the decoder's prediction is right."""

FIFO_SAMPLES = 4 * MAX_PACKET_SAMPLES
"""The longest packet on top of what a stretch needs, with room to spare."""
HOLE_SAMPLES = 120
"""A smaller hole in the timestamps is inexact timestamps, not silence."""

ALIGN_SAMPLES = 48
"""Off a packet's boundary by less than a millisecond it may stay."""
ALIGN_LIKENESS = 0.95
"""A tick may be moved onto a packet's boundary whenever it is least heard."""
SKIP_S = 0.3
"""Later than this it jumps."""
FEC_TICKS = 500
"""After a loss, packets wait one packet longer for 10 s: the next loss can then be repaired from
the packet that follows it, which otherwise is not there yet."""
_SMOOTHING = 1 / 8
_TARGET_TICKS = 10


@dataclass(slots=True)
class PlayoutCounters:
    """What was played of one source since it began; packets unless said otherwise."""

    decoded: int = 0
    bad_payloads: int = 0
    lost: int = 0
    fec_recovered: int = 0
    concealed_samples: int = 0
    shortened_samples: int = 0
    lengthened_samples: int = 0
    skips: int = 0
    underruns: int = 0


class PlayoutBuffer:
    """One source.

    Args:
        make_decoder: a fresh decoder of the source's codec.
        samples_per_rtp_tick: 48 kHz samples in one step of the RTP timestamp (1 for Opus, 6 for
            a clock of 8 kHz).

    Memory: at most BUFFER_PACKETS payloads, WINDOW_PACKETS floats and, while it is heard,
    FIFO_SAMPLES.
    """

    def __init__(
        self, make_decoder: Callable[[], AudioDecoder], samples_per_rtp_tick: int = 1
    ) -> None:
        self.counters = PlayoutCounters()
        self.packets = PacketStore(samples_per_rtp_tick)
        """Where packets are put."""
        self._make_decoder = make_decoder
        self._scale = samples_per_rtp_tick
        self._decoder: AudioDecoder | None = None
        self._fifo = SeamlessFifo(0)
        self._next_sequence = 0
        self._next_sample: int | None = None  # media time after the fifo; None: waiting
        self._duration = TICK_SAMPLES
        self._stalled = 0
        self._dtx = False
        self._error_s = 0.0
        self._target_s = 0.0
        self._target_age = 0
        self._fec_ticks = 0

    @property
    def playing(self) -> bool:
        """Between ``start`` and ``stop``."""
        return self._decoder is not None

    def start(self) -> None:
        """Be heard from the next ``get`` on, which lets the decoder run in."""
        if self._decoder is None:
            self._decoder = self._make_decoder()
            self._fifo = SeamlessFifo(FIFO_SAMPLES)
            self.packets.capacity = BUFFER_PACKETS

    def stop(self) -> None:
        """Be heard no more: the decoder goes, the newest packets stay."""
        self._decoder = None
        self.packets.trim(HISTORY_PACKETS)
        self._wait()
        self._fifo = SeamlessFifo(0)

    def get(self, now: float) -> Int16Block:
        """The next tick.

        Returns: int16 (960,), owned by the caller; silence when not started.
        Never raises, whatever was put. Cost: one decode at most on average.
        """
        decoder = self._decoder
        if decoder is None:
            return SILENCE.copy()
        if self._next_sample is not None and self.packets.floor is None:
            self._wait()  # the sender began anew
        if self._next_sample is not None:
            self._follow(decoder, now)
        if self._next_sample is None:
            self._begin(decoder, now)
        while len(self._fifo) < TICK_SAMPLES:
            self._produce(decoder)
        return self._fifo.pop(TICK_SAMPLES)

    def age_s(self, now: float) -> float | None:
        """How long what the last ``get`` gave has been here, by the fastest packet's way.

        None while nothing is played. Network and sender come on top, and are not known here.
        """
        if self._next_sample is None:
            return None
        head = self._next_sample - len(self._fifo) - TICK_SAMPLES
        return now - head / SAMPLE_RATE_HZ - self.packets.delay.fastest_s

    # Time

    def _wait(self) -> None:
        """Play silence until packets are there for the time to be played."""
        self._next_sample = None
        self.packets.floor = None
        self._stalled = 0

    def _begin(self, decoder: AudioDecoder, now: float) -> None:
        """Set the clock from the target and let the decoder run in; or go on waiting."""
        store = self.packets
        if store.newest is None or not store.held:
            return
        self._retarget()
        ready = round((now - self._target_s) * SAMPLE_RATE_HZ) + len(self._fifo)
        ready -= (ready - store.newest.timestamp * self._scale) % step_of(self._duration)
        if store.newest.timestamp * self._scale + self._duration <= ready:
            return
        if self._fifo.gain > 0.0:  # let what was playing go out
            self._fifo.push_silence(decoder, RELEASE_SAMPLES)
            ready += RELEASE_SAMPLES
        self._error_s = 0.0
        self._dtx = False
        self._next_sample = ready
        self._run_in(decoder, ready)

    def _run_in(self, decoder: AudioDecoder, ready: int) -> None:
        """Decode what lies just before media time ``ready``; keep what reaches beyond it."""
        held = self.packets.held
        past = sorted(one for one in held if held[one].timestamp * self._scale < ready)
        self._next_sequence = past[-1] + 1 if past else min(held)
        beyond: Int16Block | None = None
        for sequence in past[-RUN_IN_PACKETS:]:
            start = held[sequence].timestamp * self._scale
            block = self._decode(decoder, held[sequence])
            beyond = None if block is None else block[ready - start :]
        for sequence in [one for one in held if one < self._next_sequence]:
            del held[sequence]
        self.packets.floor = self._next_sequence
        if beyond is not None and len(beyond):
            self._fifo.push_real(beyond)
            self._next_sample = ready + len(beyond)

    def _retarget(self) -> None:
        delay = self.packets.delay
        self._fec_ticks = max(0, self._fec_ticks - self._target_age)
        # On packets' boundaries a tick needs no packet that begins within its last step.
        extra = -step_of(self._duration) + (self._duration if self._fec_ticks else 0)
        delay.extra_s = extra / SAMPLE_RATE_HZ
        self._target_s = delay.target_s()
        self._target_age = 0

    def _follow(self, decoder: AudioDecoder, now: float) -> None:
        """Keep the playout where it should stand: small stretches, a jump when far off."""
        self._target_age += 1
        if self._target_age >= _TARGET_TICKS:
            self._retarget()
        if self._next_sample is None:
            return
        head = self._next_sample - len(self._fifo)
        error = now - head / SAMPLE_RATE_HZ - self._target_s
        self._error_s += (error - self._error_s) * _SMOOTHING
        if abs(error) > SKIP_S and abs(self._error_s) > SKIP_S / 2:
            self.counters.skips += 1
            self._wait()
            return
        step = step_of(self._duration)
        ahead = len(self._fifo) % step
        least = least_spare(round(self.packets.delay.spread_s * SAMPLE_RATE_HZ))
        change = wanted_change(round(self._error_s * SAMPLE_RATE_HZ), ahead, step, least)
        if change > ahead:
            self._shorten(decoder, change, self._needed_likeness())
        elif change < 0 and not self._stalled:
            self._lengthen(decoder, -change)
        elif change >= ALIGN_SAMPLES and not self._target_age:
            self._shorten(decoder, change, ALIGN_LIKENESS)

    def _look_ahead(self, decoder: AudioDecoder, count: int) -> None:
        """Decode until ``count`` samples are there, as long as packets follow each other."""
        while len(self._fifo) < count and self._next_sample is not None:
            packet = self.packets.held.get(self._next_sequence)
            if packet is None:
                return
            if abs(packet.timestamp * self._scale - self._next_sample) > HOLE_SAMPLES:
                return
            self._produce(decoder)

    def _shorten(self, decoder: AudioDecoder, most: int, needed_likeness: float) -> None:
        """Leave out up to ``most`` samples: beyond them lies what may not have come yet."""
        most = min(most, MAX_LAG_SAMPLES)
        self._look_ahead(decoder, TICK_SAMPLES + most)
        most = min(most, len(self._fifo) - TICK_SAMPLES)
        if most <= 0:
            return
        window = self._fifo.peek(OVERLAP_SAMPLES + most)
        lag, likeness = find_lag(window)
        if likeness >= needed_likeness:
            self._fifo.replace(len(window), shorten(window, lag))
            self._error_s -= lag / SAMPLE_RATE_HZ
            self.counters.shortened_samples += lag

    def _lengthen(self, decoder: AudioDecoder, wanted: int) -> None:
        """Play some of it again; where it is quiet not more than ``wanted`` samples."""
        self._look_ahead(decoder, WINDOW_SAMPLES)
        window = self._fifo.peek(WINDOW_SAMPLES)
        if len(window) <= OVERLAP_SAMPLES:
            return
        lag, likeness = find_lag(window)
        if likeness >= 1.0:
            lag = min(lag, wanted)
        if likeness >= self._needed_likeness():
            self._fifo.replace(len(window), lengthen(window, lag))
            self._error_s += lag / SAMPLE_RATE_HZ
            self.counters.lengthened_samples += lag

    def _needed_likeness(self) -> float:
        """Choosy where there is time, less so the further the playout is off."""
        return max(0.3, 0.95 - 5.0 * abs(self._error_s))

    # Sound

    def _produce(self, decoder: AudioDecoder) -> None:
        """Add sound to the fifo, or consume what stands in the way of it."""
        if self._next_sample is None:
            self._fifo.push_silence(decoder, TICK_SAMPLES - len(self._fifo))
            return
        packet = self.packets.held.get(self._next_sequence)
        if packet is not None:
            self._play(decoder, packet)
        elif self.packets.held:
            self._lose(decoder)
        else:
            self._stall(decoder)

    def _play(self, decoder: AudioDecoder, packet: Packet) -> None:
        assert self._next_sample is not None  # noqa: S101  (checked by _produce)
        start = packet.timestamp * self._scale
        hole = start - self._next_sample
        if hole > 0 and self._stalled:
            credit = min(hole, self._stalled)
            self._next_sample += credit
            hole -= credit
        self._stalled = 0
        if hole > HOLE_SAMPLES:
            count = min(hole, TICK_SAMPLES)
            self._fifo.push_silence(decoder, count)
            self._next_sample += count
            return
        del self.packets.held[packet.sequence]
        self._advance(packet.sequence + 1)
        block = self._decode(decoder, packet)
        if block is None:
            self._conceal(decoder, self._duration)
            self._next_sample = start + self._duration
        else:
            self._fifo.push_real(block)
            self._next_sample = start + len(block)
            self._dtx = decoder.is_dtx(packet.payload)

    def _lose(self, decoder: AudioDecoder) -> None:
        """Packets are missing before the next one that is there."""
        assert self._next_sample is not None  # noqa: S101  (checked by _produce)
        successor = self.packets.held[min(self.packets.held)]
        missing = successor.sequence - self._next_sequence
        if decoder.has_fec(successor.payload):
            self._fec_ticks = FEC_TICKS
        hole = successor.timestamp * self._scale - self._next_sample
        credit = max(0, min(hole, self._stalled))
        self._stalled = 0
        self._next_sample += credit
        hole -= credit
        if hole < HOLE_SAMPLES:
            self.counters.lost += missing
            self._advance(successor.sequence)
            return
        if self._dtx or hole - missing * self._duration > HOLE_SAMPLES:
            count = min(hole, TICK_SAMPLES)
            self._fifo.push_silence(decoder, count)
            self._next_sample += count
            return
        count = min(self._duration, hole)
        self.counters.lost += 1
        self._advance(self._next_sequence + 1)
        self._next_sample += count
        if missing == 1:
            block = decoder.decode_fec(successor.payload, count)
            if block is not None and len(block):
                self.counters.fec_recovered += 1
                self._fifo.push_real(block)
                return
        self._conceal(decoder, count)

    def _advance(self, sequence: int) -> None:
        self._next_sequence = self.packets.floor = sequence

    def _stall(self, decoder: AudioDecoder) -> None:
        """Nothing is there: let time stand still for a while, then wait."""
        quiet = self._dtx or self.packets.quiet_from == self._next_sequence
        if quiet or self._stalled >= FADE_SAMPLES:
            self._wait()
            return
        if not self._stalled:
            self.counters.underruns += 1
        self._conceal(decoder, TICK_SAMPLES)
        self._stalled += TICK_SAMPLES

    def _decode(self, decoder: AudioDecoder, packet: Packet) -> Int16Block | None:
        try:
            block = decoder.decode(packet.payload)
        except PayloadError:
            self.counters.bad_payloads += 1
            return None
        self.counters.decoded += 1
        if not len(block):
            return None
        self._duration = len(block)
        return block

    def _conceal(self, decoder: AudioDecoder, count: int) -> None:
        self.counters.concealed_samples += count
        self._fifo.push_concealed(decoder, count)
