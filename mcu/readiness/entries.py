"""From the registry to a check: what of a room's record is looked at."""

from collections.abc import Iterable

from mcu.readiness.model import RoomEntry
from mcu.store.records import Bridge


def entries_of(bridges: Iterable[Bridge]) -> tuple[RoomEntry, ...]:
    """Rooms to be checked, in the order given."""
    return tuple(
        RoomEntry(
            bridge=bridge.id,
            name=bridge.name,
            unit=bridge.unit,
            kind=bridge.kind,
            contact=bridge.contact.name,
            phone=bridge.contact.phone,
            importance=bridge.importance,
            standard=dict(bridge.standard),
        )
        for bridge in bridges
    )
