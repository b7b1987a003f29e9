"""Films of one colour: cameras of peers that read them from a file."""

from fractions import Fraction
from pathlib import Path

import av

from tests.mixer.video.pictures import Yuv, frame

SIZE = (320, 180)
FPS = 15
SECONDS = 60


def write_film(path: Path, colour: Yuv, seconds: int = SECONDS) -> Path:
    """H.264 in MP4, longer than a test takes; some kilobytes, as nothing in it moves."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(FPS)}
        picture = frame(*SIZE, colour)
        for number in range(seconds * FPS):
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
