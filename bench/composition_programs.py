"""What ``bench.composition`` runs: one view by ours, ffmpeg and GStreamer, as command lines."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import clips
from bench.figures import VoidRunError
from mixer.codecs import h264
from mixer.video.layout import LAYOUTS, Rect
from mixer.video.scale import target_size

WIDTH, HEIGHT = 1280, 720
BITRATE_BPS = 1_500_000
INSTALL = (
    "apt-get install ffmpeg gstreamer1.0-tools gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly "
    "gstreamer1.0-libav util-linux"
)

Command = Callable[[Sequence[Path], str, Path], list[str]]
"""Clips in the order of the slots, name of the layout, and the file that is to be written."""


def places(layout: str) -> tuple[Rect, ...]:
    """Where the pictures stand: in the middle of their slots, as large as their shape allows."""
    found = []
    for slot in LAYOUTS[layout].pixels(WIDTH, HEIGHT):
        width, height = target_size(clips.WIDTH, clips.HEIGHT, slot.width, slot.height, "letterbox")
        x = slot.x + (slot.width - width) // 4 * 2
        y = slot.y + (slot.height - height) // 4 * 2
        found.append(Rect(x, y, width, height))
    return tuple(found)


def ours(files: Sequence[Path], layout: str, out: Path) -> list[str]:
    """The daemon's video process; beside each clip lies what ``clips.write_units`` made of it."""
    command = [sys.executable, "-m", "bench.composition_ours", "--layout", layout]
    units = [str(file.with_suffix(".units")) for file in files]
    return [*command, "--bitrate", str(BITRATE_BPS), "--out", str(out), *units]


def x264_parameters() -> str:
    """The ones of ours that are not said by other options of ffmpeg's."""
    options = h264.encoder_options(WIDTH, HEIGHT, clips.FPS, BITRATE_BPS)
    return options["x264-params"]


def ffmpeg(flags: str) -> Command:
    """ffmpeg's xstack, with a kernel of libswscale."""

    def command(files: Sequence[Path], layout: str, out: Path) -> list[str]:
        rects = places(layout)
        inputs: list[str] = []
        for file in files:
            inputs += ["-threads", "1", "-i", str(file)]
        left, top = min(rect.x for rect in rects), min(rect.y for rect in rects)
        scaled = [
            f"[{at}:v]scale={rect.width}:{rect.height}:flags={flags}[t{at}];"
            for at, rect in enumerate(rects)
        ]
        positions = "|".join(f"{rect.x - left}_{rect.y - top}" for rect in rects)
        graph = (
            "".join(scaled)
            + "".join(f"[t{at}]" for at in range(len(rects)))
            + f"xstack=inputs={len(rects)}:layout={positions}:fill=black,"
            + f"pad={WIDTH}:{HEIGHT}:{left}:{top}[view]"
        )
        options = h264.encoder_options(WIDTH, HEIGHT, clips.FPS, BITRATE_BPS)
        return [
            "ffmpeg", "-v", "error", "-nostdin", "-y", *inputs,
            "-filter_threads", "1", "-filter_complex_threads", "1",
            "-filter_complex", graph, "-map", "[view]", "-c:v", "libx264", "-threads", "1",
            "-preset", options["preset"], "-tune", options["tune"],
            "-profile:v", options["profile"], "-b:v", str(BITRATE_BPS),
            "-x264-params", x264_parameters(), "-f", "h264", str(out),
        ]  # fmt: skip

    return command


def gstreamer(files: Sequence[Path], layout: str, out: Path) -> list[str]:
    """GStreamer's compositor, which scales itself."""
    rects = places(layout)
    compositor = ["compositor name=view background=black max-threads=1"]
    rooms = []
    for at, (file, rect) in enumerate(zip(files, rects, strict=True)):
        place = {"xpos": rect.x, "ypos": rect.y, "width": rect.width, "height": rect.height}
        compositor += [f"sink_{at}::{name}={value}" for name, value in place.items()]
        rooms.append(
            f"filesrc location={file} ! matroskademux ! h264parse ! avdec_h264 max-threads=1 "
            f"! view.sink_{at}"
        )
    # x264enc sets rate and buffer by properties of its own, in kbit/s and ms.
    kept = [
        part
        for part in x264_parameters().split(":")
        if part.split("=")[0] in ("scenecut", "sliced-threads", "lookahead-threads", "level")
    ]
    options = h264.encoder_options(WIDTH, HEIGHT, clips.FPS, BITRATE_BPS)
    interval = round(h264.KEY_INTERVAL_S * clips.FPS)
    encoder = (
        f"x264enc threads=1 speed-preset={options['preset']} tune={options['tune']} "
        f"bitrate={BITRATE_BPS // 1000} vbv-buf-capacity={round(h264.VBV_SECONDS * 1000)} "
        f"key-int-max={interval} option-string={':'.join(kept)}"
    )
    line = (
        f"{' '.join(compositor)} ! video/x-raw,format=I420,width={WIDTH},height={HEIGHT},"
        f"framerate={clips.FPS}/1,colorimetry=bt601 ! {encoder} "
        f"! video/x-h264,profile=constrained-baseline,stream-format=byte-stream "
        f"! filesink location={out} {' '.join(rooms)}"
    )
    return ["gst-launch-1.0", "-q", *line.split()]


PROGRAMS: dict[str, Command] = {
    "ours": ours,
    "ffmpeg, area": ffmpeg("area"),
    "ffmpeg, bilinear": ffmpeg("bilinear"),
    "ffmpeg, bicubic": ffmpeg("bicubic"),
    "GStreamer": gstreamer,
}
SHORT_PROGRAMS = ("ours", "ffmpeg, area", "ffmpeg, bilinear", "GStreamer")


def need_programs() -> None:
    """Raises: VoidRunError, with what is to be installed."""
    for program in ("ffmpeg", "gst-launch-1.0", "taskset"):
        if shutil.which(program) is None:
            raise VoidRunError(f"{program} is not installed: {INSTALL}")
    for element in ("compositor", "matroskademux", "h264parse", "avdec_h264", "x264enc"):
        if subprocess.run(["gst-inspect-1.0", element], capture_output=True).returncode:
            raise VoidRunError(f"GStreamer has no {element}: {INSTALL}")
