"""Draws a view: keeps a canvas equal to a scene by painting only what differs.

Every part of the picture that changed is painted anew from back to front through a clip
rectangle: background, the tiles it touches, then message and clock. So a clock costs its own
small rectangle once a second, and a tile whose picture did not change costs nothing. A room's
name gives way to what is laid over the picture: it stands above that, in its tile.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from mixer.video import colour as colours
from mixer.video import tile as tiles
from mixer.video.canvas import Bitmap, Canvas
from mixer.video.caption import Caption, drawn, places
from mixer.video.layout import LAYOUTS, Rect
from mixer.video.tile import EMPTY_TILE, Tile
from mixer.video.words import VIETNAMESE, Words

BUFFERS = 2
"""Canvases of a composer: one is read by encoders while the other one is painted."""

CACHE_BYTES = 32 * 1024 * 1024
"""Drawn labels and cards kept per view; two screens of cards at 1080p."""

CLOCK_CACHE_BYTES = 256 * 1024
"""A reading is never seen again: only what both canvases show now is kept."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is to be seen.

    Args:
        layout: a name of ``LAYOUTS``. tiles: one per slot; missing ones are empty, surplus ones
            are not shown.
        message: text of the band, or None. clock: the reading, or None.
        captions: further texts, each at its place.
    """

    layout: str
    tiles: tuple[Tile, ...]
    message: str | None = None
    clock: str | None = None
    captions: tuple[Caption, ...] = ()


class Composer:
    """Two canvases of one view, and what is painted on each. Used by one thread at a time.

    Args:
        width: even. height: a multiple of 4. words: language of the tiles.
    """

    def __init__(self, width: int, height: int, words: Words = VIETNAMESE) -> None:
        self.canvases = tuple(Canvas(width, height) for _ in range(BUFFERS))
        self._painted: list[Scene | None] = [None] * BUFFERS
        self._words = words
        self._bitmaps = _BitmapCache(CACHE_BYTES)
        self._clocks = _BitmapCache(CLOCK_CACHE_BYTES)
        self._rects: dict[str, tuple[Rect, ...]] = {}

    def rects(self, layout: str) -> tuple[Rect, ...]:
        """The slots of a layout on this picture.

        Raises:
            KeyError: no such layout.
        """
        rects = self._rects.get(layout)
        if rects is None:
            whole = self.canvases[0].rect
            rects = self._rects[layout] = LAYOUTS[layout].pixels(whole.width, whole.height)
        return rects

    def compose(self, scene: Scene, buffer: int) -> int:
        """Bring one canvas up to the scene; the caller sees to it that nobody reads it.

        Returns: how many parts were painted; 0 when the canvas showed the scene already.
        Cost: a copy per changed tile, and what its label takes.
        Raises:
            KeyError: the scene's layout is unknown.
        """
        canvas = self.canvases[buffer]
        painted = self._painted[buffer]
        if painted is scene:
            return 0
        # Should painting fail half-way, the canvas shows neither scene: paint all next time.
        self._painted[buffer] = None
        parts = self._paint_changes(canvas, painted, scene)
        self._painted[buffer] = scene
        return parts

    def _paint_changes(self, canvas: Canvas, painted: Scene | None, scene: Scene) -> int:
        rects = self.rects(scene.layout)
        shown = _padded(scene.tiles, len(rects))
        if painted is None or painted.layout != scene.layout:
            self._paint(canvas, canvas.rect, scene, range(len(rects)), self._overlays(scene))
            return len(rects)
        was, is_ = self._overlays(painted), self._overlays(scene)
        parts = 0
        before = _padded(painted.tiles, len(rects))
        for number, rect in enumerate(rects):
            if shown[number] is not before[number] and shown[number] != before[number]:
                self._paint(canvas, rect, scene, (number,), is_)
                parts += 1
        for number in self._moved_names(rects, shown, was, is_):
            self._paint(canvas, rects[number], scene, (number,), is_)
            parts += 1
        for rect in {rect for rect, _ in set(was) ^ set(is_)}:
            below = [n for n, one in enumerate(rects) if one.intersection(rect)]
            self._paint(canvas, rect, scene, below, is_)
            parts += 1
        return parts

    def _moved_names(
        self, rects: Sequence[Rect], shown: Sequence[Tile], was: "_Placed", is_: "_Placed"
    ) -> list[int]:
        """Slots whose name stands elsewhere now, since what lies over it has come or gone."""
        before, after = ([rect for rect, _ in placed] for placed in (was, is_))
        if before == after:
            return []
        return [
            number
            for number, (rect, tile) in enumerate(zip(rects, shown, strict=False))
            if self._name(rect, tile, before) != self._name(rect, tile, after)
        ]

    def _paint(
        self,
        canvas: Canvas,
        part: Rect,
        scene: Scene,
        touched: Sequence[int],
        overlays: "_Placed",
    ) -> None:
        rects = self.rects(scene.layout)
        over = [rect for rect, _ in overlays]
        canvas.clip(part)
        if len(touched) != 1 or not rects[touched[0]].contains(part):
            canvas.fill(part, colours.BACKGROUND)
        for number in touched:
            shown = scene.tiles[number] if number < len(scene.tiles) else EMPTY_TILE
            self._paint_tile(canvas, rects[number], shown, over)
        for rect, bitmap in overlays:
            if rect.intersection(part):
                canvas.blend(bitmap, rect.x, rect.y)
        canvas.clip(None)

    def _paint_tile(self, canvas: Canvas, rect: Rect, tile: Tile, over: Sequence[Rect]) -> None:
        if tile.state == "empty":
            canvas.fill(rect, colours.SLOT)
            return
        size_px = tiles.text_size_px(rect.height, canvas.rect.height)
        if tile.state == "live" and tile.picture is not None:
            planes = tile.picture.planes
            x = rect.x + (rect.width - planes.width) // 4 * 2
            y = rect.y + (rect.height - planes.height) // 4 * 2
            if planes.width < rect.width or planes.height < rect.height:
                canvas.fill(rect, colours.BAR)
            canvas.blit(planes, x, y)
        else:
            shown = self._bitmaps.get(
                ("card", tile.state, tile.name, rect.width, rect.height),
                lambda: tiles.card(
                    tile.state, tile.name, rect.width, rect.height, size_px, self._words
                ),
            )
            if shown is not None:
                canvas.blend(shown, rect.x, rect.y)
        name = self._name(rect, tile, over)
        if name is not None:
            place, sign = name
            canvas.blend(sign, place.x, place.y)
        if tile.speaking:
            edge = 2 * max(1, round(canvas.rect.height / 360))
            canvas.frame_edge(rect, colours.SPEAKING, edge)

    def _name(self, rect: Rect, tile: Tile, over: Sequence[Rect]) -> tuple[Rect, Bitmap] | None:
        """A tile's name with its place: at the bottom, or above what is laid ``over`` that."""
        if tile.state == "empty":
            return None
        size_px = tiles.text_size_px(rect.height, self.canvases[0].rect.height)
        margin = max(4, rect.height // 60 * 2)
        room = rect.width - 2 * margin
        sign = self._bitmaps.get(
            ("label", tile.name, tile.muted, size_px, room),
            lambda: tiles.label(tile.name, tile.muted, size_px, room),
        )
        if sign is None:
            return None
        lowest = Rect(rect.x + margin, rect.bottom - margin - sign.height, sign.width, sign.height)
        return clear_of(over, lowest, rect.y, margin), sign

    def _overlays(self, scene: Scene) -> "_Placed":
        """Message, clock and captions, with their places."""
        whole = self.canvases[0].rect
        placed = []
        above, below = 0, 0
        if scene.message:
            text = scene.message
            band = self._bitmaps.get(
                ("message", text),
                lambda: tiles.message(text, whole.width, round(whole.height / 24)),
            )
            if band is not None:
                top = whole.height - band.height
                placed.append((Rect(0, top, band.width, band.height), band))
                below = band.height
        if scene.clock:
            reading = scene.clock
            strip = self._clocks.get(
                ("clock", reading), lambda: tiles.clock(reading, round(whole.height / 32))
            )
            if strip is not None:
                edge = whole.height // 90 * 2
                x = whole.width - edge - strip.width
                placed.append((Rect(x, edge, strip.width, strip.height), strip))
                above = edge + strip.height
        if scene.captions:
            placed += self._captions(scene.captions, whole, above, below)
        return placed

    def _captions(
        self, captions: tuple[Caption, ...], whole: Rect, above: int, below: int
    ) -> list[tuple[Rect, Bitmap]]:
        """Captions with their places, clear of the clock and of the message's band."""
        size_px = round(whole.height / 26)
        bitmaps = []
        for caption in captions:
            kept = self._bitmaps if caption.counts is None else self._clocks
            bitmap = kept.get(
                ("caption", caption),
                lambda caption=caption: drawn(caption, size_px, whole.width // 2),  # type: ignore[misc]
            )
            if bitmap is not None:
                bitmaps.append((caption.position, bitmap))
        sizes = [(position, one.width, one.height) for position, one in bitmaps]
        rects = places(sizes, whole.width, whole.height, above=above, below=below)
        return [(rect, bitmap) for rect, (_, bitmap) in zip(rects, bitmaps, strict=True)]


def clear_of(over: Sequence[Rect], lowest: Rect, top: int, gap: int) -> Rect:
    """Where a name stands so that nothing lies over it: as low as it may.

    Args:
        over: what is laid over the picture. lowest: where it stands without that, even numbers.
        top: it stands no higher; where that is not enough it stays at the lowest.
        gap: pixels kept below it.
    """
    place = lowest
    while hit := next((one for one in over if one.intersection(place)), None):
        y = (hit.y - gap - place.height) // 2 * 2
        if y < top:
            return lowest
        place = Rect(place.x, y, place.width, place.height)
    return place


_Placed = list[tuple[Rect, Bitmap]]


class _BitmapCache:
    """Least recently used first out, by bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Bitmap | None] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Bitmap | None]) -> Bitmap | None:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        bitmap = self._kept[key] = make()
        self._bytes += _cost(bitmap)
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self._bytes -= _cost(self._kept.popitem(last=False)[1])
        return bitmap


def _cost(bitmap: Bitmap | None) -> int:
    return 1024 if bitmap is None else bitmap.cost_bytes


def _padded(shown: tuple[Tile, ...], slots: int) -> tuple[Tile, ...]:
    return shown if len(shown) >= slots else shown + (EMPTY_TILE,) * (slots - len(shown))
