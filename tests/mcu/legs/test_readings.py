from mcu.legs.readings import Readings
from tests.mcu.legs.test_feedback import Setting


def test_rates_come_from_two_readings() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    readings.close_interval(0.0)
    for sequence in range(50):
        setting.receive(sequence, sequence * 0.04)
    readings.close_interval(2.0)
    assert readings.read(0.0).received["video"].bitrate_bps == 50 * 6 * 8 // 2
    readings.close_interval(3.0)
    assert readings.read(0.0).received["video"].bitrate_bps == 0


def test_nothing_received_reads_as_nothing() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    assert readings.read(0.0).received["video"].packets == 0
    assert readings.read(0.0).sent == {}


def test_losses_are_read() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    for sequence in (1, 2, 4):
        setting.receive(sequence)
    setting.feedback.report(1.0)
    video = readings.read(0.0).received["video"]
    assert (video.packets_lost, video.fraction_lost) == (1, 0.25)


def test_counters_go_on_when_a_source_changes_its_ssrc() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    video = None
    for ssrc, at in ((7, 0.0), (8, 10.0), (9, 20.0)):
        for sequence in (1, 2, 4, 5):
            setting.receive(sequence, at, ssrc)
        list(setting.feedback.repetitions(at + 0.02))
        setting.receive(3, at + 0.1, ssrc)
        setting.receive(6, at + 0.1, ssrc)
        setting.receive(8, at + 0.1, ssrc)
        list(setting.feedback.key_frame_requests(at + 0.1))
        before, video = video, readings.read(0.0).received["video"]
        if before is not None:
            for counter in ("packets", "bytes", "packets_lost", "frames", "key_frames", "nacks"):
                assert getattr(video, counter) > getattr(before, counter), counter
    assert video is not None
    assert (video.packets, video.bytes, video.packets_lost) == (21, 21 * 6, 3)
    assert (video.frames, video.nacks) == (18, 3)
    (block,) = setting.incoming.report_blocks(21.0)
    # A report block is of one SSRC.
    assert (block.ssrc, block.packets_lost) == (9, 1)


def test_a_late_packet_does_not_make_the_losses_fall() -> None:
    setting = Setting()
    readings = Readings(setting.incoming, setting.outgoing, setting.feedback)
    for sequence in (1, 4):
        setting.receive(sequence)
    assert readings.read(0.0).received["video"].packets_lost == 2
    setting.receive(2)
    assert readings.read(0.0).received["video"].packets_lost == 2
    for sequence in (6, 8):
        setting.receive(sequence)
    assert readings.read(0.0).received["video"].packets_lost == 3
