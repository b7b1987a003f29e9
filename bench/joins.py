"""How long joining takes: one browser into a running meeting, and a whole province at once.

One browser: headless Chromium runs the connection module of the join page
(``mcu/console/static/js/join/leg.js``) with a camera and a microphone of its own, ``--joins`` times
one after the other, into a meeting of ``--rooms`` rooms that send and receive. The time is from the
call that makes the offer to the first picture on the page's screen.

At once: ``--inside`` rooms send and receive; then ``--many`` others all post their offers at the
same moment, finish ICE and DTLS and get their media. The time is to the last of them; the sound of
those inside is held against the same rooms alone, in the run before.

    python -m bench.joins --rooms 50 --joins 20
"""

import asyncio
import json
import sys
from typing import Any

import numpy as np
from playwright.async_api import Page

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import JOIN_ALLOWANCE_S, Figures, Load, Meeting, meeting
from tests.peers import child
from tests.peers.chromium_page import ChromiumPage
from tests.peers.daemon import ADMIN_TOKEN

ROOMS, SHORT_ROOMS = 50, 20
JOINS, SHORT_JOINS = 20, 8
INSIDE, MANY = 20, 145
FIRST_PICTURE_BAR_MS = 300.0
ALL_IN_BAR_S = 10.0
GAP_BAR_MS = 60.0
"""Two packets missing in a row are what a receiver's buffer rides out."""
REST_S = 1.0
JOIN_S = 20.0
CALM_S = 6.0

SIGN_IN = """async ({token, bridge}) => {
  const {actAsRoom, signIn} = await import("/static/js/shared/api.js");
  actAsRoom(bridge);
  await signIn(token);
  window.local = await navigator.mediaDevices.getUserMedia({
    audio: true, video: {width: 640, height: 360, frameRate: 25},
  });
  window.screen1 = document.createElement("video");
  Object.assign(window.screen1, {muted: true, autoplay: true, width: 640});
  document.body.append(window.screen1);
}"""

JOIN = """async ({conference, limit}) => {
  const {Leg} = await import("/static/js/join/leg.js");
  const [audio] = window.local.getAudioTracks();
  const [video] = window.local.getVideoTracks();
  const screen = window.screen1;
  const times = {};
  await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no picture: ${JSON.stringify(times)}`)), limit);
    const began = performance.now();
    const leg = new Leg(conference, {audio, video, presentation: null}, {
      onConnected: () => { times.connected = performance.now() - began; },
      onUnsteady: () => {},
      onFailed: (error) => reject(error ?? new Error("failed")),
      onLine: () => {},
    });
    window.leg = leg;
    screen.srcObject = leg.stream;
    screen.requestVideoFrameCallback(() => {
      times.picture = performance.now() - began;
      resolve();
    });
  });
  return times;
}"""

LEAVE = """() => { window.leg.close(); window.screen1.srcObject = null; }"""


async def measure(*, short: bool) -> list[Figure]:
    """Figure 9."""
    rooms, joins = (SHORT_ROOMS, SHORT_JOINS) if short else (ROOMS, JOINS)
    return [*await one_browser(rooms, joins), *await at_once(INSIDE, MANY)]


async def one_browser(rooms: int, joins: int) -> list[Figure]:
    """A browser comes and goes.

    Raises:
        VoidRunError: the generator was starved.
    """
    load = Load(rooms, joins * (REST_S + 0.6) + 4.0, video=True)
    times: list[dict[str, float]] = []

    async def beside() -> None:
        issued = await held.daemon.call("POST", f"/bridges/b{rooms}/token")
        async with ChromiumPage() as chromium:
            page = chromium.page
            await page.goto(f"{held.daemon.url}/")
            await page.evaluate(SIGN_IN, {"token": issued["token"], "bridge": f"b{rooms}"})
            for number in range(joins):
                print(f"\rjoin {number + 1}/{joins}", end="", file=sys.stderr)
                times.append(await _join(page, held.conference))
            print("", file=sys.stderr)

    async with meeting(load) as held, held.loaded() as loaded:
        measured = await loaded.measured(during=beside)
    return browser_figures(times, measured)


async def _join(page: Page, conference: str) -> dict[str, float]:
    times: dict[str, float] = await page.evaluate(
        JOIN, {"conference": conference, "limit": JOIN_S * 1000}
    )
    await page.evaluate(LEAVE)
    await asyncio.sleep(REST_S)
    return times


def browser_figures(times: list[dict[str, float]], measured: Figures) -> list[Figure]:
    """Percentiles of the first picture; connected beside it."""
    pictures = [one["picture"] for one in times]
    connected = [one["connected"] for one in times]
    return [
        Figure(
            f"offer to first picture p95, one browser into {measured['legs']} rooms",
            float(np.percentile(pictures, 95)),
            "ms",
            FIRST_PICTURE_BAR_MS,
            against=f"p50 {np.median(pictures):.0f} ms, of it connected after "
            f"{np.median(connected):.0f} ms; {len(pictures)} joins",
        )
    ]


async def at_once(inside: int, many: int) -> list[Figure]:
    """Many rooms join where some are.

    Raises:
        VoidRunError: a generator was starved, or not all came in.
    """
    load = Load(inside, CALM_S, video=True, video_senders=min(inside, 16))
    joined: Figures = {}

    async def beside() -> None:
        joined.update(await _all(held, inside, many))

    async with meeting(load, spare_legs=many) as held, held.loaded() as loaded:
        print(f"{inside} rooms alone", file=sys.stderr)
        calm = await loaded.measured()
        print(f"{many} more at once", file=sys.stderr)
        crowded = await loaded.measured(seconds=ALL_IN_BAR_S, during=beside)
    return crowd_figures(joined, calm, crowded, inside, many)


async def _all(held: Meeting, first: int, many: int) -> dict[str, Any]:
    # Behind those inside, who measure what it does to them: all handshakes of its rooms are one
    # process's work here.
    generator = await child.start(
        "nice", "-n", "1",
        sys.executable, "-m", "bench.generator", "--url", held.legs_url(), "--token", ADMIN_TOKEN,
        "--first", str(first), "--legs", str(many), "--at-once", str(many), "--video",
        "--video-senders", "0", "--speakers", "0", "--sampled", "0", "--viewers", "0",
        "--no-reports", "--seconds", "1", "--warm-up", "1", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(JOIN_ALLOWANCE_S):
            out, _ = await generator.communicate()
    finally:
        if generator.returncode is None:
            generator.terminate()
            await generator.wait()
    lines = out.splitlines()
    if generator.returncode or len(lines) < 2:
        raise VoidRunError(f"not all of {many} rooms came in; see the messages above")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def crowd_figures(
    joined: Figures, calm: Figures, crowded: Figures, inside: int, many: int
) -> list[Figure]:
    """Time until all are in, and what those inside heard of it."""
    return [
        Figure(
            f"{many} rooms at once, all in after (stretch 5)",
            joined["all_joined_s"],
            "s",
            ALL_IN_BAR_S,
            against=f"p95 of one {joined['join_ms_p95']:.0f} ms",
        ),
        Figure(
            f"longest gap in sound of the {inside} inside meanwhile",
            crowded["audio_gap_ms_max"],
            "ms",
            GAP_BAR_MS,
            against=f"alone {calm['audio_gap_ms_max']} ms; "
            f"{crowded['audio_pps_per_leg_min']} packets a second, "
            f"{crowded['video_fps_per_leg_min']} pictures in the worst room",
        ),
        Figure(
            "audio ticks missed while they joined", crowded["ticks_missed"], "", 0.0,
            against=f"lateness p99 {crowded['tick_lateness_ms_p99']} ms",
        ),
    ]  # fmt: skip


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--rooms", type=int, default=ROOMS, help="where the browser joins")
    parser.add_argument("--joins", type=int, default=JOINS, help="of the browser; 0: none")
    parser.add_argument("--inside", type=int, default=INSIDE, help="where the many join")
    parser.add_argument("--many", type=int, default=MANY, help="rooms at once; 0: none")
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(one_browser(options.rooms, options.joins)) if options.joins else []
        found += asyncio.run(at_once(options.inside, options.many)) if options.many else []
    print(table(found))


if __name__ == "__main__":
    main()
