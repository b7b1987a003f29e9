"""What Prometheus is told of a meeting in virtual time; totals never go back."""

from pathlib import Path

from mcu.conference.commands import EndConference
from mcu.metrics import MediaReading
from mcu.rooms.totals import MediaTotals
from tests.peers.virtual_installation import VirtualInstallation
from tests.scenario.meeting import start_three


def counted(reading: MediaReading) -> dict[str, float]:
    """Everything that may only grow."""
    flat: dict[str, float] = {"skipped": reading.frames_skipped}
    for name in ("packets_received", "packets_sent", "bytes_received", "bytes_sent", "dropped"):
        for kind, count in getattr(reading, name).items():
            flat[f"{name} {kind}"] = count
    for stage, seconds in reading.stage_seconds.items():
        flat[" ".join(stage)] = seconds
    return flat


async def test_what_is_there_is_counted(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        reading = site.reading()
        assert reading.conferences == 1
        assert reading.legs == {("connected", "join"): len(rooms)}
        assert reading.participants == {"connected": len(rooms)}
        assert all(ticks.total > 0 for ticks in reading.ticks.values())
        for traffic in (reading.packets_received, reading.packets_sent):
            assert all(traffic[kind] > 0 for kind in ("audio", "video"))


async def test_what_is_gone_counts_still(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        before = counted(site.reading())
        site.acceptor.legs[rooms[0].leg_id].close("bye", site.time.now)
        left = counted(site.reading())
        assert all(left[what] >= count for what, count in before.items())
        await site.order(EndConference())
        reading = site.reading()
        assert (reading.conferences, dict(reading.legs), reading.encoders["audio"]) == (0, {}, 0)
        ended = counted(reading)
        assert all(ended[what] >= count for what, count in left.items())


async def test_what_the_kernel_threw_away_is_told_where_it_is_known(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        assert "kernel_buffer" not in site.reading().dropped
        totals = MediaTotals(site.engine, site.acceptor, site.port, kernel_drops=lambda: 7)
        totals.attach(site.conferences)
        assert totals.media_reading().dropped["kernel_buffer"] == 7
