"""Calls that we have asked for."""

import pytest

from mcu.sip.dial_plan import Destination
from mcu.sip.invitations import Invitations


async def test_an_invitation_counts_once_and_until_it_is_ended() -> None:
    invitations = Invitations()
    made = invitations.invite("b1")
    target = f"sip:{made.user}@192.0.2.1:5060;transport=tcp"
    assert invitations.take(target) is made
    assert invitations.take(target) is None
    other = invitations.invite("")
    assert other.user != made.user
    invitations.end(other)
    invitations.end(other)
    assert invitations.take(f"sip:{other.user}@192.0.2.1") is None
    assert (await other.came, await other.leads_to) == (False, None)


async def test_what_is_told_first_counts() -> None:
    made = Invitations().invite("b1")
    made.settle(True)
    made.settle(False)
    place = Destination("c", "b1")
    made.admit(place)
    made.admit(None)
    assert (await made.came, await made.leads_to) == (True, place)


@pytest.mark.parametrize("target", ["sip:1001@192.0.2.1", "sip:192.0.2.1", "tel:+84", "nonsense"])
def test_other_addresses_name_none(target: str) -> None:
    assert Invitations().take(target) is None
