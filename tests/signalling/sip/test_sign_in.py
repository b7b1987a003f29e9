"""What is said to who is not let: enough for a technician, nothing for who guesses."""

import pytest

from signalling.sip.sign_in import FAULTS, SignInFault, masked, phrase_of, warning_of


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_words_that_fit_into_a_message(fault: SignInFault) -> None:
    phrase, warning = phrase_of(fault), warning_of(fault, "192.0.2.1:5060", 30)
    assert phrase.isascii()
    assert phrase.isprintable()
    if fault == "no_answer":
        assert warning is None
        return
    assert warning is not None
    assert warning.startswith('399 192.0.2.1:5060 "')
    assert warning.endswith('"')
    assert warning.count('"') == 2
    assert "{" not in warning


def test_nobody_learns_which_accounts_there_are() -> None:
    assert phrase_of("wrong_password") == phrase_of("unknown_account")
    assert warning_of("wrong_password", "x") == warning_of("unknown_account", "x")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("phong-hop-1", "ph***"), ("a", "a***"), ("", ""), ("\r\nx", "***"), ("x" * 9_999, "xx***")],
)
def test_names_of_nobody_are_masked(name: str, shown: str) -> None:
    assert masked(name) == shown
