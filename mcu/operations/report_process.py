"""The process that makes reports: reads the store by itself, prints, and ends.

A province's report reads some thousand events and takes a second of a core. In a process of its
own, behind everything else, it costs the meetings that run meanwhile nothing.

A request comes as JSON on the standard input, the answer goes as bytes to the standard output;
the exit code is 0, or 1 with one line on the standard error.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo

import typst

from mcu.conference.codec import Json, UnreadableRecord
from mcu.conference.for_checks import is_for_check
from mcu.conference.history import read_conference
from mcu.operations.bridge_month import bridge_month, month_of
from mcu.operations.month_pages import month_pages
from mcu.operations.printable import printable
from mcu.operations.report import Report
from mcu.operations.report_pages import report_pages
from mcu.operations.report_request import Request
from mcu.operations.report_source import read_incidents_of, read_report
from mcu.operations.report_tables import report_document, report_table
from mcu.operations.roll_call_photos import read_photos
from mcu.precedence import REPORTS_BEHIND
from mcu.store.errors import DamagedRecord, StoreUnavailable, UnknownRecord
from mcu.store.store import Store

PDF_STANDARD: Literal["a-2b"] = "a-2b"
Template = Literal["report", "month"]
"""A file of this package, which ``paper.typ`` stands before."""


async def answer(request: Request) -> bytes:
    """Make it.

    Raises:
        UnknownRecord, StoreUnavailable, UnreadableRecord: the conference or bridge is not
            there, or damaged. ValueError: no such month. typst.TypstError.
    """
    async with _opened(Path(request.store)) as store:
        if request.form == "month":
            return _json(await _month(store, request))
        if request.form == "month-pdf":
            return typeset(await _month_pages(store, request), "month")
        report = await _report(store, request, request.subject)
        photos = await read_photos(store, report) if request.form == "pdf" else {}
    if request.form == "document":
        return _json(report_document(report))
    if request.form == "table":
        return _json(report_table(report, request.table, request.language))
    pages = report_pages(report, request.language, ZoneInfo(request.zone), photos)
    return typeset(pages, photos=photos)


def typeset(
    pages: Json,
    template: Template = "report",
    photos: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """The PDF of what ``report_pages`` gives, or ``month_pages`` for a month.

    Signs that the fonts do not have (an emoji in a room's name) print as U+FFFD: PDF/A forbids
    what cannot be shown.

    Args:
        photos: JPEGs that the pages name.

    Raises:
        typst.TypstError: the template does not take it.
    """
    here = files("mcu.operations")
    parts = (here.joinpath(f"{name}.typ").read_bytes() for name in ("paper", template))
    with TemporaryDirectory(prefix="mcu-report-") as folder:
        whole = Path(folder, "report.typ")
        whole.write_bytes(b"".join(parts))
        for name, jpeg in photos.items():
            whole.with_name(name).write_bytes(jpeg)
        try:
            return _compiled(pages, whole)
        except typst.TypstError:
            return _compiled(printable(pages), whole)


def _compiled(pages: Json, template: Path) -> bytes:
    pdf = typst.compile(
        template,
        sys_inputs={"report": json.dumps(pages)},
        ignore_system_fonts=True,
        pdf_standards=[PDF_STANDARD],
    )
    if not isinstance(pdf, bytes):
        raise TypeError("the typesetter gave no document")
    return pdf


async def _month(store: Store, request: Request) -> Json:
    month = month_of(request.year, request.month, ZoneInfo(request.zone))
    reports = []
    for record in await store.conferences.between(month.begins, month.ends):
        if is_for_check(record.id):
            continue  # nobody was expected in a meeting there
        try:
            reports.append(await _report(store, request, record.id))
        except (UnreadableRecord, DamagedRecord, UnknownRecord):
            continue
    incidents = await read_incidents_of(store, request.subject, month)
    return bridge_month(request.subject, reports, incidents)


async def _month_pages(store: Store, request: Request) -> Json:
    bridge = await store.bridges.get(request.subject)
    return month_pages(
        await _month(store, request),
        bridge.name,
        await store.units.names(),
        bridge.unit,
        f"{request.month:02}/{request.year}",
        request.language,
        ZoneInfo(request.zone),
        datetime.now(UTC),
    )


async def _report(store: Store, request: Request, conference: str) -> Report:
    state = await read_conference(store, conference)
    now = datetime.now(UTC)
    return await read_report(store, state, f"{request.targets}{conference}", now)


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(path)
    try:
        yield store
    finally:
        await store.close()


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def main() -> int:
    """Answer one request."""
    os.nice(REPORTS_BEHIND)
    try:
        made = asyncio.run(answer(Request(**json.loads(sys.stdin.buffer.read()))))
    except (
        UnknownRecord, StoreUnavailable, UnreadableRecord, DamagedRecord, ValueError,
        typst.TypstError,
    ) as error:  # fmt: skip
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
