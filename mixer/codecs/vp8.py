"""VP8 (RFC 6386): how libvpx is set up for a live meeting."""

CPU_USED = 8
"""libvpx's real-time speed; 8 keeps 720p25 well below one core."""

KEY_INTERVAL_S = 10.0
"""Longest distance of key frames. They are made on demand; this heals what nobody reported."""

BUFFER_SECONDS = 0.6
"""Buffer of the rate model."""


def encoder_options(fps: int) -> dict[str, str]:
    """libvpx's options for one live stream of constant bit rate.

    A key frame may take half the buffer, as browsers bound it: expressed the way libvpx wants
    it, in percent of an average picture.
    """
    return {
        "deadline": "realtime",
        "cpu-used": str(CPU_USED),
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "max-intra-rate": str(max(300, round(50 * BUFFER_SECONDS * fps))),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "static-thresh": "1",
        "noise-sensitivity": "0",
    }
