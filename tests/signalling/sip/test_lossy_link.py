"""Calls over a link that loses 10%, doubles 10% and reorders, by seed.

Either a call does what its owner wants, or it ends as the timers of RFC 3261 say; both sides agree
in the end; and nothing is left over: no transaction, dialog, subscription or timer.
"""

import random

import pytest

from signalling.sip.effects import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgressed,
    CallReceived,
    DigitReceived,
    Event,
    MediaAnswered,
    MediaOffered,
    MediaRefused,
    ReferProgressed,
    ReferReceived,
)
from signalling.sip.hop import Transport
from tests.signalling.sip.virtual_link import ANSWER, BAD, OFFER, End, Faults, Link, pair

WORST = Faults(loss=0.4, doubled=0.2, jitter_s=1.5)
SEEDS = range(100)


def settle(link: Link) -> None:
    """Past every timer of a call: the session's too, where one side is left alone."""
    link.run(2_500.0)
    for end in link.ends.values():
        assert end.agent.is_idle, end.host
        assert end.agent.next_timer() is None
        received = {event.call for event in end.of(CallReceived)}
        ended = [event.call for event in end.of(CallEnded)]
        assert len(ended) == len(set(ended))
        assert received <= set(ended)


def check_order(end: End) -> None:
    """What is told of a call is told in an order that makes sense."""
    over: set[str] = set()
    answered: set[str] = set()
    for event in end.events:
        call = getattr(event, "call", None)
        if call is None:
            continue
        assert call not in over, (event, end.events)
        if isinstance(event, CallProgressed):
            assert call not in answered
        if isinstance(event, CallAnswered):
            answered.add(call)
        if isinstance(event, CallEnded):
            over.add(call)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("seed", SEEDS)
def test_called_changed_and_hung_up(seed: int, transport: Transport) -> None:
    link, ours, theirs = pair(seed, BAD, transport)
    rng = random.Random(seed)
    theirs.answers(ring_s=rng.random(), answer_s=1 + 3 * rng.random())
    for end, sdp in ((ours, OFFER), (theirs, ANSWER)):

        def hook(event: Event, end: End = end, sdp: bytes = sdp) -> None:
            if isinstance(event, MediaOffered):
                end.link.at(rng.random(), lambda: end.do("answer_media", event.call, sdp))

        end.hooks.append(hook)
    call = ours.call(theirs)
    link.run(40.0)
    # With 10% lost, 11 repetitions get through: a call that fails here is an error.
    assert ours.of(CallAnswered), ours.names()
    (their_call,) = (event.call for event in theirs.of(CallReceived))
    assert theirs.of(CallConfirmed)
    ours.do("change_media", call, OFFER.replace(b"1 1", b"1 2"))
    if rng.random() < 0.5:
        theirs.do("change_media", their_call, ANSWER.replace(b"1 1", b"1 2"))
    link.run(60.0)
    assert not ours.of(MediaRefused)
    assert ours.one(MediaAnswered)
    side = rng.randrange(3)
    if side != 1:
        ours.do("hang_up", call)
    if side != 0:
        theirs.do("hang_up", their_call)
    link.run(40.0)
    assert ours.one(CallEnded).cause == "hung up"
    assert theirs.one(CallEnded).cause == "hung up"
    for end in (ours, theirs):
        check_order(end)
    settle(link)
    if transport == "tcp":
        assert ours.agent.statistics.repetitions["sent"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_cancelled_at_any_time(seed: int) -> None:
    """CANCEL races with everything: whoever wins, both sides end."""
    link, ours, theirs = pair(seed, BAD)
    rng = random.Random(seed)
    theirs.answers(ring_s=rng.random(), answer_s=3 * rng.random())
    call = ours.call(theirs)
    link.run(5 * rng.random())
    ours.do("hang_up", call)
    link.run(70.0)
    assert ours.one(CallEnded).cause in ("cancelled", "hung up")
    assert all(event.cause in ("cancelled", "hung up") for event in theirs.of(CallEnded))
    check_order(ours)
    settle(link)


@pytest.mark.parametrize("seed", SEEDS)
def test_refused_or_early_media_or_late_offer(seed: int) -> None:
    link, ours, theirs = pair(seed, BAD)
    rng = random.Random(seed)
    kind = seed % 3

    def callee(event: Event) -> None:
        if not isinstance(event, CallReceived):
            return
        name = event.call
        if kind == 0:
            link.at(rng.random(), lambda: theirs.do("reject", name, 486))
            return
        if kind == 1:
            link.at(0.3, lambda: theirs.do("ring", name, code=183, sdp=ANSWER))
            link.at(0.4, lambda: theirs.do("ring", name, code=180, sdp=ANSWER))
        link.at(2 * rng.random(), lambda: theirs.do("accept", name, ANSWER))

    def caller(event: Event) -> None:
        if isinstance(event, CallAnswered) and event.answer_needed:
            link.at(rng.random(), lambda: ours.do("confirm", event.call, OFFER))

    theirs.hooks.append(callee)
    ours.hooks.append(caller)
    call = ours.call(theirs, OFFER if kind != 2 else None)
    link.run(70.0)
    if kind == 0:
        assert ours.one(CallEnded).cause == "busy"
    else:
        assert ours.one(CallAnswered).sdp == ANSWER
        assert theirs.one(CallConfirmed).sdp == (OFFER if kind == 2 else None)
        assert ours.do("hang_up", call)
    check_order(ours)
    check_order(theirs)
    settle(link)


@pytest.mark.parametrize("seed", SEEDS)
def test_info_and_refer(seed: int) -> None:
    link, ours, theirs = pair(seed, BAD)
    theirs.answers()

    def referee(event: Event) -> None:
        if isinstance(event, ReferReceived):
            link.at(1.0, lambda: theirs.do("report_refer", event.call, event.refer, 180))
            link.at(3.0, lambda: theirs.do("report_refer", event.call, event.refer, 200))

    theirs.hooks.append(referee)
    call = ours.call(theirs)
    link.run(40.0)
    for digit in "1234#":
        ours.do("press", call, digit)
    ours.do("refer", call, "sip:other@192.0.2.9")
    link.run(70.0)
    assert "".join(event.digit for event in theirs.of(DigitReceived)) == "1234#"
    assert [event.code for event in ours.of(ReferProgressed)] == [100, 180, 200]
    ours.do("hang_up", call)
    settle(link)


@pytest.mark.parametrize("seed", SEEDS)
def test_anything_goes_on_the_worst_of_links(seed: int) -> None:
    """Twenty random commands at random times; whatever comes of it, nothing is left."""
    link, ours, theirs = pair(seed, WORST)
    rng = random.Random(seed)
    calls: dict[End, list[str]] = {ours: [], theirs: []}

    def note(end: End) -> None:
        def hook(event: Event) -> None:
            call = getattr(event, "call", "")
            if isinstance(event, CallReceived):
                calls[end].append(call)
            if isinstance(event, MediaOffered) and rng.random() < 0.7:
                link.at(rng.random(), lambda: end.do("answer_media", call, ANSWER))
            if isinstance(event, (CallAnswered, CallProgressed)) and event.answer_needed:
                link.at(rng.random(), lambda: end.do("confirm", call, OFFER))

        end.hooks.append(hook)

    note(ours)
    note(theirs)
    for _ in range(20):
        end, other = (ours, theirs) if rng.random() < 0.5 else (theirs, ours)
        if rng.random() < 0.3:
            calls[end].append(end.call(other, OFFER if rng.random() < 0.7 else None))
        elif calls[end]:
            random_command(rng, end, rng.choice(calls[end]))
        link.run(rng.random() * 10)
    for end, names in calls.items():
        for name in names:
            end.do("hang_up", name)
    for end in (ours, theirs):
        check_order(end)
    settle(link)


def random_command(rng: random.Random, end: End, call: str) -> None:
    command = rng.randrange(9)
    if command == 0:
        end.do("ring", call, code=rng.choice((180, 183)), sdp=rng.choice((None, ANSWER)))
    elif command <= 2:
        end.do("accept", call, ANSWER)
    elif command == 3:
        end.do("reject", call, rng.choice((302, 486, 603)))
    elif command == 4:
        end.do("hang_up", call)
    elif command == 5:
        end.do("change_media", call, rng.choice((None, OFFER)))
    elif command == 6:
        end.do("request_picture", call)
    elif command == 7:
        end.do("refer", call, "sip:other@192.0.2.9")
    else:
        end.do("refuse_media", call)


@pytest.mark.parametrize("seed", range(20))
def test_a_side_vanishes_at_any_time(seed: int) -> None:
    link, ours, theirs = pair(seed, BAD)
    rng = random.Random(seed)
    theirs.answers()
    call = ours.call(theirs)
    link.run(6 * rng.random())
    link.cut.add(theirs.host)
    link.run(100.0 * rng.random())
    link.cut.clear()
    link.run(2_500.0)
    ours.do("hang_up", call)
    settle(link)
    for end in (ours, theirs):
        check_order(end)
