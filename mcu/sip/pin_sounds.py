"""What a caller hears who has to enter a PIN: rising tones, then the recording of the site, if any.

The tones are none that telephone networks or keypads use (ITU-T E.180, Q.23), so nobody takes them
for ringing. Sounds are cut into ticks once, and all callers are played the same ones.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import av.error
import numpy as np

from config.problems import Problem, SettingsError
from config.sip_section import SipSettings
from mixer.audio.block import SAMPLE_RATE_HZ, SILENCE, TICK_S, TICK_SAMPLES, Int16Block, to_int16

PROMPT_HZ: Final = (660, 880, 1_175)
WRONG_HZ: Final = (330, 262)
TONE_S: Final = 0.2
FADE_S: Final = 0.01
AMPLITUDE: Final = 5_200.0
"""-16 dB of full scale: as loud as somebody who speaks."""
REPEATED_S: Final = 3.0
"""Between the end of the prompt and its next beginning."""
THINKING_S: Final = 6.0
"""So long after a key nothing is said: who types needs no telling."""
AFTER_WRONG_S: Final = 0.6
MAX_RECORDING_S: Final = 30.0
SETTLING_TICKS: Final = 25

Sound = tuple[Int16Block, ...]
"""Blocks of one tick."""


class RecordingError(ValueError):
    """A file that holds no sound which could be read."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """All that is ever played."""

    prompt: Sound
    wrong: Sound

    def blocks(self) -> Sound:
        """Every block, in an order in which they may be heard.

        Silence comes often enough that the last of it holds nothing of the sound before, whatever
        a codec remembers.
        """
        return (*self.prompt, *(SILENCE,) * SETTLING_TICKS, *self.wrong)


def make_sounds(recording: Int16Block | None = None) -> Sounds:
    """The sounds of a site.

    Args:
        recording: int16, 48 kHz mono, played after the tones; None: tones alone.
    """
    prompt = _tones(PROMPT_HZ)
    if recording is not None:
        prompt = np.concatenate((prompt, recording))
    return Sounds(_cut(prompt), _cut(_tones(WRONG_HZ)))


def site_sounds(sip: SipSettings) -> Sounds:
    """The sounds as configured.

    Raises:
        SettingsError: the recording cannot be used.
    """
    if sip.pin_recording is None:
        return make_sounds()
    try:
        return make_sounds(read_recording(sip.pin_recording))
    except RecordingError as error:
        reason = f"{sip.pin_recording} holds no usable sound ({error})"
        raise SettingsError([Problem("sip.pin_recording", reason)]) from error


def read_recording(path: Path) -> Int16Block:
    """The sound of a file in any usual format, at most ``MAX_RECORDING_S`` of it; 48 kHz mono.

    Raises:
        RecordingError: it cannot be read, or holds no sound.
    """
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    parts: list[Int16Block] = []

    def take(frame: av.AudioFrame | None) -> None:
        for one in resampler.resample(frame):
            parts.append(one.to_ndarray().reshape(-1).astype(np.int16, copy=False))

    wanted = round(MAX_RECORDING_S * SAMPLE_RATE_HZ)
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                take(frame)
                if sum(map(len, parts)) >= wanted:
                    break
            else:
                take(None)
    except (OSError, IndexError, ValueError, av.error.FFmpegError) as error:
        raise RecordingError(str(error)) from error
    if not sum(map(len, parts)):
        raise RecordingError("it holds no sound")
    return np.concatenate(parts)[:wanted]


class Announcer:
    """What one caller hears in each tick."""

    def __init__(self, sounds: Sounds) -> None:
        self._sounds = sounds
        self._playing: Sound
        self._position: int
        self._quiet_ticks: int
        self._play(sounds.prompt, REPEATED_S)

    def key_pressed(self) -> None:
        """Be silent; after a while the prompt begins anew."""
        self._play((), THINKING_S)

    def wrong(self) -> None:
        """Say so at once; then the prompt begins anew."""
        self._play(self._sounds.wrong, AFTER_WRONG_S)

    def block(self) -> Int16Block:
        """The next tick's block; one of ``Sounds.blocks``."""
        if self._position < len(self._playing):
            self._position += 1
            return self._playing[self._position - 1]
        if self._quiet_ticks == 0:
            self._play(self._sounds.prompt, REPEATED_S)
            return self.block()
        self._quiet_ticks -= 1
        return SILENCE

    def _play(self, sound: Sound, then_quiet_s: float) -> None:
        self._playing, self._position = sound, 0
        self._quiet_ticks = round(then_quiet_s / TICK_S)


def _tones(frequencies: tuple[int, ...]) -> Int16Block:
    time_s = np.arange(round(TONE_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    edge = np.minimum(1.0, np.minimum(time_s, TONE_S - time_s) / FADE_S)
    tones = [AMPLITUDE * edge * np.sin(2 * np.pi * hz * time_s) for hz in frequencies]
    return to_int16(np.concatenate(tones).astype(np.float32))


def _cut(sound: Int16Block) -> Sound:
    padded = np.concatenate((sound, np.zeros(-len(sound) % TICK_SAMPLES, np.int16)))
    padded.flags.writeable = False
    return tuple(padded.reshape(-1, TICK_SAMPLES))
