"""From measurements to findings, and from findings to go or no-go: pure arithmetic.

A room passes on evidence alone. What was not measured is a finding of its own (``missing``) that
refuses the room like a fault does, with the reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mcu.readiness.measurements import (
    Configuration,
    LineMeasured,
    Measurements,
    PictureMeasured,
    SoundMeasured,
    Standard,
)
from mcu.readiness.wording import REASONS

Topic = Literal[
    "reach", "line", "sound_out", "sound_in", "echo", "picture", "configuration", "incidents"
]
Weight = Literal["good", "note", "fault", "missing"]
"""``note`` is told and refuses nobody; ``missing``: there is no evidence."""
Verdict = Literal["go", "no-go"]
Confirmation = Literal["heard", "not-heard"]

LEAST_SHARE = 0.9
LEAST_REPORTS = 1
QUIET_DBOV = -42.0
"""Active speech level below which others strain to hear, whatever is done here."""
LEAST_SECONDS = 3.0
"""So much decoded sound is the least that says anything."""
CLIPPED = 0.5
"""Half of the looks must find a ceiling: steady sounds have one for a moment."""
BLACK = 0.8
FPS_SLACK = 0.9
LEAST_PICTURES = 3
SOUND_EARLY_MS, SOUND_LATE_MS = 45, 125
"""How far sound may be before or behind its picture until viewers notice (ITU-R BT.1359-1)."""
COMPARED = ("audio_codec", "video_codec", "resolution", "address", "user_agent", "certificate")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Args:
        code: names the sentence, in ``wording`` and in the console's texts.
        values: what stands in the sentence.
    """

    topic: Topic
    weight: Weight
    code: str
    values: Mapping[str, int | float | str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence, in English."""
        return REASONS[self.code].format(**self.values)

    @property
    def refuses(self) -> bool:
        """Whether the room is not ready because of it."""
        return self.weight in ("fault", "missing")


@dataclass(frozen=True, slots=True)
class Rules:
    """How strictly an installation judges.

    Args:
        needs_confirmation: a person must say that the sound is heard.
        drift_refuses: a room whose configuration has changed is not ready until that is accepted.
    """

    needs_confirmation: bool = True
    drift_refuses: bool = True


def verdict(findings: Iterable[Finding]) -> Verdict:
    """Go if nothing refuses; without any finding there is no evidence."""
    found = tuple(findings)
    return "go" if found and not any(each.refuses for each in found) else "no-go"


def assess(
    measured: Measurements,
    standard: Standard,
    rules: Rules,
    *,
    confirmation: Confirmation | None,
    loopback: bool = False,
    recorded: Configuration | None = None,
) -> tuple[Finding, ...]:
    """Say what measurements mean for one room.

    Args:
        confirmation: what somebody in the room said of the sound.
        loopback: the endpoint declares that it returns what it is sent, for a test of the line.
        recorded: its configuration as accepted before; None: none was.
    """
    if measured.share < LEAST_SHARE:
        # Loss, jitter and gaps would be our own.
        return (Finding("line", "missing", "busy-here", {"value": round(100 * measured.share)}),)
    return (
        *_line(measured.line, measured.picture, standard),
        *_sound_out(measured, rules, confirmation, loopback),
        *_sound_in(measured.sound, loopback),
        *_echo(measured.sound, loopback),
        *_picture(measured.picture, standard),
        *_lip_sync(measured.picture),
        *_configuration(measured.configuration, recorded, rules),
    )


def _line(line: LineMeasured, picture: PictureMeasured, standard: Standard) -> Iterable[Finding]:
    limits = (
        ("loss-up", line.loss_up_percent, standard.loss_percent),
        ("loss-down", line.loss_down_percent, standard.loss_percent),
        ("jitter-up", line.jitter_up_ms, standard.jitter_ms),
        ("jitter-down", line.jitter_down_ms, standard.jitter_ms),
        ("round-trip", line.round_trip_ms, standard.round_trip_ms),
    )
    sound = True
    for code, value, limit in limits:
        if value is None:
            sound = False
            yield Finding("line", "missing", f"{code}-unknown")
        elif value > limit:
            sound = False
            yield Finding("line", "fault", code, {"value": round(value, 1), "limit": limit})
    if sound:
        yield Finding("line", "good", "line-good")
    yield from _capacity(line, picture, standard)


def _capacity(
    line: LineMeasured, picture: PictureMeasured, standard: Standard
) -> Iterable[Finding]:
    up, down = line.capacity_up_bps, line.capacity_down_bps
    if up is None:
        yield Finding("line", "missing", "capacity-up-unknown")
    elif up < standard.uplink_bps:
        # A camera that has little to show sends little: then the line was not put to the test.
        enough = not any(each.code in ("small", "slow") for each in _picture(picture, standard))
        values = {"value": up // 1000, "limit": standard.uplink_bps // 1000}
        yield Finding("line", "note" if enough else "fault", "capacity-up", values)
    if down is None:
        yield Finding("line", "missing", "capacity-down-unknown")
    elif down < standard.downlink_bps:
        values = {"value": down // 1000, "limit": standard.downlink_bps // 1000}
        if line.down_proof == "carried":
            yield Finding("line", "note", "capacity-down-carried", values)
        else:
            yield Finding("line", "fault", "capacity-down", values)


def _sound_out(
    measured: Measurements, rules: Rules, confirmation: Confirmation | None, loopback: bool
) -> Iterable[Finding]:
    if measured.line.reports < LEAST_REPORTS:
        yield Finding("sound_out", "missing", "no-reports")
        return
    returned = loopback and measured.sound.echo in ("echo", "shared")
    if confirmation == "not-heard":
        yield Finding("sound_out", "fault", "not-heard")
    elif confirmation == "heard":
        yield Finding("sound_out", "good", "heard")
    elif returned:
        yield Finding("sound_out", "good", "loopback-returned")
    elif rules.needs_confirmation:
        yield Finding("sound_out", "missing", "unconfirmed")
    else:
        yield Finding("sound_out", "note", "only-reported")


def _sound_in(sound: SoundMeasured, loopback: bool) -> Iterable[Finding]:
    if sound.seconds < LEAST_SECONDS:
        yield Finding("sound_in", "missing", "no-sound")
    elif loopback:
        yield Finding("sound_in", "note", "loopback-speech")
    elif sound.level_dbov is None:
        yield Finding("sound_in", "missing", "silent")
    elif sound.clipped is not None and sound.clipped >= CLIPPED:
        yield Finding("sound_in", "fault", "clipping")
    elif sound.level_dbov < QUIET_DBOV:
        values = {"value": round(sound.level_dbov, 1), "limit": QUIET_DBOV}
        yield Finding("sound_in", "fault", "quiet", values)
    else:
        yield Finding("sound_in", "good", "speech", {"value": round(sound.level_dbov, 1)})


def _echo(sound: SoundMeasured, loopback: bool) -> Iterable[Finding]:
    values = {"delay": round(sound.echo_delay_ms or 0), "level": round(sound.echo_level_db or 0)}
    if sound.echo is None:
        yield Finding("echo", "missing", "echo-unknown")
    elif loopback:
        returned = sound.echo != "none"
        yield (
            Finding("echo", "good", "loopback-returned")
            if returned
            else Finding("echo", "fault", "loopback-silent")
        )
    elif sound.echo == "echo":
        yield Finding("echo", "fault", "echo", values)
    else:
        yield Finding("echo", "good", "no-echo")


def _picture(picture: PictureMeasured, standard: Standard) -> Iterable[Finding]:
    if not picture.offered:
        yield Finding("picture", "missing", "no-camera")
        return
    if picture.pictures < LEAST_PICTURES or picture.fps is None or picture.black is None:
        yield Finding("picture", "missing", "no-picture")
        return
    found = False
    if picture.black >= BLACK:
        found = True
        yield Finding("picture", "fault", "black")
    elif picture.stillness == "frozen":
        found = True
        yield Finding("picture", "fault", "frozen")
    elif picture.stillness == "still":
        yield Finding("picture", "note", "still")
    # Turned cameras (phones) are turned back.
    have, want = (
        sorted((picture.width, picture.height)),
        sorted((standard.width, standard.height)),
    )
    if any(one < other for one, other in zip(have, want, strict=True)):
        found = True
        size = {
            "value": f"{picture.width}x{picture.height}",
            "limit": f"{standard.width}x{standard.height}",
        }
        yield Finding("picture", "fault", "small", size)
    if picture.fps < FPS_SLACK * standard.fps:
        found = True
        rate = {"value": round(picture.fps, 1), "limit": standard.fps}
        yield Finding("picture", "fault", "slow", rate)
    if not found:
        values: dict[str, int | float | str] = {
            "size": f"{picture.width}x{picture.height}",
            "fps": round(picture.fps, 1),
            "rate": (picture.bitrate_bps or 0) // 1000,
        }
        yield Finding("picture", "good", "picture", values)


def _lip_sync(picture: PictureMeasured) -> Iterable[Finding]:
    """Told and never a fault: it is what the sender claims, and the room may be checked hidden."""
    if picture.later_ms is None or picture.pictures < LEAST_PICTURES:
        return
    later = round(picture.later_ms)
    if later > SOUND_EARLY_MS:
        values = {"value": later, "limit": SOUND_EARLY_MS}
        yield Finding("picture", "note", "sound-early", values)
    elif later < -SOUND_LATE_MS:
        values = {"value": -later, "limit": SOUND_LATE_MS}
        yield Finding("picture", "note", "sound-late", values)
    else:
        yield Finding("picture", "good", "lip-sync", {"value": abs(later)})


def _configuration(
    now: Configuration, recorded: Configuration | None, rules: Rules
) -> Iterable[Finding]:
    if recorded is None:
        yield Finding("configuration", "note", "nothing-recorded")
        return
    changes = drift(now, recorded)
    for name, (before, after) in changes.items():
        values = {"what": name, "before": before, "after": after}
        yield Finding(
            "configuration", "fault" if rules.drift_refuses else "note", "changed", values
        )
    if not changes:
        yield Finding("configuration", "good", "unchanged")


def drift(now: Configuration, recorded: Configuration) -> dict[str, tuple[str, str]]:
    """What is another than it was: name → (before, now). What either does not know is left out."""
    changes = {}
    for name in COMPARED:
        before, after = getattr(recorded, name), getattr(now, name)
        if before is not None and after is not None and before != after:
            changes[name] = (before, after)
    return changes
