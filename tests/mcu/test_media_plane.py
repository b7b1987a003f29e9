"""The media plane: which addresses rooms are told."""

from pathlib import Path

from config.settings import Settings, load
from mcu.media_plane import ice_candidates, whole_ms


def settings(tmp_path: Path, **environment: str) -> Settings:
    base = {"MCU_DATA_DIR": str(tmp_path / "data"), "MCU_HTTP__PORT": "0", "MCU_MEDIA__PORT": "0"}
    return load(None, base | environment)


def test_configured_addresses_are_told_to_rooms_in_their_order(tmp_path: Path) -> None:
    found = ice_candidates(
        settings(tmp_path, MCU_MEDIA__PUBLIC_ADDRESSES="203.0.113.7,2001:db8::7"),
        5004,
    )
    assert [(one.address, one.port) for one in found] == [
        ("203.0.113.7", 5004),
        ("2001:db8::7", 5004),
    ]
    assert found[0].priority > found[1].priority


def test_a_daemon_for_this_machine_alone_also_tells_loopback(tmp_path: Path) -> None:
    found = {one.address for one in ice_candidates(settings(tmp_path), 5004)}
    assert {"127.0.0.1", "::1"} <= found
    reachable = settings(tmp_path, MCU_HTTP__HOST="::")
    found = {one.address for one in ice_candidates(reachable, 5004)}
    assert not {"127.0.0.1", "::1"} & found


def test_timers_are_rounded_up_to_what_the_loop_can_tell_apart() -> None:
    assert [whole_ms(delay) for delay in (-1.0, 0.0, 0.0001, 0.0011, 0.02)] == [
        0.001, 0.001, 0.001, 0.002, 0.02,
    ]  # fmt: skip
