"""The load generator's process: joins legs, sends, counts, and prints one JSON line.

Started by ``bench.capacity``; alone it loads any server that answers a POSTed SDP offer:
``python -m bench.generator --url URL --legs 20 --seconds 10``. ``{leg}`` in the URL becomes the
leg's number.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import numpy as np
import uvloop

from bench.generator_leg import POLLED_BYTES, GeneratorLeg
from bench.latency import LatencyProbe
from bench.media import (
    CodedPictures,
    CodedSound,
    coded_pictures,
    coded_silence,
    coded_speech,
    coded_thumbnails,
)
from bench.stamped import StampedReader
from mcu.media.srtp import PacketBuffer
from mcu.precedence import DAEMON, VIDEO_BEHIND
from signalling.webrtc.dtls import DtlsCertificate

PHASE_S = 0.005
AUDIO_PHASES = 4  # x 5 ms = 20 ms
VIDEO_PHASES = 8  # x 5 ms = 40 ms = 25 pictures a second
THUMBNAIL_PHASES = 200  # x 5 ms = a second
POLL_PHASES = 2
"""Unsampled legs are read every 10 ms; the kernel notes when their packets came."""
REPORT_PHASES = 12
"""Feedback each 60 ms: Chromium 156 was seen to send 16 a second, in a shown room and a hidden."""
JOINING_AT_ONCE = 8
STARVED_PHASES = 0.02
"""A generator that began more than 2% of its phases over 20 ms late was starved."""


class Generator:
    """All legs of one load.

    Args:
        options: the command line's.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.probe = LatencyProbe()
        self.late_phases = self.phases = 0
        self.legs: list[GeneratorLeg] = []
        self._sending: list[GeneratorLeg] = []
        self._thumbnails: set[GeneratorLeg] = set()
        """Who sends a picture a second, while somebody wants that."""
        self._wanted = False

    async def run(self) -> dict[str, Any]:
        """Join, warm up, measure; gives the figures, but those that were asked for."""
        self._make_legs()
        sender = asyncio.create_task(self._send())
        headers = {"Authorization": f"Bearer {self._options.token}"}
        gate = asyncio.Semaphore(self._options.at_once)
        async with aiohttp.ClientSession(headers=headers) as http:
            joined = 0

            async def join(number: int, leg: GeneratorLeg) -> None:
                nonlocal joined
                async with gate:
                    room = str(self._options.first + number)
                    await leg.join(http, self._options.url.replace("{leg}", room))
                self._sending.append(leg)
                joined += 1
                print(f"\rjoined {joined}/{len(self.legs)}", end="", file=sys.stderr)

            began = time.monotonic()
            await asyncio.gather(*(join(number, leg) for number, leg in enumerate(self.legs)))
            all_in_s = time.monotonic() - began
            print("", file=sys.stderr)
            gc.collect()
            gc.freeze()
            await asyncio.sleep(self._options.warm_up)
            print("measuring", flush=True)
            if self._options.on_demand:
                await self._measure_on_demand()
                figures = {}
            else:
                figures = await self._measure(self._options.seconds)
        sender.cancel()
        for leg in self.legs:
            leg.close()
        joins = [leg.joined_ms for leg in self.legs]
        return figures | {
            "join_ms_p95": round(float(np.percentile(joins, 95)), 1),
            "all_joined_s": round(all_in_s, 2),
        }

    def _make_legs(self) -> None:
        options = self._options
        certificate = DtlsCertificate.generate()
        buffer = PacketBuffer()
        silence = coded_silence()
        speeches = [coded_speech(f"speaker {number}") for number in range(options.speakers)]
        loops = [coded_pictures(seed=seed) for seed in range(1, 5)]
        small = [coded_thumbnails(seed) for seed in range(1, 5)] if options.thumbnails else []
        for number in range(options.legs):
            sends_video = options.video and number < options.video_senders
            pictures: CodedPictures | None = loops[number % len(loops)] if sends_video else None
            if small and not sends_video:
                pictures = small[number % len(small)]
            sampled = number < options.sampled
            self.legs.append(
                GeneratorLeg(
                    f"leg-{number}",
                    buffer,
                    certificate,
                    sound=self._sound(number, speeches, silence),
                    pictures=pictures,
                    video=options.video,
                    sampled=sampled,
                    polled=not sampled,
                    answers=bool(small) and not sends_video,
                    reports=options.reports,
                    on_audio=self.probe.audio_received if number == 1 and sampled else None,
                    on_picture=self.probe.picture_received if number == 1 and sampled else None,
                )
            )
            if small and not sends_video:
                self._thumbnails.add(self.legs[-1])
        if options.sampled > 1:  # else nobody looks for marks
            self.probe.attach(self.legs[0], self.legs[0].pictures)

    def _sound(
        self, number: int, speeches: Sequence[CodedSound], silence: CodedSound
    ) -> CodedSound | None:
        if number < len(speeches):
            return speeches[number]
        return silence if number < self._options.legs - self._options.viewers else None

    async def _send(self) -> None:
        start = time.monotonic()
        reader = StampedReader(POLLED_BYTES)
        phase = 0
        while True:
            # Also where it is behind: rooms that join are to be heard in between.
            await asyncio.sleep(max(0.0, start + phase * PHASE_S - time.monotonic()))
            now = time.monotonic()
            self.phases += 1
            if now - (start + phase * PHASE_S) > 0.02:
                self.late_phases += 1
            for number, leg in enumerate(self._sending):
                if (number + phase) % POLL_PHASES == 0:
                    leg.poll(reader)
                if (number + phase) % REPORT_PHASES == 0:
                    leg.send_reports(now)
                if (number + phase) % AUDIO_PHASES == 0:
                    leg.send_audio(now)
                if leg in self._thumbnails:
                    if self._wanted and (number + phase) % THUMBNAIL_PHASES == 0:
                        leg.send_picture(now)
                elif (number + phase) % VIDEO_PHASES == 0:
                    leg.send_picture(now)
            if phase % 20 == 0:
                for leg in self.legs:
                    leg.handle_timer(now)
            phase += 1

    async def _measure_on_demand(self) -> None:
        """For each line of standard input, which says how many seconds, print figures.

        ``thumbnails`` behind the seconds: rooms send theirs meanwhile.
        """
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            seconds, _, wanted = line.strip().partition(" ")
            self._wanted = bool(wanted)
            print(json.dumps(await self._measure(float(seconds))), flush=True)

    async def _measure(self, seconds: float) -> dict[str, Any]:
        options = self._options
        legs = list(self.legs)  # who joins meanwhile is not measured
        for leg in legs:
            leg.reset()
        self.probe.reset()
        self.late_phases = self.phases = 0
        cpu = _cpu_seconds()
        began = time.monotonic()
        await asyncio.sleep(seconds)
        seconds = time.monotonic() - began
        counters = [leg.counters for leg in legs]
        sampled = counters[: options.sampled]
        late = self.late_phases / max(1, self.phases)
        figures: dict[str, Any] = {
            "seconds": round(seconds, 1),
            "generator_cores": round((_cpu_seconds() - cpu) / seconds, 3),
            "generator_late_phases": round(late, 4),
            "generator_starved": late > STARVED_PHASES,
            "audio_pps_per_leg_min": _per_second(min(c.audio_packets for c in counters), seconds),
            "audio_pps_per_leg_mean": _per_second(
                sum(c.audio_packets for c in counters) / len(counters), seconds
            ),
            "audio_gap_ms_max": round(max(c.audio_gap_s for c in counters) * 1000, 1),
            "sampled_legs": len(sampled),
            "sampled_audio_decoded_pps_min": _per_second(
                min((c.audio_decoded for c in sampled), default=0), seconds
            ),
            "undecryptable": sum(c.undecryptable for c in counters),
            "decode_errors": sum(c.decode_errors for c in counters),
            "generator_send_drops": sum(c.send_drops for c in counters),
        }
        if options.video:
            figures |= {
                "video_fps_per_leg_min": _per_second(
                    min(c.video_frames for c in counters), seconds
                ),
                "video_packets_per_leg_mean": _per_second(
                    sum(c.video_packets for c in counters) / len(counters), seconds
                ),
                "sampled_video_decoded_fps_min": _per_second(
                    min((c.video_decoded for c in sampled), default=0), seconds
                ),
            }
        if options.reports:
            figures |= self._reported(legs, seconds)
        return figures | self.probe.figures()

    def _reported(self, legs: Sequence[GeneratorLeg], seconds: float) -> dict[str, Any]:
        """What the worst leg reported, and the worst sender of pictures was told of them."""
        figures = {"reports_pps_per_leg_min": min(leg.counters.reports for leg in legs)}
        if self._options.video:
            figures["feedback_pps_per_leg_min"] = min(leg.counters.feedback for leg in legs)
            figures["uplink_feedback_pps_per_sender_min"] = min(
                (
                    leg.counters.uplink_feedback
                    for leg in legs
                    if leg.pictures is not None and leg not in self._thumbnails
                ),
                default=0,
            )
        return {name: _per_second(count, seconds) for name, count in figures.items()}


def _per_second(count: float, seconds: float) -> float:
    return round(count / seconds, 2)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="where offers are POSTed; {leg} is replaced")
    parser.add_argument("--token", default="", help="bearer token")
    parser.add_argument("--legs", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first leg")
    parser.add_argument("--at-once", type=int, default=JOINING_AT_ONCE, help="joins under way")
    parser.add_argument("--video", action="store_true", help="video both ways")
    parser.add_argument("--video-senders", type=int, default=16, help="legs that send pictures")
    parser.add_argument(
        "--thumbnails", action="store_true", help="others can send a picture a second (--on-demand)"
    )
    parser.add_argument("--speakers", type=int, default=4, help="legs that speak; others are quiet")
    parser.add_argument("--viewers", type=int, default=0, help="of the legs, send no media")
    parser.add_argument(
        "--no-reports", dest="reports", action="store_false", help="send no RTCP, number nothing"
    )
    parser.add_argument("--sampled", type=int, default=2, help="legs that decrypt and decode all")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument(
        "--on-demand", action="store_true", help="measure for as many seconds as stdin says, often"
    )
    parser.add_argument("--warm-up", type=float, default=4.0, help="seconds before measuring")
    return parser


def _go_beside_pictures() -> None:
    """Rooms are on machines of their own: wait behind the daemon's packets, not its pictures.

    At the daemon's own niceness they took processors from its pictures, behind both from all they
    measure. A niceness that was given from outside stands.
    """
    if os.getpriority(os.PRIO_PROCESS, 0) == 0:
        with contextlib.suppress(PermissionError):  # then the daemon could not go first either
            os.setpriority(os.PRIO_PROCESS, 0, DAEMON + VIDEO_BEHIND)


def main() -> None:
    """Run one load."""
    _go_beside_pictures()
    options = arguments().parse_args()
    options.sampled = min(options.sampled, options.legs)
    options.speakers = min(options.speakers, options.legs)
    generator = Generator(options)
    print(json.dumps(uvloop.run(generator.run())), flush=True)


if __name__ == "__main__":
    main()
