"""What is remembered of devices; with the digests themselves, see ``test_digest``."""

import pytest

from signalling.sip import device_habits
from signalling.sip.device_habits import DeviceHabits

CODEC = ("192.0.2.7", "codec")


def test_who_comes_again_without_an_answer_gives_up() -> None:
    habits = DeviceHabits()
    assert not habits.gives_up(CODEC, unanswered=True)
    assert habits.gives_up(CODEC, unanswered=True)
    assert habits.gives_up(CODEC, unanswered=False)
    assert not habits.gives_up(("192.0.2.8", "codec"), unanswered=False)


def test_who_answers_what_it_was_offered_does_not() -> None:
    habits = DeviceHabits()
    habits.gives_up(CODEC, unanswered=True)
    habits.verified(CODEC, "SHA-256")
    assert not habits.gives_up(CODEC, unanswered=True)
    assert habits.of_md5_alone() == frozenset()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_habits, "MAX_DEVICES", 2)
    habits = DeviceHabits()
    devices = [("192.0.2.7", f"room-{number}") for number in range(4)]
    for device in devices:
        for _ in range(3):
            habits.gives_up(device, unanswered=True)
            habits.challenged(device)
        habits.verified(device, "MD5")
    assert [habits.is_silent(device) for device in devices] == [False, False, True, True]
    assert habits.of_md5_alone() == set(devices[2:])
    again = DeviceHabits()
    again.restore(devices)
    assert len(again.of_md5_alone()) == 2
