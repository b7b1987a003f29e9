"""Rooms with BFCP and rooms without share one token: a conference, its floor and real participants.

The server and its participants speak over the virtual link of signalling's tests.
"""

import pytest

from mcu.conference.commands import (
    NoteLeft,
    RemoveParticipant,
    StartPresentation,
    StopPresentation,
)
from mcu.conference.decide import decide
from mcu.conference.events import PresentationStarted, PresentationStopped
from mcu.conference.evolve import evolve_all
from mcu.conference.presentation_floor import PresentationFloor
from mcu.conference.state import Refused
from signalling.bfcp import RequestChanged, RequestStatus, ask_policy
from tests.mcu.conference.meeting import NOW, ids, meeting
from tests.signalling.bfcp.link import BAD, FLOOR, PERFECT, Link

S = RequestStatus


class Site:
    """Participants b0 and b1 have BFCP as users 1 and 2; b2 is a browser."""

    def __init__(self, *, take_over=False, faults=PERFECT, seed=0):
        self.link = Link(2, policy=ask_policy, faults=faults, seed=seed)
        self.link.takes_server_events = False
        self.floor = PresentationFloor(self.link.server, take_over=take_over)
        self.state = meeting(3, joined=ids(3))
        self.floor.join(1, "b0")
        self.floor.join(2, "b1")
        self.link.start(8)
        self.clients = {"b0": self.link.clients[1], "b1": self.link.clients[2]}

    def order(self, command):
        events = decide(self.state, command, NOW)
        if events:
            self.state = evolve_all(self.state, events)
        for event in events:
            match event:
                case PresentationStarted(participant=who):
                    label = self.state.participants[who].label
                    self.floor.started(who, label, self.link.now)
                case PresentationStopped(participant=who):
                    self.floor.stopped(who, self.link.now)

    def run(self, seconds=1.0):
        for _ in range(round(seconds * 20)):
            self.link.run(0.05)
            self.settle()

    def settle(self):
        for _ in range(5):
            wishes = self.floor.wishes(self.link.now)
            for wish in wishes:
                try:
                    self.order(wish.command)
                except Refused:
                    self.floor.refused(wish, self.link.now)
            if not wishes:
                return
        raise AssertionError("conference and floor do not settle")

    def ask(self, who):
        self.clients[who].request_floor(self.link.now)
        self.run()

    def release(self, who):
        self.clients[who].release_floor(self.link.now)
        self.run()

    def holds(self):
        return {who for who, client in self.clients.items() if client.has_floor}

    def told(self, who):
        return [each.status for each in self.link.client_events[int(who[1]) + 1]
                if isinstance(each, RequestChanged)]  # fmt: skip


def test_a_room_asks_presents_and_gives_it_back():
    site = Site()
    site.ask("b0")
    assert (site.state.presenter, site.holds()) == ("b0", {"b0"})
    site.release("b0")
    assert (site.state.presenter, site.holds()) == (None, set())
    assert site.told("b0") == [S.PENDING, S.GRANTED, S.RELEASED]


def test_the_second_waits_for_the_first():
    site = Site()
    site.ask("b0")
    site.ask("b1")
    assert (site.state.presenter, site.holds()) == ("b0", {"b0"})
    site.release("b0")
    assert (site.state.presenter, site.holds()) == ("b1", {"b1"})
    assert site.told("b1") == [S.PENDING, S.ACCEPTED, S.GRANTED]


def test_the_second_takes_over_where_the_site_allows_it():
    site = Site(take_over=True)
    site.ask("b0")
    site.ask("b1")
    assert (site.state.presenter, site.holds()) == ("b1", {"b1"})
    assert site.told("b0")[-1] is S.REVOKED


@pytest.mark.parametrize("take_over", [False, True])
def test_a_browser_presents_and_rooms_are_told(take_over):
    site = Site(take_over=take_over)
    site.ask("b0")
    site.order(StartPresentation("b2"))
    site.run()
    assert (site.state.presenter, site.holds()) == ("b2", set())
    assert site.told("b0")[-1] is S.REVOKED
    holder = site.clients["b0"].holder
    assert (holder.user, holder.name) == (0, "Điểm cầu b2")
    site.ask("b1")
    if take_over:
        assert (site.state.presenter, site.holds()) == ("b1", {"b1"})
        return
    assert site.told("b1")[-1] is S.ACCEPTED
    site.order(NoteLeft("b2", "leg-b2"))
    site.run()
    assert (site.state.presenter, site.holds()) == ("b1", {"b1"})


def test_an_operator_takes_it_back():
    site = Site()
    site.ask("b0")
    site.order(StopPresentation())
    site.run()
    assert (site.state.presenter, site.holds()) == (None, set())
    assert site.link.holder is None
    site.ask("b0")
    assert site.holds() == {"b0"}


def test_an_operator_gives_it_to_a_room_that_has_not_asked():
    site = Site()
    site.order(StartPresentation("b1"))
    site.run()
    assert site.clients["b0"].holder.name == "Điểm cầu b1"
    site.ask("b1")
    assert (site.state.presenter, site.holds()) == ("b1", {"b1"})


def test_a_room_that_is_gone_gives_it_back():
    site = Site()
    site.ask("b0")
    site.link.cut = {1}
    site.run(40)
    assert site.state.presenter is None
    assert site.link.holder is None


def test_a_room_that_is_removed_and_closed():
    site = Site()
    site.ask("b0")
    site.ask("b1")
    site.order(RemoveParticipant("b0"))
    site.link.server.close(1, site.link.now)
    site.settle()
    site.floor.leave(1)
    site.link.clients.pop(1)
    site.run()
    assert site.state.presenter == "b1"
    assert site.clients["b1"].has_floor


@pytest.mark.parametrize("take_over", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_they_stay_the_same_over_a_bad_link(seed, take_over):
    site = Site(take_over=take_over, faults=BAD, seed=seed)
    rng = site.link.rng
    for _ in range(20):
        who = rng.choice(["b0", "b1"])
        match rng.randrange(5):
            case 0 | 1:
                site.clients[who].request_floor(site.link.now)
            case 2:
                site.clients[who].release_floor(site.link.now)
            case 3:
                site.order(StartPresentation("b2"))
            case 4:
                site.order(StopPresentation())
        site.run(rng.random() * 2)
    site.run(20)
    held = site.link.server.holder(FLOOR)
    names = {1: "b0", 2: "b1", 0: site.state.presenter}
    assert (None if held is None else names[held.user]) == site.state.presenter
    assert site.holds() <= {site.state.presenter}


def test_what_was_asked_before_it_was_known_by_whom_is_decided_then():
    site = Site()
    site.floor.leave(1)
    site.ask("b0")
    assert not site.holds()
    site.floor.join(1, "b0")
    site.run()
    assert site.holds() == {"b0"}
    assert site.state.presenter == "b0"
