import asyncio
import socket

from bench.netem_relay import HOST, Relay, SoundSeen, audio_ssrc, through_relay
from mcu.media.impairment import Conditions
from signalling.sdp import SessionDescription
from tests.peers.waiting import until

ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
    "a=ssrc:4711 cname:x\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host\r\n"
    "a=candidate:2 1 udp 2130706175 2001:db8::1 7000 typ host\r\na=end-of-candidates\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=ssrc:4712 cname:x\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host\r\n"
)


def test_an_answer_names_the_relay_alone() -> None:
    answer = SessionDescription.parse(through_relay(ANSWER, 9999))
    for section in answer.media:
        assert [(one.address, one.port) for one in section.candidates] == [(HOST, 9999)]
    assert answer.media[0].attribute("end-of-candidates") is not None
    assert audio_ssrc(ANSWER) == 4711


def test_gaps_in_the_sound_are_seen_and_repeats_are_none() -> None:
    sound = SoundSeen()
    for number, at in ((1, 10.0), (2, 10.02), (2, 10.5), (4, 10.3)):
        sound.arrived(number, at)
    assert sound.packets == 3
    assert round(sound.longest_gap_s, 3) == 0.28
    sound.reset()
    sound.arrived(9, 11.3)
    assert round(sound.longest_gap_s, 3) == 1.0


async def test_datagrams_pass_both_ways_and_the_daemon_sees_another_address_after_a_move() -> None:
    loop = asyncio.get_running_loop()
    daemon, peer = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with daemon, peer:
        for one in (daemon, peer):
            one.setblocking(False)
            one.bind((HOST, 0))
        relay = Relay(daemon.getsockname(), 1)
        await relay.open()
        seen = []
        async with asyncio.timeout(10):
            for _ in range(2):
                await loop.sock_sendto(peer, b"up", (HOST, relay.port))
                datagram, address = await loop.sock_recvfrom(daemon, 100)
                assert datagram == b"up"
                seen.append(address)
                await loop.sock_sendto(daemon, b"down", address)
                datagram, address = await loop.sock_recvfrom(peer, 100)
                assert (datagram, address) == (b"down", (HOST, relay.port))
                await relay.change_path()
        assert seen[0] != seen[1]
        relay.set(Conditions(loss=1.0), Conditions(), "dead")
        await loop.sock_sendto(peer, b"up", (HOST, relay.port))
        await until(lambda: relay.up.lost > 0)
        relay.close()
