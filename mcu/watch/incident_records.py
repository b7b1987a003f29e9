"""Incidents as the store keeps them: what its columns do not say stands in one document."""

import json

from mcu.store.incidents import IncidentRecord
from mcu.watch.incident import Incident, entry_from_json, entry_to_json


def incident_of(record: IncidentRecord) -> Incident:
    """An incident as the store has it."""
    document = json.loads(record.document)
    return Incident(
        id=record.id,
        unit=record.unit,
        title=document["title"],
        severity=document["severity"],
        entries=tuple(entry_from_json(each) for each in document["entries"]),
        bridge=record.bridge,
        conference=record.conference,
        participant=document["participant"],
        alarm=record.alarm,
        kind=document["kind"],
        version=record.version,
    )


def record_of(incident: Incident) -> IncidentRecord:
    """An incident as the store keeps it."""
    document = {
        "title": incident.title,
        "severity": incident.severity,
        "participant": incident.participant,
        "kind": incident.kind,
        "entries": [entry_to_json(each) for each in incident.entries],
    }
    return IncidentRecord(
        id=incident.id,
        unit=incident.unit,
        bridge=incident.bridge,
        conference=incident.conference,
        alarm=incident.alarm,
        state=incident.state,
        opened_at=incident.opened_at,
        document=json.dumps(document, ensure_ascii=False),
        version=incident.version,
    )
