import pytest

from signalling.sdp import Bandwidth, Connection, Origin, SdpError
from signalling.sdp.fields import address_type, number, token


@pytest.mark.parametrize(
    "text",
    [
        "- 4611686018427387904 2 IN IP4 127.0.0.1",
        "mozilla...THIS_IS_SDPARTA-140.0 18446744073709551615 0 IN IP4 0.0.0.0",
        "codec 1 1 IN IP6 2001:db8::1",
        "codec 1 1 IN IP6 mcu.example",
    ],
)
def test_origin_round_trip(text: str) -> None:
    assert str(Origin.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1 1 IN IP4",
        "- 1 1 ATM IP4 a",
        "- 1 1 IN IP5 a",
        "- x 1 IN IP4 a",
        "- 1 18446744073709551616 IN IP4 a",
        "- -1 1 IN IP4 a",
        "-  1 1 IN IP4 a",
        " 1 1 IN IP4 a",
    ],
)
def test_origin_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Origin.parse(text)


@pytest.mark.parametrize("text", ["IN IP4 0.0.0.0", "IN IP6 ::1", "IN IP4 224.2.36.42/127"])
def test_connection_round_trip(text: str) -> None:
    assert str(Connection.parse(text)) == text


def test_connection_family_follows_the_address() -> None:
    assert str(Connection("2001:db8::1")) == "IN IP6 2001:db8::1"
    assert str(Connection("192.0.2.1")) == "IN IP4 192.0.2.1"


@pytest.mark.parametrize("text", ["", "IN IP4", "IN IP4 ", "IN IP4 a b", "OUT IP4 a"])
def test_connection_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Connection.parse(text)


@pytest.mark.parametrize(
    ("text", "bps"), [("AS:512", 512_000), ("TIAS:96000", 96_000), ("CT:1", 1000), ("RS:100", 0)]
)
def test_bandwidth(text: str, bps: int) -> None:
    bandwidth = Bandwidth.parse(text)
    assert bandwidth.bps == bps
    assert str(bandwidth) == text


@pytest.mark.parametrize("text", ["", "AS", "AS:", "AS:x", "AS:-1", ":5", "A S:1"])
def test_bandwidth_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Bandwidth.parse(text)


@pytest.mark.parametrize("text", ["", "²", "٣", "1e3", "+1", " 1", "1_0", "9" * 5000, "1\n"])
def test_number_takes_ascii_digits_only(text: str) -> None:
    with pytest.raises(SdpError):
        number(text, "it", 0, 10**30)


def test_number_bounds() -> None:
    assert number("0", "it", 0, 9) == 0
    assert number("9", "it", 0, 9) == 9
    with pytest.raises(SdpError, match="outside"):
        number("10", "it", 0, 9)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "é", "x" * 257, "(a)"])
def test_token_refused(text: str) -> None:
    with pytest.raises(SdpError):
        token(text, "it")


def test_address_type() -> None:
    assert address_type("::1") == "IP6"
    assert address_type("FF15::101/3") == "IP6"
    assert address_type("203.0.113.1") == "IP4"
    assert address_type("host.local") == "IP4"
