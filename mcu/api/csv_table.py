"""Lists as CSV, for spreadsheets: asked for by ``Accept: text/csv`` or an address in ``.csv``."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from aiohttp import hdrs, web

from mcu.api.call import Call
from mcu.api.schemas.base import utc_text
from mcu.store.records import Page

CSV_TYPE: Final = "text/csv"
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it the common spreadsheets read Vietnamese as another character set."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula when a text begins with it."""
MAX_ROWS: Final = 20_000
"""Of one table; more than a country has units."""

Item = TypeVar("Item")


def wants_csv(call: Call) -> bool:
    """Whether the list is asked for as CSV; who takes both gets JSON."""
    if call.request.path.endswith(".csv"):
        return True
    accepted = call.request.headers.get(hdrs.ACCEPT, "*/*").lower()
    return CSV_TYPE in accepted and "json" not in accepted and "*/*" not in accepted


def csv_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> web.Response:
    """A table as a file of this name (RFC 4180, UTF-8).

    Texts that a spreadsheet would run as a formula stand behind an apostrophe; None is empty;
    times are written as in JSON.
    """
    text = io.StringIO()
    text.write(BYTE_ORDER_MARK)
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return web.Response(
        body=text.getvalue().encode(),
        headers={
            hdrs.CONTENT_TYPE: f"{CSV_TYPE}; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.csv"',
            hdrs.VARY: hdrs.ACCEPT,
        },
    )


async def every(read: Callable[[str | None], Awaitable[Page[Item]]]) -> list[Item]:
    """All items of a list that is read in pages, as a table holds them; ``MAX_ROWS`` at most.

    Args:
        read: gives the page after a cursor.
    """
    found: list[Item] = []
    cursor: str | None = None
    while True:
        page = await read(cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None or len(found) >= MAX_ROWS:
            return found[:MAX_ROWS]


async def long_csv(
    name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> web.Response:
    """``csv_response`` for a list that may be long: written beside the loop.

    Args:
        rows: taken one by one in another thread, so they must not change meanwhile.
    """
    return await asyncio.to_thread(csv_response, name, header, rows)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and _is_guarded(text) else text


def plain(cell: str) -> str:
    """A cell as it was before ``csv_response`` kept a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and _is_guarded(cell) else cell


def _is_guarded(text: str) -> bool:
    """Whether it stands behind an apostrophe; one that has some already too, so none is lost."""
    return text.lstrip("'").startswith(_FORMULA)
