from typing import Any

from bench.netem import NETWORKS, table

ROOM: dict[str, Any] = {
    "network": "loss-20",
    "audio_gap_ms": 70,
    "concealed_percent": 5.89,
    "picture_freeze_ms": 468,
    "chromium_freezes_ms": 880,
    "chromium_freezes": 2,
    "recovery_ms": 52,
    "rung": "360p 320k",
    "rung_after_s": 3.3,
    "best_again_s": None,
    "up_lost_percent": {"audio": 21.1, "video": 20.4},
    "reported_loss_percent": 20.0,
    "repeated": 77,
    "plis": 0,
    "chromium_nacks": 73,
    "chromium_plis": 0,
}
PAGE: dict[str, Any] = {
    "network": "blackout-30s",
    "audio_gap_ms": None,
    "concealed_percent": 40.0,
    "picture_freeze_ms": 33_300,
    "recovery_ms": 3_300,
}


def test_every_network_has_a_row_of_the_same_columns() -> None:
    lines = table([ROOM, PAGE]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert "| loss-20 | 70 | 5.9 | 468 | 880 (2) | 52 | 360p 320k | 3.3 | - |" in lines[2]
    assert lines[3].startswith("| blackout-30s | - | 40.0 | 33300 | - | 3300 | - |")


def test_the_networks_that_are_asked_for_are_there() -> None:
    assert {"loss-20", "bursts", "reordering", "blackout-30s", "jitter-200", "path-change"} <= set(
        NETWORKS
    )
