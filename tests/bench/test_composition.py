from pathlib import Path

import av
import numpy as np
import pytest

from bench import clips
from bench.composition import Outcome, outcome_table, ratio_figure
from bench.composition_ideal import Ideal, Quality, decoded_pictures
from bench.composition_ours import compose

GOOD = Quality(kbps=1500, ssim=0.91, psnr_db=32.0, vmaf=None, pictures=300)
OUTCOMES = [
    Outcome("ours", "4x4", 0.3, GOOD),
    Outcome("dear", "4x4", 0.6, GOOD),
    Outcome("cheap", "4x4", 0.4, GOOD),
    Outcome("ours", "7x7", 9.0, GOOD),
]


def test_the_ratio_is_to_the_cheapest_other_of_the_same_layout() -> None:
    figure = ratio_figure("4x4", OUTCOMES)
    assert figure.value == pytest.approx(0.75)
    assert figure.holds
    likeness = "SSIM 0.9100, PSNR 32.0 dB at 1500 kbit/s"
    assert figure.name == f"4x4 composition, {likeness}"
    assert f"dear 0.600 cores, {likeness}" in figure.against


def test_the_table_shows_cost_beside_quality() -> None:
    assert "| 4x4 | dear | 0.600 | 2.00 | 1500 | 0.9100 | 32.00 dB |  |" in outcome_table(OUTCOMES)


def test_the_ideal_is_like_itself_and_less_like_another_moment() -> None:
    ideal = Ideal("2x2")
    picture = ideal.picture(5)
    assert ideal.likeness(5, picture) == (pytest.approx(1.0), 100.0)
    assert ideal.likeness(45, picture)[0] < 0.9
    between = picture.copy()
    between[0] = 200  # above the first slots
    assert np.array_equal(ideal.masked(between), picture)


def test_our_side_shows_the_clips(tmp_path: Path) -> None:
    files = [tmp_path / f"{seed}.units" for seed in range(4)]
    for seed, file in enumerate(files):
        clip = file.with_suffix(".mkv")
        clips.write_clip(clip, seed, 10)
        clips.write_units(clip, file)
    out = tmp_path / "view.h264"
    # Much rate, as ten pictures are too few for rate control to find its level.
    assert compose(files, "2x2", out, 6_000_000) == 11
    shown = [picture for picture, _ in decoded_pictures(out)]
    assert len(shown) == 11
    ideal = Ideal("2x2")
    likeness = {number: ideal.likeness(number, shown[10])[1] for number in range(7, 12)}
    assert max(likeness, key=lambda number: likeness[number]) == 9
    assert likeness[9] > 22
    with av.open(str(out), format="h264") as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (1280, 720)
