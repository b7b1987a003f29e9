"""Who gets where by dialling what."""

from dataclasses import replace

import pytest

from config.dial_rule import DialRule
from config.sip_section import SipSettings
from mcu.conference.state import ConferenceState
from mcu.sip.dial_plan import Caller, Destination, DialPlan, Refusal
from tests.mcu.conference.meeting import meeting

ROOM = Caller("b0", "10.0.0.7")
OTHER = Caller("elsewhere", "10.0.0.8")
GUEST = Caller("", "203.0.113.9")


class Running:
    def __init__(self, *states: ConferenceState) -> None:
        self.states = states

    def running(self) -> tuple[ConferenceState, ...]:
        return self.states

    def conference_of(self, bridge: str) -> str | None:
        return next((one.id for one in self.states if bridge in one.participants), None)


OPEN = replace(meeting(3), id="giao-ban", number="1001")
WITH_PIN = replace(meeting(0), id="c-2", number="1002", pin="4711")
LOCKED = replace(meeting(0), id="c-3", number="1003", pin="4711", locked=True)


def resolved(
    dialled: str, caller: Caller = ROOM, rules: tuple[DialRule, ...] = (), **settings: object
) -> Destination | Refusal:
    sip = SipSettings.model_validate({"dial_plan": rules, **settings})
    return DialPlan(sip, Running(OPEN, WITH_PIN, LOCKED)).resolve(dialled, caller)


def code(found: Destination | Refusal) -> int:
    assert isinstance(found, Refusal)
    assert found.reason
    return found.code


@pytest.mark.parametrize(
    "dialled",
    ["sip:giao-ban@mcu", "sip:1001@10.0.0.1:5060;transport=tcp", "sips:giao-ban@[2001:db8::1]"],
)
def test_a_room_that_is_expected_comes_in_at_once(dialled: str) -> None:
    assert resolved(dialled) == Destination("giao-ban", "b0")


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("sip:nowhere@mcu", 404),
        ("sip:9999@mcu", 404),
        ("sip:GIAO-BAN@mcu", 404),
        ("sip:mcu", 484),
        ("tel:1001", 416),
        ("nonsense", 404),
        (f"sip:{'x' * 300}@mcu", 404),
    ],
)
def test_what_leads_nowhere(dialled: str, expected: int) -> None:
    assert code(resolved(dialled)) == expected


def test_only_our_domains() -> None:
    named = {"domains": ("mcu.example.org",), "host": "2001:db8::1", "public_host": "Public.Org"}
    for ours in ("MCU.example.org", "mcu.example.org.", "[2001:db8::0:1]", "public.org"):
        assert resolved(f"sip:giao-ban@{ours}", **named) == Destination("giao-ban", "b0")
    assert code(resolved("sip:giao-ban@elsewhere.org", **named)) == 404


class TestNotInvited:
    def test_a_room_needs_the_pin(self) -> None:
        assert resolved("sip:1002@mcu", OTHER) == Destination("c-2", None, "4711")
        assert code(resolved("sip:1001@mcu", OTHER)) == 403  # there is no PIN to ask for

    def test_a_room_that_is_expected_elsewhere(self) -> None:
        assert code(resolved("sip:1002@mcu", ROOM)) == 403

    @pytest.mark.parametrize(
        ("guests", "number", "expected"),
        [
            ("refused", "1001", 403),
            ("refused", "1002", 403),
            ("with_pin", "1001", 403),
            ("with_pin", "1002", Destination("c-2", None, "4711")),
            ("allowed", "1001", Destination("giao-ban", None)),
            ("allowed", "1002", Destination("c-2", None, "4711")),
            ("with_pin", "1003", Destination("c-3", None, "4711")),  # locked: it waits then
            ("refused", "1003", 403),
        ],
    )
    def test_guests(self, guests: str, number: str, expected: int | Destination) -> None:
        found = resolved(f"sip:{number}@mcu", GUEST, guests=guests)
        assert (code(found) if isinstance(found, Refusal) else found) == expected

    def test_the_pin_may_be_dialled(self) -> None:
        rules = (DialRule(pattern="{number}*{pin}", conference="{number}"),)
        found = resolved("sip:1002*9999@mcu", OTHER, rules)
        assert found == Destination("c-2", None, "4711", "9999")
        assert resolved("sip:1001*9999@mcu", ROOM, rules) == Destination("giao-ban", "b0")


class TestRules:
    def test_the_first_that_fits_decides(self) -> None:
        rules = (
            DialRule(pattern="0", own=True),
            DialRule(pattern="1{any}", refuse=True),
            DialRule(pattern="9{number}", conference="{number}"),
            DialRule(pattern="phong-{bridge}", participant="{bridge}"),
        )
        for dialled in ("0", "91001", "phong-b1", "giao-ban"):
            assert resolved(f"sip:{dialled}@mcu", ROOM, rules) == Destination("giao-ban", "b0")
        assert code(resolved("sip:1001@mcu", ROOM, rules)) == 404
        assert code(resolved("sip:phong-nobody@mcu", ROOM, rules)) == 404

    def test_own_is_for_rooms_that_are_expected(self) -> None:
        rules = (DialRule(pattern="0", own=True),)
        assert code(resolved("sip:0@mcu", OTHER, rules)) == 404
        assert code(resolved("sip:0@mcu", GUEST, rules, guests="allowed")) == 403

    def test_a_last_rule_does_without_the_defaults(self) -> None:
        rules = (DialRule(pattern="{any}", refuse=True),)
        assert code(resolved("sip:giao-ban@mcu", ROOM, rules)) == 404
