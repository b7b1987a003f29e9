from dataclasses import replace

import pytest

from mcu.conference.codec import UnreadableRecord, event_to_json, state_to_json
from mcu.conference.commands import Lock, MuteAll, NoteJoined
from mcu.conference.decide import decide
from mcu.conference.events import ConferenceStarted
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import GAP
from mcu.conference.history import list_entry, load, read_conference, read_events, was_used
from mcu.conference.state import ConferenceState
from mcu.store.errors import UnknownRecord
from mcu.store.records import Snapshot, StoredEvent
from tests.mcu.conference.meeting import NOW, meeting


@pytest.fixture
async def state(store):
    """A conference whose events 1 to 4 are stored."""
    state = meeting(3)
    roster = tuple(state.participants.values())
    events = [ConferenceStarted("c1", "Họp", "tinh", None, "auto", roster, NOW)]
    for command in (NoteJoined("b0", "l0"), MuteAll(), Lock()):
        made = decide(state, command, NOW)
        state = evolve_all(state, made)
        events += made
    await store.events.append(
        [
            StoredEvent(seq, NOW, event.type, "c1", event_to_json(event))
            for seq, event in enumerate(events, 1)
        ],
        conferences=[list_entry(state)],
    )
    return state


async def test_by_events_alone(store, state):
    assert await load(store, "c1") == state


async def test_by_snapshot_and_the_events_after_it(store, state):
    early = meeting(3)
    await store.events.append([], snapshots=[Snapshot("c1", 1, state_to_json(early))])
    assert await load(store, "c1") == state
    await store.events.append([], snapshots=[Snapshot("c1", 4, state_to_json(state))])
    assert await load(store, "c1") == state


async def test_was_used(store, state):
    assert await was_used(store, "c1")
    assert not await was_used(store, "c2")


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM events",
        "DELETE FROM events WHERE seq = 1",
        "UPDATE events SET type = 'what.happened' WHERE seq = 3",
        "UPDATE events SET data = '{\"v\": 9}' WHERE seq = 3",
        "UPDATE events SET data = replace(data, 'b1', 'bx') WHERE seq = 3",
        "UPDATE events SET data = 'no JSON' WHERE seq = 3",
        "UPDATE events SET data = '[]' WHERE seq = 3",
        "UPDATE events SET time = 'yesterday' WHERE seq = 3",
        "UPDATE conferences SET snapshot = '{', snapshot_seq = 4",
    ],
)
async def test_damage_is_said_and_never_guessed_over(store, state, damage):
    async with store._database.write() as connection:
        await connection.execute(damage)
    for read in (load, read_conference):
        with pytest.raises(UnreadableRecord):
            await read(store, "c1")


async def test_one_that_ended_long_ago_is_what_the_list_says(store, state):
    async with store._database.write() as connection:
        await connection.execute("DELETE FROM events")
    await store.events.append([], conferences=[list_entry(replace(state, ended_at=NOW))])
    assert await load(store, "c1") == ConferenceState("c1", state.name, "tinh", NOW, ended_at=NOW)
    with pytest.raises(UnknownRecord):
        await load(store, "c2")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE conferences SET snapshot = '{'",
        "UPDATE conferences SET snapshot = '{\"v\": 9}'",
        "UPDATE conferences SET snapshot = replace(snapshot, 'Họp', 'Hộp')",
        "UPDATE conferences SET snapshot = replace(snapshot, '\"ended_at\"', '\"ended\"')",
        "UPDATE conferences SET snapshot_seq = 1, snapshot = NULL",
    ],
)
async def test_of_a_damaged_one_that_has_ended_the_list_is_told(store, state, damage):
    ended = replace(state, ended_at=NOW)
    record = list_entry(ended)
    snapshot = Snapshot("c1", 4, state_to_json(ended))
    await store.events.append([], conferences=[record], snapshots=[snapshot])
    assert await read_conference(store, "c1") == ended
    async with store._database.write() as connection:
        await connection.execute(damage)
    assert await read_conference(store, "c1") == ConferenceState(
        "c1", state.name, "tinh", NOW, ended_at=NOW, damaged=True
    )


async def test_the_stream_shows_what_was_shown(store, state):
    events = await read_events(store, 0, None)
    assert [each.type for each in events] == [
        "conference.started",
        "participant.joined",
        "participants.changed",
        "conference.locked",
    ]
    assert events[1].data["participant"]["legs"] == ["l0"]
    assert [each.seq for each in await read_events(store, 2, "c1")] == [3, 4]
    assert await read_events(store, 0, "c2") == []


@pytest.mark.parametrize("damaged", ["{}", "[]", "no JSON"])
async def test_the_stream_goes_past_an_event_that_cannot_be_read(store, state, capsys, damaged):
    async with store._database.write() as connection:
        await connection.execute("UPDATE events SET data = ? WHERE seq = 2", (damaged,))
    events = await read_events(store, 0, None)
    assert [(each.seq, each.type) for each in events[:3]] == [
        (1, "conference.started"),
        (2, GAP),
        (3, "participants.changed"),
    ]
