"""What a room may see of an event."""

from typing import Any

import pytest

from mcu.api.documents import HIDDEN, reduced
from mcu.api.event_sight import concerns, seen_by_room

OWN: dict[str, Any] = {"id": "a", "name": "A", "unit": "u", "legs": ["l"], "importance": 3}
OTHER: dict[str, Any] = {**OWN, "id": "b", "bridge": "b", "state": "lost"}
ROOMS = frozenset({"a"})


def test_others_are_reduced_to_what_a_room_needs() -> None:
    shown = reduced(OTHER)
    assert (shown["id"], shown["name"], shown["state"]) == ("b", "A", "lost")
    assert all(shown[name] is None for name in HIDDEN if name in OTHER)
    assert shown["legs"] == []
    assert OTHER["unit"] == "u"


@pytest.mark.parametrize(
    ("type_", "data", "seen"),
    [
        ("participant.joined", {"participant": OWN, "leg": "l", "replaced": []},
         {"participant": OWN, "leg": "l", "replaced": []}),
        ("participant.joined", {"participant": OTHER, "leg": "l", "replaced": ["k"]},
         {"participant": reduced(OTHER)}),
        ("participant.left", {"participant": OTHER, "reason": "bye"},
         {"participant": reduced(OTHER), "reason": "bye"}),
        ("broadcast.started", {"participant": "b"}, {"participant": "b"}),
        ("participants.changed",
         {"participants": ["a", "b"], "changes": {"audio_muted": True}, "entry_muted": ["all"]},
         {"participants": ["a", "b"], "changes": {"audio_muted": True}}),
        ("conference.started", {"conference": {"id": "c"}, "participants": [OWN, OTHER]},
         {"conference": {"id": "c"}, "participants": [OWN, reduced(OTHER)]}),
        ("levels.measured", {"levels": {"a": -3, "b": -9}, "speakers": ["b"]},
         {"levels": {"a": -3}, "speakers": ["b"]}),
        ("quality.measured", {"quality": {"a": {}, "b": {}}}, {"quality": {"a": {}}}),
        ("quality.measured", {"quality": {"b": {}}}, None),
        ("load.measured", {"level": "strained"}, None),
        (
            "sources.requested",
            {"requests": {"a": {"video": {"width": 3}}, "b": {"video": {"width": 320}}}},
            {"requests": {"a": {"video": {"width": 3}}}},
        ),
        ("sources.requested", {"requests": {"b": {"video": {"width": 320}}}}, None),
        ("message.shown", {"text": "x", "until": None}, {"text": "x", "until": None}),
    ],
)  # fmt: skip
def test_what_a_room_sees(type_: str, data: dict[str, Any], seen: dict[str, Any] | None) -> None:
    assert seen_by_room(type_, data, ROOMS) == seen


def test_rooms_do_not_queue_readings_of_others() -> None:
    requests = {"requests": {"b": {"video": {}}}}
    assert not concerns("sources.requested", requests, frozenset({"a"}))
    assert concerns("sources.requested", requests, frozenset({"a", "b"}))
    assert not concerns("load.measured", {"level": "strained"}, frozenset({"a"}))
    assert not concerns("quality.measured", {"quality": {"b": {}}}, frozenset({"a"}))
