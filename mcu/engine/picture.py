"""Pictures as JPEG, for REST."""

from io import BytesIO

import av
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from PIL import Image

from mixer.video.scale import target_size

QUALITY = 80
THUMBNAIL_SIZE = (192, 108)
THUMBNAIL_QUALITY = 70


def jpeg(frame: av.VideoFrame) -> bytes:
    """A JPEG file of one picture. Cost: some 10 ms at 720p; call it off the loop."""
    out = BytesIO()
    Image.fromarray(frame.to_ndarray(format="rgb24")).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def thumbnail(frame: av.VideoFrame) -> bytes:
    """A JPEG file of one picture, brought into ``THUMBNAIL_SIZE`` with the shape it has.

    Cost: some 0.2 ms, whatever the size of the picture; call it off the loop.
    """
    width, height = target_size(frame.width, frame.height, *THUMBNAIL_SIZE, "letterbox")
    full = frame.format.name.startswith("yuvj") or frame.color_range == int(ColorRange.JPEG)
    small = VideoReformatter().reformat(
        frame,
        width,
        height,
        "rgb24",
        interpolation=Interpolation.AREA,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        threads=1,
    )
    out = BytesIO()
    Image.fromarray(small.to_ndarray()).save(out, "JPEG", quality=THUMBNAIL_QUALITY)
    return out.getvalue()
