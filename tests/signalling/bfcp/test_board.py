"""Who gets a floor, who waits, who loses it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalling.bfcp.board import (
    MAX_REQUESTS,
    MAX_REQUESTS_OF_USER,
    SERVER_USER,
    BoardFull,
    ChairPolicy,
    FloorBoard,
    Request,
    Verdict,
    ask_policy,
    queue_policy,
    steal_policy,
)
from signalling.bfcp.registry import Priority, RequestStatus

Seen = list[tuple[int, str, int]]


def seen(changed: list[Request]) -> Seen:
    """Who, what, place."""
    return [(each.user, each.status.name.lower(), each.queue_position) for each in changed]


def board(policy: ChairPolicy = queue_policy, floors: tuple[int, ...] = (1,)) -> FloorBoard:
    return FloorBoard(floors, policy)


def ask(on: FloorBoard, user: int, *floors: int, priority: int = Priority.NORMAL) -> Seen:
    return seen(on.ask(user, floors or (1,), priority=priority)[1])


def holder(on: FloorBoard, floor: int = 1) -> int | None:
    found = on.holder(floor)
    return None if found is None else found.user


def test_a_free_floor_is_granted_and_the_next_waits_for_its_end() -> None:
    floors = board()
    assert ask(floors, 1) == [(1, "granted", 0)]
    assert ask(floors, 2) == [(2, "accepted", 1)]
    assert ask(floors, 3) == [(3, "accepted", 2)]
    ended = floors.end(floors.of_user(1)[0].id, by_user=True)
    assert seen(ended) == [(1, "released", 0), (2, "granted", 0), (3, "accepted", 1)]
    assert [each.user for each in floors.of_floor(1)] == [2, 3]


def test_urgent_requests_wait_in_front() -> None:
    floors = board()
    ask(floors, 1)
    ask(floors, 2)
    assert ask(floors, 3, priority=Priority.HIGH) == [(3, "accepted", 1), (2, "accepted", 2)]
    assert [each.user for each in floors.of_floor(1)] == [1, 3, 2]


def test_who_withdraws_is_cancelled_and_the_others_move_up() -> None:
    floors = board()
    for user in (1, 2, 3):
        ask(floors, user)
    ended = floors.end(floors.of_user(2)[0].id, by_user=True)
    assert seen(ended) == [(2, "cancelled", 0), (3, "accepted", 1)]


def test_taken_over_where_the_site_allows_it() -> None:
    floors = board(steal_policy)
    ask(floors, 1)
    assert ask(floors, 2) == [(1, "revoked", 0), (2, "granted", 0)]
    assert holder(floors) == 2
    ask(floors, 3, priority=Priority.HIGH)
    assert ask(floors, 4) == [(4, "accepted", 1)], "nobody takes it from who is more urgent"


def test_who_has_it_and_asks_again_keeps_it() -> None:
    floors = board()
    ask(floors, 1)
    assert ask(floors, 1) == [(1, "released", 0), (1, "granted", 0)]
    assert len(floors) == 1


def test_somebody_decides_later() -> None:
    floors = board(ask_policy)
    first, changed = floors.ask(1, (1,))
    assert seen(changed) == [(1, "pending", 0)]
    second, _ = floors.ask(2, (1,))
    third, _ = floors.ask(3, (1,))
    assert seen(floors.grant(first)) == [(1, "granted", 0)]
    assert floors.grant(first) == []
    assert seen(floors.accept(second)) == [(2, "accepted", 1)]
    assert floors.accept(second) == []
    assert seen(floors.end(third, by_user=False)) == [(3, "denied", 0)]
    assert seen(floors.end(first, by_user=False)) == [(1, "revoked", 0), (2, "granted", 0)]
    assert floors.end(first, by_user=False) == []
    assert floors.grant(first) == floors.accept(first) == []


def test_denied_at_once() -> None:
    floors = board(lambda request, holders: Verdict.DENY)
    assert ask(floors, 1) == [(1, "denied", 0)]
    assert len(floors) == 0


def test_the_server_takes_it_for_somebody_without_bfcp() -> None:
    floors = board()
    ask(floors, 1)
    assert seen(floors.take(1, "Cam Lam")) == [(1, "revoked", 0), (0, "granted", 0)]
    assert ask(floors, 2) == [(2, "accepted", 1)]
    assert floors.take(1, "Cam Lam") == []
    (renamed,) = floors.take(1, "Van Ninh")
    assert (renamed.user, renamed.reason) == (SERVER_USER, "Van Ninh")
    held = floors.holder(1)
    assert held is not None
    assert seen(floors.end(held.id, by_user=False)) == [(0, "revoked", 0), (2, "granted", 0)]


def test_several_floors_are_granted_together_and_not_before_all_are_free() -> None:
    floors = board(floors=(1, 2))
    ask(floors, 1, 1)
    ask(floors, 2, 2)
    assert ask(floors, 3, 1, 2) == [(3, "accepted", 1)]
    assert seen(floors.end(floors.of_user(1)[0].id, by_user=True)) == [(1, "released", 0)]
    ended = floors.end(floors.of_user(2)[0].id, by_user=True)
    assert seen(ended) == [(2, "released", 0), (3, "granted", 0)]
    assert holder(floors, 1) == holder(floors, 2) == 3


def test_whoever_is_gone_leaves_nothing() -> None:
    floors = board()
    ask(floors, 1)
    ask(floors, 2)
    ask(floors, 1)
    floors.ask(2, (1,), requested_by=3)
    assert ("granted" in {what for who, what, _ in seen(floors.forget_user(1)) if who == 2}) is True
    floors.forget_user(3)
    assert [each.user for each in floors.of_floor(1)] == [2]
    floors.forget_user(2)
    assert len(floors) == 0


def test_requests_are_limited() -> None:
    floors = board()
    ask(floors, 99)
    for _ in range(MAX_REQUESTS_OF_USER):
        ask(floors, 1)
    with pytest.raises(BoardFull):
        floors.ask(1, (1,))
    for user in range(MAX_REQUESTS - MAX_REQUESTS_OF_USER - 1):
        ask(floors, 100 + user)
    with pytest.raises(BoardFull):
        floors.ask(2, (1,))
    assert len(floors) == MAX_REQUESTS


POLICIES: list[ChairPolicy] = [queue_policy, steal_policy, ask_policy]


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(POLICIES))
def test_whatever_happens_a_floor_has_one_holder_and_the_queue_is_numbered(
    rng: random.Random, policy: ChairPolicy
) -> None:
    floors = board(policy, (1, 2))
    ids = [0]
    for _ in range(60):
        match rng.randrange(6):
            case 0 | 1:
                wanted = rng.choice([(1,), (2,), (1, 2)])
                try:
                    id_, _ = floors.ask(rng.randrange(1, 5), wanted, priority=rng.randrange(5))
                except BoardFull:
                    continue
                ids.append(id_)
            case 2:
                floors.end(rng.choice(ids), by_user=rng.random() < 0.5)
            case 3:
                floors.grant(rng.choice(ids))
            case 4:
                floors.accept(rng.choice(ids))
            case 5:
                floors.take(rng.choice((1, 2)), rng.choice(("a", "b")))
        for floor in (1, 2):
            standing = floors.of_floor(floor)
            assert sum(each.status is RequestStatus.GRANTED for each in standing) <= 1
            queued = [each for each in standing if each.status is RequestStatus.ACCEPTED]
            positions = [each.queue_position for each in queued if each.floors == (floor,)]
            assert positions == sorted(positions)
            assert all(each.queue_position > 0 for each in queued)
            for each in queued:
                assert any(floors.holder(wanted) for wanted in each.floors), "nothing waits idly"
