from pathlib import Path

import av
import numpy as np

from bench import clips
from bench.picture_quality import psnr


def test_a_picture_follows_from_its_seed_and_number() -> None:
    assert np.array_equal(clips.filmed(3, 7), clips.filmed(3, 7))
    assert not np.array_equal(clips.filmed(3, 7), clips.filmed(3, 8))
    assert not np.array_equal(clips.filmed(3, 7), clips.filmed(4, 7))
    assert clips.filmed(3, 7).shape == (clips.HEIGHT * 3 // 2, clips.WIDTH)


def test_a_clip_holds_what_was_filmed(tmp_path: Path) -> None:
    path, beginning = tmp_path / "clip.mkv", tmp_path / "beginning.mkv"
    clips.write_clip(path, 2, 12)
    clips.write_beginning(path, beginning, 5)
    with av.open(str(path)) as file:
        pictures = [frame.to_ndarray() for frame in file.decode(video=0)]
    assert len(pictures) == 12
    for number in (0, 11):
        shown = pictures[number][: clips.HEIGHT].astype(np.uint8)
        assert psnr(shown, clips.filmed(2, number)[: clips.HEIGHT]) > 22
    units = list(clips.coded_pictures(path))
    assert len(units) == 12
    assert all(unit.startswith(b"\0\0\0\1") for unit in units)
    assert list(clips.coded_pictures(beginning)) == units[:5]
    cut = tmp_path / "clip.units"
    clips.write_units(path, cut)
    assert list(clips.units(cut)) == units
