from dataclasses import replace

from signalling.offer_answer.session import write_session
from signalling.sdp import MediaSection
from tests.signalling.offer_answer.ends_of_calls import local_media

SOUND = MediaSection(kind="audio", port=4000, protocol="RTP/AVP", formats=("8",))


def test_the_first() -> None:
    written = write_session([SOUND], local_media(), "IP4", previous=None)
    assert str(written).split("\r\n") == [
        "v=0",
        "o=- 7 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 4000 RTP/AVP 8",
        "",
    ]


def test_ice_and_time_and_the_other_family() -> None:
    written = write_session([], local_media(), "IP6", previous=None, time="10 20", ice=True)
    assert str(written.origin) == "- 7 1 IN IP6 2001:db8::1"
    assert written.field("t") == "10 20"
    assert written.has("ice-lite")


def test_a_family_that_is_not_here_is_not_written() -> None:
    written = write_session([], local_media(ipv6=""), "IP6", previous=None)
    assert written.origin.address == "192.0.2.1"
    written = write_session([], local_media(ipv4=""), "IP4", previous=None)
    assert written.origin.address == "2001:db8::1"


def test_the_version_grows_with_what_changes() -> None:
    local = local_media()
    first = write_session([SOUND], local, "IP4", previous=None)
    same = write_session([SOUND], local, "IP4", previous=first)
    assert same == first
    other = write_session([replace(SOUND, port=0)], local, "IP4", previous=same)
    assert other.origin.session_version == 2
    assert write_session([SOUND], local, "IP4", previous=other).origin.session_version == 3
