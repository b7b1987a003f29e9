import asyncio
from dataclasses import replace

import pytest

from mcu.conference.commands import (
    AddParticipant,
    ChangeConference,
    ChangeParticipant,
    EndConference,
    Lock,
    MuteAll,
    NoteJoined,
    NoteLeft,
    NoteLost,
    RemoveParticipant,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StartConference,
)
from mcu.conference.events import ParticipantJoined
from mcu.conference.state import Refused, RosterEntry, UnknownConference
from mcu.engine.plan import EmptySlot, ParticipantSlot, SpeakerSlot
from mcu.store.errors import StoreUnavailable
from mcu.store.records import Bridge
from tests.mcu.conference.conftest import OPERATOR

START = StartConference("Giao ban", "tinh", "subtree", chair="b0")


class TestStart:
    async def test_the_subtree_is_the_roster(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            assert list(state.participants) == ["b0", "b1", "b2"]
            assert state.participants["b2"].unit_path == ("tinh", "xa2")
            assert office.media.calls == [("start", state.id), ("apply", state.id)]
            assert conferences.running() == (state,)
            assert conferences.get(state.id) is state

    async def test_bridges_by_name_in_their_order(self, office):
        async with office.daemon() as conferences:
            command = StartConference("Họp", "tinh", ("b2", "b0"), id="hop-1")
            state = await conferences.start(command, OPERATOR)
            assert (state.id, list(state.participants)) == ("hop-1", ["b2", "b0"])

    @pytest.mark.parametrize(
        ("command", "field"),
        [
            (StartConference("Họp", "nowhere"), "unit"),
            (StartConference("Họp", "tinh", ("b0", "x")), "bridges.1"),
            (StartConference("Họp", "tinh", ("b0", "b0")), "bridges"),
            (StartConference("Họp", "tinh", ("b0",), chair="b1"), "chair"),
            (StartConference("Họp", "tinh", layout="9x9"), "layout"),
        ],
    )
    async def test_refused_leaves_nothing_behind(self, office, command, field):
        async with office.daemon() as conferences:
            with pytest.raises(Refused) as caught:
                await conferences.start(command, OPERATOR)
            assert caught.value.field == field
            assert conferences.running() == ()
            assert (office.media.calls, conferences.last_seq) == ([], 0)

    async def test_a_bridge_is_in_one_conference_at_a_time(self, office):
        async with office.daemon() as conferences:
            first = await conferences.start(StartConference("Một", "tinh", ("b0",)), OPERATOR)
            second = await conferences.start(StartConference("Hai", "tinh", ("b1",)), OPERATOR)
            with pytest.raises(Refused, match=f"'Một' \\({first.id}\\)"):
                await conferences.start(START, OPERATOR)
            with pytest.raises(Refused, match="'Một'"):
                await conferences.add_bridge(second.id, "b0", OPERATOR)
            assert conferences.conference_of("b0") == first.id
            await conferences.execute(first.id, RemoveParticipant("b0"), OPERATOR)
            assert conferences.conference_of("b0") is None
            await conferences.add_bridge(second.id, "b0", OPERATOR)
            await conferences.execute(second.id, EndConference(), OPERATOR)
            assert conferences.conference_of("b0") is None

    async def test_an_id_is_used_once(self, office):
        async with office.daemon() as conferences:
            command = StartConference("Họp", "tinh", id="hop")
            await conferences.start(command, OPERATOR)
            await conferences.execute("hop", EndConference(), OPERATOR)
            with pytest.raises(Refused, match="used before"):
                await conferences.start(command, OPERATOR)


class TestExecute:
    async def test_events_are_numbered_stored_and_name_the_actor(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            (event,) = await conferences.execute(state.id, Lock(), OPERATOR)
            assert (event.seq, event.type, event.conference) == (2, "conference.locked", state.id)
            rows = await office.store.events.after(0)
            assert [(row.seq, row.type, row.actor) for row in rows] == [
                (1, "conference.started", "t1"),
                (2, "conference.locked", "t1"),
            ]

    async def test_idle_commands_do_nothing(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            await conferences.execute(state.id, Lock(), OPERATOR)
            calls = list(office.media.calls)
            assert await conferences.execute(state.id, Lock(), OPERATOR) == ()
            assert (office.media.calls, conferences.last_seq) == (calls, 2)

    async def test_unknown_conferences(self, office):
        async with office.daemon() as conferences:
            with pytest.raises(UnknownConference):
                await conferences.execute("x", Lock(), OPERATOR)
            with pytest.raises(UnknownConference):
                await conferences.execute("x", EndConference(), OPERATOR)
            with pytest.raises(UnknownConference):
                await conferences.read("x")
            with pytest.raises(UnknownConference):
                conferences.get("x")

    async def test_ending(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            conferences.note(state.id, NoteJoined("b0", "l0"))
            await conferences.execute(state.id, EndConference("xong"), OPERATOR)
            assert office.media.calls[-1] == ("end", state.id)
            assert conferences.running() == ()
            with pytest.raises(UnknownConference):
                conferences.get(state.id)
            ended = await conferences.read(state.id)
            assert not ended.running
            assert ended.participants["b0"].presence == "left"
            assert await conferences.execute(state.id, EndConference(), OPERATOR) == ()
            conferences.note(state.id, NoteLeft("b0", "l0"))
            assert (await office.store.conferences.get(state.id)).ended_at is not None

    async def test_the_list_follows_the_name(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            await conferences.execute(state.id, ChangeConference(name="Mới"), OPERATOR)
            assert (await office.store.conferences.get(state.id)).name == "Mới"

    async def test_it_runs_to_its_end_though_the_caller_goes_away(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            caller = asyncio.create_task(conferences.execute(state.id, Lock(), OPERATOR))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            await conferences.execute(state.id, ShowMessage("sau"), OPERATOR)
            assert conferences.get(state.id).locked
            assert [row.type for row in await office.store.events.after(1)] == [
                "conference.locked",
                "message.shown",
            ]

    async def test_many_at_once_keep_one_order(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            feed = conferences.subscribe(after=0)
            await asyncio.gather(
                *(
                    conferences.execute(
                        state.id, ChangeParticipant(f"b{n % 3}", volume_db=n / 10 + 1), OPERATOR
                    )
                    for n in range(30)
                )
            )
            seen = [await anext(feed) for _ in range(31)]
            assert [event.seq for event in seen] == list(range(1, 32))
            stored = await office.store.events.after(0)
            assert [row.type for row in stored] == [event.type for event in seen]
            feed.close()

    async def test_nothing_is_taken_after_closing(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
        with pytest.raises(StoreUnavailable):
            await conferences.execute(state.id, Lock(), OPERATOR)
        conferences.note(state.id, NoteJoined("b0", "l0"))
        assert conferences.get(state.id).participants["b0"].presence == "expected"


class TestRoster:
    async def test_guests_get_an_id_and_count_to_the_conference_unit(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            guest = await conferences.add_guest(state.id, "Sở Y tế", OPERATOR)
            assert guest.id.startswith("guest-")
            assert (guest.bridge, guest.unit_path) == (None, ("tinh",))
            assert conferences.participant(state.id, guest.id) == guest

    async def test_a_bridge_twice_is_the_same_participant(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(StartConference("Họp", "tinh"), OPERATOR)
            first = await conferences.add_bridge(state.id, "b1", OPERATOR, importance=5)
            assert first.importance == 5
            assert await conferences.add_bridge(state.id, "b1", OPERATOR) == first

    async def test_strangers(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(StartConference("Họp", "tinh"), OPERATOR)
            with pytest.raises(Refused) as caught:
                await conferences.add_bridge(state.id, "x", OPERATOR)
            assert caught.value.field == "bridge"
            with pytest.raises(Refused):
                conferences.participant(state.id, "b0")
            with pytest.raises(UnknownConference):
                await conferences.add_guest("x", "Khách", OPERATOR)


class TestFacts:
    async def test_applied_before_note_returns(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            conferences.note(state.id, NoteJoined("b0", "l0"))
            assert conferences.get(state.id).participants["b0"].presence == "connected"
            assert office.media.plans[state.id].participants["b0"].presence == "connected"
            assert conferences.unstored == 1
            await conferences.flush()
            assert conferences.unstored == 0
            assert (await office.store.events.after(1))[0].type == "participant.joined"

    async def test_one_that_comes_while_a_command_is_stored_waits_its_turn(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            append, seen = office.store.events.append, []

            async def slow(*args, **kwargs):
                conferences.note(state.id, NoteJoined("b1", "l1"))
                seen.append(conferences.get(state.id).participants["b1"].presence)
                await append(*args, **kwargs)

            office.store.events.append = slow
            await conferences.execute(state.id, MuteAll(), OPERATOR)
            assert seen == ["expected"]
            joined = conferences.get(state.id).participants["b1"]
            assert (joined.presence, joined.audio_muted) == ("connected", True)
            office.store.events.append = append
            await conferences.flush()
            rows = await office.store.events.after(1)
            assert [row.type for row in rows] == ["participants.changed", "participant.joined"]

    async def test_one_that_a_plan_brings_about_comes_after(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            conferences.note(state.id, NoteJoined("b0", "old"))
            feed = conferences.subscribe()

            def close_replaced(changed, event):
                if isinstance(event, ParticipantJoined):
                    for leg in event.replaced:
                        conferences.note(changed.id, NoteLeft("b0", leg, "replaced"))
                    if event.leg == "new":
                        conferences.note(changed.id, NoteLost("b0", "new"))

            conferences.listen(close_replaced)
            conferences.note(state.id, NoteJoined("b0", "new"))
            assert [(await anext(feed)).type for _ in range(2)] == [
                "participant.joined",
                "participant.lost",
            ]
            assert conferences.last_seq == 4
            feed.close()

    async def test_one_that_is_noted_while_the_plan_is_applied_has_its_own_number(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)

            def lose(conference, plan):
                if plan.participants["b0"].presence == "connected":
                    conferences.note(conference, NoteLost("b0", "l0"))

            office.media.on_apply = lose
            feed = conferences.subscribe()
            conferences.note(state.id, NoteJoined("b0", "l0"))
            assert conferences.get(state.id).participants["b0"].presence == "lost"
            seen = [await anext(feed) for _ in range(2)]
            assert [(each.seq, each.type) for each in seen] == [
                (2, "participant.joined"),
                (3, "participant.lost"),
            ]
            feed.close()

    async def test_nonsense_is_dropped(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            conferences.note(state.id, NoteJoined("x", "l"))
            conferences.note("x", NoteJoined("b0", "l"))
            assert conferences.last_seq == 1

    async def test_a_media_plane_that_fails_stops_nothing(self, office, capsys):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)

            def fail(conference, plan):
                raise RuntimeError("no encoder")

            office.media.on_apply = fail
            conferences.note(state.id, NoteJoined("b0", "l0"))
            await conferences.execute(state.id, Lock(), OPERATOR)
            assert conferences.get(state.id).locked


class TestRestart:
    async def test_everything_is_there_again(self, office, clock):
        died = office.made()
        await died.restore(keep=False)
        state = await died.start(START, OPERATOR)
        for room in ("b0", "b1"):
            died.note(state.id, NoteJoined(room, f"leg-{room}"))
        slots = (ParticipantSlot("b2"), SpeakerSlot(1), EmptySlot(), EmptySlot())
        for command in (
            SetLayout("main", "2x2", slots),
            MuteAll(except_=("chair",)),
            StartBroadcast("b1"),
            ShowMessage("Chờ"),
            Lock(),
            ChangeParticipant("b2", label="Xã Hai", volume_db=-3),
        ):
            await died.execute(state.id, command, OPERATOR)
        before = died.get(state.id)
        clock.seconds = 20

        async with office.daemon() as conferences:
            (after,) = conferences.running()
            assert (after.chair, after.views, after.message) == (
                "b0", before.views, before.message,
            )  # fmt: skip
            assert (after.locked, after.broadcast, after.entry_muted) == (True, "b1", ("all",))
            assert [each.presence for each in after.participants.values()] == [
                "lost", "lost", "expected",
            ]  # fmt: skip
            assert [each.audio_muted for each in after.participants.values()] == [
                False, True, True,
            ]  # fmt: skip
            assert after.participants["b2"].label == "Xã Hai"
            assert after.participants["b2"].volume_db == -3
            assert office.media.calls[0] == ("start", state.id)
            assert office.media.plans[state.id].participants["b0"].presence == "lost"
            assert conferences.conference_of("b2") == state.id
            assert conferences.last_seq == died.last_seq + 2

    async def test_a_start_of_unknown_outcome_ends_when_its_events_are_overwritten(
        self, office, monkeypatch
    ):
        append = office.store.events.append

        async def written_but_refused(*given, **more):
            await append(*given, **more)
            raise StoreUnavailable("The disk said nothing.")

        died = office.made()
        await died.restore(keep=False)
        monkeypatch.setattr(office.store.events, "append", written_but_refused)
        with pytest.raises(StoreUnavailable):
            await died.start(replace(START, id="lost"), OPERATOR)
        monkeypatch.setattr(office.store.events, "append", append)
        state = await died.start(START, OPERATOR)

        async with office.daemon() as conferences:
            assert [each.id for each in conferences.running()] == [state.id]
            assert (await conferences.read("lost")).ended_at is not None
            assert [each.id for each in await office.store.conferences.running()] == [state.id]
        async with office.daemon() as conferences:
            assert [each.id for each in conferences.running()] == [state.id]

    async def test_a_lost_one_keeps_nobody_out_while_the_disk_is_full(self, office, disk):
        died = office.made()
        await died.restore(keep=False)
        state = await died.start(START, OPERATOR)
        async with office.store._database.write() as connection:
            await connection.execute("DELETE FROM events")
        await disk.break_()
        async with office.daemon() as conferences:
            assert not conferences.running()
            with pytest.raises(UnknownConference):
                await conferences.read(state.id)
            await disk.mend()

    async def test_who_rejoins_stays_and_who_does_not_has_left(self, office, clock):
        died = office.made()
        await died.restore(keep=False)
        state = await died.start(START, OPERATOR)
        for room in ("b0", "b1"):
            died.note(state.id, NoteJoined(room, f"leg-{room}"))
        await died.flush()

        async with office.daemon() as conferences:
            conferences.note(state.id, NoteJoined("b1", "again"))
            due = conferences.next_timer()
            assert due == clock.now() + 30.0
            clock.seconds = 29.9
            conferences.handle_timer(clock.now())
            assert conferences.get(state.id).participants["b0"].presence == "lost"
            clock.seconds = 30
            conferences.handle_timer(clock.now())
            presences = [each.presence for each in conferences.get(state.id).participants.values()]
            assert presences == ["left", "connected", "expected"]
            assert conferences.next_timer() is None

    async def test_what_was_not_flushed_is_flushed_by_closing(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            conferences.note(state.id, NoteJoined("b0", "l0"))
        async with office.daemon() as conferences:
            assert conferences.get(state.id).participants["b0"].presence == "lost"

    async def test_an_ended_one_does_not_come_back(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            await conferences.execute(state.id, EndConference(), OPERATOR)
        async with office.daemon() as conferences:
            assert conferences.running() == ()
            assert not (await conferences.read(state.id)).running

    async def test_snapshots_keep_restoring_short(self, office):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            for number in range(450):
                conferences.note(state.id, NoteJoined("b0", f"leg-{number}"))
                if number % 50 == 0:
                    await conferences.flush()
            before = conferences.get(state.id)
        snapshot = await office.store.conferences.snapshot(state.id)
        assert snapshot is not None
        assert snapshot.seq > 300
        async with office.daemon() as conferences:
            after = conferences.get(state.id).participants["b0"]
            assert after.version == before.participants["b0"].version + 1
            assert after.presence == "lost"

    async def test_one_that_cannot_be_read_does_not_keep_the_others_away(self, office, capsys):
        async with office.daemon() as conferences:
            bad = await conferences.start(StartConference("Một", "tinh", ("b0",)), OPERATOR)
            good = await conferences.start(StartConference("Hai", "tinh", ("b1",)), OPERATOR)
        async with office.store._database.write() as connection:
            await connection.execute("UPDATE events SET data = '{}' WHERE seq = 1")
        async with office.daemon() as conferences:
            assert [state.id for state in conferences.running()] == [good.id]
            with pytest.raises(UnknownConference):
                await conferences.read(bad.id)


class TestBrokenStore:
    async def test_commands_are_refused_and_change_nothing(self, office, disk, capsys):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            calls = list(office.media.calls)
            await disk.break_()
            for command in (Lock(), EndConference(), MuteAll()):
                with pytest.raises(StoreUnavailable):
                    await conferences.execute(state.id, command, OPERATOR)
            with pytest.raises(StoreUnavailable):
                await conferences.start(StartConference("Hai", "tinh"), OPERATOR)
            assert conferences.running() == (state,)
            assert (office.media.calls, conferences.last_seq) == (calls, 1)
            await disk.mend()
            await conferences.execute(state.id, Lock(), OPERATOR)
            assert conferences.get(state.id).locked

    async def test_facts_go_on_and_are_stored_later(self, office, disk, capsys):
        async with office.daemon() as conferences:
            state = await conferences.start(START, OPERATOR)
            feed = conferences.subscribe()
            await disk.break_()
            conferences.note(state.id, NoteJoined("b0", "l0"))
            conferences.note(state.id, NoteLost("b0", "l0"))
            with pytest.raises(StoreUnavailable):
                await conferences.flush()
            assert conferences.unstored == 2
            assert office.media.plans[state.id].participants["b0"].presence == "lost"
            assert [(await anext(feed)).seq for _ in range(2)] == [2, 3]
            await disk.mend()
            (event,) = await conferences.execute(state.id, Lock(), OPERATOR)
            assert (event.seq, conferences.unstored) == (4, 0)
            assert [row.seq for row in await office.store.events.after(0)] == [1, 2, 3, 4]
            feed.close()

    async def test_the_background_task_tries_again(self, office, disk, capsys, monkeypatch):
        monkeypatch.setattr("mcu.conference.keeper.RETRY_S", 0.0)
        async with office.daemon(keep=True) as conferences:
            state = await conferences.start(START, OPERATOR)
            append, written = office.store.events.append, asyncio.Event()

            async def tell(*args, **kwargs):
                await append(*args, **kwargs)
                written.set()

            office.store.events.append = tell
            await disk.break_()
            conferences.note(state.id, NoteJoined("b0", "l0"))
            with pytest.raises(StoreUnavailable):
                await conferences.flush()
            await disk.mend()
            await written.wait()
            assert len(await office.store.events.after(1)) == 1


async def test_a_meeting_of_145_is_one_event_to_start_and_one_to_mute(office):
    for number in range(142):
        await office.store.bridges.create(Bridge(f"x{number}", f"Xã {number}", "xa1"))
    async with office.daemon() as conferences:
        state = await conferences.start(START, OPERATOR)
        assert len(state.participants) == 145
        await conferences.execute(state.id, MuteAll(except_=("chair",)), OPERATOR)
        assert conferences.last_seq == 2


async def test_an_entry_made_elsewhere_is_checked_as_well(office):
    async with office.daemon() as conferences:
        await conferences.start(StartConference("Một", "tinh", ("b0",)), OPERATOR)
        second = await conferences.start(StartConference("Hai", "tinh"), OPERATOR)
        command = AddParticipant(RosterEntry("b0", "Điểm cầu", "b0"))
        with pytest.raises(Refused):
            await conferences.execute(second.id, command, OPERATOR)


class TestNumbers:
    async def test_the_lowest_that_is_free(self, office):
        async with office.daemon() as conferences:
            first = await conferences.start(StartConference("Một", "tinh"), OPERATOR)
            own = await conferences.start(StartConference("Hai", "tinh", number="1002"), OPERATOR)
            third = await conferences.start(StartConference("Ba", "tinh"), OPERATOR)
            assert [each.number for each in (first, own, third)] == ["1001", "1002", "1003"]
            await conferences.execute(first.id, EndConference(), OPERATOR)
            again = await conferences.start(StartConference("Bốn", "tinh"), OPERATOR)
            assert again.number == "1001"

    async def test_one_that_is_taken(self, office):
        async with office.daemon() as conferences:
            first = await conferences.start(StartConference("Một", "tinh"), OPERATOR)
            with pytest.raises(Refused) as caught:
                await conferences.start(
                    StartConference("Hai", "tinh", number=first.number), OPERATOR
                )
            assert caught.value.field == "number"
            other = await conferences.start(StartConference("Hai", "tinh"), OPERATOR)
            with pytest.raises(Refused):
                await conferences.execute(other.id, ChangeConference(number=first.number), OPERATOR)
            await conferences.execute(first.id, ChangeConference(number=first.number), OPERATOR)

    async def test_pin_and_number_outlive_a_restart(self, office):
        async with office.daemon() as conferences:
            command = StartConference("Một", "tinh", pin="4711", number="7", id="hop")
            await conferences.start(command, OPERATOR)
        async with office.daemon() as conferences:
            state = conferences.get("hop")
            assert (state.pin, state.number) == ("4711", "7")
