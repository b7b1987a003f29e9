"""Registrations in the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcu.sip.stored_bindings import restored, stored, way_back, written
from signalling.sip.hop import Hop
from signalling.sip.registrar import Binding
from signalling.sip.uri import parse_uri

WALL = datetime(2026, 11, 22, 8, tzinfo=UTC)
BINDING = Binding(
    parse_uri("sip:codec@10.0.0.7:5062;transport=tcp"), 0.5, 160.0, "call", 7,
    Hop("tcp", "10.0.0.7", 40_000, connection=3), 90.0, "Codec/2.1",
)  # fmt: skip


def wall_of(at: float) -> datetime:
    return WALL + timedelta(seconds=at - 100.0)


def test_a_restart_later_it_is_the_same_but_for_its_connection() -> None:
    record = stored("codec", BINDING, wall_of)
    assert (record.bridge, record.expires_at) == ("codec", WALL + timedelta(seconds=60))
    # The next process has a clock of its own, and ten seconds have passed.
    found = restored(record, 5.0, WALL + timedelta(seconds=10))
    assert found == replace(
        BINDING, expires_at=55.0, since=-15.0, source=Hop("tcp", "10.0.0.7", 40_000)
    )


@pytest.mark.parametrize("change", [{"contact": "nonsense"}, {"transport": "pigeon"}])
def test_what_cannot_be_read_is_left_out(change: dict[str, str]) -> None:
    record = stored("codec", BINDING, wall_of)
    assert restored(replace(record, **change), 5.0, WALL) is None


def test_the_way_back_over_a_stream_is_its_connection_alone() -> None:
    assert way_back(BINDING) == BINDING.source
    assert way_back(replace(BINDING, source=Hop("tcp", "10.0.0.7", 40_000))) is None
    datagrams = Hop("udp", "10.0.0.7", 5060)
    assert way_back(replace(BINDING, source=datagrams)) == datagrams


def test_addresses_as_people_are_shown_them() -> None:
    assert written(Hop("udp", "10.0.0.7", 5060)) == "10.0.0.7:5060"
    assert written(Hop("udp", "2001:db8::7", 5060)) == "[2001:db8::7]:5060"
    assert written(Hop("udp", "room.example.org")) == "room.example.org"
