"""Conferences and participants as JSON, each as much of it as the token may see."""

from collections.abc import Mapping
from typing import Any, Final

from mcu.api.reach import Reach
from mcu.api.rights import Action
from mcu.api.schemas.base import utc_text
from mcu.api.schemas.conference import Conference, Layout, Participant
from mcu.api.services import LineQuality, LiveReadings, SipCaller
from mcu.conference import state as domain
from mcu.conference.resources import conference_resource, participant_resource, view_resource

HIDDEN: Final = (
    "bridge", "address", "call_failure", "call_failure_detail", "unit", "importance", "deafened",
    "volume_db", "view", "level_db", "quality", "joined_at", "lost_at",
)  # fmt: skip
"""What a room is not told of other rooms: it needs names, presence and mutes."""


def conference_document(state: domain.ConferenceState, reach: Reach) -> Conference:
    """A conference; its PIN for those who may control it, what is looked at not for rooms."""
    controls = reach.conference(Action.CONTROL_CONFERENCES, state)
    document = conference_resource(state) | {
        "pin": state.pin if controls and state.running else None,
        "may_control": controls,
    }
    if not reach.whole(state):
        document |= {"chair_view": None, "polling": None}
        document["recordings"] = [
            each | {"name": None, "by": None, "trouble": None} for each in document["recordings"]
        ]
    return Conference.model_validate(document)


def layout_document(state: domain.ConferenceState, view: str) -> Layout:
    """The layout of one view."""
    return Layout.model_validate({"view": view, **view_resource(state.views[view])})


def participant_document(
    state: domain.ConferenceState,
    who: domain.Participant,
    live: LiveReadings,
    reach: Reach,
) -> Participant:
    """A participant with its present readings, reduced where the token is another room's."""
    reading = live.live(state.id, who.id)
    document = participant_resource(who) | {
        "level_db": reading.level_db,
        "speaking": reading.speaking,
        "visible": reading.visible,
        "quality": quality_document(reading.quality),
    }
    if not reach.whole(state) and not reach.own_room(who):
        document = reduced(document)
    return Participant.model_validate(document)


def caller_document(caller: SipCaller) -> dict[str, Any]:
    """Somebody at the PIN prompt, as events and tables carry it."""
    return {
        "name": caller.name,
        "address": caller.address,
        "source": caller.source,
        "bridge": caller.bridge,
        "since": utc_text(caller.since),
        "tries_left": caller.tries_left,
        "call": caller.call,
        "call_id": caller.call_id,
    }


def quality_document(quality: LineQuality) -> dict[str, Any]:
    """What ``dataclasses.asdict`` gives, at a tenth of its cost: a list has one for each row."""
    document: dict[str, Any] = {name: getattr(quality, name) for name in quality.__slots__}
    receives = quality.receives
    if receives is not None:
        document["receives"] = {name: getattr(receives, name) for name in receives.__slots__}
    return document


def reduced(participant: Mapping[str, Any]) -> dict[str, Any]:
    """A participant's JSON without what other rooms need not know."""
    document = dict(participant)
    document |= {name: None for name in HIDDEN if name in document}
    if "legs" in document:
        document["legs"] = []
    return document
