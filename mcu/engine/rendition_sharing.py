"""Which legs share an encoder when a view has as many renditions as it may."""

from collections.abc import Collection

from mcu.media.rendition import RenditionKey

MAX_RENDITIONS = 4
"""Of one view in one codec: whoever would need a further one shares the next lower."""


def share(wanted: RenditionKey, others: Collection[RenditionKey], most: int) -> RenditionKey:
    """The rendition a leg gets.

    Args:
        wanted: the best one its line and codec take.
        others: what other legs have of the same view and codec.
        most: renditions that may be; of more, the best and the lowest are kept.
    Returns: ``wanted``; the next lower one of those kept where it would be one too many; and
        ``wanted`` again where there is none lower, as something is better than nothing.
    """
    kept = sorted(others, key=lambda one: -one.bitrate_bps)
    if len(kept) > most:
        kept = [*kept[: most - 1], kept[-1]]
    if wanted in kept or len(kept) < most:
        return wanted
    lower = (one for one in kept if one.bitrate_bps < wanted.bitrate_bps)
    return next(lower, wanted)
