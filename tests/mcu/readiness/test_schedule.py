from datetime import UTC, datetime, timedelta

import pytest

from mcu.readiness.schedule import Session, due

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
HOUR = timedelta(minutes=60)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(61, False), (60, True), (1, True), (0, False), (-5, False), (None, False)],
)
def test_a_check_is_due_within_the_hour_before(minutes: int | None, expected: bool) -> None:
    begins_at = None if minutes is None else NOW + timedelta(minutes=minutes)
    session = Session("giao-ban", begins_at)
    assert due([session], NOW, HOUR) == ([session] if expected else [])
