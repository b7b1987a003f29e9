import asyncio
from datetime import timedelta

import pytest

from mcu.conference.commands import EndConference, NoteJoined, ShowMessage, StartConference
from mcu.conference.events import MessageCleared
from mcu.conference.keeper import HOUSEKEEPING_S, KEPT, Retention
from mcu.store.records import AuditRow, StoredEvent
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
    old = NOW - KEPT.age - timedelta(seconds=1)
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


async def test_the_audit_is_held_to_its_bound(office, clock):
    for time in (NOW - KEPT.age - timedelta(seconds=1), NOW):
        await office.store.audit.append(AuditRow(time, "t1", "admin", "::1", "x", "/x", "done 201"))
    async with office.daemon() as conferences:
        clock.seconds = HOUSEKEEPING_S + 1
        await conferences._keeper._use_store()
    assert [row.time for row in (await office.store.audit.list()).items] == [NOW]


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        (Retention(timedelta(days=8)), [1, 2, 3]),
        (Retention(timedelta(days=6)), [2, 3]),
        (Retention(timedelta(days=8), rows=1), [3]),
    ],
)
async def test_how_long_is_for_the_installation_to_say(office, retention, kept):
    office.retention = retention
    for seq, days in ((1, 7), (2, 1), (3, 0)):
        time = NOW - timedelta(days=days)
        await office.store.events.append(
            [StoredEvent(seq, time, "conference.locked", "gone", {"v": 1})]
        )
        await office.store.audit.append(AuditRow(time, "t1", "admin", "::1", "x", "/x", "done"))
    async with office.daemon() as conferences:
        await conferences._keeper._use_store()
    assert [row.seq for row in await office.store.events.after(0)] == kept
    assert len((await office.store.audit.list()).items) == len(kept)


async def test_nothing_but_the_list_is_kept_of_a_conference_for_ever(office, clock):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        await conferences.execute(state.id, EndConference(), OPERATOR)
        for days, roster in ((89, 3), (91, 0)):
            clock.seconds = days * 86_400.0
            await conferences._keeper._use_store()
            kept = await conferences.read(state.id)
            assert (kept.name, kept.ended_at, len(kept.participants)) == (START.name, NOW, roster)
        assert await office.store.conferences.snapshot(state.id) is None
        assert await office.store.events.after(0) == []


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


async def test_a_defect_on_the_way_to_the_store_ends_nothing(office, clock, monkeypatch, capsys):
    monkeypatch.setattr("mcu.conference.keeper.RETRY_S", 0.0)
    append, mended = office.store.events.append, asyncio.Event()
    tried, stored, cleared = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def with_a_defect(*args, **kwargs):
        if not mended.is_set():
            tried.set()
            raise ValueError("a defect")
        await append(*args, **kwargs)
        stored.set()

    def notice(_, event):
        if isinstance(event, MessageCleared):
            cleared.set()

    async with asyncio.timeout(10), office.daemon(keep=True) as conferences:
        conferences.listen(notice)
        state = await conferences.start(START, OPERATOR)
        await conferences.execute(state.id, ShowMessage("Nghỉ", 60), OPERATOR)
        office.store.events.append = with_a_defect
        clock.seconds = 61
        conferences.note(state.id, NoteJoined("b0", "l0"))
        await tried.wait()
        await cleared.wait()
        mended.set()
        await stored.wait()
        types = [row.type for row in await office.store.events.after(0)]
    assert types[-2:] == ["participant.joined", "message.cleared"]
    assert "a defect" in capsys.readouterr().out


async def test_a_defect_of_a_timer_keeps_nothing_from_the_store(office, monkeypatch, capsys):
    monkeypatch.setattr("mcu.conference.keeper.RETRY_S", 0.0)
    append, tried, stored = office.store.events.append, asyncio.Event(), asyncio.Event()

    def with_a_defect(_):
        tried.set()
        raise ValueError("a defect")

    async def noticed(*args, **kwargs):
        await append(*args, **kwargs)
        stored.set()

    async with asyncio.timeout(10), office.daemon(keep=True) as conferences:
        state = await conferences.start(START, OPERATOR)
        monkeypatch.setattr(conferences._keeper, "handle_timer", with_a_defect)
        conferences._keeper.wake()
        await tried.wait()
        office.store.events.append = noticed
        conferences.note(state.id, NoteJoined("b0", "l0"))
        await stored.wait()
    assert "a defect" in capsys.readouterr().out


async def test_what_is_woken_in_the_moment_it_is_closed_closes_all_the_same(office):
    conferences = office.made()
    await conferences.restore(keep=True)
    state = await conferences.start(StartConference("Họp", "tinh", ("b0",)), OPERATOR)
    for _ in range(30):
        await office.store.conferences.running()  # behind what the keeper does, which then waits
    conferences.note(state.id, NoteJoined("b0", "leg"))
    async with asyncio.timeout(10):
        await conferences.close()
