"""Events of readiness checks as JSON, for the store; the values' own types say how to read it."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mcu.readiness.measurements import Configuration
from mcu.readiness.model import Event

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    each.type: TypeAdapter(each) for each in Event.__args__
}
_CONFIGURATION: TypeAdapter[Configuration] = TypeAdapter(Configuration)


class UnreadableEvent(Exception):  # noqa: N818 - what it is
    """A stored event is damaged, or of a version that is not known here."""


def event_to_json(event: Event) -> str:
    """The data of an event; its ``type`` is stored beside it."""
    return _ADAPTERS[event.type].dump_json(event).decode()


def event_of(type_: str, data: str) -> Event:
    """What ``event_to_json`` wrote.

    Raises:
        UnreadableEvent.
    """
    try:
        event: Event = _ADAPTERS[type_].validate_json(data)
    except (KeyError, ValidationError) as error:
        raise UnreadableEvent(type_) from error
    return event


def configuration_to_json(configuration: Configuration) -> str:
    """A recorded configuration."""
    return _CONFIGURATION.dump_json(configuration).decode()
