import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import rtp


@given(
    st.binary(max_size=40),
    st.lists(st.integers(0, 2**32 - 1), max_size=15),
    st.text("abc", min_size=1, max_size=16),
    st.integers(0, 8),
)
def test_bounds_of_packets_of_others(
    payload: bytes, sources: list[int], mid: str, padding: int
) -> None:
    parameters = RTCRtpParameters(
        headerExtensions=[RTCRtpHeaderExtensionParameters(id=3, uri=rtp.MID_URI)]
    )
    extensions = HeaderExtensionsMap()
    extensions.configure(parameters)
    packet = RtpPacket(96, 1, 7, 8, 9, payload)
    packet.csrc = sources
    packet.extensions.mid = mid
    packet.padding_size = padding
    data = packet.serialize(extensions)
    extension, start, end = rtp.bounds(data, len(data))
    assert data[start:end] == payload
    assert rtp.find_extension(data, extension, start, 3) == mid.encode()
    assert rtp.find_extension(data, extension, start, 4) is None


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x80" + bytes(10),
        b"\x40" + bytes(20),
        b"\x8f" + bytes(20),
        b"\x90" + bytes(11),
        b"\x90" + bytes(11) + b"\xbe\xde\x00\x05" + bytes(4),
        b"\xa0" + bytes(15),
        b"\xa0" + bytes(14) + b"\x09",
    ],
)
def test_contradicting_lengths_are_refused(packet: bytes) -> None:
    with pytest.raises(rtp.RtpError):
        rtp.bounds(packet, len(packet))


@given(st.binary(min_size=4, max_size=60), st.integers(1, 255))
def test_extensions_of_any_bytes(block: bytes, wanted: int) -> None:
    for profile in (b"\xbe\xde", b"\x10\x00", b"\x12\x34"):
        value = rtp.find_extension(profile + block, 0, len(block) + 2, wanted)
        assert value is None or len(value) <= len(block)


def test_two_byte_form_is_read() -> None:
    block = b"\x10\x00\x00\x02" + b"\x01\x00\x00\x14\x02ab"
    assert rtp.find_extension(block, 0, len(block), 20) == b"ab"


def test_extensions_round_trip() -> None:
    block = rtp.pack_extensions({1: b"a", 14: b"0123456789abcdef", 2: b"\1\2\3"})
    assert len(block) % 4 == 0
    for number, value in ((1, b"a"), (14, b"0123456789abcdef"), (2, b"\1\2\3")):
        assert rtp.find_extension(block, 0, len(block), number) == value
    assert rtp.pack_extensions({}) == b""


@pytest.mark.parametrize("values", [{0: b"a"}, {15: b"a"}, {1: b""}, {1: bytes(17)}])
def test_what_does_not_fit_is_refused(values: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        rtp.pack_extensions(values)


def test_abs_send_time_wraps_after_64_seconds() -> None:
    assert rtp.abs_send_time(0.5) == 0x20000
    assert rtp.abs_send_time(64.5) == 0x20000


@pytest.mark.parametrize(("second", "rtcp"), [(200, True), (206, True), (96, False), (224, False)])
def test_is_rtcp(second: int, rtcp: bool) -> None:
    assert rtp.is_rtcp(bytes((128, second))) is rtcp


@pytest.mark.parametrize(
    ("values", "begins"),
    [({2: b"\x1e", 3: b"abc"}, True), ({3: b"abc", 2: b"\x1e"}, False), ({2: b"ab"}, False)],
)
def test_the_level_may_be_the_first_element(values: dict[int, bytes], begins: bool) -> None:
    packet = bytes(12) + rtp.pack_extensions(values)
    assert rtp.begins_with_level(packet, 2) is begins


def test_the_level_is_not_looked_for_in_the_two_byte_form() -> None:
    assert not rtp.begins_with_level(bytes(12) + b"\x10\x00\x00\x01\x20\x00\x00\x00", 2)
