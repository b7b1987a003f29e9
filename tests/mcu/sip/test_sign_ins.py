"""Refusals: the last of each account, and a line in the log that nobody can flood."""

import pytest
from structlog.testing import capture_logs

from mcu.sip import sign_ins
from mcu.sip.sign_ins import LOG_EVERY_S, Refusal, SignIns
from signalling.sip.hop import Hop
from signalling.sip.sign_in import SignInFault, SignInRefused

CODEC = Hop("udp", "10.1.2.3", 5060)


def refusal(
    account: str = "codec",
    fault: SignInFault = "wrong_password",
    source: Hop = CODEC,
    given: str = "",
) -> SignInRefused:
    return SignInRefused(account, given, source, fault, "REGISTER")


def test_the_last_of_each_account() -> None:
    found = SignIns()
    found.refused(refusal(), 1.0)
    found.refused(refusal(fault="locked_out"), 2.0)
    found.refused(refusal("other"), 3.0)
    assert found.last("codec") == Refusal(2.0, "locked_out", "10.1.2.3", "REGISTER", 2)
    assert found.forget("codec")
    assert not found.forget("codec")
    assert found.last("codec") is None
    assert found.last("other") is not None


def test_logged_once_a_minute_for_each_fault_with_what_was_left_out() -> None:
    found = SignIns()
    with capture_logs() as lines:
        told = [found.refused(refusal(), at) for at in (0.0, 1.0, 2.0)]
        told.append(found.refused(refusal(fault="locked_out"), 3.0))
        told.append(found.refused(refusal(), LOG_EVERY_S))
    assert told == [True, False, False, True, True]
    assert [(line["reason"], line["unsaid_before"]) for line in lines] == [
        ("wrong_password", 0), ("locked_out", 0), ("wrong_password", 2),
    ]  # fmt: skip
    assert lines[0]["account"] == "codec"
    assert (lines[0]["source"], lines[0]["method"]) == ("10.1.2.3", "REGISTER")


def test_strangers_of_one_source_share_a_line() -> None:
    found = SignIns()
    with capture_logs() as lines:
        for number in range(50):
            assert not found.refused(refusal("", "unknown_account", given=f"n{number}***"), 0.0)
    assert [(line["account"], line["unknown_name"]) for line in lines] == [(None, "n0***")]


def test_who_was_let_and_fails_again_is_logged_at_once() -> None:
    found = SignIns()
    assert found.refused(refusal(), 0.0)
    found.forget("codec")
    assert found.refused(refusal(), 1.0)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_ins, "MAX_ACCOUNTS", 3)
    monkeypatch.setattr(sign_ins, "MAX_LOGGED", 3)
    found = SignIns()
    for number in range(9):
        found.refused(refusal(f"room-{number}"), 0.0)
    assert [number for number in range(9) if found.last(f"room-{number}")] == [6, 7, 8]
    assert found.refused(refusal("room-0"), 0.0)  # its line was forgotten, and comes again
