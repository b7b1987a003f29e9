"""Our end of a call's media."""

from typing import Any

import pytest

from mcu.sip.media_ends import Latching, MediaEnds
from signalling.offer_answer import LocalMedia
from signalling.sip import Hop
from tests.peers.sip_stage import CERTIFICATE

INTERNAL = ("10.0.0.0/8", "fc00::/7")


def local(hop: Hop, **more: Any) -> LocalMedia:
    ends = MediaEnds(
        fingerprint=CERTIFICATE.fingerprint,
        cname="cname",
        bitrate_bps=1_000_000,
        own=("192.0.2.1", "2001:db8::1"),
        **more,
    )
    return ends.local(hop, lambda index, family: 20_000)


@pytest.mark.parametrize(
    ("policy", "host", "plain"),
    [
        ("allowed", "203.0.113.9", True),
        ("refused", "10.0.0.9", False),
        ("internal", "10.0.0.9", True),
        ("internal", "fc00::9", True),
        ("internal", "203.0.113.9", False),
        ("internal", "room.example.org", False),
    ],
)
def test_whether_media_may_be_plain(policy: str, host: str, plain: bool) -> None:
    found = local(Hop("udp", host, 5060, local="10.0.0.1"), plain_rtp=policy, internal=INTERNAL)
    assert ("plain" in found.protections) == plain
    assert found.protections[:2] == ("sdes", "dtls")


def test_offers_try_one_protection_after_the_other() -> None:
    ends = MediaEnds(
        fingerprint=CERTIFICATE.fingerprint, cname="c", bitrate_bps=1, own=("192.0.2.1",),
        internal=INTERNAL,
    )  # fmt: skip
    sdes, dtls = ("sdes", "dtls"), ("dtls", "sdes")
    inside, outside = Hop("udp", "10.0.0.9", 5060), Hop("udp", "203.0.113.9", 5060)
    assert ends.protections(inside) == ((*sdes, "plain"), sdes, dtls)
    assert ends.protections(outside) == (sdes, dtls)
    hop = Hop("udp", "10.0.0.9", 5060, local="10.0.0.1")
    assert ends.local(hop, lambda index, family: 20_000, None, dtls).protections == dtls


def test_the_address_that_the_peer_reached_is_told() -> None:
    found = local(Hop("udp", "10.0.0.9", 5060, local="10.0.0.1"))
    assert (found.ipv4, found.ipv6) == ("10.0.0.1", "2001:db8::1")
    found = local(Hop("udp", "fc00::9", 5060, local="fc00::1"))
    assert (found.ipv4, found.ipv6) == ("192.0.2.1", "fc00::1")


def test_behind_address_translation_the_public_one() -> None:
    found = local(Hop("udp", "10.0.0.9", 5060, local="10.0.0.1"), public=("198.51.100.1",))
    assert (found.ipv4, found.ipv6) == ("198.51.100.1", "2001:db8::1")


def test_no_two_calls_have_the_same_secrets() -> None:
    hop = Hop("udp", "10.0.0.9", 5060, local="10.0.0.1")
    one, two = local(hop), local(hop)
    assert one.ice != two.ice
    assert one.session_id != two.session_id
    assert 0 < one.new_ssrc() < 2**32


@pytest.mark.parametrize(
    ("hop", "own", "family"),
    [
        (Hop("udp", "198.51.100.9", 5060), ("192.0.2.1", "2001:db8::1"), "IP4"),
        (Hop("tcp", "2001:db8::9", 5060, local="2001:db8::1"), ("192.0.2.1",), "IP6"),
        (Hop("udp", "::1", 5060, local="::1"), ("192.0.2.1",), "IP6"),
        (Hop("udp", "203.0.113.9", 5060, local="2001:db8::1"), ("2001:db8::1",), None),
        (Hop("udp", "room.example.org", None), ("192.0.2.1", "2001:db8::1"), None),
    ],
)
def test_offers_name_addresses_of_the_family_that_signalling_goes_by(
    hop: Hop, own: tuple[str, ...], family: str | None
) -> None:
    ends = MediaEnds(fingerprint=CERTIFICATE.fingerprint, cname="c", bitrate_bps=1, own=own)
    assert ends.family(hop) == family


@pytest.mark.parametrize(
    ("latching", "elsewhere"),
    [("off", False), ("signalling", "203.0.113.9"), ("anywhere", True)],
)
def test_where_media_may_come_from(latching: Latching, elsewhere: bool | str) -> None:
    ends = MediaEnds(
        fingerprint=CERTIFICATE.fingerprint, cname="c", bitrate_bps=1, latching=latching
    )
    assert ends.elsewhere(Hop("udp", "203.0.113.9", 5060)) == elsewhere
