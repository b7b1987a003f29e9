"""Invariant: whatever bytes come, RTP and RTCP readers give a value or their one error.

Allowed errors: RtpError, RtcpError, PayloadError; ValueError from the body of feedback. Memory
stays bounded by what was fed.
"""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from mcu.media import h264, rtcp, rtp, transport_feedback, vp8
from mcu.media.arrivals import MAX_SPAN, ArrivalLog
from mcu.media.assembly import MAX_PACKETS, FrameAssembler
from mcu.media.clock import Moments
from mcu.media.frames import EncodedFrame
from mcu.media.nack import MAX_MISSING
from mcu.media.payload import PayloadError
from mcu.media.receive import VideoReceiveStream

BYTES = st.binary(max_size=200)
PACKETS = st.lists(
    st.tuples(
        st.integers(0, 65535) | st.integers(0, 40),
        st.integers(0, 2**32 - 1) | st.integers(0, 5),
        st.booleans(),
        st.binary(max_size=12)
        | st.sampled_from(
            [b"\x10\x00a", b"\x00a", b"\x67ab", b"\x7c\x85a", b"\x7c\x05a", b"\x41a"]
        ),
        st.floats(0, 0.3),
    ),
    max_size=80,
)


@given(BYTES)
def test_rtp_header(data: bytes) -> None:
    for prefix in (b"", b"\x90", b"\xbf"):
        packet = prefix + data
        with contextlib.suppress(rtp.RtpError):
            extension, start, end = rtp.bounds(packet, len(packet))
            assert 12 <= start <= end <= len(packet)
            if extension:
                for wanted in (1, 14, 200):
                    rtp.find_extension(packet, extension, start, wanted)


@given(BYTES, st.integers(192, 223), st.integers(0, 31))
def test_rtcp(data: bytes, kind: int, count: int) -> None:
    body = data[: len(data) // 4 * 4]
    framed = bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body
    for packet in (data, framed, framed + framed):
        with contextlib.suppress(rtcp.RtcpError):
            for value in rtcp.read(packet):
                if hasattr(value, "fci"):
                    rtcp.fir_entries(value)
                    rtcp.remb_bps(value)


@given(st.binary(max_size=400), st.integers(0, 65535), st.integers(0, 65535))
def test_transport_feedback(rest: bytes, base: int, statuses: int) -> None:
    body = bytes(8) + base.to_bytes(2, "big") + statuses.to_bytes(2, "big") + rest
    for one in (rest, body):
        with contextlib.suppress(ValueError):
            value = transport_feedback.read(one)
            assert len(value.arrivals) <= transport_feedback.MAX_STATUSES
            assert sum(at is not None and at >= 0 for at in value.arrivals) <= len(one)


@given(PACKETS)
def test_arrivals_of_any_numbers(packets: list[tuple[int, int, bool, bytes, float]]) -> None:
    log = ArrivalLog(1, Moments())
    now = 0.0
    for number, _, due, _, step in packets:
        now += step
        packet = b"\x90" + bytes(11) + rtp.pack_extensions({1: number.to_bytes(2, "big")})
        log.note(memoryview(packet), 12, len(packet), len(packet), now)
        if due:
            for member in log.report(1, 2, now):
                (value,) = rtcp.read(member)
                assert isinstance(value, transport_feedback.TransportFeedback)
                assert len(value.arrivals) <= MAX_SPAN
            assert not log.times


@given(st.lists(BYTES, max_size=6))
def test_payloads(payloads: list[bytes]) -> None:
    for form in (h264, vp8):
        with contextlib.suppress(PayloadError):
            data, _ = form.assemble(payloads)
            assert data
        for payload in payloads:
            form.begins_key_frame(payload)


@given(st.sampled_from(["h264", "vp8"]), st.booleans(), PACKETS)
def test_a_video_stream_of_any_packets(
    codec: str, nack: bool, packets: list[tuple[int, int, bool, bytes, float]]
) -> None:
    frames: list[EncodedFrame] = []
    stream = VideoReceiveStream(
        1,
        codec,
        90000,
        nack=nack,
        deliver=lambda frame, now: frames.append(frame),
        wake=lambda at: None,
    )
    stream.want(wanted=True)
    now = 0.0
    for sequence, timestamp, marker, payload, step in packets:
        now += step
        stream.receive(sequence, timestamp, marker, payload, now)
        stream.receive_repeated(sequence, timestamp, marker, payload, now)
        assert len(stream.due(now)) <= MAX_MISSING
        timer = stream.next_timer()
        assert timer is None or timer >= now - 1.0
    assert all(frame.data for frame in frames)
    assert stream.packets == len(packets)


@given(st.sampled_from(["h264", "vp8"]), PACKETS)
def test_an_assembler_of_any_packets(
    codec: str, packets: list[tuple[int, int, bool, bytes, float]]
) -> None:
    assembler = FrameAssembler(codec)
    for sequence, timestamp, marker, payload, step in packets:
        if step > 0.25 and assembler.next_sequence >= 0:
            assembler.skip_to(sequence)
        before = assembler.next_sequence
        assembler.insert(sequence, timestamp, marker, payload)
        assert assembler.next_sequence >= before
        assert assembler.waiting <= MAX_PACKETS
