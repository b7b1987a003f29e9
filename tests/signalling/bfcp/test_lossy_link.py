"""Server and participants against each other: what everybody believes in the end is the same.

Over a link that loses 10%, doubles 10% and puts datagrams out of order, and over streams cut
anywhere. Whoever asks gets an answer; afterwards nothing is left over on either side.
"""

import pytest

from signalling.bfcp import (
    BfcpClient,
    ChairPolicy,
    HolderChanged,
    ParticipantGone,
    RequestChanged,
    RequestStatus,
    ServerGone,
    queue_policy,
    steal_policy,
)
from signalling.bfcp.client import KEEP_ALIVE_S
from signalling.bfcp.server import PROBE_S
from signalling.bfcp.timers import T2_S
from tests.signalling.bfcp.link import BAD, FLOOR, Faults, Link

GIVE_UP_S = 7.5
"""15 * T1: a request and three repetitions without an answer."""


def agree(link: Link) -> None:
    """Everybody believes what the server knows."""
    for user, client in link.clients.items():
        assert client.has_floor == (link.holder == user), user
        if link.holder != user:
            assert client.holder.user == link.holder, user


@pytest.mark.parametrize("reliable", [False, True])
@pytest.mark.parametrize("policy", [queue_policy, steal_policy])
@pytest.mark.parametrize("seed", range(12))
def test_a_meeting_of_five(seed: int, policy: ChairPolicy, reliable: bool) -> None:
    link = Link(5, reliable=reliable, faults=BAD, seed=seed, policy=policy)
    link.start(10)
    for _ in range(30):
        client = link.clients[link.rng.randrange(1, 6)]
        if link.rng.random() < 0.5:
            client.request_floor(link.now)
        else:
            client.release_floor(link.now)
        link.run(link.rng.random() * 3)
    link.run(20)
    gone = [event for event in link.server_events if isinstance(event, ParticipantGone)]
    if not gone:  # a request that was lost four times ends an association, as it should
        agree(link)
    for client in link.clients.values():
        client.release_floor(link.now)
    link.run(20)
    assert link.server.requests(FLOOR) == []
    assert all(not client.has_floor for client in link.clients.values())
    for user, client in link.clients.items():
        assert client.association.is_idle
        assert link.server.association(user).is_idle


def test_nothing_is_left_over() -> None:
    link = Link(3, faults=BAD, seed=3)
    link.start()
    link.clients[1].request_floor(link.now)
    link.clients[2].request_floor(link.now)
    link.run(10)
    for client in link.clients.values():
        client.say_goodbye(link.now)
    link.run(GIVE_UP_S + T2_S + 1)
    assert link.server.requests(FLOOR) == []
    assert link.server.next_timer() is None
    assert [client.next_timer() for client in link.clients.values()] == [None] * 3
    before = link.datagrams
    link.run(1_000)
    assert link.datagrams == before


def test_one_that_falls_silent_loses_the_floor_to_the_next() -> None:
    link = Link(2)
    link.start()
    link.clients[1].request_floor(link.now)
    link.run(1)
    link.clients[2].request_floor(link.now)
    link.run(1)
    assert link.holder == 1
    link.cut = {1}
    link.run(PROBE_S + GIVE_UP_S)
    assert link.holder == 2
    assert ParticipantGone(1, "no answer") in link.server_events
    assert isinstance(link.client_events[1][-1], ServerGone)
    assert not link.clients[1].has_floor


def test_it_may_come_again() -> None:
    link = Link(2)
    link.start()
    link.cut = {1}
    link.clients[1].request_floor(link.now)
    link.run(GIVE_UP_S)
    assert link.client_events[1][-1] == ServerGone("no answer")
    link.cut = set()
    link.clients[1].start(link.now)
    link.clients[1].request_floor(link.now)
    link.run(1)
    assert link.holder == 1
    agree(link)


def test_repeated_after_t1_doubled_and_given_up_after_the_third_time() -> None:
    link = Link(1)
    link.cut = {1}
    sent: list[float] = []
    client = link.clients[1]
    client.start(link.now)
    start = link.now
    while (due := client.next_timer()) is not None or client.association.is_idle is False:
        sent += [link.now - start for _ in client.data_to_send()]
        assert due is not None
        link.now = due
        client.handle_timer(link.now)
    assert sent == [0.0, 0.5, 1.5, 3.5]
    assert link.now - start == GIVE_UP_S
    assert client.events() == [ServerGone("no answer")]


def test_a_silent_link_is_kept_open_and_costs_little() -> None:
    link = Link(1)
    link.start()
    before = link.datagrams
    link.run(10 * KEEP_ALIVE_S)
    assert 18 <= link.datagrams - before <= 20, "a Hello and its answer each time"


def test_news_that_overtake_the_answer_are_not_forgotten_for_it() -> None:
    """The answer "accepted" is lost; "granted" comes first; the repeated answer is older."""
    link = Link(2)
    link.start()
    link.clients[1].request_floor(link.now)
    link.run(1)
    lost: list[bytes] = []

    def lose_first_answer(data: bytes) -> bool:
        if data[1] == 4 and data[0] & 0x10 and not lost:
            lost.append(data)
            return True
        return False

    link.lose = lose_first_answer
    link.clients[2].request_floor(link.now)
    link.run(0.1)
    link.clients[1].release_floor(link.now)
    link.run(3)
    assert lost
    assert link.holder == 2
    agree(link)
    changes = [e.status for e in link.client_events[2] if isinstance(e, RequestChanged)]
    assert changes == [RequestStatus.ACCEPTED, RequestStatus.GRANTED]


def test_a_request_that_comes_twice_is_carried_out_once() -> None:
    link = Link(1, faults=Faults(doubled=1.0, jitter_s=0.5))
    link.start()
    link.clients[1].request_floor(link.now)
    link.run(2)
    assert len(link.server.requests(FLOOR)) == 1
    assert link.server.association(1).counts["absorbed"] >= 2


def test_everybody_is_told_who_has_it_by_name() -> None:
    link = Link(3, reliable=True)
    link.start()
    link.clients[2].request_floor(link.now)
    link.run(1)
    assert link.client_events[1] == [HolderChanged(2, "room 2")]
    assert link.client_events[2] == [RequestChanged(RequestStatus.GRANTED)]
    link.server.take(FLOOR, link.now, "Vạn Ninh")
    link.run(1)
    assert link.client_events[1][-1] == HolderChanged(0, "Vạn Ninh")
    assert link.client_events[2][1:] == [
        RequestChanged(RequestStatus.REVOKED),
        HolderChanged(0, "Vạn Ninh"),
    ]
    link.server.free(FLOOR, link.now)
    link.run(1)
    assert link.client_events[3][-1] == HolderChanged(None)


def test_a_hundred_and_forty_five_rooms() -> None:
    link = Link(145, faults=Faults(jitter_s=0.05))
    link.start(2)
    for user in (3, 140, 7):
        link.clients[user].request_floor(link.now)
        link.run(1)
    assert link.holder == 3
    agree(link)
    link.server.close(3, link.now)
    link.clients.pop(3)
    link.run(2)
    assert link.holder == 140
    agree(link)


def test_a_client_that_says_goodbye_gives_everything_back() -> None:
    link = Link(2)
    link.start()
    link.clients[1].request_floor(link.now)
    link.run(1)
    link.clients[1].say_goodbye(link.now)
    link.run(1)
    assert ParticipantGone(1, "goodbye") in link.server_events
    assert link.holder is None


def test_a_server_that_says_goodbye_is_heard() -> None:
    link = Link(2)
    link.start()
    link.clients[1].request_floor(link.now)
    link.run(1)
    link.server.say_goodbye(link.now)
    link.run(1)
    clients: list[BfcpClient] = list(link.clients.values())
    assert [events[-1] for events in link.client_events.values()] == [ServerGone("goodbye")] * 2
    assert not any(client.has_floor for client in clients)
