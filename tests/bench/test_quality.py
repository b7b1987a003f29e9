import numpy as np
import pytest

from bench import quality
from bench.figures import VoidRunError
from bench.quality import Case, Smoothness, case_table, coded, heard, ideal_mix, through_mcu
from bench.sound_quality import SpeechScore, delay_of

TIME_S = np.arange(3 * 48_000) / 48_000
# A rising pitch: its delay is plain, and Opus keeps its form.
VOICE = np.rint(5000 * np.sin(2 * np.pi * (200 + 150 * TIME_S) * TIME_S)).astype(np.int16)


def likeness(spoken: np.ndarray, result: np.ndarray) -> float:
    """In the last second, when buffers have settled."""
    spoken, result = spoken[-48_000:-9_600], result[-48_000:]
    late = delay_of(spoken, result)
    end = min(len(spoken), len(result) - late)
    return float(np.corrcoef(spoken[:end], result[late : late + end])[0, 1])


def test_a_voice_comes_out_of_opus_and_out_of_the_mixer() -> None:
    assert likeness(VOICE, heard(coded(VOICE), 0.0, 1)) > 0.95
    assert likeness(VOICE, through_mcu([VOICE], 0.0, 0.0, 1)) > 0.9


def test_loss_is_heard_and_follows_from_its_seed() -> None:
    packets = coded(VOICE)
    clean, lossy = heard(packets, 0.0, 1), heard(packets, 0.3, 1)
    assert not np.array_equal(clean, lossy)
    assert np.array_equal(lossy, heard(packets, 0.3, 1))
    assert likeness(VOICE, lossy) < likeness(VOICE, clean)


def test_an_ear_does_not_hear_itself_in_the_ideal() -> None:
    second = slice(48_000, 2 * 48_000)  # only the steady one speaks then
    assert not ideal_mix("steady", 12 * 48_000)[second].any()
    assert ideal_mix("listener", 12 * 48_000)[second].any()


def test_a_smaller_figure_is_the_worst_ear_of_all() -> None:
    ears = [Smoothness("a", 100.0, 90.0), Smoothness("b", 300.0, 100.0)]
    clicks, moving, loud = quality.smoothness_figures(ears, 0.1, 0.9)
    assert (clicks.value, clicks.holds) == (3.0, False)
    assert (moving.holds, loud.holds) == (True, False)


async def test_without_recordings_or_scores_clicks_are_looked_for_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(repeats: int, names: object = None) -> list[Case]:
        raise VoidRunError("pesq is not installed: pip install it")

    monkeypatch.setattr(quality, "speech_cases", missing)
    monkeypatch.setattr(quality, "comings_and_goings", lambda: ([Smoothness("a", 1.0, 1.0)], 0.0))
    monkeypatch.setattr(quality, "too_loud_together", lambda: 0.0)
    speech, clicks, *_ = await quality.measure(short=True)
    assert (speech.value, speech.against) == (0, "pesq is not installed: pip install it")
    assert clicks.holds is True


def test_speech_stands_beside_opus_alone() -> None:
    cases = [
        Case("one, Opus alone", SpeechScore(4.3, 0.99, 28.0)),
        Case("one, MCU", SpeechScore(4.0, 0.98, 57.0)),
    ]
    assert "| one, MCU | 4.00 | 0.980 | 57 ms |" in case_table(cases)
    (figure,) = quality.speech_figures(cases)
    assert figure.value == pytest.approx(4.0)
    assert figure.against.startswith("one, Opus alone 4.30")
