"""Times as the store keeps them: RFC 3339 text in UTC, always with microseconds."""

from datetime import UTC, datetime


def to_text(time: datetime) -> str:
    """Write a timezone-aware time; the texts sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Read what ``to_text`` wrote."""
    return datetime.fromisoformat(text)


def to_text_or_none(time: datetime | None) -> str | None:
    """``to_text`` for columns that may be NULL."""
    return None if time is None else to_text(time)


def from_text_or_none(text: str | None) -> datetime | None:
    """``from_text`` for columns that may be NULL."""
    return None if text is None else from_text(text)
