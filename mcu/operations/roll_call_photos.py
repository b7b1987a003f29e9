"""How rooms looked when they were marked, for the printed report: small, and bounded together.

A room's picture is kept as it was sent, up to a megabyte; a province on paper takes some hundred
of them. So each is made as small as it is printed, and all of one report weigh no more than
``MAX_BYTES``: of several roll calls the latest come first.
"""

import io
from collections.abc import Mapping
from typing import Final

from PIL import Image

from mcu.conference.codec import Json
from mcu.operations.report import Report
from mcu.operations.report_pages import photo_name
from mcu.store.store import Store

SIZE_PX: Final = (192, 108)
"""At most so large; 24 mm wide that is 200 dots an inch."""
QUALITY: Final = 70
MAX_BYTES: Final = 4 << 20


async def read_photos(store: Store, report: Report, most: int = MAX_BYTES) -> Mapping[str, bytes]:
    """The pictures of the rows of a report's roll calls as small JPEGs, by name.

    Those that cannot be read, and those beyond ``most`` bytes, are left out.

    Raises:
        StoreUnavailable.
    """
    found: dict[str, bytes] = {}
    for number, entry in _pictured(report):
        jpeg = await store.roll_call_pictures.get(report.conference, number, entry)
        small = None if jpeg is None else thumbnail(jpeg)
        if small is None:
            continue
        most -= len(small)
        if most < 0:
            break
        found[photo_name(number, entry)] = small
    return found


def thumbnail(jpeg: bytes) -> bytes | None:
    """A picture within ``SIZE_PX``, its shape kept; None: it cannot be read."""
    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            picture.thumbnail(SIZE_PX)
            picture.convert("RGB").save(made, "JPEG", quality=QUALITY)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return made.getvalue()


def _pictured(report: Report) -> list[tuple[int, int]]:
    """Number and entry of each row that has a picture, the latest roll call first."""
    rows: list[tuple[int, Json]] = [
        (call["number"], row) for call in reversed(report.roll_calls) for row in call["rows"]
    ]
    return [(number, row["entry"]) for number, row in rows if row["picture"] is not None]
