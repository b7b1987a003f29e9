"""One input for each parser that reads what strangers send, and seeds to begin from.

``tests.fuzz.campaign`` lets atheris look for inputs that reach new code; what must hold is what the
tests of hypothesis beside this file hold them to. Anything but a return is a finding.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mcu.media import rtcp, rtp, transport_feedback
from mcu.media.frames import EncodedFrame
from mcu.media.receive import VideoReceiveStream
from signalling.bfcp import BfcpClient, FloorServer
from signalling.sip import MessageStream, SipError
from tests.fuzz import test_bfcp, test_offer_answer, test_sdp, test_sip
from tests.signalling.bfcp.vectors import VECTORS as BFCP_VECTORS
from tests.signalling.bfcp.vectors import typed
from tests.signalling.sip.torture import message, names

SDP_VECTORS = Path(__file__).parents[1] / "vectors" / "sdp"
MAX_PIECES = 40
PIECE_HEAD = 3
"""Of inputs that are several packets: length of a piece, and two bytes of the target's own."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Args:
        run: takes one input. seeds: inputs that it is known to read.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def pieces(data: bytes) -> list[tuple[int, int, bytes]]:
    """Cut an input into packets: two numbers and a payload each."""
    found, at = [], 0
    while at + PIECE_HEAD <= len(data) and len(found) < MAX_PIECES:
        length, first, second = data[at : at + PIECE_HEAD]
        at += PIECE_HEAD
        found.append((first, second, data[at : at + length]))
        at += length
    return found


def joined(parts: Iterable[tuple[int, int, bytes]]) -> bytes:
    """What ``pieces`` cuts; payloads are cut at 255 bytes."""
    return b"".join(
        bytes((len(payload[:255]), first, second)) + payload[:255]
        for first, second, payload in parts
    )


# SIP


def sip(data: bytes) -> None:
    """As one datagram, and as a stream that comes in two reads."""
    test_sip.feed(data)
    at = data[0] * 16 if data else 0
    stream = MessageStream()
    with suppress(SipError):
        for part in (data[:at], data[at:]):
            for one in stream.receive(part):
                test_sip.feed(one)


def sip_seeds() -> Iterable[bytes]:
    for standard in ("rfc4475", "rfc5118"):
        for name in names(standard):
            yield message(standard, name)


# SDP


def sdp(data: bytes) -> None:
    """As an offer of a browser, and of a hardware room."""
    text = data.decode("utf-8", "replace")
    test_sdp.read_and_answer(text)
    test_offer_answer.go_through(text)


def sdp_seeds() -> Iterable[bytes]:
    for path in sorted(SDP_VECTORS.rglob("*.sdp")):
        yield path.read_bytes()


# RTP and RTCP


def rtp_packets(data: bytes) -> None:
    """As a packet, and as the packets of a stream of pictures."""
    with suppress(rtp.RtpError):
        extension, start, end = rtp.bounds(data, len(data))
        assert 12 <= start <= end <= len(data)
        if extension:
            for wanted in (1, 14, 200):
                rtp.find_extension(data, extension, start, wanted)
                rtp.audio_level(data, extension, start, wanted)
    if not data:
        return
    frames: list[EncodedFrame] = []
    stream = VideoReceiveStream(
        1,
        ("h264", "vp8")[data[0] & 1],
        90_000,
        nack=bool(data[0] & 2),
        deliver=lambda frame, now: frames.append(frame),
        wake=lambda at: None,
    )
    stream.want(wanted=True)
    now = 0.0
    for number, (sequence, when, payload) in enumerate(pieces(data[1:])):
        now += (when & 0x0F) / 50
        stream.receive(sequence + 65_500 & 0xFFFF, when >> 5, bool(when & 0x10), payload, now)
        if number % 3 == 0:
            stream.due(now)
    assert all(frame.data for frame in frames)


def rtp_seeds() -> Iterable[bytes]:
    header = rtp.HEADER.pack(0x80, 96, 1, 2, 3)
    yield header + b"payload"
    extended = rtp.HEADER.pack(0x90, 96, 1, 2, 3)
    yield extended + rtp.pack_extensions({1: b"\x85", 3: b"abc"}) + b"payload"
    yield b"\x02" + joined(
        [(36, 0x10, b"\x67\x42\xe0\x1f"), (37, 0x12, b"\x7c\x85aa"), (38, 0x12, b"\x7c\x45bb")]
    )
    yield b"\x03" + joined([(36, 0x00, b"\x10\x00abc"), (37, 0x10, b"\x00def")])


def rtcp_packets(data: bytes) -> None:
    """As a compound, and as the body of feedback about transport."""
    with suppress(rtcp.RtcpError):
        for value in rtcp.read(data):
            if hasattr(value, "fci"):
                rtcp.fir_entries(value)
                rtcp.remb_bps(value)
    with suppress(ValueError):
        read = transport_feedback.read(data)
        assert len(read.arrivals) <= transport_feedback.MAX_STATUSES


def rtcp_seeds() -> Iterable[bytes]:
    report = rtcp.receiver_report(1)
    yield report + rtcp.source_description([1], "cname") + rtcp.bye([1])
    yield report + rtcp.picture_loss(1, 2) + rtcp.full_intra_request(1, 2, 3)
    yield report + rtcp.negative_acknowledgement(1, 2, [7, 8, 30])
    yield report + rtcp.bitrate_limit(1, 1_000_000, [2, 3])


# BFCP


def bfcp(data: bytes) -> None:
    """As a message, and as what a server and a client are sent one after the other."""
    test_bfcp.read(data)
    if not data:
        return
    reliable = bool(data[0] & 1)
    server, client = FloorServer(1, (1, 2)), BfcpClient(1, 3, 1, reliable=reliable)
    server.open(3, reliable=reliable)
    client.start(0.0)
    now = 0.0
    for when, _, payload in pieces(data[1:]):
        now += when / 50
        for end in (server, client):
            end.handle_timer(now)
        server.receive(3, payload, now)
        client.receive(payload, now)
        assert all(len(each) <= 1_200 for _, each in server.data_to_send())
        client.data_to_send()
        server.events()
        client.events()
    server.close(3, now)
    assert server.requests(1) == server.requests(2) == []


def bfcp_seeds() -> Iterable[bytes]:
    known = [typed(vector) for _, vector in BFCP_VECTORS]
    yield from known
    yield b"\x00" + joined((1, 0, one) for one in known[:6])
    yield b"\x01" + joined((9, 0, one) for one in known[6:12])


TARGETS: dict[str, Target] = {
    "sip": Target(sip, sip_seeds),
    "sdp": Target(sdp, sdp_seeds),
    "rtp": Target(rtp_packets, rtp_seeds),
    "rtcp": Target(rtcp_packets, rtcp_seeds),
    "bfcp": Target(bfcp, bfcp_seeds),
}
