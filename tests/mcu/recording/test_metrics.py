"""What is told to whoever watches the server."""

from prometheus_client import CollectorRegistry, generate_latest

from mcu.recording.metrics import RecordingCollector, RecordingReading


def text(reading: RecordingReading) -> str:
    registry = CollectorRegistry()
    registry.register(RecordingCollector(lambda: reading))
    return generate_latest(registry).decode()


def test_all_reasons_are_there_from_the_beginning():
    found = text(RecordingReading())
    for reason in ("stopped", "ended", "disk_full", "failed", "interrupted"):
        assert f'mcu_recordings_ended_total{{reason="{reason}"}} 0.0' in found
    assert "free_bytes" not in found


def test_what_an_alarm_looks_at():
    found = text(RecordingReading(2, 5_000_000, 7, {"disk_full": 1}))
    assert "mcu_recordings 2.0" in found
    assert "mcu_recordings_free_bytes 5e+06" in found
    assert "mcu_recordings_dropped_total 7.0" in found
    assert 'mcu_recordings_ended_total{reason="disk_full"} 1.0' in found
