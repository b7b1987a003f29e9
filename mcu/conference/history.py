"""Conferences and events as they are read back from the store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from mcu.conference.codec import UnreadableRecord, event_from_json, state_from_json
from mcu.conference.drill_model import Drill
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import GAP, RecordedEvent
from mcu.conference.resources import event_data
from mcu.conference.state import ConferenceState
from mcu.store.errors import DamagedRecord, StoreUnavailable, UnknownRecord
from mcu.store.records import ConferenceRecord, StoredEvent
from mcu.store.store import Store

log = structlog.get_logger(__name__)


class NothingLeft(UnreadableRecord):
    """A conference runs by the list, and nothing is left that it could be restored from."""


def list_entry(state: ConferenceState) -> ConferenceRecord:
    """A conference's row in the list."""
    return ConferenceRecord(
        state.id, state.name, state.unit, state.started_at, state.ended_at, state.drill is not None
    )


async def end_in_list(store: Store, record: ConferenceRecord, now: datetime) -> None:
    """Take a conference that cannot come back for what it is, so that operators see it ended.

    A start that was refused, as the store did not say whether it had written it, leaves such an
    entry when the next command is given its numbers. A store that cannot be written is logged.
    """
    try:
        await store.events.append((), conferences=[replace(record, ended_at=now)])
    except StoreUnavailable as error:
        log.error("conference_not_ended", conference=record.id, reason=error.reason)


async def was_used(store: Store, conference: str) -> bool:
    """Whether a conference of this id runs or has run.

    Raises:
        StoreUnavailable.
    """
    try:
        await store.conferences.get(conference)
    except UnknownRecord:
        return False
    except DamagedRecord:
        return True
    return True


async def load(store: Store, conference: str) -> ConferenceState:
    """Rebuild a conference: its latest snapshot, and the events after it.

    Of one that ended longer ago than these are kept, what the list says is given: no roster.

    Raises:
        UnreadableRecord: damaged, of a newer version, or (``NothingLeft``) it runs and nothing is
        left of it.
        UnknownRecord: it is not in the list either. StoreUnavailable.
    """
    snapshot = await store.conferences.snapshot(conference)
    state = None if snapshot is None else state_from_json(snapshot.state)
    seq = 0 if snapshot is None else snapshot.seq
    while rows := await _events_after(store, seq, conference):
        events = [event_from_json(row.type, row.data) for row in rows]
        try:
            state = evolve_all(state, events)
        except (ValueError, KeyError) as error:
            raise UnreadableRecord(f"events after {seq}: {error!r}") from error
        seq = rows[-1].seq
    return await _listed(store, conference) if state is None else state


async def read_conference(store: Store, conference: str) -> ConferenceState:
    """Rebuild a conference to look at. A damaged one that has ended is what the list says of it.

    Nobody acts on an ended conference, so less of it (``damaged``) does no harm.

    Raises:
        UnreadableRecord: damaged, and it has not ended. UnknownRecord. DamagedRecord: the list
        itself is damaged here. StoreUnavailable.
    """
    record = await store.conferences.get(conference)
    try:
        state = await load(store, conference)
        if record.ended_at is not None and list_entry(state) != record:
            raise UnreadableRecord("it is not the one that the list tells of")
    except UnreadableRecord as error:
        if record.ended_at is None:
            raise
        log.error("conference_unreadable", conference=conference, error=str(error))
        return _of_list(record, damaged=True)
    return state


async def _events_after(store: Store, seq: int, conference: str) -> Sequence[StoredEvent]:
    try:
        return await store.events.after(seq, conference=conference)
    except ValueError as error:
        raise UnreadableRecord(f"events after {seq}: {error!r}") from error


async def _listed(store: Store, conference: str) -> ConferenceState:
    record = await store.conferences.get(conference)
    if record.ended_at is None:
        raise NothingLeft("neither snapshot nor events are left")
    return _of_list(record)


def _of_list(record: ConferenceRecord, *, damaged: bool = False) -> ConferenceState:
    return ConferenceState(
        record.id,
        record.name,
        record.unit,
        record.started_at,
        ended_at=record.ended_at,
        damaged=damaged,
        drill=Drill() if record.drill else None,
    )


async def read_events(store: Store, seq: int, conference: str | None) -> Sequence[RecordedEvent]:
    """A page of the stream that follows ``seq``, as it was shown when it happened.

    A row that cannot be read stands there as a ``GAP`` marker.

    Raises:
        StoreUnavailable.
    """
    rows = await store.events.after(seq, conference=conference)
    return [_recorded(row) for row in rows]


def _recorded(row: StoredEvent) -> RecordedEvent:
    try:
        data = event_data(event_from_json(row.type, row.data))
    except UnreadableRecord as error:
        # A reader must get past it, and know that something is missing here.
        log.error("event_unreadable", seq=row.seq, error=str(error))
        return RecordedEvent(row.seq, row.time, GAP, None, {"unreadable": row.seq})
    return RecordedEvent(row.seq, row.time, row.type, row.conference, data)
