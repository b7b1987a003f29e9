"""What is given up when the machine is full, in order; sound never is.

Each step is given up on top of those before it and given back in reverse order.
"""

from dataclasses import dataclass
from typing import Final, Literal

Given = Literal["view-rate", "small-renditions", "small-slots"]
"""What is given up, as metrics, REST and the console name it."""


@dataclass(frozen=True, slots=True)
class Shed:
    """What a conference's video does without.

    Args:
        view_rate: part of the views' frame rate that is composed and encoded; rooms are asked to
            send no more pictures than that.
        max_renditions: of one view in one codec, where fewer than usual: the best one and the
            lowest, which all weaker lines then share. None: as many as usual.
        stills: small slots of rooms that do not speak show a new picture every few seconds; of
            what those rooms send only key frames are decoded.
    """

    view_rate: float = 1.0
    max_renditions: int | None = None
    stills: bool = False

    @property
    def without_thumbnails(self) -> bool:
        """Whether of hidden rooms on the wall key frames alone are taken, now and then.

        All their thumbnails together cost less than a view at full rate to many rooms, so they
        are left when encoders for weak lines are, not before.
        """
        return self.max_renditions is not None or self.stills

    @property
    def given(self) -> tuple[Given, ...]:
        """What is given up, the first first."""
        found: list[Given] = []
        if self.view_rate < 1.0:
            found.append("view-rate")
        if self.max_renditions is not None:
            found.append("small-renditions")
        if self.stills:
            found.append("small-slots")
        return tuple(found)


NOTHING: Final = Shed()

STEPS: Final = (
    NOTHING,
    Shed(0.6),
    Shed(0.4),
    Shed(0.4, 2),
    Shed(0.4, 2, stills=True),
)
"""25 pictures a second, then 15, then 10, which still shows who speaks; encoders for weak lines;
decoders of small slots. The packets of a view cost most with many rooms, so its rate goes first."""


class RateGate:
    """Lets a part of the ticks of a clock through, evenly."""

    __slots__ = ("_credit",)

    def __init__(self) -> None:
        self._credit = 0.0

    def passes(self, rate: float) -> bool:
        """Whether this tick is one of the ``rate`` (0 to 1) of all that pass."""
        self._credit += rate
        if self._credit < 1.0 - 1e-9:
            return False
        self._credit = max(0.0, self._credit - 1.0) if rate < 1.0 else 0.0
        return True
