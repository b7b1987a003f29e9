"""What the audit says, in words: every action there can be, in both languages."""

import pytest

from mcu.api.app import ROUTES
from mcu.operations.deed_words import (
    DEEDS,
    action_in_words,
    outcome_in_words,
    target_in_words,
)

CONFERENCE = "/api/v1/conferences/hop"


def test_every_request_that_changes_something_has_words() -> None:
    assert {route.name for route in ROUTES if route.unsafe} == set(DEEDS)
    for words in DEEDS.values():
        assert len(set(words)) == 2
        assert all(word.strip() for word in words)


def test_actions_and_outcomes_in_both_languages() -> None:
    assert action_in_words("mute", "vi") == "tắt mic nhiều điểm cầu"
    assert action_in_words("mute", "en") == "muted rooms"
    assert action_in_words("of_another_version", "vi") == "of_another_version"
    assert outcome_in_words("done 201", "vi") == "đã làm"
    assert outcome_in_words("denied 403", "en") == "no right (403)"
    assert outcome_in_words("refused 409", "vi") == "không được (409)"
    assert outcome_in_words("failed", "en") == "failed"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", ""),
        ("/mute", ""),
        ("/participants/xa-1", "Xã Một"),
        ("/participants/xa-1/transfer", "Xã Một"),
        ("/participants/gone?reason=Nhầm phòng", "gone · Nhầm phòng"),
        ("/invitations/benh-vien/answer", "benh-vien"),
        ("/roll-calls/2/marks", "2"),
        ("/drill/faults/12", "12"),
        ("/floor/requests", ""),
    ],
)
def test_targets_are_named(target: str, said: str) -> None:
    assert target_in_words(CONFERENCE + target, "hop", {"xa-1": "Xã Một"}) == said
