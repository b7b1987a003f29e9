import numpy as np
import pytest
from PIL import Image

from mixer.video.canvas import Bitmap, Canvas, frame_planes
from mixer.video.colour import Colour
from mixer.video.layout import Rect
from tests.mixer.video.pictures import BLUE, RED, colour_at, frame, near


def test_its_frame_is_the_same_memory() -> None:
    canvas = Canvas(64, 36)
    shown = canvas.frame()
    canvas.blit(frame_planes(frame(32, 18, RED)), 16, 8)
    assert near(colour_at(frame_planes(shown), 30, 16), RED, 0)
    assert canvas.frame() is not shown


def test_a_clip_bounds_every_stroke() -> None:
    canvas = Canvas(64, 36)
    canvas.clip(Rect(0, 0, 32, 36))
    canvas.fill(canvas.rect, Colour((255, 255, 255)))
    canvas.blit(frame_planes(frame(64, 36, BLUE)), 0, 0)
    canvas.blend(Bitmap(Image.new("RGBA", (64, 36), (255, 255, 255, 255))), 0, 0)
    canvas.frame_edge(canvas.rect, Colour((255, 255, 255)), 4)
    canvas.clip(None)
    assert int(canvas.planes.y[:, 32:].max()) == 16
    assert int(canvas.planes.y[:, :32].min()) > 16


def test_blending_follows_alpha() -> None:
    canvas = Canvas(64, 36)
    for alpha, expected in ((0, 16), (255, 235), (128, 126)):
        canvas.fill(canvas.rect, Colour((0, 0, 0)))
        canvas.blend(Bitmap(Image.new("RGBA", (32, 18), (255, 255, 255, alpha))), 2, 2)
        assert int(canvas.planes.y[10, 10]) == pytest.approx(expected, abs=2)
        assert int(canvas.planes.y[30, 60]) == 16


def test_what_lies_outside_is_cut_off() -> None:
    canvas = Canvas(64, 36)
    canvas.blit(frame_planes(frame(64, 36, RED)), 48, 28)
    canvas.blend(Bitmap(Image.new("RGBA", (64, 36), (9, 9, 9, 200))), 40, 20)
    assert near(colour_at(canvas.planes, 10, 10), (16, 128, 128), 0)


@pytest.mark.parametrize("size", [(15, 20), (63, 36), (64, 38), (64, 10)])
def test_sizes_that_cannot_be_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Canvas(*size)


def test_a_frame_with_padding_is_read_right() -> None:
    odd = frame(66, 38, RED)  # libav pads lines to a multiple of its alignment
    planes = frame_planes(odd)
    assert planes.y.shape == (38, 66)
    assert np.all(planes.y == RED[0])
