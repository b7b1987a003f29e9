"""Events and states as JSON, for the store. Every event carries the version of its schema.

Encoding and decoding follow the dataclasses' own fields, so a new field with a default value
needs no new schema version; a changed meaning does.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from mcu.conference import events as catalogue
from mcu.conference.alarm_model import ConferenceAlarm
from mcu.conference.conflict_model import Conflict
from mcu.conference.convening_model import ConvenedRoom, Convening, Milestone
from mcu.conference.drill_model import Drill, DrillStep, Fault, FaultMark, FaultWish
from mcu.conference.events import Event
from mcu.conference.floor_model import Floor, FloorHolder, FloorRequest
from mcu.conference.invitation_model import Invitation
from mcu.conference.overlay_model import Overlay
from mcu.conference.polling_model import Polling
from mcu.conference.recording_model import Recording
from mcu.conference.roll_call_model import ExpectedRoom, RollCall, RollCallMark
from mcu.conference.scenario import (
    Agenda,
    AgendaItem,
    Before,
    Contingency,
    Duty,
    ItemPolling,
    Visit,
)
from mcu.conference.state import (
    ConferenceState,
    Message,
    Participant,
    ParticipantLeg,
    ViewSetting,
)
from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    Slot,
    SpeakerSlot,
)

SCHEMA_VERSION = 1
Json = dict[str, Any]
Value = TypeVar("Value")

_EVENT_CLASSES: Mapping[str, type[Event]] = {
    event.type: event for event in catalogue.Event.__args__
}


class UnreadableRecord(Exception):  # noqa: N818 - what it is
    """A stored event or state that this version cannot read."""


def event_to_json(event: Event) -> Json:
    """An event's fields and the schema version ``v`` (the type is stored beside it)."""
    return {"v": SCHEMA_VERSION, **_fields(event)}


def event_from_json(type_: str, data: Mapping[str, Any] | None) -> Event:
    """Read what ``event_to_json`` wrote.

    Raises:
        UnreadableRecord: unknown type, newer schema, or a field that is missing or wrong.
    """
    cls = _EVENT_CLASSES.get(type_)
    if cls is None:
        raise UnreadableRecord(f"event type {type_!r} is unknown")
    return _read(cls, data)


def state_to_json(state: ConferenceState) -> Json:
    """A whole conference, for its snapshot."""
    return {"v": SCHEMA_VERSION, **_fields(state)}


def state_from_json(data: Mapping[str, Any] | None) -> ConferenceState:
    """Read what ``state_to_json`` wrote.

    Raises:
        UnreadableRecord: newer schema, or a field that is missing or wrong.
    """
    return _read(ConferenceState, data)


def time_to_text(time: datetime) -> str:
    """RFC 3339 in UTC, ending in ``Z``."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def slot_to_json(slot: Slot) -> Json:
    """A slot as the API writes it: ``{participant}``, ``{speaker}``, ..., ``{}``."""
    match slot:
        case ParticipantSlot(participant):
            return {"participant": participant}
        case SpeakerSlot(rank):
            return {"speaker": rank}
        case PollingSlot(interval_s, participants):
            return {"polling": {"interval_s": interval_s, "participants": list(participants)}}
        case PresentationSlot():
            return {"presentation": True}
        case EmptySlot():
            return {}


def slot_from_json(data: Mapping[str, Any]) -> Slot:
    """Read what ``slot_to_json`` wrote; members that are null count as absent.

    Raises:
        KeyError, TypeError, ValueError: not of that form.
    """
    if data.get("participant") is not None:
        return ParticipantSlot(str(data["participant"]))
    if data.get("speaker") is not None:
        return SpeakerSlot(int(data["speaker"]))
    if data.get("polling") is not None:
        polling = data["polling"]
        return PollingSlot(float(polling["interval_s"]), tuple(polling["participants"]))
    return PresentationSlot() if data.get("presentation") else EmptySlot()


def _encode(value: Any) -> Any:
    encode = _ENCODERS.get(type(value))
    return value if encode is None else encode(value)


def _fields(value: Any) -> Json:
    cls = type(value)
    names = _NAMES.get(cls)
    if names is None:
        names = _NAMES[cls] = tuple(field.name for field in dataclasses.fields(cls))
    return {name: _encode(getattr(value, name)) for name in names}


def _each(values: Any) -> list[Any]:
    return [_encode(value) for value in values]


def _items(values: Any) -> Json:
    return {key: _encode(value) for key, value in values.items()}


_NAMES: dict[type[Any], tuple[str, ...]] = {}

_ENCODERS: Mapping[type[Any], Callable[[Any], Any]] = {
    datetime: time_to_text,
    tuple: _each,
    dict: _items,
    MappingProxyType: _items,
    **dict.fromkeys((Participant, ParticipantLeg, ViewSetting, Message), _fields),
    **dict.fromkeys((Floor, FloorHolder, FloorRequest, Polling), _fields),
    **dict.fromkeys((Convening, ConvenedRoom, Milestone, Conflict), _fields),
    Invitation: _fields,
    ConferenceAlarm: _fields,
    Overlay: _fields,
    **dict.fromkeys((Drill, DrillStep, Fault, FaultMark, FaultWish), _fields),
    **dict.fromkeys((RollCall, ExpectedRoom, RollCallMark, Recording), _fields),
    **dict.fromkeys((Agenda, AgendaItem, Before, Contingency, Duty, ItemPolling, Visit), _fields),
    **dict.fromkeys(
        (ParticipantSlot, SpeakerSlot, PollingSlot, PresentationSlot, EmptySlot), slot_to_json
    ),
}
"""By a value's class; what is absent is JSON already. Snapshots are made on the loop: be quick."""


def _read(cls: type[Value], data: Mapping[str, Any] | None) -> Value:
    if data is None:
        raise UnreadableRecord(f"{cls.__name__}: no JSON object is left of it")
    try:
        if data["v"] > SCHEMA_VERSION:
            raise UnreadableRecord(f"schema {data['v']} is newer than {SCHEMA_VERSION}")
        return _decode_fields(cls, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableRecord(f"{cls.__name__}: {error!r}") from error


def _decode_fields(cls: type[Value], data: Mapping[str, Any]) -> Value:
    decoders = _decoders(cls)
    return cls(**{name: decoders[name](data[name]) for name in decoders if name in data})


def _as_is(value: Any) -> Any:
    return value


def _optional(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else decode(value)


def _many(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: tuple(decode(value) for value in values)


def _by_name(cls: type[Any]) -> Callable[[Any], Any]:
    return lambda items: {key: _decode_fields(cls, item) for key, item in items.items()}


def _one(cls: type[Any]) -> Callable[[Any], Any]:
    return lambda item: _decode_fields(cls, item)


_DECODERS: Mapping[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    datetime | None: _optional(datetime.fromisoformat),
    Participant: _one(Participant),
    Message | None: _optional(_one(Message)),
    Floor: _one(Floor),
    FloorHolder: _one(FloorHolder),
    FloorHolder | None: _optional(_one(FloorHolder)),
    tuple[FloorRequest, ...]: _many(_one(FloorRequest)),
    Polling: _one(Polling),
    Polling | None: _optional(_one(Polling)),
    str | tuple[str, ...]: lambda value: value if isinstance(value, str) else tuple(value),
    Conflict: _one(Conflict),
    tuple[Conflict, ...]: _many(_one(Conflict)),
    Invitation: _one(Invitation),
    tuple[Invitation, ...]: _many(_one(Invitation)),
    Convening: _one(Convening),
    Convening | None: _optional(_one(Convening)),
    tuple[ConvenedRoom, ...]: _many(_one(ConvenedRoom)),
    tuple[Milestone, ...]: _many(_one(Milestone)),
    ConferenceAlarm: _one(ConferenceAlarm),
    Overlay: _one(Overlay),
    tuple[Overlay, ...]: _many(_one(Overlay)),
    tuple[ConferenceAlarm, ...]: _many(_one(ConferenceAlarm)),
    Drill | None: _optional(_one(Drill)),
    Fault: _one(Fault),
    tuple[Fault, ...]: _many(_one(Fault)),
    FaultMark: _one(FaultMark),
    tuple[FaultMark, ...]: _many(_one(FaultMark)),
    FaultWish: _one(FaultWish),
    tuple[DrillStep, ...]: _many(_one(DrillStep)),
    Recording: _one(Recording),
    tuple[Recording, ...]: _many(_one(Recording)),
    RollCall: _one(RollCall),
    tuple[RollCall, ...]: _many(_one(RollCall)),
    tuple[ExpectedRoom, ...]: _many(_one(ExpectedRoom)),
    tuple[RollCallMark, ...]: _many(_one(RollCallMark)),
    tuple[str, ...]: tuple,
    tuple[str, ...] | None: _optional(tuple),
    Agenda | None: _optional(_one(Agenda)),
    Before: _one(Before),
    ItemPolling | None: _optional(_one(ItemPolling)),
    **{tuple[cls, ...]: _many(_one(cls)) for cls in (AgendaItem, Contingency, Duty, Visit)},  # type: ignore[valid-type]
    tuple[Participant, ...]: _many(_one(Participant)),
    tuple[ParticipantLeg, ...]: _many(_one(ParticipantLeg)),
    tuple[Slot, ...] | None: _optional(_many(slot_from_json)),
    Mapping[str, Participant]: _by_name(Participant),
    Mapping[str, ViewSetting]: _by_name(ViewSetting),
}
"""By a field's annotation; what is absent is JSON already."""

_CACHE: dict[type[Any], dict[str, Callable[[Any], Any]]] = {}


def _decoders(cls: type[Any]) -> dict[str, Callable[[Any], Any]]:
    if cls not in _CACHE:
        hints = get_type_hints(cls)
        _CACHE[cls] = {
            field.name: _DECODERS.get(hints[field.name], _as_is)
            for field in dataclasses.fields(cls)
        }
    return _CACHE[cls]
