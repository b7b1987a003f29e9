import pytest

from mcu.conference.commands import (
    EndConference,
    NoteJoined,
    NoteLeft,
    NoteLost,
    RemoveParticipant,
)
from mcu.conference.decide import decide
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import EventHub
from mcu.conference.live import LiveConferences
from mcu.conference.state import Refused, RosterEntry
from tests.mcu.conference.conftest import Media
from tests.mcu.conference.meeting import NOW, meeting


async def nothing(seq, conference):
    return []


@pytest.fixture
def made(clock):
    """Live conferences with one that runs, and the rows that wait for the store."""
    waiting, media = [], Media()
    hub = EventHub(0, 0, nothing, clock.utcnow)
    live = LiveConferences(media, hub, clock, waiting.append)
    live.adopt(meeting(3))
    return live, waiting, media, hub


def command(live, wanted):
    """What the service does with a command that could be stored."""
    state = live.states["c1"]
    events = decide(state, wanted, NOW)
    rows = live.numbered("c1", events, NOW, "t1")
    return live.apply(evolve_all(state, events), events, rows)


def test_adopting_starts_the_media_with_a_plan(made):
    _, _, media, _ = made
    assert media.calls == [("start", "c1"), ("apply", "c1")]
    assert set(media.plans["c1"].participants) == {"b0", "b1", "b2"}


def test_facts_are_applied_and_wait_for_the_store_in_order(made):
    live, waiting, media, hub = made
    live.note("c1", NoteJoined("b0", "l0"))
    live.note("c1", NoteLost("b0", "l0"))
    assert [(row.seq, row.type, row.actor) for row in waiting] == [
        (1, "participant.joined", None),
        (2, "participant.lost", None),
    ]
    assert hub.last_seq == 2
    assert media.plans["c1"].participants["b0"].presence == "lost"


def test_a_fact_that_changes_nothing_leaves_the_media_alone(made):
    live, waiting, media, _ = made
    live.note("c1", NoteLeft("b0", "never-seen"))
    assert (waiting, len(media.calls)) == ([], 2)


def test_held_facts_come_after_the_command(made):
    live, waiting, _, hub = made
    live.hold()
    live.note("c1", NoteJoined("b1", "l1"))
    assert not waiting
    recorded = command(live, RemoveParticipant("b0"))
    live.release()
    assert [each.seq for each in recorded] == [1]
    assert [row.seq for row in waiting] == [2]
    assert [each.type for each in hub.recent(0)] == ["participant.removed", "participant.joined"]


def test_which_conference_a_bridge_is_in(made):
    live, _, _, _ = made
    entry = RosterEntry("b0", "Điểm cầu", "b0")
    live.check_free(entry, "c1", "bridge")
    live.check_free(RosterEntry("guest-1", "Khách"), "c2", "bridge")
    with pytest.raises(Refused, match=r"\(c1\)"):
        live.check_free(entry, "c2", "bridge")
    command(live, RemoveParticipant("b0"))
    live.check_free(entry, "c2", "bridge")


def test_the_end_frees_everything(made):
    live, _, media, _ = made
    command(live, EndConference())
    assert (live.states, live.by_bridge) == ({}, {})
    assert media.calls[-1] == ("end", "c1")
    assert live.snapshot("c1") is None


def test_listeners_hear_of_events_once_they_are_true(made):
    live, _, _, _ = made
    heard = []
    live.listeners.append(
        lambda state, event: heard.append((event.type, live.states["c1"] is state))
    )
    live.note("c1", NoteJoined("b0", "l0"))
    assert heard == [("participant.joined", True)]


def test_a_snapshot_is_of_the_newest_event(made):
    live, _, _, _ = made
    live.note("c1", NoteJoined("b0", "l0"))
    snapshot = live.snapshot("c1")
    assert (snapshot.seq, snapshot.state["participants"]["b0"]["presence"]) == (1, "connected")
