from io import BytesIO

import pytest
from PIL import Image

from mcu.engine.picture import jpeg
from tests.mixer.video.pictures import RED, frame


def test_a_jpeg_shows_the_picture() -> None:
    image = Image.open(BytesIO(jpeg(frame(640, 360, RED))))
    assert (image.format, image.size) == ("JPEG", (640, 360))
    red, green, blue = image.getpixel((320, 180))  # type: ignore[misc]
    assert red == pytest.approx(240, abs=20)
    assert max(green, blue) < 40
