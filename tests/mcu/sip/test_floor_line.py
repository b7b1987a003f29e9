"""Whose a message is, and how many are taken."""

import pytest

from mcu.sip.floor_line import BURST, MESSAGES_PER_S, FloorNames, Pace
from signalling.bfcp.header import Header

NAMES = FloorNames(70_000, 3)


@pytest.mark.parametrize("reliable", [True, False])
def test_only_a_message_that_names_both_is_the_peers(reliable: bool) -> None:
    def says(conference: int, user: int) -> bool:
        data = bytes(Header(1 if reliable else 2, 11, conference, 1, user, 0))
        return NAMES.are_in(data, reliable=reliable)

    assert says(70_000, 3)
    assert not says(70_001, 3)
    assert not says(70_000, 4)
    assert not NAMES.are_in(b"\x20\x0b", reliable=reliable)


def test_a_flood_is_cut_to_its_rate() -> None:
    pace = Pace(0.0)
    assert sum(pace.passes(0.0) for _ in range(1_000)) == BURST
    assert sum(pace.passes(second / 100) for second in range(1_000)) == pytest.approx(
        10 * MESSAGES_PER_S, abs=2
    )
    assert sum(pace.passes(1_000.0) for _ in range(1_000)) == BURST
