"""Recordings by REST: who may, what is listed, how files are downloaded."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from mcu.api.event_sight import seen_by_room
from mcu.conference.commands import EndConference
from mcu.conference.service import Actor
from mcu.store.recordings import PartRecord, RecordingRecord
from mcu.store.store import Store
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import Api

MEDIA = bytes(range(256)) * 40
SYSTEM = Actor("", "admin", "system")


class Files:
    """The files of recordings, without anything that records."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.full: str | None = None
        self.store: Store

    async def of(self, conference: str) -> Sequence[RecordingRecord]:
        return await self.store.recordings.of(conference)

    def path(self, recording: str, part: int) -> Path:
        return self.directory / f"{recording}-{part}.mp4"

    def refusal(self) -> str | None:
        return self.full

    async def delete(self, recording: RecordingRecord) -> None:
        for part in recording.parts:
            self.path(recording.id, part.number).unlink()
        await self.store.recordings.commit(self.store.recordings.without(recording.id))


@pytest.fixture
async def meeting(make_api: MakeApi, tmp_path: Path) -> tuple[Api, str, Files]:
    files = Files(tmp_path)
    api = await make_api(recordings=files)
    files.store = api.store
    await api.province()
    conference = await api.conference("xa-1-a", "xa-2-a")
    await api.join(conference, await api.token("bridge", bridge="xa-1-a"))
    return api, f"/conferences/{conference}", files


async def record(api: Api, path: str, files: Files, name: str = "Phiên họp") -> str:
    """A recording with one closed file."""
    found = await api.call("POST", f"{path}/recordings", {"name": name}, status=201)
    id_ = str(found.json["id"])
    files.path(id_, 1).write_bytes(MEDIA)
    checksum = hashlib.sha256(MEDIA).hexdigest()
    part = PartRecord(1, "complete", api.clock.utcnow(), len(MEDIA), 4.5, checksum)
    await api.store.recordings.commit(api.store.recordings.part(id_, part))
    return id_


async def test_it_begins_is_seen_and_stops(meeting: tuple[Api, str, Files]) -> None:
    api, path, _files = meeting
    reply = await api.call("POST", f"{path}/recordings", {"name": "Phiên sáng"}, status=201)
    id_ = reply.json["id"]
    assert reply.headers["Location"] == f"/api/v1{path}/recordings/{id_}"
    assert (reply.json["state"], reply.json["view"]) == ("recording", "main")
    shown = (await api.call("GET", path, status=200)).json["recordings"]
    assert [(one["id"], one["name"]) for one in shown] == [(id_, "Phiên sáng")]
    room = await api.token("bridge", bridge="xa-1-a")
    shown = (await api.call("GET", path, token=room, status=200)).json["recordings"]
    assert [(one["id"], one["name"], one["by"]) for one in shown] == [(id_, None, None)]
    reply = await api.call("POST", f"{path}/recordings", {}, status=409)
    assert "stop that first" in reply.json["detail"]
    await api.call("POST", f"{path}/recordings", {"view": "chair"}, status=201)
    for _ in range(2):
        await api.call("POST", f"{path}/recordings/{id_}/stop", status=204)
    assert len((await api.call("GET", path, status=200)).json["recordings"]) == 1
    await api.call("DELETE", f"{path}/recordings", status=204)
    assert (await api.call("GET", path, status=200)).json["recordings"] == []
    actions = [row.action for row in await audit(api)]
    assert actions.count("start_recording") == 3
    assert "stop_recording" in actions
    assert "stop_recordings" in actions


async def audit(api: Api) -> list:
    return list((await api.store.audit.list()).items)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"view": "side"}, "$.view"),
        ({"name": ""}, "$.name"),
        ({"name": "a\u0000b"}, "$.name"),
        ({"name": "x" * 201}, "$.name"),
        ({"file": "../../etc/passwd"}, "$.file"),
    ],
)
async def test_bad_input(meeting: tuple[Api, str, Files], body: dict, field: str) -> None:
    api, path, _ = meeting
    reply = await api.call("POST", f"{path}/recordings", body, status=422)
    assert reply.fields == [field]
    assert (await api.call("GET", f"{path}/recordings", status=200)).json["items"] == []


async def test_ranges_of_a_file(meeting: tuple[Api, str, Files]) -> None:
    api, path, files = meeting
    id_ = await record(api, path, files, name='Họp: ../../x"y')
    part = (await api.call("GET", f"{path}/recordings/{id_}", status=200)).json["parts"][0]
    url = part["url"].removeprefix("/api/v1")
    whole = await api.call("GET", url, status=200)
    assert whole.body == MEDIA
    assert whole.headers["Content-Type"] == "video/mp4"
    disposition = whole.headers["Content-Disposition"]
    assert disposition.startswith(f'attachment; filename="{id_}-0001.mp4"; filename*=UTF-8')
    assert "/" not in disposition.split("''")[1]
    some = await api.call("GET", url, headers={"Range": "bytes=100-199"}, status=206)
    assert some.body == MEDIA[100:200]
    assert some.headers["Content-Range"] == f"bytes 100-199/{len(MEDIA)}"
    await api.call("GET", url, headers={"Range": f"bytes={len(MEDIA)}-"}, status=416)
    for bad in ("parts/2.mp4", "parts/..%2f1.mp4", "parts/01.mp4"):
        await api.call("GET", f"{path}/recordings/{id_}/{bad}", status=404)
    for bad in ("rec-0", "..%2f..%2fmcu.sqlite3", f"{id_}x"):
        await api.call("GET", f"{path}/recordings/{bad}/parts/1.mp4", status=404)


async def test_lists(meeting: tuple[Api, str, Files]) -> None:
    api, path, files = meeting
    id_ = await record(api, path, files)
    checksum = hashlib.sha256(MEDIA).hexdigest()
    reply = await api.call("GET", f"{path}/recordings.sha256", status=200)
    assert reply.body.decode() == f"{checksum}  {id_}-0001.mp4\n"
    reply = await api.call("GET", f"{path}/recordings.csv", status=200)
    header, row = reply.body.decode("utf-8-sig").splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=True))
    assert (found["recording"], found["name"], found["sha256"]) == (id_, "Phiên họp", checksum)
    assert found["file"] == f"{id_}-0001.mp4"
    same = await api.call("GET", f"{path}/recordings", headers={"Accept": "text/csv"}, status=200)
    assert same.body == reply.body
    [item] = (await api.call("GET", f"{path}/recordings", status=200)).json["items"]
    assert (item["size"], item["duration_s"]) == (len(MEDIA), 4.5)


async def test_rights(meeting: tuple[Api, str, Files]) -> None:
    api, path, files = meeting
    id_ = await record(api, path, files)
    one = f"{path}/recordings/{id_}"
    allowed = {
        "bridge": (403, 403, 403, 403),
        "technician": (200, 403, 403, 403),
        "observer": (200, 403, 403, 403),
        "operator": (200, 200, 204, 403),
    }
    for role, (listing, reading, stopping, deleting) in allowed.items():
        bridge = "xa-1-a" if role == "bridge" else None
        token = await api.token(role, unit=None if bridge else "tinh", bridge=bridge)
        await api.call("GET", f"{path}/recordings", token=token, status=listing)
        await api.call("GET", f"{one}/parts/1.mp4", token=token, status=reading)
        await api.call("POST", f"{one}/stop", token=token, status=stopping)
        await api.call("DELETE", one, token=token, status=deleting)
    elsewhere = await api.token("operator", unit="khac")
    for method, where in (("GET", f"{path}/recordings"), ("POST", f"{path}/recordings")):
        await api.call(method, where, token=elsewhere, status=403)
    assert files.path(id_, 1).exists()


async def test_what_is_over_is_deleted_and_what_runs_is_not(
    meeting: tuple[Api, str, Files],
) -> None:
    api, path, files = meeting
    id_ = await record(api, path, files)
    one = f"{path}/recordings/{id_}"
    reply = await api.call("DELETE", one, status=409)
    assert "stop it first" in reply.json["detail"]
    await api.conferences.execute(path.rpartition("/")[2], EndConference(), SYSTEM)
    await api.call("POST", f"{path}/recordings", {}, status=409)
    await api.call("GET", f"{one}/parts/1.mp4", status=200)
    await api.call("DELETE", one, status=204)
    assert not files.path(id_, 1).exists()
    await api.call("DELETE", one, status=404)


async def test_none_begins_on_a_full_disk(meeting: tuple[Api, str, Files]) -> None:
    api, path, files = meeting
    files.full = "The disk is full."
    reply = await api.call("POST", f"{path}/recordings", {}, status=503)
    assert (reply.kind, reply.json["detail"]) == ("unavailable", "The disk is full.")


def test_rooms_hear_that_they_are_recorded_and_no_more() -> None:
    data = {"id": "rec-1", "name": "Họp", "view": "main", "by": "Lan", "started_at": "t"}
    assert seen_by_room("recording.started", data, frozenset()) == {
        "id": "rec-1", "view": "main", "started_at": "t",
    }  # fmt: skip
    stopped = {"id": "rec-1", "reason": "disk_full", "at": "t", "by": None}
    assert seen_by_room("recording.stopped", stopped, frozenset()) == {"id": "rec-1"}
    for kind in ("recording.troubled", "recording.interrupted"):
        assert seen_by_room(kind, {"id": "rec-1"}, frozenset()) is None
