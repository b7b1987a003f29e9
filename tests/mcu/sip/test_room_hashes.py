"""What rooms sign in with, and what they signed in with before."""

from datetime import UTC, datetime

from mcu.sip.room_hashes import RoomHashes
from mcu.store.records import SipSecret
from mcu.store.sip_secrets import MAX_VOID

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def hashes(number: int) -> dict[str, str]:
    return {"SHA-256": f"s{number}", "MD5": f"m{number}"}


def test_the_last_ones_before_are_known_as_void() -> None:
    rooms = RoomHashes()
    assert not rooms.drop("codec")
    for number in range(MAX_VOID + 2):
        rooms.put("codec", hashes(number))
    assert rooms.secret_of("codec", "MD5") == "m4"
    assert rooms.void_of("codec", "SHA-256") == ("s3", "s2", "s1")
    assert rooms.drop("codec")
    assert "codec" not in rooms
    assert rooms.secret_of("codec", "MD5") is None
    assert rooms.void_of("codec", "MD5") == ("m4", "m3", "m2")
    assert rooms.void_of("other", "MD5") == ()


def test_one_that_comes_again_is_void_once() -> None:
    rooms = RoomHashes()
    for number in (1, 2, 1, 2, 1):
        rooms.put("codec", hashes(number))
    assert rooms.void_of("codec", "MD5") == ("m2", "m1")


def test_the_store_gives_both_back() -> None:
    rooms = RoomHashes()
    now = [SipSecret("codec", "mcu", AT, hashes(3))]
    rooms.restore(now, [SipSecret("codec", "mcu", AT, hashes(number)) for number in (2, 1)])
    assert rooms.secret_of("codec", "MD5") == "m3"
    assert rooms.void_of("codec", "MD5") == ("m2", "m1")


def test_who_is_meant_by_a_name_in_another_case() -> None:
    rooms = RoomHashes()
    rooms.put("van-chan", hashes(1))
    assert rooms.meant_by("Van-Chan") == "van-chan"
    assert rooms.meant_by("van-cha") is None
