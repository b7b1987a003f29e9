from dataclasses import replace

import pytest

from signalling.offer_answer import SUITES, Agreed, Dtls, Plain, Sdes, answer_offer
from signalling.sdp import SessionDescription
from tests.signalling.offer_answer.ends_of_calls import THEIRS, audio, local_media, offer, video


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(Sdes(1, "AES128_CM_SHA1_80", b"secret", b"secret"))


def test_the_tag_of_a_line_changes_no_stream() -> None:
    assert Sdes(1, "x", b"a", b"b") == Sdes(2, "x", b"a", b"b")
    assert Sdes(1, "x", b"a", b"b") != Sdes(1, "x", b"a", b"c")
    assert Dtls("server", (THEIRS,)) != Dtls("client", (THEIRS,))
    assert Plain() == Plain()


def test_flows_by_stream() -> None:
    agreed = answer_offer(offer(audio(), video()), local_media())
    assert agreed.flow("audio") == agreed.flows[0]
    assert agreed.flow("video") == agreed.flows[1]
    assert agreed.flow("presentation") is None
    assert Agreed(SessionDescription(), SessionDescription(), ()).flow("audio") is None


@pytest.mark.parametrize(
    "impossible",
    [
        {"protections": ()},
        {"ipv4": "", "ipv6": ""},
        {"suites": ("AES_CM_128_HMAC_SHA1_80", "ROT13")},
        {"h264_level": 99},
    ],
)
def test_an_impossible_end_is_refused_at_once(impossible: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(local_media(), **impossible)


def test_suites_are_in_order_of_preference() -> None:
    assert list(SUITES) == list(local_media().suites)
    assert next(iter(SUITES)) == "AEAD_AES_128_GCM"
