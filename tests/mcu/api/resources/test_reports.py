"""Reports by REST, each made by the process that makes them."""

import csv
import io
from pathlib import Path

import pytest

from mcu.api.csv_table import BYTE_ORDER_MARK
from mcu.api.schemas.report import BridgeMonth, Report
from mcu.store.minutes import StoredMinute
from tests.mcu.api.live import Api, live_api
from tests.mcu.operations.test_report_pages import images, jpeg


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """Two of three rooms came, one was muted, and it is over."""
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a", "xa-1-a", "xa-2-a"]}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    for bridge in ("tinh-a", "xa-1-a"):
        await api.join(conference, await api.token("bridge", bridge=bridge))
    path = f"/conferences/{conference}"
    await api.call("POST", f"{path}/mute", {"scope": "all"}, status=200)
    api.clock.advance(60)
    await api.call("DELETE", path, status=204)
    return api, path


async def test_a_conference_as_document_table_and_paper(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    rooms = {"xa-1-a": {"heard_s": 7.5, "loss_percent": 3.0, "height": 720}}
    conference = path.rsplit("/", 1)[1]
    await api.store.minutes.append([StoredMinute(conference, api.clock.utcnow(), rooms)])
    found = Report.model_validate((await api.call("GET", f"{path}/report", status=200)).json)
    assert [(room.participant, room.present_s) for room in found.rooms] == [
        ("tinh-a", 60), ("xa-1-a", 60), ("xa-2-a", 0),
    ]  # fmt: skip
    assert found.rooms[1].heard_s == 7.5
    assert found.incomplete == []
    assert {action.action for action in found.actions} >= {"end_conference"}
    assert {action.by for action in found.actions} >= {"bootstrap"}

    reply = await api.call("GET", f"{path}/report.csv?table=rooms", status=200)
    rows = list(csv.DictReader(io.StringIO(reply.body.decode().removeprefix(BYTE_ORDER_MARK))))
    assert [row["participant"] for row in rows] == ["tinh-a", "xa-1-a", "xa-2-a"]
    for language in ("vi", "en"):
        reply = await api.call("GET", f"{path}/report.pdf?lang={language}", status=200)
        assert reply.headers["Content-Type"] == "application/pdf"
        assert reply.body.startswith(b"%PDF-")


async def test_a_bridges_month(meeting: tuple[Api, str]) -> None:
    api, _ = meeting
    path = "/reports/bridges/xa-1-a"
    month = BridgeMonth.model_validate(
        (await api.call("GET", f"{path}?month=2026-11", status=200)).json
    )
    assert (month.expected, month.attended, month.present_s) == (1, 1, 60)
    empty = (await api.call("GET", f"{path}?month=2026-10", status=200)).json
    assert (empty["expected"], empty["conferences"]) == (0, [])
    reply = await api.call("GET", f"{path}.csv?month=2026-11", status=200)
    assert len(reply.body.decode().splitlines()) == 2
    body = {"title": "Micrô hỏng", "bridge": "xa-1-a", "severity": "minor"}
    await api.call("POST", "/incidents", body, status=201)
    found = (await api.call("GET", f"{path}?month=2026-11", status=200)).json
    assert [each["title"] for each in found["incidents"]] == ["Micrô hỏng"]
    assert (found["incidents_open"], found["conferences"][0]["incidents"]) == (1, 0)
    reply = await api.call("GET", f"{path}.csv?month=2026-11&table=incidents", status=200)
    rows = list(csv.DictReader(io.StringIO(reply.body.decode().removeprefix(BYTE_ORDER_MARK))))
    assert [(row["title"], row["state"]) for row in rows] == [("Micrô hỏng", "open")]
    body = {"title": "echo: Xã 1", "bridge": "xa-1-a"}
    await api.call("POST", "/incidents", body, status=201)
    table = f"{path}.csv?month=2026-11&table=incidents&lang=en"
    assert "echo: Xã 1" in (await api.call("GET", table, status=200)).body.decode()
    reply = await api.call("GET", table.removesuffix("&lang=en"), status=200)
    assert "vọng tiếng: Xã 1" in reply.body.decode()
    for language in ("vi", "en"):
        reply = await api.call("GET", f"{path}.pdf?month=2026-11&lang={language}", status=200)
        assert reply.headers["Content-Type"] == "application/pdf"
        assert f"report-xa-1-a-2026-11-{language}.pdf" in reply.headers["Content-Disposition"]
        assert reply.body.startswith(b"%PDF-")
    reply = await api.call("GET", f"{path}.pdf?month=2026-11&lang=fr", status=422)
    assert reply.fields == ["query.lang"]
    for wrong in ("", "?month=2026-13", "?month=november", "?month=2026-1"):
        assert (await api.call("GET", f"{path}{wrong}", status=422)).fields == ["query.month"]


async def test_pictures_of_a_roll_call_are_printed(api: Api) -> None:
    await api.province()
    conference = await api.conference("tinh-a", "xa-1-a")
    await api.join(conference, await api.token("bridge", bridge="xa-1-a"))
    path = f"/conferences/{conference}"
    made = await api.call("POST", f"{path}/roll-calls", {"mode": "called"}, status=201)
    marks = f"{path}/roll-calls/{made.json['number']}/marks"
    await api.call("POST", marks, {"participant": "xa-1-a", "status": "present"}, status=200)
    paper = (await api.call("GET", f"{path}/report.pdf", status=200)).body
    assert images(paper) == 0, "what the stand-in sends is no picture"
    async with api.store._database.write() as connection:
        await connection.execute("UPDATE roll_call_pictures SET jpeg = ?", (jpeg("navy"),))
    paper = (await api.call("GET", f"{path}/report.pdf", status=200)).body
    assert images(paper) == 1


async def test_who_may_read_them(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    observer = await api.token("observer", unit="tinh")
    await api.call("GET", f"{path}/report.csv", token=observer, status=200)
    for token in (
        await api.token("bridge", bridge="xa-1-a"),
        await api.token("technician", unit="tinh"),
        await api.token("operator", unit="xa-1"),
    ):
        await api.call("GET", f"{path}/report", token=token, status=403)
    below = await api.token("operator", unit="xa-1")
    for bridge, status in (("xa-1-a", 200), ("xa-2-a", 403), ("nobody", 404)):
        for kind in ("", ".csv", ".pdf"):
            month = f"/reports/bridges/{bridge}{kind}?month=2026-11"
            await api.call("GET", month, token=below, status=status)


async def test_what_is_not_there_is_named(api: Api) -> None:
    await api.call("GET", "/conferences/nobody/report", status=404)
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a"]}
    one = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    for address, field in ((".pdf?lang=fr", "query.lang"), (".csv?table=all", "query.table")):
        reply = await api.call("GET", f"/conferences/{one}/report{address}", status=422)
        assert reply.fields == [field]


async def test_a_report_that_cannot_be_made_says_when_to_ask_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_api(tmp_path) as api:
        await api.province()
        body = {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a"]}
        one = (await api.call("POST", "/conferences", body, status=201)).json["id"]
        monkeypatch.setattr("mcu.operations.reporter.sys.executable", "/bin/false")
        reply = await api.call("GET", f"/conferences/{one}/report", status=503)
        assert reply.kind == "unavailable"
        assert reply.headers["Retry-After"] == "5"
