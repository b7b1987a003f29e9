"""Other origins, and which answers they may read."""

import pytest

from mcu.api.security import (
    MAX_ROOM_COOKIES,
    cors_allowed,
    same_origin,
    session_cookie,
    surplus_cookies,
)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/whip/c", True),
        ("/whep/c", True),
        ("/api/v1/legs/l", True),
        ("/api/v1/units", False),
        ("/api/v1/legsx", False),
        ("/", False),
    ],
)
def test_where_other_origins_may_come(path: str, allowed: bool) -> None:
    assert cors_allowed(path) is allowed


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://mcu:8080", True),
        ("HTTP://MCU:8080", True),
        ("https://rooms.example.org", True),
        ("https://mcu:8080", False),
        ("http://mcu", False),
        ("http://mcu:8080.evil.example", False),
        ("null", False),
        (None, False),
    ],
)
def test_same_origin(origin: str | None, own: bool) -> None:
    assert same_origin(origin, "http", "mcu:8080", "https://rooms.example.org") is own


def test_only_surplus_cookies_of_other_rooms_are_dropped() -> None:
    rooms = [session_cookie(f"r{number}") for number in range(MAX_ROOM_COOKIES)]
    sent = [session_cookie(None), "language", *rooms]
    assert surplus_cookies(sent, "new") == rooms[:1]
    assert surplus_cookies(sent, "r0") == []
    assert surplus_cookies(sent, None) == []
