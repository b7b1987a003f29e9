"""Texts that are pinned to the picture."""

from pydantic import Field

from mcu.api.schemas.base import Input, Text
from mcu.api.schemas.conference import OverlayKind, OverlayPosition, ViewName


class NewOverlay(Input):
    """A text, or the name of who has the floor with the time that is left."""

    kind: OverlayKind = "text"
    text: Text | None = Field(default=None, max_length=200, description="of kind `text` alone")
    position: OverlayPosition = "top"
    view: ViewName | None = Field(default=None, description="null: on every view")
    duration_s: float | None = Field(
        default=None, gt=0, le=86_400, description="null: until it is removed"
    )
