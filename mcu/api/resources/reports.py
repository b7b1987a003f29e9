"""Reports: a conference as a document, tables or on paper; what a bridge did in a month."""

import json
from typing import Any, Final

from aiohttp import hdrs, web

from mcu.api.call import Call
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.problem import Problem
from mcu.api.resources.conferences import conference_of
from mcu.api.rights import Action
from mcu.api.route import BASE, JSON_TYPE, Answer, Route
from mcu.api.schemas.report import (
    BridgeMonth,
    MonthPrintQuery,
    MonthQuery,
    PrintQuery,
    Report,
    TableQuery,
)
from mcu.operations.bridge_month import COLUMNS, INCIDENT_COLUMNS
from mcu.operations.finding_words import incident_in_words
from mcu.operations.report_request import Form
from mcu.operations.reporter import ReportFailed

TAG: Final = "reports"
PDF: Final = "application/pdf"
ONE: Final = f"{BASE}/conferences/{{conference}}/report"
AUDITED: Final = f"{BASE}/conferences/"
"""What a conference's id stands behind in the audit."""
MONTH: Final = f"{BASE}/reports/bridges/{{bridge}}"


async def read_report(call: Call) -> web.Response:
    """The whole report of a conference."""
    made = await _made(call, "document", await _conference(call))
    return web.Response(body=made, content_type=JSON_TYPE)


async def print_report(call: Call) -> web.Response:
    """The report on paper."""
    conference = await _conference(call)
    language = call.query(PrintQuery).lang
    made = await _made(call, "pdf", conference, language=language)
    return _paper(made, f"report-{conference}-{language}")


async def report_table(call: Call) -> web.Response:
    """One list of the report as a table."""
    conference = await _conference(call)
    query = call.query(TableQuery)
    table = query.table
    made = await _made(call, "table", conference, table=table, language=query.lang)
    header, rows = json.loads(made)
    return csv_response(f"report-{conference}-{table}", header, rows)


async def read_month(call: Call) -> web.Response:
    """A bridge's month; as JSON or CSV."""
    bridge = await _bridge(call)
    query = call.query(MonthQuery)
    asked, table = query.month, query.table
    made = await _made(call, "month", bridge, **_month(asked))
    if wants_csv(call):
        columns = COLUMNS if table == "conferences" else INCIDENT_COLUMNS
        month = json.loads(made)
        for each in month["incidents"]:
            each["title"] = incident_in_words(each["title"], query.lang)
        rows = [[row[name] for name in columns] for row in month[table]]
        name = "" if table == "conferences" else f"-{table}"
        return csv_response(f"report-{bridge}-{asked}{name}", columns, rows)
    return web.Response(body=made, content_type=JSON_TYPE)


async def print_month(call: Call) -> web.Response:
    """A bridge's month on paper."""
    bridge = await _bridge(call)
    query = call.query(MonthPrintQuery)
    made = await _made(call, "month-pdf", bridge, language=query.lang, **_month(query.month))
    return _paper(made, f"report-{bridge}-{query.month}-{query.lang}")


def _paper(made: bytes, name: str) -> web.Response:
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.pdf"'}
    return web.Response(body=made, content_type=PDF, headers=headers)


def _month(asked: str) -> dict[str, int]:
    year, month = asked.split("-")
    return {"year": int(year), "month": int(month)}


async def _bridge(call: Call) -> str:
    """The id of a bridge whose months the token may read."""
    bridge = await call.services.store.bridges.get(call.path("bridge"))
    if not call.reach.bridge(Action.READ_REPORTS, bridge.id, bridge.unit):
        call.reach.require_unit(Action.READ_REPORTS, bridge.unit, "read reports")
    return bridge.id


async def _conference(call: Call) -> str:
    """The id of a conference whose report the token may read."""
    state = await conference_of(call)
    call.reach.require_conference(Action.READ_REPORTS, state, "read reports")
    return state.id


async def _made(call: Call, form: Form, subject: str, **options: Any) -> bytes:
    try:
        return await call.services.reports.make(form, subject, **options)
    except ReportFailed as error:
        raise Problem("unavailable", error.args[0], headers={hdrs.RETRY_AFTER: "5"}) from error


ROUTES: Final = (
    Route(
        "GET", ONE, "read_report", read_report,
        "Report of a conference, running or ended", TAG, Action.READ_REPORTS,
        (Answer(200, "the report", Report),), problems=("unavailable",),
    ),
    Route(
        "GET", f"{ONE}.pdf", "print_report", print_report,
        "The report on paper (PDF/A-2b)", TAG, Action.READ_REPORTS,
        (Answer(200, "the document", media_type=PDF),),
        query=PrintQuery, problems=("unavailable",),
    ),
    Route(
        "GET", f"{ONE}.csv", "report_table", report_table,
        "One list of the report as a table", TAG, Action.READ_REPORTS,
        (Answer(200, "the table", media_type=CSV_TYPE),),
        query=TableQuery, problems=("unavailable",),
    ),
    Route(
        "GET", f"{MONTH}.csv", "export_bridge_month", read_month,
        "A bridge's month as a table", TAG, Action.READ_REPORTS,
        (Answer(200, "a row for each conference, or for each incident", media_type=CSV_TYPE),),
        query=MonthQuery, problems=("unavailable",),
    ),
    Route(
        "GET", f"{MONTH}.pdf", "print_bridge_month", print_month,
        "A bridge's month on paper (PDF/A-2b)", TAG, Action.READ_REPORTS,
        (Answer(200, "the document", media_type=PDF),),
        query=MonthPrintQuery, problems=("unavailable",),
    ),
    Route(
        "GET", MONTH, "read_bridge_month", read_month,
        "What a bridge did in a month", TAG, Action.READ_REPORTS,
        (Answer(200, "the month", BridgeMonth, other_types=(CSV_TYPE,)),),
        query=MonthQuery, problems=("unavailable",),
    ),
)  # fmt: skip
