import base64

import pytest

from signalling.offer_answer.agreement import SUITES
from signalling.offer_answer.crypto import KEY_BYTES, choose_key, read_key, suite_of, write_key
from signalling.sdp import Crypto
from tests.signalling.offer_answer.ends_of_calls import KEY, OTHER_KEY, SUITE

RAW = base64.b64decode(KEY.removeprefix("inline:"))


def crypto(text: str) -> Crypto:
    return Crypto.parse(text)


@pytest.mark.parametrize("suite", KEY_BYTES)
def test_written_lines_are_read_again(suite: str) -> None:
    key = bytes(range(KEY_BYTES[suite]))
    read = read_key(crypto(str(write_key(3, suite, key))))
    assert read is not None
    assert (read.tag, read.suite, read.key, read.mki_bytes) == (3, suite, key, 0)
    assert suite_of(SUITES[suite]) == suite


def test_key_lengths_are_those_of_the_standards() -> None:
    assert KEY_BYTES["AES_CM_128_HMAC_SHA1_80"] == 16 + 14
    assert KEY_BYTES["AEAD_AES_128_GCM"] == 16 + 12
    assert KEY_BYTES["AEAD_AES_256_GCM"] == 32 + 12


@pytest.mark.parametrize(
    ("extra", "mki_bytes"),
    [
        ("", 0),
        ("|2^20", 0),
        ("|2^48", 0),
        ("|1048576", 0),
        ("|2^20|1:4", 4),
        ("|2^31|1:1", 1),
        ("|1:32", 32),
        ("|255:1", 1),
    ],
)
def test_lifetime_and_mki(extra: str, mki_bytes: int) -> None:
    read = read_key(crypto(f"1 {SUITE} {KEY}{extra}"))
    assert read is not None
    assert (read.key, read.mki_bytes) == (RAW, mki_bytes)


@pytest.mark.parametrize(
    "extra",
    [
        "|2^49",
        "|0",
        "|2^",
        "|1:0",
        "|256:1",
        "|1:129",
        "|1:x",
        "|2^20|1:4|7",
        "|2^20|2^20",
        "|",
        "|a",
    ],
)
def test_impossible_lifetime_and_mki(extra: str) -> None:
    assert read_key(crypto(f"1 {SUITE} {KEY}{extra}")) is None


@pytest.mark.parametrize(
    "parameters", ["WSH=128", "FEC_ORDER=FEC_SRTP", "-NEW=1", "-UNKNOWN", "WSH=64 -X", ""]
)
def test_harmless_session_parameters(parameters: str) -> None:
    assert read_key(crypto(f"1 {SUITE} {KEY} {parameters}")) is not None


@pytest.mark.parametrize(
    "parameters",
    [
        "KDR=0",
        "KDR=24",
        "UNENCRYPTED_SRTP",
        "UNENCRYPTED_SRTCP",
        "UNAUTHENTICATED_SRTP",
        "NEW=1",
        "WSH=64 UNENCRYPTED_SRTP",
        "FEC_ORDER=X",
    ],
)
def test_session_parameters_that_change_packets(parameters: str) -> None:
    assert read_key(crypto(f"1 {SUITE} {KEY} {parameters}")) is None


@pytest.mark.parametrize(
    "text",
    [
        f"1 AES_256_CM_HMAC_SHA1_80 {KEY}",  # a suite we have not
        f"1 AEAD_AES_128_GCM {KEY}",  # too long for it
        f"1 {SUITE} {KEY[:-4]}",
        f"1 {SUITE} inline:*{KEY[8:]}",
        f"1 {SUITE} inline:",
        f"1 {SUITE} inline",
        f"1 {SUITE} uri:https://keys.example/",
        f"1 {SUITE} {KEY};{OTHER_KEY}",
        f"1 {SUITE} inline:{'A' * 200}",
        f"1 {SUITE} inline:é",
    ],
)
def test_unusable_lines(text: str) -> None:
    assert read_key(crypto(text)) is None


def test_padding_may_be_left_out() -> None:
    padded = base64.b64encode(bytes(28)).decode()
    assert padded.endswith("==")
    read = read_key(crypto(f"1 AEAD_AES_128_GCM inline:{padded.rstrip('=')}"))
    assert read is not None
    assert read.key == bytes(28)


def test_the_first_that_can_be_used() -> None:
    lines = [
        crypto(f"1 F8_128_HMAC_SHA1_80 {KEY}"),
        crypto(f"2 {SUITE} {KEY} KDR=1"),
        crypto(f"3 AES_CM_128_HMAC_SHA1_32 {KEY}"),
        crypto(f"4 {SUITE} {KEY}"),
    ]
    chosen = choose_key(lines, tuple(SUITES))
    assert chosen is not None
    assert chosen.tag == 3
    only = choose_key(lines, (SUITE,))
    assert only is not None
    assert only.tag == 4
    assert choose_key(lines, ("AEAD_AES_128_GCM",)) is None
    assert choose_key([], tuple(SUITES)) is None


def test_without_mki_before_with() -> None:
    lines = [crypto(f"1 {SUITE} {KEY}|2^31|1:1"), crypto(f"2 {SUITE} {KEY}")]
    chosen = choose_key(lines, (SUITE,))
    assert chosen is not None
    assert chosen.tag == 2
    with_mki = choose_key(lines[:1], (SUITE,))
    assert with_mki is not None
    assert (with_mki.tag, with_mki.mki_bytes) == (1, 1)
