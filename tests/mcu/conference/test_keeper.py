from datetime import timedelta

import pytest

from mcu.conference.commands import EndConference, NoteJoined, ShowMessage, StartConference
from mcu.conference.keeper import HOUSEKEEPING_S, RETENTION
from mcu.store.records import StoredEvent
from tests.mcu.conference.conftest import OPERATOR
from tests.mcu.conference.meeting import NOW

START = StartConference("Giao ban", "tinh", "subtree")


async def test_a_message_ends_by_itself(office, clock):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        assert conferences.next_timer() is None
        await conferences.execute(state.id, ShowMessage("Nghỉ", 60), OPERATOR)
        assert conferences.next_timer() == pytest.approx(clock.now() + 60)
        clock.seconds = 59
        conferences.handle_timer(clock.now())
        assert conferences.get(state.id).message is not None
        clock.seconds = 60
        conferences.handle_timer(clock.now())
        assert conferences.get(state.id).message is None
        assert office.media.plans[state.id].views["main"].message is None


async def test_a_message_that_replaced_it_meanwhile_stays(office, clock):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        await conferences.execute(state.id, ShowMessage("Nghỉ", 10), OPERATOR)
        clock.seconds = 11
        append = office.store.events.append

        async def slow(*args, **kwargs):
            conferences.handle_timer(clock.now())
            await append(*args, **kwargs)

        office.store.events.append = slow
        await conferences.execute(state.id, ShowMessage("Tiếp tục", 10), OPERATOR)
        message = conferences.get(state.id).message
        assert message is not None
        assert message.text == "Tiếp tục"


async def test_a_message_outlives_a_restart_no_longer_than_it_should(office, clock):
    died = office.made()
    await died.restore(keep=False)
    state = await died.start(START, OPERATOR)
    await died.execute(state.id, ShowMessage("Nghỉ", 60), OPERATOR)
    clock.seconds = 90
    async with office.daemon() as conferences:
        conferences.handle_timer(clock.now())
        assert conferences.get(state.id).message is None


async def test_an_ended_conference_needs_no_timer(office, clock):
    died = office.made()
    await died.restore(keep=False)
    state = await died.start(START, OPERATOR)
    died.note(state.id, NoteJoined("b0", "l0"))
    await died.flush()
    async with office.daemon() as conferences:
        await conferences.execute(state.id, EndConference(), OPERATOR)
        clock.seconds = 31
        conferences.handle_timer(clock.now())
        assert conferences.next_timer() is None


async def test_the_log_is_held_to_its_bound(office, clock):
    old = NOW - RETENTION - timedelta(seconds=1)
    await office.store.events.append(
        [
            StoredEvent(1, old, "conference.locked", "gone", {"v": 1}),
            StoredEvent(2, NOW, "conference.locked", "gone", {"v": 1}),
        ]
    )
    async with office.daemon() as conferences:
        clock.seconds = HOUSEKEEPING_S + 1
        await conferences._keeper._use_store()
        assert [row.seq for row in await office.store.events.after(0)] == [2]
        feed = conferences.subscribe(after=0)
        assert (await anext(feed)).type == "feed.gap"
        feed.close()


async def test_what_goes_wrong_with_the_store_is_logged_once_each_way(office, disk, capsys):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        await disk.break_()
        conferences.note(state.id, NoteJoined("b0", "l0"))
        for _ in range(3):
            await conferences._keeper._use_store()
        await disk.mend()
        for _ in range(3):
            await conferences._keeper._use_store()
    said = capsys.readouterr().out
    assert said.count("store_unavailable") == 1
    assert said.count("store_available") == 1
