import numpy as np
import pytest

from mixer.audio.level import level_dbov
from mixer.codecs.audio_codec import PayloadError
from mixer.codecs.opus import OpusDecoder, OpusEncoder
from mixer.codecs.opus_fallback import PyavOpusDecoder, PyavOpusEncoder

TONE = np.rint(8_000 * np.sin(2 * np.pi * 700 * np.arange(48_000) / 48_000)).astype(np.int16)


@pytest.mark.parametrize("encoder", [PyavOpusEncoder, OpusEncoder])
@pytest.mark.parametrize("decoder", [PyavOpusDecoder, OpusDecoder])
def test_both_ways_understand_each_other(encoder: type, decoder: type) -> None:
    sender, receiver = encoder(), decoder()
    payloads = [sender.encode(TONE[at : at + 960]) for at in range(0, 48_000, 960)]
    assert all(payloads)
    out = np.concatenate([receiver.decode(one) for one in payloads])
    assert len(out) == 48_000
    assert level_dbov(out[9_600:]) == pytest.approx(level_dbov(TONE), abs=0.5)


@pytest.mark.parametrize("payload", [b"", b"\xff\xff\xff"])
def test_bad_payloads_are_refused(payload: bytes) -> None:
    decoder = PyavOpusDecoder()
    with pytest.raises(PayloadError):
        decoder.decode(payload)
    assert len(decoder.decode(OpusEncoder().encode(TONE[:960]))) == 960


def test_gaps_are_concealed_without_fec() -> None:
    decoder, encoder = PyavOpusDecoder(), OpusEncoder()
    for at in range(0, 9_600, 960):
        payload = encoder.encode(TONE[at : at + 960])
        decoder.decode(payload)
    assert decoder.decode_fec(payload, 960) is None
    assert not decoder.has_fec(payload)
    assert level_dbov(decoder.conceal(960)) == pytest.approx(level_dbov(TONE), abs=1.5)
    assert decoder.is_dtx(b"\x78")


def test_what_it_cannot_adapt_does_no_harm() -> None:
    encoder = PyavOpusEncoder()
    encoder.set_expected_loss(0.3)
    encoder.begin_anew()
    assert encoder.encode(TONE[:960])
    with pytest.raises(ValueError, match="shape"):
        encoder.encode(TONE[:480])
