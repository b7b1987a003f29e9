"""Pictures for marks by rule: of those who are here, one after the other, past what fails."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from mcu.conference.commands import NoteJoined
from mcu.conference.decide import decide
from mcu.conference.evolve import evolve_all
from mcu.conference.roll_call_model import MarkRoom, StartRollCall
from mcu.rooms.photographer import Photographer
from mcu.store.store import Store
from tests.mcu.conference.meeting import NOW, ids, meeting
from tests.peers.waiting import until


class Camera:
    """Shows who is asked for; ``b1`` cannot be seen for a fault, ``b2`` shows nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def view_picture(self, conference: str, view: str) -> bytes | None:
        raise AssertionError("nobody asks for views")

    async def participant_picture(self, conference: str, participant: str) -> bytes | None:
        self.asked.append(participant)
        if participant == "b1":
            raise OSError("broken")
        return None if participant == "b2" else participant.encode()


class Album:
    """The store's pictures, which tells what it has kept."""

    def __init__(self, store: Store) -> None:
        self._pictures = store.roll_call_pictures
        self.kept: list[int] = []

    async def keep(
        self, conference: str, number: int, entry: int, time: datetime, jpeg: bytes
    ) -> None:
        await self._pictures.keep(conference, number, entry, time, jpeg)
        self.kept.append(entry)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "mcu.sqlite3", lambda: NOW)
    yield opened
    await opened.close()


async def test_who_is_marked_by_rule_has_a_picture_if_it_shows_one(store: Store) -> None:
    camera = Camera()
    album = Album(store)
    photographer = Photographer(camera, album, lambda: NOW)
    photographer.open()
    try:
        state = meeting(6, joined=ids(5))
        for command in (
            StartRollCall("presence"),
            MarkRoom(1, "b0", "late", "An"),
            NoteJoined("b5", "l5"),
        ):
            events = decide(state, command, NOW)
            state = evolve_all(state, events)
            for event in events:
                photographer.changed(state, event)
        await until(lambda: len(album.kept) == 4)
    finally:
        await photographer.close()
    assert camera.asked == ["b0", "b1", "b2", "b3", "b4", "b5"], "not for the operator's mark"
    assert await store.roll_call_pictures.entries("c1", 1) == {1, 4, 5, 7}
    assert await store.roll_call_pictures.get("c1", 1, 7) == b"b5"
