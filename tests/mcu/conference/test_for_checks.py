from mcu.conference.actor import new_id
from mcu.conference.for_checks import for_check, is_for_check


def test_a_meeting_is_never_taken_for_one_of_a_check() -> None:
    assert is_for_check(for_check(new_id("check-"), 12))
    assert not is_for_check(new_id("c-"))
    assert not is_for_check(new_id("check-"))
