"""How a coded view looks beside the composition nobody can make better."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench import clips
from bench.composition_programs import HEIGHT, WIDTH, places
from bench.figures import VoidRunError
from bench.picture_quality import Luma, psnr, ssim, vmaf

CLIPS = 16
"""Room ``n`` shows clip ``n % CLIPS``."""
SAMPLED_EVERY = 10

Picture = NDArray[np.uint8]
"""yuv420p, shape (height * 3 / 2, width)."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one coded view.

    Args:
        kbps: rate. ssim, psnr_db: of luma, mean over rooms and sampled pictures.
        vmaf: of all pictures, None where unknown. pictures: in the whole file.
    """

    kbps: float
    ssim: float
    psnr_db: float
    vmaf: float | None
    pictures: int


class Ideal:
    """The composition nobody can make better: uncoded pictures, scaled with care."""

    def __init__(self, layout: str) -> None:
        self.rects = places(layout)

    def picture(self, number: int) -> Luma:
        """yuv420p of the picture with this number; black between them."""
        whole = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        whole[:HEIGHT] = 16
        chroma = whole[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
        for at, rect in enumerate(self.rects):
            luma, *colours = _scaled(at % CLIPS, number, rect.width, rect.height)
            whole[rect.y : rect.bottom, rect.x : rect.right] = luma
            for plane, colour in zip(chroma, colours, strict=True):
                plane[rect.y // 2 : rect.bottom // 2, rect.x // 2 : rect.right // 2] = colour
        return whole

    def likeness(self, number: int, decoded: Luma) -> tuple[float, float]:
        """SSIM and PSNR, means over the rooms."""
        ideal = self.picture(number)
        pairs = [
            (ideal[r.y : r.bottom, r.x : r.right], decoded[r.y : r.bottom, r.x : r.right])
            for r in self.rects
        ]
        return (
            float(np.mean([ssim(*pair) for pair in pairs])),
            float(np.mean([psnr(*pair) for pair in pairs])),
        )

    def masked(self, decoded: Luma) -> Luma:
        """A picture with black between its rooms."""
        whole = np.full_like(decoded, 128)
        whole[:HEIGHT] = 16
        to = whole[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
        of = decoded[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
        for r in self.rects:
            whole[r.y : r.bottom, r.x : r.right] = decoded[r.y : r.bottom, r.x : r.right]
            place = np.s_[:, r.y // 2 : r.bottom // 2, r.x // 2 : r.right // 2]
            to[place] = of[place]
        return whole


@lru_cache(maxsize=2048)
def _scaled(clip: int, number: int, width: int, height: int) -> tuple[Luma, Luma, Luma]:
    filmed = clips.filmed(clip, number)
    chroma = filmed[clips.HEIGHT :].reshape(2, clips.HEIGHT // 2, clips.WIDTH // 2)
    return (
        _lanczos(filmed[: clips.HEIGHT], width, height),
        _lanczos(chroma[0], width // 2, height // 2),
        _lanczos(chroma[1], width // 2, height // 2),
    )


def _lanczos(plane: Luma, width: int, height: int) -> Luma:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))


def decoded_pictures(path: Path) -> Iterator[tuple[Luma, int]]:
    """Pictures of a coded view and the bytes each came in."""
    with av.open(str(path), format="h264") as file:
        sizes = []
        for packet in file.demux(video=0):
            if packet.size:
                sizes.append(packet.size)
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                yield frame.to_ndarray(format="yuv420p").astype(np.uint8, copy=False), sizes.pop(0)


def looked_at(path: Path, ideal: Ideal, first: int, with_vmaf: bool) -> Quality:
    """Rate and likeness of a coded view from its picture ``first`` on.

    A program may begin with a picture of its own (ours shows cards until rooms have sent): which
    filmed picture stands in the first compared one is found by likeness.

    Raises:
        VoidRunError: it has too few pictures.
    """
    pictures, sizes = [], []
    for picture, size in decoded_pictures(path):
        pictures.append(picture)
        sizes.append(size)
    if len(pictures) < first + SAMPLED_EVERY:
        raise VoidRunError(f"{path.name} holds {len(pictures)} pictures only")
    shift = max((-1, 0, 1), key=lambda one: ideal.likeness(first + one, pictures[first])[1])
    compared = range(first, len(pictures) - 1)
    likenesses = [ideal.likeness(at + shift, pictures[at]) for at in compared[::SAMPLED_EVERY]]
    score = None
    if with_vmaf:
        score = vmaf(
            (ideal.picture(at + shift) for at in compared),
            (ideal.masked(pictures[at]) for at in compared),
            WIDTH,
            HEIGHT,
        )
    return Quality(
        kbps=float(np.mean(sizes[first:])) * 8 * clips.FPS / 1000,
        ssim=float(np.mean([one for one, _ in likenesses])),
        psnr_db=float(np.mean([one for _, one in likenesses])),
        vmaf=score,
        pictures=len(pictures),
    )
