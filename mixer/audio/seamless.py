"""A queue of sound whose real, concealed and silent parts go over into each other without clicks.

Concealed sound fades out over 100 ms; real sound always fades in where it follows silence.
"""

import numpy as np

from mixer.audio.block import Int16Block, ramp
from mixer.audio.fifo import SampleFifo
from mixer.codecs.audio_codec import AudioDecoder

FADE_SAMPLES = 4_800
"""Concealed sound is gone after 100 ms."""
ATTACK_SAMPLES = 240
RELEASE_SAMPLES = 480


class SeamlessFifo(SampleFifo):
    """See the module.

    Args:
        capacity: samples held at most; beyond it what adds raises OverflowError.

    Attributes:
        gain: that the last sample has, 0 (silence) to 1.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.gain = 0.0

    def push_real(self, block: Int16Block) -> None:
        """Append what was decoded."""
        if self.gain < 1.0:
            head, tail = block[:ATTACK_SAMPLES], block[ATTACK_SAMPLES:]
            reached = min(1.0, self.gain + len(head) / ATTACK_SAMPLES)
            self.push(ramp(head, self.gain, reached))
            self.push(tail)
            self.gain = 1.0 if len(tail) else reached
        else:
            self.push(block)

    def push_concealed(self, decoder: AudioDecoder, count: int) -> None:
        """Append ``count`` samples of what the decoder makes up, quieter and quieter."""
        if self.gain <= 0.0:
            self.push(np.zeros(count, np.int16))
            return
        reached = max(0.0, self.gain - count / FADE_SAMPLES)
        self.push(ramp(decoder.conceal(count), self.gain, reached))
        self.gain = reached

    def push_silence(self, decoder: AudioDecoder, count: int) -> None:
        """Append ``count`` samples that go over into silence."""
        fading = 0
        if self.gain > 0.0:
            fading = min(count, RELEASE_SAMPLES)
            reached = max(0.0, self.gain - fading / RELEASE_SAMPLES)
            self.push(ramp(decoder.conceal(fading), self.gain, reached))
            self.gain = reached
        self.push(np.zeros(count - fading, np.int16))
        if count > fading:
            self.gain = 0.0
