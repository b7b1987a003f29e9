"""Commands that wait for the store are written together."""

import asyncio

import pytest

from mcu.conference.commands import (
    AddParticipant,
    ChangeConference,
    ChangeParticipant,
    ClearMessage,
    EndConference,
    Lock,
    MuteAll,
    NoteJoined,
    RemoveParticipant,
    ShowMessage,
    StartConference,
)
from mcu.conference.state import Refused, RosterEntry, UnknownConference
from mcu.store.errors import StoreUnavailable
from mcu.store.records import AuditRow
from tests.mcu.conference.conftest import OPERATOR
from tests.mcu.conference.meeting import NOW

START = StartConference("Giao ban", "tinh", "subtree", chair="b0")


class Slow:
    """Holds every write back until it is told, and counts them."""

    def __init__(self, store):
        self._append = store.events.append
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.sizes = []
        store.events.append = self.append

    async def append(self, events, **more):
        self.sizes.append(len(events))
        self.begun.set()
        await self.go_on.wait()
        await self._append(events, **more)


async def at_once(conferences, slow, *orders):
    """Ask for commands while the first of them is being written; gives what became of each."""
    asked = []
    for conference, command in orders:
        asked.append(asyncio.ensure_future(conferences.execute(conference, command, OPERATOR)))
        await slow.begun.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    slow.go_on.set()
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_those_that_wait_are_one_transaction(office):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        slow = Slow(office.store)
        mutes = [(state.id, ChangeParticipant(f"b{n}", audio_muted=True)) for n in range(3)]
        outcomes = await at_once(conferences, slow, (state.id, Lock()), *mutes)
        assert slow.sizes == [1, 3]
        assert [event.seq for (event,) in outcomes] == [2, 3, 4, 5]
        assert all(each.audio_muted for each in conferences.get(state.id).participants.values())
        assert [row.seq for row in await office.store.events.after(0)] == [1, 2, 3, 4, 5]


async def test_each_is_decided_on_what_those_before_it_made(office):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        slow = Slow(office.store)
        outcomes = await at_once(
            conferences,
            slow,
            (state.id, ShowMessage("Một")),
            (state.id, ShowMessage("Hai")),
            (state.id, ShowMessage("Hai")),
            (state.id, ClearMessage()),
            (state.id, ClearMessage()),
        )
        assert [len(events) for events in outcomes] == [1, 1, 0, 1, 0]
        assert conferences.get(state.id).message is None
        assert conferences.get(state.id).version == state.version + 3


async def test_one_that_is_refused_takes_nobody_along(office):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        slow = Slow(office.store)
        locked, unknown, refused, muted = await at_once(
            conferences,
            slow,
            (state.id, Lock()),
            ("x", Lock()),
            (state.id, ChangeParticipant("nobody", label="x")),
            (state.id, MuteAll()),
        )
        assert isinstance(unknown, UnknownConference)
        assert isinstance(refused, Refused)
        assert (len(locked), len(muted)) == (1, 1)


async def test_a_write_that_fails_refuses_all_that_were_in_it(office, disk, capsys):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        slow = Slow(office.store)
        await disk.break_()
        outcomes = await at_once(
            conferences, slow, (state.id, Lock()), (state.id, MuteAll()), (state.id, Lock())
        )
        assert [type(each) for each in outcomes] == [StoreUnavailable] * 3
        assert conferences.get(state.id) == state
        await disk.mend()
        await conferences.execute(state.id, Lock(), OPERATOR)
        assert conferences.last_seq == 2


async def test_who_may_be_where_is_decided_when_all_before_is_true(office):
    async with office.daemon() as conferences:
        first = await conferences.start(StartConference("Một", "tinh", ("b0",)), OPERATOR)
        second = await conferences.start(StartConference("Hai", "tinh"), OPERATOR)
        entry = RosterEntry("b1", "Điểm cầu b1", "b1")
        slow = Slow(office.store)
        outcomes = await at_once(
            conferences,
            slow,
            (first.id, Lock()),
            (second.id, AddParticipant(entry)),
            (first.id, AddParticipant(entry)),
            (second.id, RemoveParticipant("b1")),
            (second.id, ChangeConference(number=first.number)),
            (first.id, EndConference()),
            (second.id, ChangeConference(number=first.number)),
            (first.id, MuteAll()),
        )
        kinds = [type(each) if isinstance(each, Exception) else len(each) for each in outcomes]
        assert kinds == [1, 1, Refused, 1, Refused, 1, 1, UnknownConference]
        assert conferences.conference_of("b1") is None


async def test_facts_come_after_the_whole_group(office):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        slow = Slow(office.store)
        append = office.store.events.append

        async def meanwhile(events, **more):
            if len(events) == 2:
                conferences.note(state.id, NoteJoined("b0", "l0"))
            await append(events, **more)

        office.store.events.append = meanwhile
        await at_once(
            conferences,
            slow,
            (state.id, Lock()),
            (state.id, MuteAll()),
            (state.id, ShowMessage("a")),
        )
        await conferences.flush()
        rows = await office.store.events.after(1)
        assert [row.type for row in rows] == [
            "conference.locked",
            "participants.changed",
            "message.shown",
            "participant.joined",
        ]
        assert conferences.get(state.id).participants["b0"].audio_muted


class TestBeside:
    """What is written together with a command's events."""

    def _audit(self, store, seen):
        def also(after):
            seen.append(after)
            return [
                store.audit.row(AuditRow(NOW, "t1", "operator", None, "lock", "/x", "done 200"))
            ]

        return also

    async def test_all_of_it_at_once(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            seen = []
            also = self._audit(office.store, seen)
            await conferences.execute(state.id, Lock(), OPERATOR, also=also)
            assert seen == [conferences.get(state.id)]
            assert [row.action for row in (await office.store.audit.list()).items] == ["lock"]

    async def test_or_nothing(self, office, disk, capsys):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)

            def broken(connection):
                raise ValueError

            for also in (lambda after: [broken], lambda after: 1 / 0):
                with pytest.raises((ValueError, ZeroDivisionError)):
                    await conferences.execute(state.id, Lock(), OPERATOR, also=also)
            assert not conferences.get(state.id).locked
            assert await office.store.events.after(1) == []

    async def test_not_asked_where_nothing_changes(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            await conferences.execute(state.id, Lock(), OPERATOR)
            seen = []
            also = self._audit(office.store, seen)
            assert await conferences.execute(state.id, Lock(), OPERATOR, also=also) == ()
            assert seen == []

    async def test_with_a_start(self, office):
        async with office.daemon() as conferences:
            seen = []
            state = await conferences.start(START, OPERATOR, also=self._audit(office.store, seen))
            assert seen == [state]
            assert len((await office.store.audit.list()).items) == 1


async def test_a_condition_sees_what_the_command_would_change(office):
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)

        def unchanged(now):
            if now.version != state.version:
                raise Refused("changed in between", None)

        outcomes = await asyncio.gather(
            *(
                conferences.execute(state.id, ShowMessage(text), OPERATOR, only_if=unchanged)
                for text in ("Một", "Hai")
            ),
            return_exceptions=True,
        )
        assert len(outcomes[0]) == 1
        assert isinstance(outcomes[1], Refused)
        assert conferences.get(state.id).message.text == "Một"
