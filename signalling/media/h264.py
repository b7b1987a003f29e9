"""H.264 as SDP names it: profiles and levels of ``profile-level-id`` (RFC 6184 section 8.1).

A level bounds macroblocks per picture and per second (H.264 table A-1); here it becomes the
largest 16:9 picture and its frame rate, which is what a mixer can act on.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Profile = Literal["constrained-baseline", "baseline", "main", "constrained-high", "high"]

DEFAULT_PROFILE_LEVEL_ID = "42000a"
"""What an absent parameter means: baseline, level 1 (RFC 6184 section 8.1)."""

MACROBLOCK_PX = 16
MAX_FPS = 60
MAX_MACROBLOCKS = 139_264
"""Of level 6.2, the highest there is; bounds what a parameter may claim."""

_PATTERN = re.compile(r"[0-9A-Fa-f]{6}\Z")

# RFC 6184 table 5: profile_idc, bits of profile_iop that count, their value.
_PROFILES: tuple[tuple[int, int, int, Profile], ...] = (
    (0x42, 0b01001111, 0b01000000, "constrained-baseline"),
    (0x4D, 0b10001111, 0b10000000, "constrained-baseline"),
    (0x58, 0b11001111, 0b11000000, "constrained-baseline"),
    (0x42, 0b01001111, 0b00000000, "baseline"),
    (0x58, 0b11001111, 0b10000000, "baseline"),
    (0x4D, 0b10101111, 0b00000000, "main"),
    (0x64, 0b11111111, 0b00000000, "high"),
    (0x64, 0b11111111, 0b00001100, "constrained-high"),
)

LEVEL_1B = 9
"""level_idc as RFC 6184 orders it: level 1b stands between 1 (10) and 1.1 (11); H.264 writes 9
for it in the high profiles, and 11 with constraint_set3 in the others."""


@dataclass(frozen=True, slots=True)
class LevelLimits:
    """Table A-1: macroblocks per second and per picture, bit/s of the baseline profile."""

    macroblocks_per_second: int
    macroblocks: int
    bitrate_bps: int


_K = 1000
LEVELS: Mapping[int, LevelLimits] = {
    10: LevelLimits(1_485, 99, 64 * _K),
    LEVEL_1B: LevelLimits(1_485, 99, 128 * _K),
    11: LevelLimits(3_000, 396, 192 * _K),
    12: LevelLimits(6_000, 396, 384 * _K),
    13: LevelLimits(11_880, 396, 768 * _K),
    20: LevelLimits(11_880, 396, 2_000 * _K),
    21: LevelLimits(19_800, 792, 4_000 * _K),
    22: LevelLimits(20_250, 1_620, 4_000 * _K),
    30: LevelLimits(40_500, 1_620, 10_000 * _K),
    31: LevelLimits(108_000, 3_600, 14_000 * _K),
    32: LevelLimits(216_000, 5_120, 20_000 * _K),
    40: LevelLimits(245_760, 8_192, 20_000 * _K),
    41: LevelLimits(245_760, 8_192, 50_000 * _K),
    42: LevelLimits(522_240, 8_704, 50_000 * _K),
    50: LevelLimits(589_824, 22_080, 135_000 * _K),
    51: LevelLimits(983_040, 36_864, 240_000 * _K),
    52: LevelLimits(2_073_600, 36_864, 240_000 * _K),
}
_ORDER = [10, LEVEL_1B, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52]


@dataclass(frozen=True, slots=True)
class ProfileLevel:
    """A ``profile-level-id``: the two profile octets as they came, and the level."""

    profile: Profile
    profile_idc: int
    profile_iop: int
    level: int

    @classmethod
    def parse(cls, text: str) -> "ProfileLevel | None":
        """Read six hex digits; None where they name no profile or level known here."""
        if not _PATTERN.match(text):
            return None
        idc, iop, level = bytes.fromhex(text)
        if level == 11 and iop & 0x10 and idc in (0x42, 0x4D, 0x58):
            level = LEVEL_1B
        if level not in LEVELS:
            return None
        for profile_idc, mask, value, profile in _PROFILES:
            if idc == profile_idc and iop & mask == value:
                return cls(profile, idc, iop, level)
        return None

    def __str__(self) -> str:
        iop, level = self.profile_iop, self.level
        if self.profile_idc in (0x42, 0x4D, 0x58):
            iop = iop | 0x10 if level == LEVEL_1B else iop & ~0x10
            level = 11 if level == LEVEL_1B else level
        return f"{self.profile_idc:02x}{iop:02x}{level:02x}"

    @property
    def limits(self) -> LevelLimits:
        """What the level allows."""
        return LEVELS[self.level]

    def at_most(self, level: int) -> "ProfileLevel":
        """The same profile at the lower of its own level and ``level``."""
        lower = min(self.level, level, key=_ORDER.index)
        return replace(self, level=lower)


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The largest 16:9 picture a decoder takes, and how many of that size a second."""

    width: int
    height: int
    fps: int


@functools.lru_cache(maxsize=256)
def largest_picture(macroblocks: int, macroblocks_per_second: int) -> PictureLimits:
    """The largest 16:9 picture within a macroblock budget.

    Args:
        macroblocks: per picture (MaxFS); macroblocks_per_second: MaxMBPS, 0 for no limit.
    Returns:
        width a multiple of 16 px, height even; zeros where not even 16×2 fits. The frame rate
        is whole and at most ``MAX_FPS``.
    Cost: O(sqrt(macroblocks)), the first time.
    """
    best = (0, 0, 0)
    columns = 1
    while True:
        width = columns * MACROBLOCK_PX
        height = width * 9 // 16 // 2 * 2
        used = columns * -(-height // MACROBLOCK_PX)
        # A.3.1: no side may be longer than sqrt(8 * MaxFS) macroblocks.
        if used > macroblocks or columns * columns > 8 * macroblocks:
            break
        best = (width, height, used)
        columns += 1
    width, height, used = best
    if not used:
        return PictureLimits(0, 0, 0)
    fps = macroblocks_per_second // used if macroblocks_per_second else MAX_FPS
    return PictureLimits(width, height, min(fps, MAX_FPS))


SMALLEST = PictureLimits(320, 180, 25)
"""The smallest picture that is sent. Who takes less is beyond what renditions are made for."""


def picture_limits(level: ProfileLevel, parameters: Mapping[str, str]) -> PictureLimits:
    """What a peer with these fmtp parameters takes: its level, raised by ``max-fs``/``max-mbps``.

    The two parameters may only raise what the level gives (RFC 6184 section 8.1).
    """
    return largest_picture(*_budget(level, parameters))


def takes_smallest(level: ProfileLevel, parameters: Mapping[str, str]) -> bool:
    """Whether a peer with these fmtp parameters takes ``SMALLEST``: from level 1.2 on."""
    macroblocks, per_second = _budget(level, parameters)
    used = -(-SMALLEST.width // MACROBLOCK_PX) * -(-SMALLEST.height // MACROBLOCK_PX)
    return used <= macroblocks and used * SMALLEST.fps <= per_second


def above(level: ProfileLevel, decoded: int) -> dict[str, str]:
    """The fmtp parameters by which a decoder of level ``decoded`` says that it takes more.

    They bind nobody to send more, and each side states its own (RFC 6184 section 8.1).
    """
    stated, ours = level.limits, LEVELS[decoded]
    limits = (
        ("max-mbps", ours.macroblocks_per_second, stated.macroblocks_per_second),
        ("max-fs", ours.macroblocks, stated.macroblocks),
        ("max-br", ours.bitrate_bps // _K, stated.bitrate_bps // _K),
    )
    return {name: str(value) for name, value, least in limits if value > least}


def _budget(level: ProfileLevel, parameters: Mapping[str, str]) -> tuple[int, int]:
    """Macroblocks per picture and per second."""
    limits = level.limits
    macroblocks = max(limits.macroblocks, positive(parameters.get("max-fs"), MAX_MACROBLOCKS))
    per_second = max(limits.macroblocks_per_second, positive(parameters.get("max-mbps"), 10**9))
    return macroblocks, per_second


def positive(text: str | None, top: int) -> int:
    """A parameter's number, at most ``top``; 0 where it is absent or no number."""
    if text is None or not re.fullmatch(r"[0-9]{1,10}", text):
        return 0
    return min(int(text), top)
