import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.level import level_dbov
from mixer.codecs.audio_codec import PayloadError
from mixer.codecs.g711 import (
    G711Decoder,
    G711Encoder,
    decoding_table,
    encoding_table,
    payload_level_dbov,
)

PEERS = {"pcma": "pcm_alaw", "pcmu": "pcm_mulaw"}
LAWS = sorted(PEERS)


def peer(law: str, mode: str) -> av.AudioCodecContext:
    context = av.CodecContext.create(PEERS[law], mode)
    context.sample_rate, context.layout, context.format = 8_000, "mono", "s16"
    context.open()
    return context


@pytest.mark.parametrize("law", LAWS)
def test_decoding_is_the_standard_s(law: str) -> None:
    (frame,) = peer(law, "r").decode(av.Packet(bytes(range(256))))
    assert np.array_equal(decoding_table(law), frame.to_ndarray()[0])


@pytest.mark.parametrize("law", LAWS)
def test_encoding_takes_the_nearest_value(law: str) -> None:
    samples = np.arange(-32_768, 32_768)
    values = decoding_table(law).astype(int)
    ours = values[encoding_table(law)[samples.astype(np.int16).view(np.uint16)]]
    best = np.min(np.abs(samples[:, None] - np.unique(values)[None, :]), axis=1)
    assert np.array_equal(np.abs(ours - samples), best)


@pytest.mark.parametrize("law", LAWS)
def test_every_code_survives_decoding_and_encoding(law: str) -> None:
    values = decoding_table(law)
    again = values[encoding_table(law)[values.view(np.uint16)]]
    assert np.array_equal(values, again)


@pytest.mark.parametrize(("law", "code"), [("pcma", 0xD5), ("pcmu", 0xFF)])
def test_silence_is_sent_as_the_positive_zero(law: str, code: int) -> None:
    assert G711Encoder(law).encode(np.zeros(960, np.int16)) == bytes([code]) * 160


@pytest.mark.parametrize("law", LAWS)
def test_a_tone_comes_through(law: str) -> None:
    tone = np.rint(8_000 * np.sin(2 * np.pi * 700 * np.arange(48_000) / 48_000)).astype(np.int16)
    encoder, decoder = G711Encoder(law), G711Decoder(law)
    payloads = [encoder.encode(tone[at : at + 960]) for at in range(0, 48_000, 960)]
    assert {len(one) for one in payloads} == {160}
    out = np.concatenate([decoder.decode(one) for one in payloads])
    assert len(out) == 48_000
    assert level_dbov(out[4_800:]) == pytest.approx(level_dbov(tone), abs=0.2)
    wanted = tone[9_600:28_800]
    likeness = [np.corrcoef(wanted, out[at : at + 19_200])[0, 1] for at in range(9_600, 10_000)]
    assert max(likeness) > 0.999


@pytest.mark.parametrize("law", LAWS)
@given(payload=st.binary(max_size=1_500))
def test_any_bytes_are_sound_or_refused(law: str, payload: bytes) -> None:
    decoder = G711Decoder(law)
    if 0 < len(payload) <= 960:
        assert decoder.decode(payload).shape == (6 * len(payload),)
    else:
        with pytest.raises(PayloadError):
            decoder.decode(payload)
    assert decoder.conceal(960).shape == (960,)


def test_level_of_a_payload() -> None:
    tone = np.rint(8_000 * np.sin(2 * np.pi * 700 * np.arange(4_800) / 48_000)).astype(np.int16)
    encoder = G711Encoder("pcma")
    payload = b"".join(encoder.encode(tone[at : at + 960]) for at in range(0, 4_800, 960))
    assert payload_level_dbov("pcma", payload[160:]) == pytest.approx(level_dbov(tone), abs=0.5)


def test_what_the_codec_has_not() -> None:
    decoder, encoder = G711Decoder("pcmu"), G711Encoder("pcmu")
    assert decoder.decode_fec(b"x" * 160, 960) is None
    assert not decoder.has_fec(b"x")
    assert not decoder.is_dtx(b"x")
    before = encoder.encode(np.full(960, 900, np.int16))
    encoder.set_expected_loss(0.5)
    encoder.begin_anew()
    assert len(before) == len(encoder.encode(np.full(960, 900, np.int16)))


def test_another_block_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        G711Encoder("pcmu").encode(np.zeros(480, np.int16))
