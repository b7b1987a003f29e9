"""Our side of ``bench.composition``: the daemon's video process, from clips to a coded view.

    python -m bench.composition_ours --layout 4x4 --out view.h264 UNITS...

Coded pictures come cut apart (``clips.write_units``), as the daemon gets them from packets: what
demuxing a file takes is no part of it.

What runs is ``VideoWorker`` as ``mcu.video_worker`` runs it, messages in and packets out, with one
thread that does all the work and a clock that goes on as soon as a picture is done.
"""

import argparse
import gc
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import clips
from mcu.engine.plan import MediaPlan, ParticipantPlan, ParticipantSlot, ViewPlan
from mcu.engine.pool import InlinePool
from mcu.engine.video_process import messages
from mcu.engine.video_process.messages import FromVideo, LegFormat
from mcu.engine.video_process.worker import VideoWorker
from mcu.legs.leg import StreamCodec
from mcu.media import h264
from mcu.media.frames import EncodedFrame

CONFERENCE = "bench"
CODEC = StreamCodec("h264", 90_000)
WALL = datetime(2026, 1, 1, tzinfo=UTC)


def opening(names: Sequence[str], layout: str, bitrate_bps: int) -> list[messages.ToVideo]:
    """What the daemon says when rooms without labels stand in a view that one leg receives."""
    slots = tuple(ParticipantSlot(name) for name in names)
    people = {name: ParticipantPlan(name, "", "connected") for name in names}
    view = ViewPlan("main", layout, slots, show_clock=False)
    said: list[messages.ToVideo] = [
        messages.OpenConference(CONFERENCE, 1280, 720, bitrate_bps),
        messages.ApplyPlan(CONFERENCE, MediaPlan(people, {"main": view}), 0.0),
    ]
    for name in names:
        leg = LegFormat(name, {"video": CODEC}, {})
        said.append(messages.AddSource(CONFERENCE, name, "video", leg))
    viewer = LegFormat("viewer", {}, {"video": CODEC})
    said.append(messages.AddViewer(CONFERENCE, viewer, "main", 0.0))
    return said


def compose(files: Sequence[Path], layout: str, out: Path, bitrate_bps: int) -> int:
    """Show the files as rooms until the shortest ends; gives the number of pictures made.

    The first picture is made before any room has sent: it shows cards.
    """
    made = 0
    with out.open("wb") as written:

        def send(message: FromVideo) -> None:
            nonlocal made
            if isinstance(message, messages.Packets):
                made += 1
                written.write(h264.assemble(message.payloads)[0])

        worker = VideoWorker(send, InlinePool(), clips.FPS, 0.0, lambda: WALL)
        names = [f"room {number}" for number in range(len(files))]
        for message in opening(names, layout, bitrate_bps):
            worker.handle(message)
        worker.handle_timer(0.0)
        gc.collect()
        gc.freeze()  # as the video process does when it is configured
        for number, coded in enumerate(zip(*map(clips.units, files), strict=False), 1):
            now = worker.clock.next_timer
            for name, unit in zip(names, coded, strict=True):
                frame = EncodedFrame(unit, number * 3600, number == 1, True)
                worker.handle(messages.Frame(CONFERENCE, name, "video", frame, now))
            worker.handle_timer(now)
        worker.close()
    return made


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--layout", default="4x4")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bitrate", type=int, default=1_500_000)
    options = parser.parse_args()
    print(compose(options.files, options.layout, options.out, options.bitrate))


if __name__ == "__main__":
    main()
