"""What watching a room costs: ``python -m bench.kernels_detect`` prints JSON.

``us_per_second``: CPU time of a detector for one second of one room (thread time, best of several
rounds); ``rooms_share_of_a_core`` is that for all rooms that it would watch. Beside each stands
what one would write without it, in the same call: ``ratio`` baseline / ours. Microseconds depend
on the machine; the ratio is what to quote.
"""

import itertools
import json
from collections.abc import Callable, Mapping

import numpy as np

from bench import detect_pictures as pictures
from bench import detect_sound as sounds
from bench.command import command_line
from bench.detect_sound import coded, mixed
from bench.kernels_audio import measure
from mixer.audio.block import TICK_SAMPLES
from mixer.audio.resample import Downsampler
from mixer.codecs.opus import OpusDecoder, OpusEncoder
from mixer.detect.alarm import Alarm, Rule
from mixer.detect.black import light
from mixer.detect.clipping import ClippingWatch
from mixer.detect.echo_scan import STEP_TICKS, EchoScan
from mixer.detect.echo_search import RATE_HZ, EchoSearch, Samples
from mixer.detect.howl import HowlWatch
from mixer.detect.hum import HumWatch
from mixer.detect.picture_grid import grid, sampled
from mixer.detect.probe import ProbeSearch
from mixer.detect.speech_activity import HOP_TICKS, SpeechActivity
from mixer.detect.speech_level import SpeechLevel
from mixer.detect.stillness import Stillness

ROOMS = 145
HEARD = 8
"""Sources that are decoded for the mix; what needs samples watches these."""
SEEN = 16
SECONDS = 6
SEARCHED_EVERY_S = 60.0
"""Each room in turn, suspicion or not."""
LATEST_MS = 512


def watching(calls: Mapping[str, Callable[[], object]], per: float, rooms: float, seconds: float,
             ) -> dict[str, object]:  # fmt: skip
    """The first call is ours, the others are baselines.

    Args:
        per: seconds of one room that a call is. rooms: that are watched all the time.
    """
    us = measure(dict(calls), seconds)
    ours = next(iter(us.values()))
    return {
        "us_per_second": {name: round(took / per, 2) for name, took in us.items()},
        "rooms_share_of_a_core": round(ours / per * rooms / 1e6, 5),
        "ratio": {name: round(took / ours, 1) for name, took in list(us.items())[1:]},
    }


def from_levels(seconds: float) -> dict[str, object]:
    """Silence and suspicion of echo, of all rooms at once, against a loop over rooms."""
    rng = np.random.default_rng(1)
    levels = rng.uniform(-60, -20, (600, ROOMS)).astype(np.float32)
    activity, scan = SpeechActivity(ROOMS), EchoScan(ROOMS)
    scan.take(levels[:300], levels[300:])

    def naive_scan() -> None:
        for room in range(ROOMS):
            one, other = levels[:300, room], levels[300:, room]
            np.correlate(one - one.mean(), other - other.mean(), "full")

    def naive_activity() -> None:
        for room in range(ROOMS):
            floor = np.sort(levels[:200, room])[20]
            (levels[175:200, room] > floor + 9).sum()

    return {
        "silence": watching(
            {"ours": lambda: activity.take(levels[:HOP_TICKS]), "each_by_itself": naive_activity},
            ROOMS * HOP_TICKS / 50,
            ROOMS,
            seconds,
        ),
        "echo_scan": watching(
            {
                "ours": lambda: scan.take(levels[:STEP_TICKS], levels[100 : 100 + STEP_TICKS]),
                "numpy_correlate_each": naive_scan,
            },
            ROOMS * STEP_TICKS / 50,
            ROOMS,
            seconds,
        ),
    }


def echo(seconds: float) -> dict[str, object]:
    """The search in six seconds, with what has to be decoded for it, against whole correlations."""
    voice = sounds.voice("far", SECONDS)
    back = coded(mixed(sounds.echo(voice, 120, -20), sounds.noise(1, SECONDS, -60)), "opus")
    sent, returned = (Downsampler(6).process(one) for one in (voice, back))
    encoder = OpusEncoder()
    payloads = [encoder.encode(block) for block in back.reshape(-1, TICK_SAMPLES)]

    def ours() -> None:
        search = EchoSearch()
        search.take(sent, returned)
        search.likeness()

    def with_decoding() -> None:
        decoder = OpusDecoder(sample_rate_hz=RATE_HZ)
        for payload in payloads:
            decoder.decode(payload)
        Downsampler(6).process(voice)
        ours()

    def direct() -> None:
        """numpy.correlate over the delays from 0 to LATEST_MS."""
        latest = LATEST_MS * RATE_HZ // 1000
        np.correlate(returned, sent[:-latest], "valid")

    def full() -> None:
        """numpy.correlate as it is written down first."""
        np.correlate(returned, sent, "full")

    def one_transform() -> None:
        """At the full rate, in one transform, as scipy.signal.correlate does it."""
        size = 1 << int(np.ceil(np.log2(2 * len(voice))))
        np.fft.irfft(np.conj(np.fft.rfft(voice, size)) * np.fft.rfft(back, size), size)

    calls: dict[str, Callable[[], object]] = {
        "ours": ours,
        "numpy_correlate_full": full,
        "numpy_correlate_to_512_ms": direct,
        "fft_correlate_48_khz": one_transform,
    }
    found = watching(calls, SECONDS, ROOMS * SECONDS / SEARCHED_EVERY_S, seconds)
    decoded = watching(
        {"ours": with_decoding}, SECONDS, ROOMS * SECONDS / SEARCHED_EVERY_S, seconds
    )
    return {"search": found, "search_with_decoding_and_resampling": decoded}


def of_samples(seconds: float) -> dict[str, object]:
    """What listens to decoded sound, a second a call."""
    voice = sounds.voice("near", SECONDS)
    second = voice[48_000:96_000]
    blocks = list(second.reshape(-1, TICK_SAMPLES))
    narrow: Samples = Downsampler(6).process(second)
    down, clipping, howl = Downsampler(6), ClippingWatch(), HowlWatch()
    hum, level, probe = HumWatch(), SpeechLevel(), [ProbeSearch()]
    for _ in range(7):
        clipping.take(narrow)

    def each(take: Callable[[sounds.Sound], object]) -> None:
        for block in blocks:
            take(block)

    def clip() -> None:
        clipping.take(narrow)
        clipping.found()

    def search_probe() -> None:
        if probe[0].complete:
            probe[0] = ProbeSearch()
        probe[0].take(narrow)

    def sample_by_sample() -> None:
        """ITU-T P.56's recursion as it stands there, for a tenth of the second."""
        once = twice = 0.0
        fade = 0.9993
        for value in np.abs(second[:4800]).tolist():
            once = fade * once + (1 - fade) * value
            twice = fade * twice + (1 - fade) * once

    def spectrum_each_tick() -> None:
        for at in range(0, 48_000 - 4_096, TICK_SAMPLES):
            np.abs(np.fft.rfft(second[at : at + 4_096] * np.hanning(4_096))).argmax()

    def histogram_48_khz() -> None:
        np.histogram(np.abs(voice[: 5 * 48_000].astype(np.float64)), 2_000)

    level_found = watching({"ours": lambda: each(level.take)}, 1.0, HEARD, seconds)
    naive = measure({"sample_by_sample": sample_by_sample}, seconds)["sample_by_sample"] * 10
    ours_us = level_found["us_per_second"]
    assert isinstance(ours_us, dict)
    level_found["ratio"] = {"sample_by_sample": round(naive / ours_us["ours"], 1)}
    return {
        "to_8_khz": watching({"ours": lambda: each(down.process)}, 1.0, HEARD, seconds),
        "clipping": watching(
            {"ours": clip, "histogram_48_khz": histogram_48_khz}, 1.0, HEARD, seconds
        ),
        "howl": watching(
            {"ours": lambda: each(howl.take), "spectrum_each_tick": spectrum_each_tick},
            1.0,
            HEARD,
            seconds,
        ),
        "hum": watching({"ours": lambda: hum.take(narrow)}, 1.0, HEARD, seconds),
        "speech_level": level_found,
        "probe": watching({"ours": search_probe}, 1.0, ROOMS * 3 / 600, seconds),
    }


def of_pictures(seconds: float) -> dict[str, object]:
    """Black and frozen, five pairs of pictures a second, of those that are decoded."""
    shown = [
        luma.copy() for luma in pictures.sent(pictures.live(1, 11), pictures.Line("h264", 500_000))
    ]
    watch, now = Stillness(), 0.0

    def ours() -> None:
        nonlocal now
        for luma in shown[:10]:
            now += 0.1
            rows = sampled(luma)
            cells = grid(rows)
            light(cells)
            watch.take_rows(rows, cells, now)

    def whole_pictures() -> None:
        for before, luma in itertools.pairwise(shown):
            np.abs(luma.astype(np.int16) - before.astype(np.int16)).mean()
            luma.mean()
            luma.std()

    return watching({"ours": ours, "whole_pictures": whole_pictures}, 1.0, SEEN, seconds)


def alarms(seconds: float) -> dict[str, object]:
    """Ten readings, a second's, of one room."""
    alarm, now = Alarm(Rule(10, 5, 3, 3)), 0.0

    def ours() -> None:
        nonlocal now
        for value in (20.0, 7.0, 20.0, 20.0, 20.0, 0.0, 0.0, 0.0, 0.0, None):
            now += 1
            alarm.take(value, now)

    return watching({"ours": ours}, 1.0, ROOMS, seconds)


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="of CPU time for each kernel")
    seconds = parser.parse_args().seconds
    result = {
        "rooms": ROOMS,
        "heard": HEARD,
        "seen_360p_10_pictures_a_second": SEEN,
        "levels": from_levels(seconds),
        "echo": echo(seconds),
        "sound": of_samples(seconds),
        "pictures": of_pictures(seconds),
        "ten_alarms": alarms(seconds),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
