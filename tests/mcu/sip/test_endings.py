"""Why a call ended, in three languages."""

import pytest

from mcu.sip.endings import failure_of, goodbye, leg_reason, refuses_media, tries_elsewhere
from signalling.sip import CallEnded, Cause


@pytest.mark.parametrize(
    ("cause", "code", "failure"),
    [
        ("busy", 486, "busy"),
        ("no answer", 480, "no_answer"),
        ("no answer", 0, "unreachable"),
        ("declined", 603, "refused"),
        ("unauthorized", 401, "refused"),
        ("unreachable", 503, "unreachable"),
        ("not found", 404, "not_found"),
        ("not acceptable", 488, "not_acceptable"),
        ("failed", 500, "failed"),
    ],
)
def test_what_the_roster_says(cause: Cause, code: int, failure: str) -> None:
    event = CallEnded("c", cause, code)
    assert failure_of(event) == failure
    assert tries_elsewhere(event) == (failure == "unreachable")


def test_an_operators_words_are_told_to_whom_the_operator_disconnects() -> None:
    said = goodbye("disconnected", "Nhầm phòng: gọi lại 024 3")
    assert str(said) == 'SIP;cause=403;text="Nhầm phòng: gọi lại 024 3"'
    assert goodbye("ended", "words") == goodbye("ended")
    assert goodbye("disconnected").text == "Disconnected by the operator"


def test_who_rang_too_long_was_reachable() -> None:
    event = CallEnded("c", "no answer", by_peer=False)
    assert failure_of(event) == "no_answer"
    assert not tries_elsewhere(event)


def test_another_offer_is_for_who_refused_this_one() -> None:
    assert refuses_media(CallEnded("c", "not acceptable", 488))
    assert refuses_media(CallEnded("c", "not acceptable", 606))
    assert not refuses_media(CallEnded("c", "not acceptable", 415))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (CallEnded("c", "hung up"), "bye"),
        (CallEnded("c", "hung up", by_peer=False), "failed"),
        (CallEnded("c", "gone"), "timeout"),
        (CallEnded("c", "failed", 500), "failed"),
    ],
)
def test_why_the_leg_is_closed(event: CallEnded, reason: str) -> None:
    assert leg_reason(event) == reason


def test_what_the_room_is_told() -> None:
    assert str(goodbye("ended")) == 'SIP;cause=410;text="The conference has ended"'
    assert str(goodbye("anything")) == 'SIP;cause=200;text="Disconnected"'
