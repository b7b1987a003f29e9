"""Whether sound and picture of a room are still together behind the MCU.

One room marks its sound (a burst of a pitch) and its picture (a change of brightness), five times a
second each, and tells by RTCP sender reports when what its timestamps name was captured. Another
room finds the marks in what it is sent and asks, as any receiver does (RFC 3550 6.4.1), what time
the MCU's sender reports give to their RTP timestamps. What is measured is how much later than its
capture each mark is to be played by that, and the difference of the two: positive where sound
comes before its picture, as in ITU-R BT.1359, by which viewers bear +45 to -125 ms.

The camera's pictures come at another moment between two steps of the MCU every few seconds, so all
of them are seen. ``--rooms`` others sit in the meeting, send pictures and listen. (There is one
time for the sound of all speakers and one for the pictures of all rooms; the MCU takes those of
whom it finds the most prominent speaker, here the only one.) Beside the figures by reports stand
those of a receiver without RTCP, which plays everything as it arrives.

    python -m bench.lipsync --seconds 60
"""

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc.rtp import RtcpPacket, RtcpSrPacket
from numpy.typing import NDArray

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.generator_leg import GeneratorLeg
from bench.latency import BRIGHTNESS, PITCHES_HZ, picture_mark
from bench.load import Figures, Load, Meeting, meeting
from bench.media import CodedPictures, CodedSound, coded_flashes, coded_marks
from mcu.media import rtcp
from mcu.media.clock import NtpClock
from mcu.media.srtp import PacketBuffer, SrtpError
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.daemon import ADMIN_TOKEN

ROOMS = 8
SHORT_S, LONG_S = 14.0, 60.0
WARM_UP_S = 6.0
EARLIEST_MS, LATEST_MS = 45.0, -125.0
MEDIAN_BAR_MS = 20.0

AUDIO_S, PICTURE_S = 0.02, 0.04
CAPTURE_S = 0.02
"""A packet of sound leaves when its last sample is captured, and so does a picture: coding."""
PHASE_STEP_S, PHASE_STEPS, PHASE_EACH_S = 0.007, 5, 1.5
"""So much later in the MCU's step come pictures, so often, every so many seconds; then as much
earlier again: marks of sound and picture that belong together never come apart."""
REPORT_S = 1.0
MARK_S = 0.2
FOUND_WITHIN_S = 0.8
WINDOW = 240
"""Samples (5 ms) over which a pitch is looked for; its beginning is found to half of that."""
HOP = 48
PITCH_LEVEL = 0.06
"""Half of what a whole window of a burst gives."""


def picture_captured_s(number: int) -> float:
    """When a picture is captured, seconds after the first."""
    at = number * PICTURE_S
    turn = int(at / PHASE_EACH_S) % (2 * PHASE_STEPS)
    return at + min(turn, 2 * PHASE_STEPS - turn) * PHASE_STEP_S


class MarkingLeg(GeneratorLeg):
    """Sends marks at known times of capture, and sender reports that tell them."""

    def begin(self, now: float) -> None:
        """Sound and pictures begin to be captured."""
        self.captured: dict[tuple[str, int], float] = {}
        self._began = now
        self._clock = NtpClock(time.time(), time.monotonic())
        self._next_audio, self._next_picture = 0, 0
        self._picture_times: list[float] = []
        self.on_mark_audio = lambda which, at: self._marked("audio", which)
        self.on_mark_video = lambda which, at: self._marked("video", which)
        self._report_at = now

    def send_due(self, now: float) -> None:
        """All that has been captured and coded by now."""
        while (captured := self._audio_captured()) + CAPTURE_S <= now:
            self._capturing = captured
            self.send_audio(now)
            self._next_audio += 1
        while (captured := self._picture_captured()) + CAPTURE_S <= now:
            self._capturing = captured
            self._picture_timestamp = round((captured - self._began) * 90_000)
            self.send_picture(now)
            self._next_picture += 1
        if now >= self._report_at:
            self._report_at += REPORT_S
            self._report(now)

    def picture_timestamp(self, number: int) -> int:
        """See ``GeneratorLeg``: the time of capture, which is not at even distances."""
        return self._picture_timestamp

    def _audio_captured(self) -> float:
        return self._began + self._next_audio * AUDIO_S

    def _picture_captured(self) -> float:
        return self._began + picture_captured_s(self._next_picture)

    def _marked(self, kind: str, which: int) -> None:
        self.captured[kind, which] = self._capturing

    def _report(self, now: float) -> None:
        if self._outbound is None:
            return
        ntp, elapsed = self._clock.ntp(now), now - self._began
        for ssrc, rate in ((self.audio_ssrc, 48_000), (self.video_ssrc, 90_000)):
            report = rtcp.sender_report(ssrc, ntp, int(elapsed * rate) & 0xFFFFFFFF, 1, 1)
            description = rtcp.source_description([ssrc], self.name)
            self._send(self._outbound.protect_rtcp(report + description))


@dataclass(slots=True)
class Report:
    """The newest sender report of one stream: NTP seconds ↔ RTP timestamp."""

    ntp_s: float
    timestamp: int
    rate: int

    def time_of(self, timestamp: int) -> float:
        """NTP seconds of a timestamp not far from the report's."""
        away = (timestamp - self.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        return self.ntp_s + away / self.rate


class FindingLeg(GeneratorLeg):
    """Decodes what it gets and finds the marks of a ``MarkingLeg``."""

    def watch(self, sender: MarkingLeg) -> None:
        """Whose marks; kept are (mark, capture, reported − capture, arrival − capture)."""
        self.found: dict[str, list[Found]] = {"audio": [], "video": []}
        self._sender = sender
        self._reports: dict[int, Report] = {}
        self._timestamp = 0
        self._onsets = Onsets()
        self._brightness: int | None = None
        self._on_audio = self._heard
        self._on_picture = self._seen

    def _receive(self, datagram: memoryview, now: float) -> None:
        if 128 <= datagram[0] <= 191 and 192 <= datagram[1] <= 223 and self._inbound is not None:
            self._reported(bytes(datagram))
            return
        super()._receive(datagram, now)

    def _decode(self, datagram: bytes, ssrc: int, now: float) -> None:
        self._timestamp = int.from_bytes(datagram[4:8], "big")
        super()._decode(datagram, ssrc, now)

    def _reported(self, datagram: bytes) -> None:
        assert self._inbound is not None
        try:
            packets = RtcpPacket.parse(self._inbound.unprotect_rtcp(datagram))
        except (SrtpError, ValueError):
            self.counters.undecryptable += 1
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                info = packet.sender_info
                rate = 48_000 if packet.ssrc == self._from_audio_ssrc else 90_000
                self._reports[packet.ssrc] = Report(
                    info.ntp_timestamp / (1 << 32), info.rtp_timestamp, rate
                )

    def _heard(self, block: NDArray[np.int16], now: float) -> None:
        for which, offset in self._onsets.find(block):
            timestamp = self._timestamp + offset
            self._take("audio", which, self._from_audio_ssrc, timestamp, now + offset / 48_000)

    def _seen(self, picture: av.VideoFrame, now: float) -> None:
        which = picture_mark(picture)
        if which is None:
            return
        if self._brightness is not None and which != self._brightness:
            self._take("video", which, self._from_video_ssrc, self._timestamp, now)
        self._brightness = which

    def _take(self, kind: str, which: int, ssrc: int, timestamp: int, arrived: float) -> None:
        captured = self._sender.captured.get((kind, which))
        report = self._reports.get(ssrc)
        if captured is None or report is None or arrived - captured > FOUND_WITHIN_S:
            return
        reported_s = report.time_of(timestamp) - captured
        self.found[kind].append(Found(which, captured, reported_s, arrived - captured))


@dataclass(frozen=True, slots=True)
class Found:
    """One mark at the receiver.

    Args:
        captured: monotonic seconds. reported_s: time the MCU's reports give it less ``captured``
            (two clocks with a distance that is the same for all). arrived_s: after ``captured``.
    """

    which: int
    captured: float
    reported_s: float
    arrived_s: float


class Onsets:
    """Finds where in a stream of blocks a burst of one of ``PITCHES_HZ`` begins."""

    def __init__(self) -> None:
        window = np.arange(WINDOW) * (2j * np.pi / 48_000)
        shape = np.hanning(WINDOW)
        self._references = np.exp(-np.outer(PITCHES_HZ, window)) * shape / shape.sum() * 2
        self._tail = np.zeros(WINDOW, np.float64)
        self._sounding: set[int] = set()

    def find(self, block: NDArray[np.int16]) -> list[tuple[int, int]]:
        """(which, sample of this block at which it begins); may lie before the block.

        Args:
            block: int16, (samples,), a multiple of HOP.
        """
        samples = np.concatenate((self._tail, block / 32768.0))
        self._tail = samples[-WINDOW:]
        onsets = []
        loudest: dict[int, float] = {}
        for begin in range(0, len(block), HOP):
            # Not a matrix product: BLAS would let threads spin for it, on the measured cores.
            window = samples[begin + HOP : begin + HOP + WINDOW]
            levels = np.abs((self._references * window).sum(axis=1))
            for which, level in enumerate(levels.tolist()):
                loudest[which] = max(level, loudest.get(which, 0.0))
                if level >= PITCH_LEVEL and which not in self._sounding:
                    self._sounding.add(which)
                    # The window's middle stands at the beginning of the burst.
                    onsets.append((which, begin + HOP - WINDOW // 2))
        self._sounding = {one for one in self._sounding if loudest[one] >= PITCH_LEVEL / 2}
        return onsets


def pairs(found: dict[str, list[Found]]) -> list[tuple[Found, Found]]:
    """(sound, picture) of marks that were captured within the same share of a second."""
    matched = []
    pictures = sorted(found["video"], key=lambda one: one.captured)
    for sound in found["audio"]:
        near = [
            one
            for one in pictures
            if one.which == sound.which and abs(one.captured - sound.captured) < MARK_S / 2
        ]
        if near:
            matched.append((sound, near[0]))
    return matched


async def measure(*, short: bool) -> list[Figure]:
    """Figure 8."""
    return await together(ROOMS, SHORT_S if short else LONG_S)


async def together(rooms: int, seconds: float) -> list[Figure]:
    """A meeting with a marking and a finding room beside the others.

    Raises:
        VoidRunError: the generator was starved, or too few marks were found.
    """
    load = Load(
        rooms,
        WARM_UP_S + seconds + 2.0,
        video=True,
        video_senders=rooms,
        speakers=0,
        sampled=0,
    )
    found: dict[str, list[Found]] = {}

    async def beside() -> None:
        found.update(await _probe(held, load, seconds))

    async with meeting(load, spare_legs=2) as held:
        measured = await held.measured(during=beside)
    return figures(pairs(found), seconds, measured)


async def _probe(held: Meeting, load: Load, seconds: float) -> dict[str, list[Found]]:
    columns = int(load.layout.split("x")[0])
    slots: list[dict[str, Any]] = [{"participant": f"b{load.legs}"}]
    slots += [{"participant": f"b{number}"} for number in range(columns * columns - 1)]
    slots = [one if n <= load.legs else {} for n, one in enumerate(slots)]
    layout = {"view": "main", "layout": load.layout, "slots": slots}
    await held.daemon.call("PUT", f"/conferences/{held.conference}/layout", layout)
    buffer, certificate = PacketBuffer(), DtlsCertificate.generate()

    def leg(kind: type[GeneratorLeg], sound: CodedSound | None, pictures: CodedPictures | None,
            *, sampled: bool) -> GeneratorLeg:  # fmt: skip
        return kind(
            kind.__name__, buffer, certificate,
            sound=sound, pictures=pictures, video=True, sampled=sampled,
        )  # fmt: skip

    sender = leg(MarkingLeg, coded_marks(PITCHES_HZ), coded_flashes(BRIGHTNESS), sampled=False)
    receiver = leg(FindingLeg, None, None, sampled=True)
    assert isinstance(sender, MarkingLeg)
    assert isinstance(receiver, FindingLeg)
    receiver.watch(sender)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as http:
        for number, one in enumerate((sender, receiver)):
            await one.join(http, held.legs_url().replace("{leg}", str(load.legs + number)))
    try:
        began = time.monotonic()
        sender.begin(began)
        for tick in itertools.count():
            due = began + tick * PICTURE_S / 8
            if due - began > WARM_UP_S + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            sender.send_due(now)
            for one in (sender, receiver):
                if tick % 20 == 0:
                    one.handle_timer(now)
            if due - began < WARM_UP_S:
                for marks in receiver.found.values():
                    marks.clear()
    finally:
        sender.close()
        receiver.close()
    return receiver.found


def figures(matched: list[tuple[Found, Found]], seconds: float, measured: Figures) -> list[Figure]:
    """Skew by sender reports and by arrival; positive: sound before its picture."""
    expected = seconds / MARK_S
    if len(matched) < expected / 2:
        raise VoidRunError(f"only {len(matched)} of {expected:.0f} marks were found in both")
    reported = [(picture.reported_s - sound.reported_s) * 1000 for sound, picture in matched]
    arrived = [(picture.arrived_s - sound.arrived_s) * 1000 for sound, picture in matched]
    sound_ms, picture_ms = (
        float(np.median([one.arrived_s for one in kind]) * 1000)
        for kind in zip(*matched, strict=True)
    )
    median = float(np.median(reported))
    return [
        Figure(
            "lip-sync, median away from 0",
            abs(median),
            "ms",
            MEDIAN_BAR_MS,
            against=f"sound {'before' if median > 0 else 'after'} its picture; "
            f"p1 {np.percentile(reported, 1):.0f}, p99 {np.percentile(reported, 99):.0f} ms, "
            f"{len(reported)} marks",
        ),
        Figure("lip-sync, sound earliest", max(reported), "ms", EARLIEST_MS),
        Figure("lip-sync, sound latest", min(reported), "ms", LATEST_MS, at_least=True),
        Figure(
            "lip-sync without RTCP, median",
            float(np.median(arrived)),
            "ms",
            against=f"{min(arrived):.0f} to {max(arrived):.0f} ms; capture to arrival: sound "
            f"{sound_ms:.0f}, picture {picture_ms:.0f} ms; {measured['legs']} other rooms",
        ),
    ]


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--rooms", type=int, default=ROOMS, help="others in the meeting")
    parser.add_argument("--seconds", type=float, default=LONG_S)
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(together(options.rooms, options.seconds))
    print(table(found))


if __name__ == "__main__":
    main()
