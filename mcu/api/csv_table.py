"""Lists as CSV, for spreadsheets: asked for by ``Accept: text/csv`` or an address in ``.csv``."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from aiohttp import hdrs, web

from mcu.api.call import Call

CSV_TYPE: Final = "text/csv"
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it the common spreadsheets read Vietnamese as another character set."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula when a text begins with it."""


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

    Texts that a spreadsheet would run as a formula stand behind an apostrophe; None is empty.
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


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
