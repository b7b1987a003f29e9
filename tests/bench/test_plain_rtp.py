import socket

import numpy as np
import pytest

from bench.media import coded_silence
from bench.plain_rtp import Counters, PlainRoom, figures, packet
from bench.stamped import StampedReader
from mcu.media import mmsg, rtp
from mixer.codecs.opus import OpusEncoder

SILENCE = coded_silence()


def test_packets_count_up_and_wrap() -> None:
    first = packet(SILENCE, 0, 0xFFFF, 7)
    second = packet(SILENCE, 1, 0xFFFF, 7)
    assert first[2:4] == b"\xff\xff"
    assert second[2:4] == b"\0\0"
    assert int.from_bytes(second[4:8], "big") == 960
    assert int.from_bytes(second[8:12], "big") == 7


def test_the_payload_is_the_loops() -> None:
    number = len(SILENCE.packets) + 3
    whole = packet(SILENCE, number, 100, 7)
    _, start, end = rtp.bounds(whole, len(whole))
    assert whole[start:end] == SILENCE.packets[3]


@pytest.mark.skipif(mmsg.system_calls() is None, reason="the platform has no recvmmsg")
def test_a_sampled_room_hears_what_it_gets() -> None:
    room = PlainRoom(SILENCE, sampled=True)
    encoder = OpusEncoder()
    tone = (8000 * np.sin(np.arange(960) / 20)).astype(np.int16)
    header = packet(SILENCE, 0, 0, 1)[:12]
    plain = bytes((header[0] & 0xEF,)) + header[1:]  # no extension
    with room.socket, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(plain + encoder.encode(tone), ("127.0.0.1", room.port))
        sender.sendto(b"\x80\xc9 no media", ("127.0.0.1", room.port))
        room.read(StampedReader(1500))
    assert room.counters.packets == room.counters.decoded == 3
    assert room.counters.loudest_dbov > -20


def test_figures_are_of_the_worst_room() -> None:
    good = Counters(packets=500, gap_s=0.021, decoded=500, loudest_dbov=-12.0)
    bad = Counters(packets=400, gap_s=0.5, decoded=400, loudest_dbov=-80.0)
    found = figures([good, bad], 2, 10.0)
    assert found["audio_pps_per_leg_min"] == 40.0
    assert found["audio_pps_per_leg_mean"] == 45.0
    assert found["audio_gap_ms_max"] == 500.0
    assert found["sampled_loudest_dbov"] == -80.0
