"""H.264 (ITU-T H.264 | ISO/IEC 14496-10): levels, and how x264 is set up for a live meeting.

Constrained baseline is what browsers, software rooms and hardware codecs all decode.
"""

from dataclasses import dataclass

PRESET = "superfast"
"""5.9 ms per 720p picture on one core where ``veryfast`` takes 9.2 ms."""

KEY_INTERVAL_S = 10.0
"""Longest distance of key frames. They are made on demand; this heals what nobody reported."""

VBV_SECONDS = 0.6
"""Buffer of the rate model: no picture, key frames included, is larger than this much stream."""


@dataclass(frozen=True, slots=True)
class Level:
    """One row of table A-1: limits per second and per picture.

    Args:
        idc: ``level_idc`` (31 is level 3.1).
        max_mbps: macroblocks a second. max_fs: macroblocks a picture.
        max_br: 1000 bit/s for baseline. max_cpb: 1000 bits of buffer.
    """

    idc: int
    max_mbps: int
    max_fs: int
    max_br: int
    max_cpb: int


LEVELS: tuple[Level, ...] = (
    Level(10, 1_485, 99, 64, 175),
    Level(11, 3_000, 396, 192, 500),
    Level(12, 6_000, 396, 384, 1_000),
    Level(13, 11_880, 396, 768, 2_000),
    Level(20, 11_880, 396, 2_000, 2_000),
    Level(21, 19_800, 792, 4_000, 4_000),
    Level(22, 20_250, 1_620, 4_000, 4_000),
    Level(30, 40_500, 1_620, 10_000, 10_000),
    Level(31, 108_000, 3_600, 14_000, 14_000),
    Level(32, 216_000, 5_120, 20_000, 20_000),
    Level(40, 245_760, 8_192, 20_000, 25_000),
    Level(42, 522_240, 8_704, 50_000, 62_500),
    Level(50, 589_824, 22_080, 135_000, 135_000),
    Level(51, 983_040, 36_864, 240_000, 240_000),
)


def macroblocks(width: int, height: int) -> int:
    """Macroblocks of one picture: 16 x 16 pixels, begun ones counted."""
    return ((width + 15) // 16) * ((height + 15) // 16)


def level_for(width: int, height: int, fps: int, bitrate_bps: int) -> Level:
    """The lowest level that allows a stream (A.3.1): 720p25 and 720p30 are 3.1, 1080p25 is 4.0.

    Raises:
        ValueError: no level of the table is high enough.
    """
    size = macroblocks(width, height)
    longest = max((width + 15) // 16, (height + 15) // 16)
    for level in LEVELS:
        if (
            size <= level.max_fs
            and size * fps <= level.max_mbps
            and longest * longest <= 8 * level.max_fs
            and bitrate_bps <= level.max_br * 1000
            and bitrate_bps * VBV_SECONDS <= level.max_cpb * 1000
        ):
            return level
    raise ValueError(f"{width}x{height} at {fps} fps is beyond the levels of H.264 known here")


def encoder_options(
    width: int, height: int, fps: int, bitrate_bps: int, slice_bytes: int = 0
) -> dict[str, str]:
    """libx264's options for one live stream.

    One thread and no slices: renditions run beside each other, so more threads inside one would
    only add latency and bits. Key frames are IDR pictures with SPS and PPS in front.

    Args:
        slice_bytes: the largest NAL unit, for receivers that take one in each packet; 0: any.
    """
    level = level_for(width, height, fps, bitrate_bps)
    return {
        "preset": PRESET,
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        "x264-params": ":".join(
            (
                f"level={level.idc}",
                f"keyint={max(1, round(KEY_INTERVAL_S * fps))}",
                "scenecut=0",
                "sliced-threads=0",
                "threads=1",
                *((f"slice-max-size={slice_bytes}",) if slice_bytes else ()),
                "lookahead-threads=1",
                f"vbv-maxrate={max(1, bitrate_bps // 1000)}",
                f"vbv-bufsize={max(1, round(bitrate_bps * VBV_SECONDS / 1000))}",
                # What was composed: limited range, BT.601 like the browsers' and VP8's pictures.
                "range=tv",
                "colorprim=smpte170m",
                "transfer=smpte170m",
                "colormatrix=smpte170m",
            )
        ),
    }
