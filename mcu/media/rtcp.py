"""RTCP compound packets: framing and feedback here, the values are aiortc's (RFC 3550, 4585, 5104).

``read`` never raises anything but ``RtcpError`` and looks only at kinds a leg acts on, so that an
unknown or oddly padded member (SDES, XR) does not cost the reports beside it.
"""

import struct
from collections.abc import Iterable, Sequence

from aiortc.rtp import (
    RTCP_BYE,
    RTCP_PSFB,
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RR,
    RTCP_RTPFB,
    RTCP_RTPFB_NACK,
    RTCP_SR,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    pack_remb_fci,
    unpack_remb_fci,
)

from mcu.media import transport_feedback
from mcu.media.clock import NtpClock
from mcu.media.transport_feedback import TransportFeedback

RtcpValue = (
    RtcpSrPacket
    | RtcpRrPacket
    | RtcpByePacket
    | RtcpRtpfbPacket
    | RtcpPsfbPacket
    | TransportFeedback
)

_HEAD = struct.Struct("!BBH")
_SDES_CNAME = 1
_FIR_ENTRY = struct.Struct("!LB3x")
_REPORT_BLOCK_BYTES = 24
_MAX_REMB_BPS = (1 << 50) - 1


class RtcpError(ValueError):
    """Not RTCP, or a member whose length contradicts its contents."""


def read(packet: bytes) -> list[RtcpValue]:
    """Members of a compound (or reduced-size, RFC 5506) packet that a leg acts on.

    Raises:
        RtcpError: malformed.
    """
    values: list[RtcpValue] = []
    at, size = 0, len(packet)
    while at < size:
        if size - at < 4:
            raise RtcpError("no RTCP header")
        first, kind, words = _HEAD.unpack_from(packet, at)
        if first & 0xC0 != 0x80:
            raise RtcpError("no RTCP header")
        end = at + 4 + 4 * words
        if end > size:
            raise RtcpError("truncated")
        last = end
        if first & 0x20:
            padding = packet[end - 1]
            if not words or not padding or padding > 4 * words:
                raise RtcpError("padding")
            last -= padding
        try:
            value = _read_member(kind, first & 0x1F, packet[at + 4 : last])
        except (ValueError, struct.error, IndexError) as error:
            raise RtcpError(str(error)) from error
        if value is not None:
            values.append(value)
        at = end
    return values


def _read_member(kind: int, count: int, body: bytes) -> RtcpValue | None:
    if kind == RTCP_RTPFB and count == transport_feedback.FMT:  # the most frequent one first
        return transport_feedback.read(body)
    # Reports may be followed by profile-specific words (RFC 3550 6.4.3), which aiortc refuses.
    if kind == RTCP_SR:
        return RtcpSrPacket.parse(body[: 24 + _REPORT_BLOCK_BYTES * count], count)
    if kind == RTCP_RR:
        return RtcpRrPacket.parse(body[: 4 + _REPORT_BLOCK_BYTES * count], count)
    if kind == RTCP_BYE:
        return RtcpByePacket.parse(body, count)
    if kind == RTCP_RTPFB and count == RTCP_RTPFB_NACK:
        nack = RtcpRtpfbPacket.parse(body, count)
        nack.lost = [sequence & 0xFFFF for sequence in nack.lost]
        return nack
    if kind == RTCP_PSFB and count in (RTCP_PSFB_PLI, RTCP_PSFB_FIR, RTCP_PSFB_APP):
        return RtcpPsfbPacket.parse(body, count)
    return None


def fir_entries(feedback: RtcpPsfbPacket) -> list[tuple[int, int]]:
    """SSRC and request number of each entry of a full intra request (RFC 5104 4.3.1)."""
    fci = feedback.fci
    return [_FIR_ENTRY.unpack_from(fci, at) for at in range(0, len(fci) - 7, 8)]


def remb_bps(feedback: RtcpPsfbPacket) -> int | None:
    """Bit rate of a REMB message; None for other application layer feedback."""
    try:
        return min(_MAX_REMB_BPS, unpack_remb_fci(feedback.fci)[0])
    except (ValueError, struct.error):
        return None


def sender_report(
    ssrc: int,
    ntp: int,
    rtp_timestamp: int,
    packets: int,
    payload_bytes: int,
    blocks: Sequence[RtcpReceiverInfo] = (),
) -> bytes:
    """SR; counters are wrapped to 32 bits here."""
    info = RtcpSenderInfo(ntp, rtp_timestamp, packets & 0xFFFFFFFF, payload_bytes & 0xFFFFFFFF)
    return bytes(RtcpSrPacket(ssrc, info, list(blocks)))


def receiver_report(ssrc: int, blocks: Sequence[RtcpReceiverInfo] = ()) -> bytes:
    """RR, possibly without blocks, as each compound packet must begin with a report."""
    return bytes(RtcpRrPacket(ssrc, list(blocks)))


def source_description(ssrcs: Iterable[int], cname: str) -> bytes:
    """One SDES packet per SSRC with its CNAME."""
    item = (_SDES_CNAME, cname.encode()[:255])
    return b"".join(bytes(RtcpSdesPacket([RtcpSourceInfo(ssrc, [item])])) for ssrc in ssrcs)


def bye(ssrcs: Sequence[int]) -> bytes:
    """BYE for up to 31 sources."""
    return bytes(RtcpByePacket(list(ssrcs[:31])))


def picture_loss(ssrc: int, media_ssrc: int) -> bytes:
    """PLI (RFC 4585 6.3.1)."""
    return bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, ssrc, media_ssrc))


def full_intra_request(ssrc: int, media_ssrc: int, number: int) -> bytes:
    """FIR (RFC 5104 4.3.1); ``number`` grows with each new request."""
    entry = _FIR_ENTRY.pack(media_ssrc, number & 0xFF)
    return bytes(RtcpPsfbPacket(RTCP_PSFB_FIR, ssrc, 0, entry))


def negative_acknowledgement(ssrc: int, media_ssrc: int, extended: Sequence[int]) -> bytes:
    """Generic NACK for extended sequence numbers, ascending (RFC 4585 6.2.1).

    Two packets where the 16-bit numbers wrap, since aiortc packs ascending numbers only.
    """
    runs: list[list[int]] = []
    for one in extended:
        if not runs or (one >> 16) != (runs[-1][-1] >> 16):
            runs.append([])
        runs[-1].append(one)
    return b"".join(
        bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, ssrc, media_ssrc, [one & 0xFFFF for one in run]))
        for run in runs
    )


def bitrate_limit(ssrc: int, bps: int, media_ssrcs: Sequence[int]) -> bytes:
    """REMB (draft-alvestrand-rmcat-remb-03)."""
    fci = pack_remb_fci(max(0, min(bps, _MAX_REMB_BPS)), list(media_ssrcs[:255]))
    return bytes(RtcpPsfbPacket(RTCP_PSFB_APP, ssrc, 0, fci))


def round_trip_s(block: RtcpReceiverInfo, clock: NtpClock, now: float) -> float | None:
    """Round trip from a report block on a stream of ours; None where it names no report.

    A reading of more than a minute is a peer's fault (or an attack) and gives None too.
    """
    if not block.lsr:
        return None
    units = (clock.middle(now) - block.lsr - block.dlsr) & 0xFFFFFFFF
    if units >= 0x80000000:  # the peer's clock runs a little fast: below one tick
        return 0.0 if units > 0xFFFFFF00 else None
    return units / 65536 if units < 60 * 65536 else None
