from pathlib import Path

import pytest

from bench import composition_programs as programs
from bench.figures import VoidRunError
from mixer.video.layout import LAYOUTS

FILES = [Path(f"/clips/{number}.mkv") for number in range(16)]
OUT = Path("/tmp/view.h264")


def test_ffmpeg_puts_every_picture_where_the_layout_has_it() -> None:
    command = programs.ffmpeg("area")(FILES, "4x4", OUT)
    graph = command[command.index("-filter_complex") + 1]
    first, last = programs.places("4x4")[0], programs.places("4x4")[-1]
    assert f"[0:v]scale={first.width}:{first.height}:flags=area[t0];" in graph
    assert f"|{last.x - first.x}_{last.y - first.y}:fill" in graph
    assert graph.endswith(f"pad=1280:720:{first.x}:{first.y}[view]")
    assert command.count("-i") == 16


def test_gstreamer_puts_every_picture_where_the_layout_has_it() -> None:
    command = programs.gstreamer(FILES, "4x4", OUT)
    last = programs.places("4x4")[-1]
    assert f"sink_15::xpos={last.x}" in command
    assert f"sink_15::height={last.height}" in command
    assert "location=/clips/15.mkv" in command
    assert sum(part == "avdec_h264" for part in command) == 16


@pytest.mark.parametrize("layout", ["4x4", "7x7"])
def test_pictures_keep_their_shape_within_their_slots(layout: str) -> None:
    slots = LAYOUTS[layout].pixels(programs.WIDTH, programs.HEIGHT)
    for place, slot in zip(programs.places(layout), slots, strict=True):
        assert slot.contains(place)
        assert place.width / place.height == pytest.approx(16 / 9, rel=0.031)


@pytest.mark.parametrize("name", list(programs.PROGRAMS))
def test_all_code_alike(name: str) -> None:
    line = " ".join(programs.PROGRAMS[name](FILES, "4x4", OUT))
    if name == "ours":
        assert "--bitrate 1500000" in line
        return
    assert "superfast" in line
    assert "zerolatency" in line
    assert "scenecut=0" in line
    assert "sliced-threads=0" in line
    assert "1500" in line
    assert "threads=1" in line


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(VoidRunError, match="apt-get install ffmpeg"):
        programs.need_programs()
