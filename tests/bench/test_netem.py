from typing import Any

from bench.netem import NETWORKS, SHORT_NETWORKS, figures_of, table

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
    assert set(SHORT_NETWORKS) < set(NETWORKS)


def test_the_short_form_tells_sound_and_picture_of_each_network() -> None:
    made_up, freeze, of_page, page_freeze = figures_of([ROOM, PAGE])
    assert (made_up.value, made_up.against) == (5.89, "longest gap 70 ms")
    assert (freeze.value, freeze.unit) == (468, "ms")
    assert freeze.against.startswith(
        "next picture 52 ms after its end; Chromium: 2 freezes, 880 ms"
    )
    assert of_page.against == "no sound again"
    assert page_freeze.against == "next picture 3300 ms after its end"
    never = figures_of([ROOM | {"recovery_ms": None}])
    assert never[1].against.startswith("no picture again; ")
