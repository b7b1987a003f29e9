"""RFC 4028: who refreshes, how often, and what is too short."""

import pytest
from sipmessage import Headers

from signalling.sip.errors import SipError
from signalling.sip.session_timer import (
    SessionInterval,
    SessionPolicy,
    agree,
    ask,
    offered_interval,
    raised,
)

POLICY = SessionPolicy(wanted_s=1_800, least_s=120)


def headers(**fields: str) -> Headers:
    made = Headers()
    for name, value in fields.items():
        made.add(name.replace("_", "-"), value)
    return made


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # Table 2 of section 9: who supports, what the client named.
        ({}, SessionInterval(1800, "uas", False)),
        ({"Supported": "timer"}, SessionInterval(1800, "uas", True)),
        ({"Session_Expires": "600"}, SessionInterval(600, "uas", False)),
        ({"Session_Expires": "600", "Supported": "timer"}, SessionInterval(600, "uac", True)),
        (
            {"Session_Expires": "600;refresher=uas", "Supported": "timer"},
            SessionInterval(600, "uas", True),
        ),
        (
            {"Session_Expires": "600 ; Refresher=UAC", "Supported": "timer"},
            SessionInterval(600, "uac", True),
        ),
        ({"Session_Expires": "7200", "Supported": "timer"}, SessionInterval(1800, "uac", True)),
        (
            {"Session_Expires": "7200", "Min_SE": "3600", "Supported": "timer"},
            SessionInterval(3600, "uac", True),
        ),
        ({"Session_Expires": "60"}, SessionInterval(90, "uas", False)),
    ],
)
def test_agreement(fields: dict[str, str], expected: SessionInterval) -> None:
    assert agree(headers(**fields), POLICY) == expected


def test_too_small() -> None:
    with pytest.raises(SipError) as caught:
        agree(headers(Session_Expires="119", Supported="timer"), POLICY)
    assert caught.value.status == 422
    agree(headers(Session_Expires="120", Supported="timer"), POLICY)


def test_garbage() -> None:
    with pytest.raises(SipError):
        agree(headers(Session_Expires="soon"), POLICY)


def test_times() -> None:
    interval = SessionInterval(1_800, "uac")
    assert str(interval) == "1800;refresher=uac"
    assert interval.refresh_after_s == 900
    assert interval.give_up_after_s == 1_768
    assert SessionInterval(90, "uac").give_up_after_s == 60


def test_asking_and_asking_again() -> None:
    made = Headers()
    ask(made, POLICY)
    assert made["Session-Expires"] == "1800"
    assert made["Min-SE"] == "120"
    assert offered_interval(made) == SessionInterval(1800, "uac")
    again = raised(headers(Min_SE="2000"), POLICY)
    assert again == SessionPolicy(2_000, 2_000)
    assert raised(headers(Min_SE="120"), POLICY) is None
    assert raised(headers(Min_SE="999999"), POLICY) is None
    assert raised(headers(), POLICY) is None
