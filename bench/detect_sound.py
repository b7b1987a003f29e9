"""Sound that detectors are tried on: voices, music, rooms with an echo, and the codecs between.

Everything follows from names and seeds. Voices are recordings where they are installed (see
``bench.speech``) and the software rooms' synthetic speech otherwise; tests take the latter.
"""

import itertools
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from bench import speech
from bench.figures import VoidRunError
from mcu.bridge.sound import speech as synthetic_speech
from mixer.audio.block import SAMPLE_RATE_HZ, TICK_SAMPLES
from mixer.audio.resample import Downsampler
from mixer.codecs.audio import make_decoder, make_encoder
from mixer.codecs.audio_codec import PayloadError

Sound = npt.NDArray[np.int16]
"""(samples,), 48 kHz mono."""
Floats = npt.NDArray[np.float64]

SPEECH_DBOV = -26.0
CODECS = ("opus", "opus, 5% lost", "g722", "pcma")


def is_recorded() -> bool:
    """Whether recorded voices are installed."""
    return (speech.FOLDER / "cards").exists()


@lru_cache(maxsize=32)
def voice(name: str, seconds: float, *, recorded: bool = False) -> Sound:
    """Somebody who speaks with the pauses of a report; active level about SPEECH_DBOV.

    Args:
        name: the same voice for the same name. recorded: one of the recordings, if installed.
    """
    samples = ticks(seconds) * TICK_SAMPLES
    if recorded and is_recorded():
        sound = np.resize(_recordings()[sum(name.encode()) % len(_recordings())], samples)
        return np.roll(sound, -(sum(name.encode()) * 7919 % samples))
    # Turns are far apart in it: only half a second of each silence is kept.
    blocks, silent = [], 0
    for block in synthetic_speech(name):
        silent = silent + 1 if np.abs(block).max() < 300 else 0
        if silent <= 25:
            blocks.append(block)
        if len(blocks) * TICK_SAMPLES >= samples:
            break
    return speech.levelled(np.concatenate(blocks)[:samples], SPEECH_DBOV)


@cache
def _recordings() -> list[Sound]:
    try:
        utterances = [speech.reader(), *speech.others()]
    except VoidRunError:
        return []
    return [speech.with_pauses(one)[0] for one in utterances]


@lru_cache(maxsize=16)
def music(seed: int, seconds: float, level_dbov: float = -24.0) -> Sound:
    """Chords and a melody of plucked and held notes with overtones, at a tempo of its own."""
    rng = np.random.default_rng(seed)
    count = ticks(seconds) * TICK_SAMPLES
    sound = np.zeros(count)
    beat_samples = int(rng.uniform(19_000, 30_000))
    for at in range(int(rng.uniform(0, beat_samples)), count, beat_samples):
        held = rng.choice([0.5, 1.0, 2.0])
        notes = [rng.integers(48, 60), rng.integers(55, 67), rng.integers(67, 84)]
        for note in notes:
            length = min(int(held * SAMPLE_RATE_HZ), count - at)
            if length <= 0:
                continue
            t = np.arange(length) / SAMPLE_RATE_HZ
            hz = 440.0 * 2 ** ((note - 69) / 12)
            shape = np.exp(-t / held / rng.uniform(0.3, 1.5)) * np.minimum(t / 0.01, 1)
            shape *= np.minimum((held - t) / 0.02, 1).clip(0)
            for overtone in range(1, 8):
                sound[at : at + length] += (
                    shape * np.sin(2 * np.pi * hz * overtone * t) / overtone ** rng.uniform(0.8, 2)
                )
    return at_level(sound, level_dbov)


def noise(seed: int, seconds: float, level_dbov: float) -> Sound:
    """A room's noise: rustle that falls by 6 dB an octave above 500 Hz, as of air conditioning."""
    rng = np.random.default_rng(seed)
    count = ticks(seconds) * TICK_SAMPLES
    spectrum = np.fft.rfft(rng.normal(size=count))
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    spectrum /= np.hypot(1, hz / 500)
    spectrum[hz < 60] = 0
    return at_level(np.fft.irfft(spectrum, count), level_dbov)


def at_level(sound: npt.ArrayLike, level_dbov: float) -> Sound:
    """The sound with this level over all of it, dBov; saturates."""
    values = np.asarray(sound, np.float64)
    rms = max(float(np.sqrt(np.square(values).mean())), 1e-9)
    return whole(values * (32_768.0 * 10 ** (level_dbov / 20) / rms))


def gained(sound: Sound, gain_db: float) -> Floats:
    """The sound made louder or quieter, not yet rounded."""
    return sound.astype(np.float64) * 10 ** (gain_db / 20)


def mixed(*sounds: Sound | Floats) -> Sound:
    """Sounds of one length added; saturates."""
    return whole(np.sum([np.asarray(one, np.float64) for one in sounds], axis=0))


def whole(sound: Floats) -> Sound:
    """Rounded and saturated."""
    return np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)


def later(sound: npt.NDArray[np.number], delay_ms: float) -> Floats:
    """The sound so much later (or earlier), as long as before."""
    shift = round(delay_ms * SAMPLE_RATE_HZ / 1000)
    out = np.zeros(len(sound))
    if shift >= 0:
        out[shift:] = sound[: len(sound) - shift]
    else:
        out[:shift] = sound[-shift:]
    return out


def echo(sound: Sound, delay_ms: float, level_db: float, seed: int = 0) -> Floats:
    """What a room's microphone takes up of its loudspeaker.

    The first sound comes ``delay_ms`` late; reflections follow it for 40 ms. All together is
    ``level_db`` against the sound.
    """
    rng = np.random.default_rng(seed)
    length = SAMPLE_RATE_HZ * 40 // 1000
    response = rng.normal(size=length) * np.exp(-np.arange(length) / (length / 4)) * 0.08
    response[0] = 1.0
    response *= 10 ** (level_db / 20) / np.sqrt(np.square(response).sum())
    size = len(sound) + length
    returned = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)
    return later(returned[: len(sound)], delay_ms)


def coded(sound: Sound, codec: str, seed: int = 0) -> Sound:
    """What comes out of a codec's decoder, which conceals what was lost.

    Args:
        codec: one of CODECS.
    """
    name, _, lossy = codec.partition(", ")
    loss = float(lossy.partition("%")[0]) / 100 if lossy else 0.0
    rng = np.random.default_rng(seed)
    encoder, decoder = make_encoder(name, bitrate_bps=32_000), make_decoder(name)
    payloads = [encoder.encode(block) for block in sound.reshape(-1, TICK_SAMPLES)]
    lost = rng.random(len(payloads)) < loss
    blocks = []
    for (payload, gone), following in itertools.zip_longest(
        zip(payloads, lost.tolist(), strict=True), payloads[1:]
    ):
        repeated = decoder.decode_fec(following, TICK_SAMPLES) if gone and following else None
        if repeated is not None:
            blocks.append(repeated)
            continue
        try:
            blocks.append(decoder.conceal(TICK_SAMPLES) if gone else decoder.decode(payload))
        except PayloadError:
            blocks.append(decoder.conceal(TICK_SAMPLES))
    out = np.concatenate(blocks)
    return np.resize(out, len(sound)) if len(out) >= len(sound) else _padded(out, len(sound))


def narrow(sound: Sound) -> npt.NDArray[np.float32]:
    """At 8 kHz, as a stream would be brought there."""
    return Downsampler(6).process(sound)


def levels(sound: Sound, *, whole_db: bool = True) -> npt.NDArray[np.float32]:
    """Level of each tick as RFC 6464 carries it: float32 (ticks,), dBov."""
    blocks = sound.reshape(-1, TICK_SAMPLES).astype(np.float64)
    power = np.square(blocks).mean(axis=1) / 32_768.0**2
    level = 10 * np.log10(np.maximum(power, 10**-12.7))
    rounded: npt.NDArray[np.float32] = (np.rint(level) if whole_db else level).astype(np.float32)
    return rounded


def ticks(seconds: float) -> int:
    """Ticks in so many seconds."""
    return round(seconds * 50)


def in_pieces(sound: Sound, sizes: Sequence[int]) -> list[Sound]:
    """The sound cut into pieces of these lengths, again and again."""
    pieces: list[Sound] = []
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(sound):
            return pieces
        pieces.append(sound[at : at + size])
        at += size
    return pieces


def _padded(sound: Sound, length: int) -> Sound:
    return np.concatenate((sound, np.zeros(length - len(sound), np.int16)))
