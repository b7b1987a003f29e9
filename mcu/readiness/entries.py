"""From the registry to a check: what of a room's record is looked at."""

from collections.abc import Iterable, Sequence

from mcu.conference.scenario import Duty, on_duty
from mcu.readiness.model import RoomEntry
from mcu.store.records import Bridge


def entries_of(bridges: Iterable[Bridge], duties: Sequence[Duty] = ()) -> tuple[RoomEntry, ...]:
    """Rooms to be checked, in the order given.

    Args:
        duties: who is on duty at the session; else whom the registry names is called.
    """
    return tuple(_entry(bridge, on_duty(duties, bridge.id)) for bridge in bridges)


def _entry(bridge: Bridge, duty: Duty | None) -> RoomEntry:
    return RoomEntry(
        bridge=bridge.id,
        name=bridge.name,
        unit=bridge.unit,
        kind=bridge.kind,
        contact=bridge.contact.name if duty is None else duty.name,
        phone=(None if duty is None else duty.phone) or bridge.contact.phone,
        importance=bridge.importance,
        standard=dict(bridge.standard),
    )
