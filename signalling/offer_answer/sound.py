"""What goes with sound besides its codec: keys (RFC 4733), comfort noise (RFC 3389), ptime."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from signalling.media.codecs import Codec, offered_rtpmaps
from signalling.sdp import MediaSection, RtpMap

EVENTS = "telephone-event"
EVENT_CLOCK_RATES = (8000, 48000)
COMFORT_NOISE = 13
"""Static payload type of comfort noise (RFC 3551 section 6), known without rtpmap."""

DEFAULT_PTIME_MS = 20
PTIMES_MS = (60, 40, 20)
SHORT_PTIME_MS = 10
"""For peers whose ``a=maxptime`` is below 20."""
_MILLISECONDS = re.compile(r"([0-9]{1,6})(\.[0-9]{1,6})?\Z")


@dataclass(frozen=True, slots=True)
class Sound:
    """What the description of one side says; payload types are those it wants to receive."""

    events: Mapping[int, int]
    """Clock rate → payload type of telephone-event."""
    comfort_noise: int | None
    """At 8000 Hz."""
    ptime_ms: int
    """How much sound a packet to it holds."""


def read_sound(media: MediaSection) -> Sound:
    """Read an audio section."""
    events: dict[int, int] = {}
    comfort_noise = COMFORT_NOISE if COMFORT_NOISE in media.payload_types else None
    for rtpmap in offered_rtpmaps(media):
        name = rtpmap.encoding.lower()
        if name == EVENTS:
            events.setdefault(rtpmap.clock_rate, rtpmap.payload_type)
        elif name == "cn" and rtpmap.clock_rate == 8000:
            comfort_noise = rtpmap.payload_type
    return Sound(events, comfort_noise, _ptime(media))


def event_clock_rate(rates: Mapping[int, int], codec: Codec) -> int | None:
    """Which of several clock rates keys are sent with; None: with none.

    RFC 4733 section 2.1 wants that of the sound. Devices that offer Opus and keys at 8000 Hz
    alone are common, and mean it.
    """
    if codec.clock_rate in rates:
        return codec.clock_rate
    return 8000 if 8000 in rates else None


def event_map(payload_type: int, clock_rate: int) -> RtpMap:
    """``a=rtpmap`` of keys."""
    return RtpMap(payload_type, EVENTS, clock_rate)


def _ptime(media: MediaSection) -> int:
    wanted = _milliseconds(media.attribute("ptime")) or DEFAULT_PTIME_MS
    limit = _milliseconds(media.attribute("maxptime"))
    if limit and limit < DEFAULT_PTIME_MS:
        return SHORT_PTIME_MS
    top = min(wanted, limit) if limit else wanted
    return next((ptime for ptime in PTIMES_MS if ptime <= top), DEFAULT_PTIME_MS)


def _milliseconds(text: str | None) -> int:
    """Whole milliseconds; 0 where there is no such number (some write ``20.0``)."""
    match = _MILLISECONDS.match(text.strip()) if text else None
    return int(match[1]) if match else 0
