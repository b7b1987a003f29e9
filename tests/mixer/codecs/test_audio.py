import numpy as np
import pytest

from mixer.audio.level import level_dbov
from mixer.codecs.audio import (
    FORMATS,
    LevelProbe,
    audio_codec_name,
    make_decoder,
    make_encoder,
)

TONE = np.rint(8_000 * np.sin(2 * np.pi * 700 * np.arange(48_000) / 48_000)).astype(np.int16)


@pytest.mark.parametrize("name", FORMATS)
def test_every_codec_carries_ticks(name: str) -> None:
    encoder, decoder = make_encoder(name), make_decoder(name, 1)
    for at in range(0, 48_000, 960):
        block = decoder.decode(encoder.encode(TONE[at : at + 960]))
        assert block.shape == (960,)
        assert block.dtype == np.int16
    assert level_dbov(block) == pytest.approx(level_dbov(TONE), abs=1)


@pytest.mark.parametrize("name", FORMATS)
def test_blocks_of_rtp_time_are_right(name: str) -> None:
    form = FORMATS[name]
    assert form.rtp_ticks_per_tick * 50 == form.rtp_clock_hz
    assert form.samples_per_rtp_tick * form.rtp_clock_hz == 48_000


def test_g722_is_clocked_at_8_khz() -> None:
    assert FORMATS["g722"].rtp_ticks_per_tick == 160


def test_names_are_taken_in_any_case_and_unknown_ones_refused() -> None:
    assert audio_codec_name("PCMU") == "pcmu"
    for make in (make_decoder, make_encoder, LevelProbe):
        with pytest.raises(ValueError, match="speex"):
            make("speex")


def test_opus_options_arrive() -> None:
    slow, fast = make_encoder("opus", bitrate_bps=12_000), make_encoder("opus", bitrate_bps=64_000)
    sizes = [
        sum(len(one.encode(TONE[at : at + 960])) for at in range(0, 48_000, 960))
        for one in (slow, fast)
    ]
    assert sizes[1] > 2 * sizes[0]


@pytest.mark.parametrize("name", FORMATS)
def test_a_probe_measures_payloads(name: str) -> None:
    encoder, probe = make_encoder(name), LevelProbe(name)
    levels = [probe.level_dbov(encoder.encode(TONE[at : at + 960])) for at in range(0, 24_000, 960)]
    assert levels[-1] == pytest.approx(level_dbov(TONE), abs=1)
    silence = [probe.level_dbov(encoder.encode(np.zeros(960, np.int16))) for _ in range(10)]
    assert silence[-1] < -60


@pytest.mark.parametrize(("name", "payload"), [("opus", b"\xff\xff\xff"), ("g722", b"x" * 5_000)])
def test_a_probe_takes_damage_for_silence(name: str, payload: bytes) -> None:
    assert LevelProbe(name).level_dbov(payload) == -127.0
