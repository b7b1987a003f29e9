import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.audio.level import level_dbov
from mixer.codecs.audio_codec import PayloadError
from mixer.codecs.opus import LIBOPUS_AVAILABLE, OpusDecoder, OpusEncoder, has_fec, is_dtx

pytestmark = pytest.mark.skipif(not LIBOPUS_AVAILABLE, reason="no libopus on this system")


def vowel(samples: int = 48_000) -> np.ndarray:
    t = np.arange(samples) / 48_000
    phase = 2 * np.pi * (120 * t - 2.4 * np.cos(2 * np.pi * 1.3 * t))
    sound = sum(np.sin(k * phase) / (1 + abs(k * 120 - 600) / 300) for k in range(1, 25))
    return np.rint(2_500 * sound * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))).astype(np.int16)


def encode(sound: np.ndarray, **options: object) -> list[bytes]:
    encoder = OpusEncoder(**options)
    return [encoder.encode(sound[at : at + 960]) for at in range(0, len(sound), 960)]


def test_a_tone_comes_through() -> None:
    tone = np.rint(8_000 * np.sin(2 * np.pi * 700 * np.arange(48_000) / 48_000)).astype(np.int16)
    decoder = OpusDecoder()
    out = np.concatenate([decoder.decode(one) for one in encode(tone)])
    assert len(out) == len(tone)
    wanted = tone[9_600:28_800]
    likeness = [np.corrcoef(wanted, out[at : at + 19_200])[0, 1] for at in range(9_600, 10_000)]
    assert max(likeness) > 0.999


def test_bitrate_is_kept() -> None:
    for wanted in (16_000, 24_000, 40_000):
        payloads = encode(vowel(5 * 48_000), bitrate_bps=wanted)
        assert 0.6 * wanted < sum(map(len, payloads)) * 8 / 5 < 1.1 * wanted


def test_the_mode_stays_the_same_whatever_is_heard() -> None:
    """Listeners pass between encoders; a change of mode between them would be heard."""
    rng = np.random.default_rng(1)
    sounds = [
        np.zeros(24_000, np.int16),
        vowel(24_000),
        rng.normal(0, 3_000, 24_000).astype(np.int16),
        np.rint(9_000 * np.sin(np.arange(24_000) / 3)).astype(np.int16),
    ]
    payloads = encode(np.concatenate(sounds))
    assert {one[0] >> 3 for one in payloads} == {15}  # hybrid, full band, 20 ms (RFC 6716, 3.1)


def test_stereo_is_mixed_down() -> None:
    av = pytest.importorskip("av")
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48_000, "stereo", "s16"
    context.bit_rate = 96_000
    context.open()
    n = np.arange(48_000)
    left = 8_000 * np.sin(2 * np.pi * 500 * n / 48_000)
    right = 8_000 * np.sin(2 * np.pi * 1_500 * n / 48_000)
    decoder, heard = OpusDecoder(2), []
    interleaved = np.rint(np.stack((left, right), axis=1)).astype(np.int16)
    for at in range(0, 48_000, 960):
        block = interleaved[at : at + 960].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, at
        heard += [decoder.decode(bytes(one)) for one in context.encode(frame)]
    sound = np.concatenate(heard)[9_600:].astype(float)
    assert sound.ndim == 1
    for hz in (500, 1_500):
        spin = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / 48_000)
        assert 2 * abs(np.dot(sound, spin)) / len(sound) == pytest.approx(4_000, rel=0.15)


@pytest.mark.parametrize("samples", [120, 240, 480, 960, 1_920, 2_880])
def test_packets_of_any_duration_decode(samples: int) -> None:
    from opuslib_next import Encoder

    payload = Encoder(48_000, 1, "audio").encode(bytes(2 * samples), samples)
    assert OpusDecoder().decode(payload).shape == (samples,)


def test_packets_of_120_ms_decode_and_longer_ones_are_refused() -> None:
    celt_20_ms = 31 << 3 | 3  # code 3: a number of frames follows (RFC 6716, 3.2.5)
    assert len(OpusDecoder().decode(bytes([celt_20_ms, 6]) + bytes(60))) == 5_760
    with pytest.raises(PayloadError):
        OpusDecoder().decode(bytes([celt_20_ms, 7]) + bytes(70))


def test_fec_brings_back_a_lost_packet() -> None:
    sound = vowel()
    payloads = encode(sound, expected_loss=0.2)
    marked = [k for k in range(5, 49) if has_fec(payloads[k + 1])]
    assert len(marked) > 15
    errors = {"fec": 0.0, "conceal": 0.0}
    for lost in marked:
        for way in errors:
            decoder, reference = OpusDecoder(), OpusDecoder()
            for one in payloads[:lost]:
                decoder.decode(one)
            for one in payloads[: lost + 1]:
                wanted = reference.decode(one)
            if way == "fec":
                got = decoder.decode_fec(payloads[lost + 1], 960)
                assert got is not None
            else:
                got = decoder.conceal(960)
            errors[way] += float(np.mean((got.astype(float) - wanted) ** 2))
    assert errors["fec"] < 0.5 * errors["conceal"]


def test_without_fec_in_the_packet_nothing_is_claimed() -> None:
    payloads = encode(vowel(), fec=False)
    assert not any(has_fec(one) for one in payloads)
    assert OpusDecoder().decode_fec(payloads[3], 960) is None


@pytest.mark.parametrize(
    ("payload", "repeats"),
    [
        (b"", False),
        (b"\x78", False),
        (bytes([15 << 3, 0b0100_0000]), True),  # hybrid 20 ms mono: VAD, LBRR
        (bytes([15 << 3, 0b1000_0000]), False),
        (bytes([11 << 3, 0b0001_0000]), True),  # SILK 60 ms: three VAD bits first
        (bytes([11 << 3, 0b1110_0000]), False),
        (bytes([15 << 3 | 4, 0b0001_0000]), True),  # stereo: the side channel repeats
        (bytes([15 << 3 | 2, 1, 0b0100_0000]), True),  # code 2: one length byte first
        (bytes([15 << 3 | 2, 252, 0, 0b0100_0000]), True),
        (bytes([31 << 3, 0b0100_0000]), False),  # CELT
        (bytes([15 << 3 | 3, 0b0100_0000]), False),
    ],
)
def test_the_header_says_whether_a_packet_repeats(payload: bytes, repeats: bool) -> None:
    assert has_fec(payload) is repeats


def test_dtx_is_recognised() -> None:
    payloads = encode(np.zeros(3 * 48_000, np.int16), dtx=True)
    assert sum(is_dtx(one) for one in payloads) > 50
    assert not any(is_dtx(one) for one in encode(vowel()))


@pytest.mark.parametrize("samples", [120, 480, 700, 960, 2_880, 5_760])
def test_concealment_is_as_long_as_asked_for(samples: int) -> None:
    decoder = OpusDecoder()
    assert decoder.conceal(samples).shape == (samples,)
    for one in encode(vowel())[:10]:
        decoder.decode(one)
    assert decoder.conceal(samples).shape == (samples,)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_sound_or_refused(payload: bytes) -> None:
    decoder = OpusDecoder()
    try:
        block = decoder.decode(payload)
    except PayloadError:
        block = np.zeros(960, np.int16)
    assert 0 < len(block) <= 5_760
    fec = decoder.decode_fec(payload, 960)
    assert fec is None or len(fec) == 960
    good = encode(vowel())[0]
    assert len(decoder.decode(good)) == 960


def test_a_block_belongs_to_its_receiver() -> None:
    decoder = OpusDecoder()
    payloads = encode(vowel())
    first = decoder.decode(payloads[20])
    kept = first.copy()
    decoder.decode(payloads[21])
    assert np.array_equal(first, kept)


def test_levels_can_be_taken_at_a_low_rate() -> None:
    payloads = encode(vowel())
    slow, full = OpusDecoder(sample_rate_hz=8_000), OpusDecoder()
    levels = [(level_dbov(slow.decode(p)), level_dbov(full.decode(p))) for p in payloads]
    assert all(abs(a - b) < 1.5 for a, b in levels[5:])


def change_error(hz: float, *, anew: bool) -> float:
    """How far a tone is off, relative to itself, after its decoder passed to another encoder."""
    tone = np.rint(6_000 * np.sin(2 * np.pi * hz * np.arange(120 * 960) / 48_000)).astype(np.int16)
    blocks = tone.reshape(-1, 960)
    first, second = OpusEncoder(), OpusEncoder()
    decoder, reference = OpusDecoder(), OpusDecoder()
    for block in blocks[:100]:
        payload = first.encode(block)
        decoder.decode(payload)
        reference.decode(payload)
    for block in blocks[95:100]:
        second.encode(block)
    if anew:
        second.begin_anew()
    worst = 0.0
    for block in blocks[100:]:
        got = decoder.decode(second.encode(block)).astype(float)
        wanted = reference.decode(first.encode(block)).astype(float)
        worst = max(worst, float(np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2))))
    return worst


def test_beginning_anew_lets_a_decoder_pass_between_encoders() -> None:
    tones = (350, 440, 523, 700, 880, 1_000)
    with_it = [change_error(hz, anew=True) for hz in tones]
    without = [change_error(hz, anew=False) for hz in tones]
    assert max(with_it) < 0.2
    assert max(without) > 0.4


def test_beginning_anew_lasts_one_packet() -> None:
    plain, anew = OpusEncoder(), OpusEncoder()
    blocks = vowel(48_000).reshape(-1, 960)
    for block in blocks[:20]:
        assert plain.encode(block) == anew.encode(block)
    anew.begin_anew()
    sizes = [(len(plain.encode(block)), len(anew.encode(block))) for block in blocks[20:]]
    assert sizes[0][0] != sizes[0][1]
    later = np.array(sizes[10:])
    assert later[:, 1].mean() == pytest.approx(later[:, 0].mean(), rel=0.1)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="3 channels"):
        OpusDecoder(3)
    with pytest.raises(ValueError, match="shape"):
        OpusEncoder().encode(np.zeros(480, np.int16))
    encoder = OpusEncoder()
    encoder.set_expected_loss(7.0)  # clamped, not refused
    assert encoder.encode(np.zeros(960, np.int16))


def test_without_libopus_everything_still_works() -> None:
    """The library is looked up at import, so this needs a process of its own."""
    program = """
import ctypes.util, os
find, exists = ctypes.util.find_library, os.path.exists
ctypes.util.find_library = lambda name: None if name == "opus" else find(name)
os.path.exists = lambda path: "libopus" not in str(path) and exists(path)
import numpy as np
from mixer.codecs.audio import LevelProbe, make_decoder, make_encoder
from mixer.codecs.opus import LIBOPUS_AVAILABLE
assert not LIBOPUS_AVAILABLE
encoder, decoder, probe = make_encoder("opus"), make_decoder("opus", 2), LevelProbe("opus")
tone = np.rint(8000 * np.sin(np.arange(960) / 10)).astype(np.int16)
for _ in range(10):
    payload = encoder.encode(tone)
    block = decoder.decode(payload)
    level = probe.level_dbov(payload)
assert block.shape == (960,) and abs(block.astype(int)).max() > 5000
assert -20 < level < -10
assert decoder.conceal(960).shape == (960,)
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr
