import pytest

from mcu.engine.video_statistics import StageClock


def test_work_adds_up_in_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1.0, 1.5, 2.0, 4.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(moments))
    clock = StageClock()
    with clock.measure("scale"), clock.measure("decode"):
        pass
    assert clock.reading()["decode"] == 0.5
    assert clock.reading()["scale"] == 3.0
    assert clock.reading()["encode"] == 0.0


def test_work_that_fails_took_its_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1.0, 3.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(moments))
    clock = StageClock()
    with pytest.raises(RuntimeError), clock.measure("encode"):
        raise RuntimeError
    assert clock.reading()["encode"] == 2.0
