import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.level import level_dbov
from mixer.codecs.audio_codec import PayloadError
from mixer.codecs.g722 import G722Decoder, G722Encoder


def tone(hz: float, samples: int = 48_000) -> np.ndarray:
    return np.rint(8_000 * np.sin(2 * np.pi * hz * np.arange(samples) / 48_000)).astype(np.int16)


@pytest.mark.parametrize("hz", [300, 1_000, 5_000])
def test_a_tone_comes_through(hz: float) -> None:
    given = tone(hz)
    encoder, decoder = G722Encoder(), G722Decoder()
    payloads = [encoder.encode(given[at : at + 960]) for at in range(0, 48_000, 960)]
    assert {len(one) for one in payloads} == {160}
    out = np.concatenate([decoder.decode(one) for one in payloads])
    assert len(out) == 48_000
    assert level_dbov(out[4_800:]) == pytest.approx(level_dbov(given), abs=0.5)
    wanted = given[9_600:28_800]
    likeness = [np.corrcoef(wanted, out[at : at + 19_200])[0, 1] for at in range(9_600, 10_000)]
    assert max(likeness) > 0.99


@given(payload=st.binary(max_size=700))
def test_any_bytes_are_sound_or_refused(payload: bytes) -> None:
    decoder = G722Decoder()
    if 0 < len(payload) <= 960:
        assert decoder.decode(payload).shape == (6 * len(payload),)
    else:
        with pytest.raises(PayloadError):
            decoder.decode(payload)


@pytest.mark.parametrize("length", [0, 961, 1_400])
def test_payloads_of_impossible_length_are_refused_and_harmless(length: int) -> None:
    decoder = G722Decoder()
    with pytest.raises(PayloadError, match=str(length)):
        decoder.decode(bytes(length))
    assert len(decoder.decode(bytes(160))) == 960


def test_a_gap_is_concealed() -> None:
    encoder, decoder = G722Encoder(), G722Decoder()
    given = tone(300)
    before = np.concatenate(
        [decoder.decode(encoder.encode(given[at : at + 960])) for at in range(0, 9_600, 960)]
    )
    gap = decoder.conceal(960)
    joined = np.concatenate((before[-960:], gap)).astype(int)
    assert np.abs(np.diff(joined)).max() < 1.3 * np.abs(np.diff(given.astype(int))).max()
    assert level_dbov(gap) == pytest.approx(level_dbov(given), abs=1)


def test_what_the_codec_has_not() -> None:
    decoder, encoder = G722Decoder(), G722Encoder()
    assert decoder.decode_fec(b"x" * 160, 960) is None
    assert not decoder.has_fec(b"x")
    assert not decoder.is_dtx(b"x")
    encoder.set_expected_loss(0.5)
    encoder.begin_anew()
    with pytest.raises(ValueError, match="shape"):
        encoder.encode(np.zeros(480, np.int16))


def test_samples_as_coded_have_the_level_of_the_sound() -> None:
    encoder, decoder, twin = G722Encoder(), G722Decoder(), G722Decoder()
    n = np.arange(960 * 10)
    wave = (6_000 * np.sin(2 * np.pi * 440 * n / 48_000)).astype(np.int16).reshape(-1, 960)
    for block in wave:
        payload = encoder.encode(block)
        linear, sound = decoder.linear(payload), twin.decode(payload)
    assert linear.shape == (320,)
    assert level_dbov(linear) == pytest.approx(level_dbov(sound), abs=0.5)
    with pytest.raises(PayloadError):
        decoder.linear(b"")
