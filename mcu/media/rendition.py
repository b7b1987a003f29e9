"""A rendition: one encoding of a view or mix that any number of legs receive.

It is packetised once into one ring; each subscriber (a leg's outgoing stream) is a cursor into
that ring. ``FanOut`` moves the cursors on, those of a convoy together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from mcu.media import h264, vp8
from mcu.media.fan_out import FanOut, pace
from mcu.media.formation import Formation
from mcu.media.formation import Sender as Subscriber
from mcu.media.ring import AUDIO_PACKETS, VIDEO_PACKETS, PayloadRing

__all__ = [
    "VIDEO_CLOCK_HZ",
    "FanOut",
    "Outlet",
    "PayloadRing",
    "Rendition",
    "RenditionKey",
    "Subscriber",
]

VIDEO_CLOCK_HZ = 90_000
"""RTP clock of all video (RFC 6184 8.2.1, RFC 7741 6.1)."""

_PACKETISERS: dict[str, Callable[[bytes], list[bytes]]] = {
    "h264": h264.packetise,
    "vp8": vp8.packetise,
}


@dataclass(frozen=True, slots=True)
class RenditionKey:
    """What makes two renditions the same.

    Args:
        source: a view's name, or ``total``, ``minus:<participant>``, ``silence`` for audio.
        codec: lower-case codec name (``h264 vp8 opus g722 pcma pcmu``).
        width, height: pixels. bitrate_bps: encoder's target; all 0 for audio.
        single_nal: H.264 whose every NAL unit fits a packet (packetization mode 0).
    """

    kind: Literal["audio", "video"]
    source: str
    codec: str
    width: int = 0
    height: int = 0
    bitrate_bps: int = 0
    single_nal: bool = False


class Outlet(Protocol):
    """Where the packets of renditions go: ``FanOut``, or on to another process."""

    def send_now(self, rendition: "Rendition", now: float) -> None:
        """Send what is new to every subscriber before returning (audio)."""

    def queue(self, rendition: "Rendition", now: float) -> None:
        """Send what is new soon (video)."""


class Rendition:
    """Packetises pictures or audio packets once and hands them to all subscribers.

    Args:
        clock_rate: of the RTP timestamps, Hz.
        on_key_frame_wanted: called with ``now`` on each request (the encoder coalesces).
    """

    def __init__(
        self,
        key: RenditionKey,
        clock_rate: int,
        fan_out: Outlet,
        on_key_frame_wanted: Callable[[float], None] | None = None,
    ) -> None:
        self.key = key
        self.clock_rate = clock_rate
        self.is_video = key.kind == "video"
        self.ring = PayloadRing(VIDEO_PACKETS if self.is_video else AUDIO_PACKETS)
        self.subscribers: tuple[Subscriber, ...] = ()
        self.frames = 0
        self.key_frames = 0
        self.timestamp = 0
        """RTP timestamp of the newest picture or packet, and the time it stands for:"""
        self.timestamp_at = 0.0
        self.formation = Formation(self.ring, pace(key.bitrate_bps)[0] if self.is_video else 1)
        """How the subscribers are served."""
        self._fan_out = fan_out
        self._on_key_frame_wanted = on_key_frame_wanted
        self._packetise = h264.one_by_one if key.single_nal else _PACKETISERS.get(key.codec)

    def append(
        self,
        data: bytes,
        timestamp: int,
        *,
        key_frame: bool,
        now: float,
        captured: float | None = None,
    ) -> None:
        """Take one coded picture (H.264 Annex B, a VP8 frame) or audio payload and send it.

        Args:
            timestamp: RTP timestamp in ``clock_rate``, not wrapped, growing.
            key_frame: True for audio as well as for pictures that need no earlier ones.
            captured: the moment ``timestamp`` stands for; sender reports map one to the other.
                None: now.
        Cost: one packetisation, then audio one packet per subscriber at once; video is queued
            with the fan-out.
        """
        packetise = self._packetise
        payloads = packetise(data) if packetise is not None else ([data] if data else [])
        self.append_packets(payloads, timestamp, key_frame=key_frame, now=now, captured=captured)

    def append_packets(
        self,
        payloads: list[bytes],
        timestamp: int,
        *,
        key_frame: bool,
        now: float,
        captured: float | None = None,
    ) -> None:
        """Take RTP payloads of one picture, packetised elsewhere; see ``append``."""
        if not payloads:
            return
        self.timestamp = timestamp
        self.timestamp_at = now if captured is None else captured
        self.frames += 1
        if key_frame:
            self.key_frames += 1
        self.ring.append(payloads, timestamp, key_frame=key_frame, marked=self.is_video)
        if self.is_video:
            self._fan_out.queue(self, now)
        else:
            self._fan_out.send_now(self, now)

    def request_key_frame(self, now: float) -> None:
        """Ask whoever encodes this rendition for a key frame."""
        if self._on_key_frame_wanted is not None:
            self._on_key_frame_wanted(now)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Add a subscriber; one that is there already is kept once."""
        if subscriber not in self.subscribers:
            self.subscribers = (*self.subscribers, subscriber)
            self.formation.add(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a subscriber if it is there."""
        if subscriber in self.subscribers:
            self.formation.remove(subscriber)
        self.subscribers = tuple(one for one in self.subscribers if one is not subscriber)
