"""Who stands at the PIN prompt, told with each change."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mcu.api.services import SipCaller
from mcu.sip.callers import MAX_KNOWN, Callers

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def caller(name: str) -> SipCaller:
    address = f"sip:{name}@example.org"
    return SipCaller(name, address, "10.0.0.7:5060", None, AT, 3, name, f"{name}@10.0.0.7")


def test_told_with_each_change() -> None:
    told: list[tuple[str, str | None, list[tuple[str, int]]]] = []

    def publish(type_: str, conference: str | None, data: Mapping[str, Any]) -> None:
        rows = [(one["name"], one["tries_left"]) for one in data["callers"]]
        told.append((type_, conference, rows))

    callers = Callers(publish)
    callers.come("1", "here", caller("a"))
    callers.come("2", "here", caller("b"))
    callers.come("3", "there", caller("c"))
    callers.tried("1", 2)
    callers.gone("2")
    callers.gone("2")  # twice is harmless
    callers.tried("2", 1)
    assert [one.name for one in callers.of("here")] == ["a"]
    assert callers.of("nowhere") == []
    assert told == [
        ("callers.changed", "here", [("a", 3)]),
        ("callers.changed", "here", [("a", 3), ("b", 3)]),
        ("callers.changed", "there", [("c", 3)]),
        ("callers.changed", "here", [("a", 2), ("b", 3)]),
        ("callers.changed", "here", [("a", 2)]),
    ]


def test_the_call_of_one_who_is_gone_can_still_be_looked_up() -> None:
    callers = Callers(lambda *told: None)
    callers.come("1", "here", caller("a"))
    callers.gone("1")
    assert callers.call_id("here", "1") == "a@10.0.0.7"
    assert callers.call_id("there", "1") is None
    for number in range(MAX_KNOWN):
        callers.come(f"n{number}", "here", caller("b"))
    assert callers.call_id("here", "1") is None
