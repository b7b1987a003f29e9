from aiortc.rtp import RtpPacket

from tests.peers.receivers import GIVE_UP_S, Screen
from tests.peers.webrtc_peer import ReceivedStream


def test_a_picture_whose_end_never_came_and_after_which_nothing_did_is_given_up() -> None:
    """The sender has paused. The search for what comes behind the gap had no end once."""
    stream = ReceivedStream()
    for sequence in (1, 2):
        packet = RtpPacket(payload_type=96, sequence_number=sequence, timestamp=0)
        packet.payload = b"\x41\x00"
        stream.packets[sequence] = packet
    stream.first, stream.highest = 1, 2
    screen = Screen("H264")
    screen.update(stream, 0.0)
    screen.update(stream, GIVE_UP_S)
    assert (screen.given_up, screen.frames, screen.wants_key_frame) == (1, 0, True)
    screen.update(stream, 2 * GIVE_UP_S)
    assert screen.given_up == 1
