from mcu.legs.readings import Readings
from tests.mcu.legs.test_feedback import Setting


def test_rates_come_from_two_readings() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    readings.close_interval(0.0)
    for sequence in range(50):
        setting.receive(sequence, sequence * 0.04)
    readings.close_interval(2.0)
    assert readings.read().received["video"].bitrate_bps == 50 * 6 * 8 // 2
    readings.close_interval(3.0)
    assert readings.read().received["video"].bitrate_bps == 0


def test_nothing_received_reads_as_nothing() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    assert readings.read().received["video"].packets == 0
    assert readings.read().sent == {}


def test_losses_are_read() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    for sequence in (1, 2, 4):
        setting.receive(sequence)
    setting.feedback.report(1.0)
    video = readings.read().received["video"]
    assert (video.packets_lost, video.fraction_lost) == (1, 0.25)
