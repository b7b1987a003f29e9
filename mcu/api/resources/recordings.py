"""Recordings of a conference: begun, stopped, listed, downloaded, deleted."""

import asyncio
from typing import Final, Literal
from urllib.parse import quote

from aiohttp import hdrs, web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import Problem, not_found
from mcu.api.reach import require_running
from mcu.api.resources.conferences import conference_of
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.recording import NewRecording, Recording
from mcu.api.services import RecordingService
from mcu.conference.actor import new_id
from mcu.conference.recording_model import StartRecording, StopRecording
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence
from mcu.store.commits import Write
from mcu.store.recordings import RecordingRecord, Recordings, file_name

TAG: Final = "recordings"
PATH: Final = f"{BASE}/conferences/{{conference}}/recordings"
ONE: Final = f"{PATH}/{{recording}}"
MP4: Final = "video/mp4"
CHUNK_BYTES: Final = 1 << 16
"""Read from the disk by another thread, so much at a time."""
COLUMNS: Final = (
    "recording", "name", "view", "state", "reason", "by", "started_at", "ended_at", "part",
    "part_state", "part_started_at", "size", "duration_s", "sha256", "file",
)  # fmt: skip


async def list_recordings(call: Call) -> web.Response:
    """All of a conference; as JSON, or its files as CSV."""
    state, found = await _listed(call, Action.LIST_RECORDINGS, "list recordings")
    documents = [_document(state.id, record) for record in found]
    if wants_csv(call):
        rows = [
            [
                one.id, one.name, one.view, one.state, one.reason, one.by,
                _text(one.started_at), _text(one.ended_at), part.number, part.state,
                _text(part.started_at), part.size, round(part.duration_s, 3), part.sha256,
                file_name(record.id, part.number),
            ]
            for record, one in zip(found, documents, strict=True)
            for part in one.parts
        ]  # fmt: skip
        return csv_response(f"recordings-{state.id}", COLUMNS, rows)
    return json_response(Page[Recording](items=documents))


async def list_checksums(call: Call) -> web.Response:
    """Checksums of all closed files, as ``sha256sum --check`` reads them."""
    state, found = await _listed(call, Action.LIST_RECORDINGS, "list recordings")
    lines = [
        f"{part.sha256}  {file_name(record.id, part.number)}\n"
        for record in found
        for part in record.parts
        if part.sha256 is not None
    ]
    name = f"recordings-{state.id}.sha256"
    return web.Response(
        text="".join(lines),
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'},
    )


async def read_recording(call: Call) -> web.Response:
    """One."""
    state, record = await _one(call, Action.LIST_RECORDINGS, "list recordings")
    return json_response(_document(state.id, record))


async def start_recording(call: Call) -> web.Response:
    """Begin one."""
    state = await conference_of(call)
    call.reach.require_conference(Action.RECORD, state, "record")
    require_running(state)
    refusal = _service(call).refusal()
    if refusal is not None:
        raise Problem("unavailable", refusal, headers={hdrs.RETRY_AFTER: "60"})
    new = call.body(NewRecording)
    id_ = new_id("rec-")
    call.target = location = f"{BASE}/conferences/{state.id}/recordings/{id_}"
    command = StartRecording(id_, new.name or state.name, new.view, _name(call))

    def record(after: ConferenceState) -> RecordingRecord:
        one = next(each for each in after.recordings if each.id == id_)
        return RecordingRecord(id_, state.id, one.name, one.view, one.by, one.started_at)

    def answer(after: ConferenceState) -> web.Response:
        document = _document(state.id, record(after))
        return json_response(document, 201, version=after.version, location=location)

    def besides(after: ConferenceState) -> list[Write]:
        return [Recordings.row(record(after))]

    return await orders.order(call, state.id, command, answer, lambda now: now.version, besides)


async def stop_recording(call: Call) -> web.Response:
    """Stop one; one that is over already stays as it is."""
    state, record = await _one(call, Action.RECORD, "record")
    return await _stop(call, state, StopRecording(_name(call), record.id))


async def stop_recordings(call: Call) -> web.Response:
    """Stop all that run."""
    state = await conference_of(call)
    call.reach.require_conference(Action.RECORD, state, "record")
    return await _stop(call, state, StopRecording(_name(call)))


async def delete_recording(call: Call) -> web.Response:
    """Delete one with its files."""
    state, record = await _one(call, Action.DELETE_RECORDING, "delete recordings")
    if any(one.id == record.id for one in state.recordings):
        raise Problem("conflict", sentence("recording.running", name=record.name))
    try:
        await _service(call).delete(record)
    except OSError as error:
        raise Problem(
            "unavailable", sentence("recording.not-deleted", reason=error.strerror)
        ) from error
    return no_content()


async def download_part(call: Call) -> web.StreamResponse:
    """One file, or the range of it that is asked for."""
    _, record = await _one(call, Action.READ_RECORDING, "download recordings")
    number = call.path("part")
    part = next((one for one in record.parts if str(one.number) == number), None)
    if part is None:
        raise not_found("part", number)
    path = _service(call).path(record.id, part.number)
    if not await asyncio.to_thread(path.is_file):
        raise not_found("part", number)
    shown = quote(f"{record.name} {record.started_at:%Y-%m-%d %H.%M} {part.number}.mp4", safe="")
    disposition = (
        f"attachment; filename=\"{file_name(record.id, part.number)}\"; filename*=UTF-8''{shown}"
    )
    headers = {hdrs.CONTENT_TYPE: MP4, hdrs.CONTENT_DISPOSITION: disposition}
    return web.FileResponse(path, chunk_size=CHUNK_BYTES, headers=headers)


async def _stop(call: Call, state: ConferenceState, command: StopRecording) -> web.Response:
    if not state.running:
        return no_content()
    return await orders.order(
        call, state.id, command, lambda _: no_content(), lambda now: now.version
    )


async def _listed(
    call: Call, action: Action, what: str
) -> tuple[ConferenceState, list[RecordingRecord]]:
    state = await conference_of(call)
    call.reach.require_conference(action, state, what)
    return state, list(await _service(call).of(state.id))


async def _one(call: Call, action: Action, what: str) -> tuple[ConferenceState, RecordingRecord]:
    state, found = await _listed(call, action, what)
    wanted = call.path("recording")
    record = next((one for one in found if one.id == wanted), None)
    if record is None:
        raise not_found("recording", wanted)
    return state, record


def _service(call: Call) -> RecordingService:
    service = call.services.recordings
    if service is None:
        raise Problem("unavailable", sentence("recording.none-here"))
    return service


def _document(conference: str, record: RecordingRecord) -> Recording:
    base = f"{BASE}/conferences/{conference}/recordings/{record.id}/parts"
    state: Literal["recording", "stopped", "interrupted"] = "recording"
    if record.ended_at is not None:
        state = "interrupted" if record.reason == "interrupted" else "stopped"
    parts = [
        {
            "number": part.number,
            "state": part.state,
            "started_at": part.started_at,
            "size": part.size,
            "duration_s": part.duration_s,
            "sha256": part.sha256,
            "url": f"{base}/{part.number}.mp4",
        }
        for part in record.parts
    ]
    return Recording.model_validate(
        {
            "id": record.id,
            "name": record.name,
            "view": record.view,
            "state": state,
            "by": record.by,
            "started_at": record.started_at,
            "ended_at": record.ended_at,
            "reason": record.reason,
            "interruptions": record.interruptions,
            "size": sum(part.size for part in record.parts),
            "duration_s": sum(part.duration_s for part in record.parts),
            "parts": parts,
        }
    )


def _text(time: object) -> str | None:
    return None if time is None else str(time)


def _name(call: Call) -> str:
    """What the record says of who acts."""
    token = call.who.token
    return token.name or token.bridge or token.role


ROUTES: Final = (
    Route(
        "GET", PATH, "list_recordings", list_recordings,
        "Recordings of a conference", TAG, Action.LIST_RECORDINGS,
        (Answer(200, "all of them", Page[Recording], other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{PATH}.csv", "export_recordings", list_recordings,
        "The files of its recordings as a table", TAG, Action.LIST_RECORDINGS,
        (Answer(200, "a row for each file", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", f"{PATH}.sha256", "list_checksums", list_checksums,
        "Checksums of its recordings, for sha256sum", TAG, Action.LIST_RECORDINGS,
        (Answer(200, "a line for each closed file", media_type="text/plain"),),
    ),
    Route(
        "POST", PATH, "start_recording", start_recording,
        "Begin to record a view and the main mix", TAG, Action.RECORD,
        (Answer(201, "begun", Recording, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewRecording, required=False), conditional=True,
        problems=("conflict", "unavailable"),
    ),
    Route(
        "DELETE", PATH, "stop_recordings", stop_recordings,
        "Stop all that is being recorded", TAG, Action.RECORD,
        (Answer(204, "nothing is recorded any more"),), conditional=True,
    ),
    Route(
        "GET", ONE, "read_recording", read_recording,
        "One recording", TAG, Action.LIST_RECORDINGS,
        (Answer(200, "the recording", Recording),),
    ),
    Route(
        "POST", f"{ONE}/stop", "stop_recording", stop_recording,
        "Stop a recording", TAG, Action.RECORD,
        (Answer(204, "it is over"),), conditional=True,
    ),
    Route(
        "DELETE", ONE, "delete_recording", delete_recording,
        "Delete a recording with its files", TAG, Action.DELETE_RECORDING,
        (Answer(204, "deleted"),), problems=("conflict", "unavailable"),
    ),
    Route(
        "GET", f"{ONE}/parts/{{part}}.mp4", "download_part", download_part,
        "One file of a recording; ranges are answered", TAG, Action.READ_RECORDING,
        (
            Answer(200, "the file", media_type=MP4),
            Answer(206, "a range of it", media_type=MP4),
        ),
    ),
)  # fmt: skip
