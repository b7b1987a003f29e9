"""Thumbnails for the pages' tests: a picture of each room's own colour, in one stream."""

import asyncio
import base64
import colorsys
import io
import json
import zlib
from contextlib import suppress
from typing import Any

from aiohttp import web
from PIL import Image, ImageDraw

SIZE = (192, 108)
GONE_S = 0.1


def colour_of(id_: str) -> tuple[int, int, int]:
    """Of a room's picture."""
    hue = (zlib.crc32(id_.encode()) % 360) / 360.0
    red, green, blue = colorsys.hls_to_rgb(hue, 0.35, 0.45)
    return round(red * 255), round(green * 255), round(blue * 255)


def picture_of(id_: str) -> str:
    """A room with somebody in it, as base64 of a JPEG."""
    picture = Image.new("RGB", SIZE, colour_of(id_))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((78, 26, 114, 62), fill=(224, 190, 165))
    draw.rectangle((62, 66, 130, 108), fill=(40, 48, 66))
    data = io.BytesIO()
    picture.save(data, "JPEG")
    return base64.b64encode(data.getvalue()).decode()


class StubWall:
    """Serves ``wall/pictures``.

    Attributes:
        asked: of each stream that was opened, whose pictures; None: all. open: streams now.
        stale: rooms that are said to send nothing new.
    """

    def __init__(self, people: dict[str, dict[str, Any]]) -> None:
        self.asked: list[set[str] | None] = []
        self.open = 0
        self.stale: set[str] = set()
        self._people = people
        self._chosen: dict[asyncio.Queue[bytes | None], set[str] | None] = {}
        self._streams: set[asyncio.Queue[bytes | None]] = set()

    def mark_stale(self, *ids: str) -> None:
        """Say that these rooms, and no others, send nothing new."""
        self.stale = set(ids)
        for stream in self._streams:
            stream.put_nowait(self._said(self._chosen[stream]))

    def stop(self) -> None:
        """End all streams."""
        for stream in self._streams:
            stream.put_nowait(None)

    async def pictures(self, request: web.Request) -> web.StreamResponse:
        """One operator's stream: every picture once, then what changes."""
        query = request.query.get("participants")
        chosen = None if query is None else set(query.split(","))
        self.asked.append(chosen)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        stream: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._streams.add(stream)
        self._chosen[stream] = chosen
        self.open += 1
        for id_, person in self._people.items():
            if person["state"] == "connected" and (chosen is None or id_ in chosen):
                document = {"participant": id_, "digest": id_, "jpeg": picture_of(id_)}
                stream.put_nowait(f"event: picture\ndata: {json.dumps(document)}\n\n".encode())
        stream.put_nowait(self._said(chosen))
        try:
            with suppress(ConnectionError):
                while request.transport is not None:
                    try:
                        text = await asyncio.wait_for(stream.get(), GONE_S)
                    except TimeoutError:
                        continue  # whether the page has gone is looked at again
                    if text is None:
                        break
                    await response.write(text)
        finally:
            self.open -= 1
            self._streams.discard(stream)
            del self._chosen[stream]
        return response

    def _said(self, chosen: set[str] | None) -> bytes:
        told = self.stale if chosen is None else self.stale & chosen
        data = json.dumps({"participants": sorted(told)})
        return f"event: stale\ndata: {data}\n\n".encode()
