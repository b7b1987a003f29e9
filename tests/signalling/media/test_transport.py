import pytest

from signalling.media.transport import (
    HASH_FUNCTIONS,
    answering_role,
    first_value,
    ice_credentials,
    usable_fingerprints,
)
from signalling.sdp import Fingerprint, Line, Section


def place(*attributes: str) -> Section:
    return Section(tuple(Line("a", attribute) for attribute in attributes))


def test_the_first_place_that_has_it() -> None:
    places = (place("setup:"), place("setup:active"), place("setup:passive"))
    assert first_value(places, "setup") == "active"
    assert first_value(places, "mid") is None


@pytest.mark.parametrize(
    ("ufrag", "pwd", "expected"),
    [
        ("abcd", "x" * 22, ("abcd", "x" * 22)),
        ("abc", "x" * 22, (None, "x" * 22)),
        ("abcd", "x" * 21, ("abcd", None)),
        ("ab-d", "x" * 22, (None, "x" * 22)),
        ("a" * 257, "x" * 257, (None, None)),
    ],
)
def test_credentials(ufrag: str, pwd: str, expected: tuple[str | None, str | None]) -> None:
    assert ice_credentials((place(f"ice-ufrag:{ufrag}"), place(f"ice-pwd:{pwd}"))) == expected


def test_fingerprints_that_count() -> None:
    section = place("fingerprint:sha-1 AB", "fingerprint:sha-256 CD", "fingerprint:SHA-512 EF")
    expected = (Fingerprint("sha-256", "CD"), Fingerprint("sha-512", "EF"))
    assert usable_fingerprints((section, place("fingerprint:sha-256 00"))) == expected
    assert usable_fingerprints((place(), place("fingerprint:sha-256 00"))) == (
        Fingerprint("sha-256", "00"),
    )
    # A section with none but old ones borrows none of the session.
    assert usable_fingerprints((place("fingerprint:sha-1 AB"), section)) == ()
    assert "sha-1" not in HASH_FUNCTIONS


@pytest.mark.parametrize(
    ("setup", "role"),
    [
        (None, "server"),
        ("", "server"),
        ("actpass", "server"),
        ("active", "server"),
        ("passive", "client"),
        ("holdconn", None),
        ("ACTIVE", None),
    ],
)
def test_roles(setup: str | None, role: str | None) -> None:
    assert answering_role(setup) == role
