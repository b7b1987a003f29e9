"""What a simulated room makes of the packets it got: sound, and the picture on its screen."""

import av
import av.error
import numpy as np
from aiortc import RTCRtpCodecParameters
from aiortc.codecs import depayload
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray

from mixer.codecs.audio import make_decoder
from tests.peers.coded_media import BLOCK_SAMPLES, Colour, Sound, colour_of
from tests.peers.webrtc_peer import ReceivedStream

GIVE_UP_S = 0.6
"""A picture whose packets have not come by then is left out and a key frame asked for."""


def sound_of(packets: dict[int, RtpPacket], first: int, last: int) -> Sound:
    """Decode packets ``first`` to ``last``; what is missing is repaired or concealed."""
    decoder = make_decoder("opus", 2)
    blocks = []
    for sequence in range(first, last + 1):
        packet, following = packets.get(sequence), packets.get(sequence + 1)
        if packet is not None:
            block = decoder.decode(packet.payload)
        else:
            repaired = None
            if following is not None:
                repaired = decoder.decode_fec(following.payload, BLOCK_SAMPLES)
            block = repaired if repaired is not None else decoder.conceal(BLOCK_SAMPLES)
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def longest_gap(packets: dict[int, RtpPacket]) -> int:
    """The longest run of packets that never came, in packets."""
    longest, before = 0, None
    for sequence in sorted(packets):
        if before is not None:
            longest = max(longest, sequence - before - 1)
        before = sequence
    return longest


class Screen:
    """Decodes one received video stream as a player does.

    Pictures are shown in order; one that stays incomplete is given up, and until the next key
    frame the last good picture stands.

    Args:
        codec: ``H264`` or ``VP8``.
    """

    def __init__(self, codec: str) -> None:
        self.frames = 0
        self.key_frames = 0
        self.errors = 0
        self.given_up = 0
        self.wants_key_frame = False
        self.picture: NDArray[np.uint8] | None = None
        self.shown_at = 0.0
        self.timestamps: list[int] = []
        self._codec = codec
        self._parameters = RTCRtpCodecParameters(f"video/{codec}", 90_000)
        self._decoder = self._new_decoder()
        self._next: int | None = None
        self._waiting_since: float | None = None
        self._newest: av.VideoFrame | None = None

    def update(self, stream: ReceivedStream, now: float) -> None:
        """Show what has become complete."""
        if self._next is None:
            self._next = stream.first
            self.wants_key_frame = True  # until one has come
        while self._next <= stream.highest:
            group = self._complete(stream.packets)
            if group is not None:
                self._waiting_since = None
                self._next += len(group)
                self._show(group, now)
                continue
            if self._waiting_since is None:
                self._waiting_since = now
            if now - self._waiting_since < GIVE_UP_S:
                return
            self._give_up(stream)

    def colour(self, left: int, top: int, width: int, height: int) -> Colour:
        """Mean colour of a part of what is shown now."""
        if self._newest is not None:
            self.picture = self._newest.to_ndarray(format="yuv420p")
            self._newest = None
        assert self.picture is not None, "nothing was shown yet"
        return colour_of(self.picture, left, top, width, height)

    def _complete(self, packets: dict[int, RtpPacket]) -> list[RtpPacket] | None:
        group: list[RtpPacket] = []
        at = self._next or 0
        while (packet := packets.get(at)) is not None:
            group.append(packet)
            if packet.marker:
                return group
            at += 1
        return None

    def _give_up(self, stream: ReceivedStream) -> None:
        """Go on behind the first gap, or with what comes next where nothing is behind it."""
        at = self._next or 0
        while at in stream.packets:
            at += 1
        while at not in stream.packets and at <= stream.highest:
            at += 1
        self._next = at
        self._waiting_since = None
        self.given_up += 1
        self.wants_key_frame = True

    def _show(self, group: list[RtpPacket], now: float) -> None:
        payloads = [packet.payload for packet in group]
        key = self._is_key(payloads[0])
        if self.wants_key_frame and not key:
            return
        self.wants_key_frame = False
        data = b"".join(depayload(self._parameters, payload) for payload in payloads)
        try:
            frames = self._decoder.decode(av.Packet(data))
        except av.error.FFmpegError:
            self.errors += 1
            self.wants_key_frame = True
            self._decoder = self._new_decoder()
            return
        for frame in frames:
            self._newest = frame
            self.shown_at = now
            self.frames += 1
            self.timestamps.append(group[0].timestamp)
        self.key_frames += key

    def _is_key(self, payload: bytes) -> bool:
        if self._codec == "VP8":
            # RFC 7741: start of partition 0, and P = 0 in the payload's first byte.
            head = 1
            if payload[0] & 0x80:
                flags = payload[1]
                head += 1 + (1 + bool(payload[2] & 0x80) if flags & 0x80 else 0)
                head += bool(flags & 0x40) + bool(flags & 0x30)
            return bool(payload[0] & 0x10) and not payload[head] & 1
        kind = payload[0] & 0x1F
        if kind == 24:  # STAP-A: its first unit
            kind = payload[3] & 0x1F
        return kind in (5, 7)

    def _new_decoder(self) -> av.VideoCodecContext:
        decoder = av.CodecContext.create("h264" if self._codec == "H264" else "vp8", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        return decoder
