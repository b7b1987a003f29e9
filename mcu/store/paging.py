"""Cursors of lists: the last key of the page before, opaque to the caller."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from mcu.sentences import sentence
from mcu.store.errors import InvalidRecord
from mcu.store.records import Page

Item = TypeVar("Item")

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
FIRST = ""
"""Sorts before every id."""


def read_limit(limit: int) -> int:
    """Check a page size.

    Raises:
        InvalidRecord: outside 1 to ``MAX_LIMIT``.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRecord(sentence("page.size", most=MAX_LIMIT), "limit")
    return limit


def read_cursor(cursor: str | None) -> str:
    """Give back the key a cursor stands for; ``FIRST`` for none.

    Raises:
        InvalidRecord: no cursor of ours.
    """
    if cursor is None:
        return FIRST
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRecord(sentence("page.cursor"), "cursor") from error


def read_number_cursor(cursor: str | None) -> int | None:
    """Give back the number a cursor stands for.

    Raises:
        InvalidRecord: no cursor of ours.
    """
    if cursor is None:
        return None
    key = read_cursor(cursor)
    if not (key.isascii() and key.isdigit() and len(key) <= 18):
        raise InvalidRecord(sentence("page.cursor"), "cursor")
    return int(key)


def page(found: Sequence[Item], limit: int, key: Callable[[Item], str]) -> Page[Item]:
    """Make a page out of up to ``limit + 1`` items; the one too many shows that more follow."""
    items = tuple(found[:limit])
    if len(found) <= limit:
        return Page(items)
    return Page(items, base64.urlsafe_b64encode(key(items[-1]).encode()).decode())
