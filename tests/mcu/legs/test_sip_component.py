"""Who is let in at a SIP leg's socket, and what its keys are."""

from dataclasses import replace
from typing import Any

import pytest
from aioice import stun
from aiortc.rtp import RtcpRrPacket, RtcpSrPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from signalling.offer_answer import Dtls, Ice
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.sip_media import (
    AUDIO,
    SUITES,
    SipRoom,
    SipWorld,
    more_audio,
    play_audio,
    send_audio,
)


@pytest.mark.parametrize("suite", list(SUITES))
def test_keys_of_the_descriptions_protect_both_ways(suite: str) -> None:
    world = SipWorld()
    room = world.connect(suite=suite)
    send_audio(world, room, 20)
    play_audio(world, room, 20)
    room.report("audio", world.time.now)
    world.run(6.0)
    assert len(room.recorder.audio) == 20
    assert len(room.received("audio")) == 20
    assert any(isinstance(one, RtcpSrPacket) for one in room.reports)
    assert not room.stray
    assert room.leg.statistics(world.time.now).srtp_profile is not None
    assert not {one for one in room.leg.statistics(0).dropped if "srtcp" in one}


@pytest.mark.parametrize("mux", [True, False])
@pytest.mark.parametrize("setup", ["active", "passive", "actpass"])
def test_a_handshake_gives_keys(setup: str, mux: bool) -> None:
    world = SipWorld()
    room = world.connect(
        replace(AUDIO, mux=mux), certificate=DtlsCertificate.generate(), setup=setup
    )
    send_audio(world, room, 20)
    play_audio(world, room, 20)
    room.report("audio", world.time.now)
    world.run(6.0)
    assert len(room.recorder.audio) == 20
    assert len(room.received("audio")) == 20
    assert any(isinstance(one, RtcpSrPacket) for one in room.reports)
    assert not room.stray


def test_a_wrong_certificate_gets_nothing() -> None:
    world = SipWorld()
    room = world.call(certificate=DtlsCertificate.generate())
    room.certificate = DtlsCertificate.generate()
    room._dtls.clear()
    room.answered(room.agreed)
    room.start(world.time.now)
    world.run(20.0)
    assert room.recorder.events == ["left:failed"]
    assert not world.open_ports


def test_media_goes_where_it_comes_from() -> None:
    """A room behind address translation announces an address that nobody can reach."""
    world = SipWorld()
    room = world.connect(announced_host="10.0.0.5")
    play_audio(world, room, 5)
    assert not room.received("audio")
    assert {address for _, _, address in world.lost} == {("10.0.0.5", 40000)}
    send_audio(world, room, 100)
    rendition = play_audio(world, room, 10)
    assert len(room.received("audio")) >= 10
    assert room.leg.statistics(0).remote_address == "198.51.100.7:40000"
    before = len(room.received("audio"))
    # Nobody else gets it then, not even from the same host.
    for number in range(20):
        room.send("audio", bytes(160), number * 160, source_port=50_000)
        room.send("audio", bytes(160), number * 160, source_host="203.0.113.66")
        room.send("audio", bytes(160), (200 + number) * 160)
        more_audio(world, rendition, 1, 10 + number)
    assert len(room.received("audio")) == before + 20
    dropped = room.leg.statistics(0).dropped
    assert dropped["stranger"] >= 40


def test_policy_can_forbid_media_from_elsewhere() -> None:
    world = SipWorld(elsewhere=False)
    room = world.connect(announced_host="10.0.0.5")
    send_audio(world, room, 100)
    assert not room.recorder.audio
    assert room.leg.statistics(0).dropped["stranger"] == 100


def test_authentic_media_may_come_from_anywhere_at_first() -> None:
    world = SipWorld(elsewhere=False)
    room = world.connect(announced_host="10.0.0.5", suite="AES_CM_128_HMAC_SHA1_80")
    room.send_raw(b"\x80\x09" + bytes(170), room.flow("audio").local_port, 6000, "203.0.113.66")
    send_audio(world, room, 10)
    play_audio(world, room, 10)
    assert len(room.recorder.audio) == 10
    assert len(room.received("audio")) == 10


def test_a_room_that_restarted_is_followed_after_silence() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    world.rooms[room.host, 45_000] = room
    for number in range(10, 20):
        room.send("audio", bytes(160), number * 160, source_port=45_000)
        world.run(0.02)
    assert len(room.recorder.audio) == 10
    world.run(3.1)
    for number in range(200, 210):
        room.send("audio", bytes(160), number * 160, source_port=45_000)
        world.run(0.02)
    assert len(room.recorder.audio) == 20
    assert room.leg.statistics(0).remote_address == "198.51.100.7:45000"


def check(ours: Ice, theirs: Ice, *, nominate: bool = True) -> bytes:
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ours.ufrag}:{theirs.ufrag}"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 7
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(ours.pwd.encode())
    return bytes(request)


@pytest.mark.parametrize("mux", [True, False])
def test_checks_say_where_the_peer_is(mux: bool) -> None:
    world = SipWorld(elsewhere=False)
    ours, theirs = Ice("ourufrag", "ourpassword0123456789012"), Ice("peer", "p" * 24)
    lines = (f"ice-ufrag:{theirs.ufrag}", f"ice-pwd:{theirs.pwd}")
    lines += ("candidate:1 1 UDP 2130706431 10.0.0.5 40000 typ host",)
    if not mux:
        lines += ("candidate:1 2 UDP 2130706430 10.0.0.5 40001 typ host",)
    room = world.call(
        replace(AUDIO, mux=mux, lines=lines),
        announced_host="10.0.0.5",
        ice=ours,
        suite="AES_CM_128_HMAC_SHA1_80",
    )
    flow = room.agreed.flows[0]
    assert flow.ice == theirs
    world.run(0.1)
    send_audio(world, room, 3)
    assert not room.recorder.audio
    assert room.leg.statistics(0).dropped["stranger"] == 3
    wrong = check(replace(ours, pwd="x" * 24), theirs)
    room.send_raw(wrong, flow.local_port, 40_000)
    world.run(0.1)
    send_audio(world, room, 3)
    assert not room.recorder.audio
    ports = [(flow.local_port, 40_000)] + ([] if mux else [(flow.local_port + 1, 40_001)])
    for port, source in ports:
        room.send_raw(check(ours, theirs), port, source)
    world.run(0.1)
    answers = [stun.parse_message(data) for data, _ in room.others]
    assert [one.message_class for one in answers].count(stun.Class.RESPONSE) == len(ports)
    send_audio(world, room, 10)
    play_audio(world, room, 10)
    assert len(room.recorder.audio) == 10
    assert len(room.received("audio")) == 10
    # The peer moves, and says so.
    world.rooms[room.host, 46_000] = room
    room.send_raw(check(ours, theirs), flow.local_port, 46_000)
    world.run(0.1)
    assert room.leg.statistics(0).remote_address == f"{room.host}:46000"


def test_new_keys_by_a_new_offer() -> None:
    world = SipWorld()
    room = world.connect(suite="AES_CM_128_HMAC_SHA1_80")
    send_audio(world, room, 10)
    rendition = play_audio(world, room, 10)
    room._key = bytes(range(46))
    room._sessions.clear()
    world.reinvite(room)
    send_audio(world, room, 10, 10)
    more_audio(world, rendition, 10, 10)
    world.run(0.1)
    assert len(room.recorder.audio) == 20
    assert len(room.received("audio")) == 20
    assert not room.stray


def test_a_flood_costs_no_more_than_its_budget() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    for _ in range(5000):
        room.send("audio", bytes(160), 1600)
    for _ in range(5000):
        room.send_raw(b"\x80\x09" + bytes(170), room.flow("audio").local_port, 6000, "203.0.113.66")
    world.run(0.2)
    dropped = room.leg.statistics(0).dropped
    assert dropped["flood"] > 3000
    assert dropped["stranger"] == 5000
    assert room.leg.state == "connected"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1]),
            st.one_of(
                st.binary(max_size=60),
                st.binary(max_size=60).map(lambda data: b"\x80" + data),
                st.tuples(st.sampled_from([9, 13, 101, 0x80 | 101]), st.binary(max_size=40)).map(
                    lambda two: bytes((0x80, two[0])) + two[1]
                ),
                st.tuples(st.integers(200, 207), st.binary(max_size=60)).map(
                    lambda two: bytes((0x81, two[0], 0, len(two[1]) // 4)) + two[1]
                ),
            ),
        ),
        max_size=40,
    ),
    st.sampled_from([None, "AES_CM_128_HMAC_SHA1_80"]),
)
def test_takes_anything(packets: list[tuple[int, bytes]], suite: str | None) -> None:
    """Invariant: nothing raises, media of the room goes on, and what is kept is bounded."""
    world = SipWorld()
    room = world.connect(suite=suite)
    send_audio(world, room, 3)
    port = room.flow("audio").local_port
    for above, data in packets:
        world.ports.deliver(data, port + above, (room.host, 40_000 + above), world.time.now)
        world.run(0.005)
    world.run(0.3)
    before = len(room.recorder.audio)
    send_audio(world, room, 30, 20)
    # Numbers of an unsigned stream may have been moved by what was forged, until they are believed.
    assert len(room.recorder.audio) - before >= (30 if suite else 20)
    assert world.acceptor.faults == 0
    assert room.leg.state == "connected"
    assert len(room.digits) <= len(packets)


def test_nothing_is_sent_unprotected_once_keys_were_agreed_on() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 5)
    rendition = play_audio(world, room, 5)
    room.certificate = DtlsCertificate.generate()
    room.setup = "passive"
    sent = room.leg.statistics(0).sent["audio"].packets
    fingerprints = (room.certificate.fingerprint,)
    flow = replace(room.agreed.flows[0], security=Dtls("server", fingerprints))
    room.leg.update(replace(room.agreed, flows=(flow,)), world.time.now)
    more_audio(world, rendition, 5, 5)
    assert room.leg.statistics(0).sent["audio"].packets == sent


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_checks_come_before_a_handshake(setup: str) -> None:
    world = SipWorld(elsewhere=False)
    ours, theirs = Ice("ourufrag", "ourpassword0123456789012"), Ice("peer", "p" * 24)
    lines = (f"ice-ufrag:{theirs.ufrag}", f"ice-pwd:{theirs.pwd}")
    lines += ("candidate:1 1 UDP 2130706431 10.0.0.5 40000 typ host",)
    room = world.call(
        replace(AUDIO, mux=True, lines=lines),
        announced_host="10.0.0.5",
        ice=ours,
        certificate=DtlsCertificate.generate(),
        setup=setup,
    )
    world.run(0.5)
    assert room.leg.state == "new"
    for _ in range(2):
        room.send_raw(check(ours, theirs), room.flow("audio").local_port, 40_000)
        world.run(2.5)
    assert room.leg.state == "connected"
    send_audio(world, room, 10)
    play_audio(world, room, 10)
    assert len(room.recorder.audio) == 10
    assert len(room.received("audio")) == 10
    assert room.leg.statistics(0).remote_address == f"{room.host}:40000"


def test_a_flood_before_the_first_packet_does_not_keep_the_peer_out() -> None:
    world = SipWorld()
    room = world.connect(suite="AES_CM_128_HMAC_SHA1_80")
    port = room.flow("audio").local_port
    for number in range(20):
        for _ in range(200):
            room.send_raw(b"\x80\x09" + bytes(170), port, 6000, "203.0.113.66")
        room.send("audio", bytes(160), number * 160)
        world.run(0.02)
    assert len(room.recorder.audio) == 20
    dropped = room.leg.statistics(0).dropped
    assert dropped["stranger"] > 3500
    assert dropped.get("srtp_authentication", 0) < 300


def test_reports_follow_where_media_was_found() -> None:
    world = SipWorld()
    room = world.connect(announced_host="10.0.0.5")
    send_audio(world, room, 100)
    assert room.recorder.audio
    assert not room.reports
    room.report("audio", world.time.now)
    world.run(8.0)
    assert any(isinstance(one, RtcpRrPacket) for one in room.reports)


def test_between_reports_another_of_the_same_host_gets_none() -> None:
    """Reports come five seconds apart, and a port of RTCP alone hears nothing in between."""
    world = SipWorld()
    room = world.connect()
    port = room.flow("audio").local_port
    other = bytes(RtcpRrPacket(0xBAD, []))
    for number in range(24):
        send_audio(world, room, 50, number * 50)
        if number % 5 == 0:
            room.report("audio", world.time.now)
        room.send_raw(other, port + 1, 50_001)
    world.run(1.0)
    assert room.leg.statistics(0).dropped["stranger"] == 24
    assert not [to for _, _, to in world.lost if to[1] == 50_001]
    assert room.reports


def press(world: SipWorld, room: SipRoom, keys: str, stamp: int, **where: Any) -> None:
    """Press keys as a device does: 5 packets of each and 3 of its end, 20 ms apart."""
    for number, key in enumerate(map(int, keys)):
        at = stamp + number * 2_000
        for part in range(8):
            payload = bytes((key, 0x8A if part > 4 else 0x0A, 0, min(part + 1, 6) * 20))
            room.send("audio", payload, at, payload_type=101, marker=part == 0, **where)
            world.run(0.02)


@pytest.mark.parametrize("sound", [True, False])
def test_keys_pressed_before_it_is_known_where_the_room_is_count(sound: bool) -> None:
    """Behind address translation: nobody is believed for a second, and the PIN is typed in that."""
    world = SipWorld()
    room = world.connect(announced_host="10.0.0.5")
    press(world, room, "1102", 500)
    assert not room.digits
    if sound:
        send_audio(world, room, 40, 60)
    press(world, room, "7", 20_000)
    world.run(0.2)
    if not sound:
        press(world, room, "33", 30_000)
    assert "".join(room.digits) == ("11027" if sound else "1102733")


def test_keys_of_strangers_never_count() -> None:
    world = SipWorld()
    room = world.connect(announced_host="10.0.0.5")
    for host in ("203.0.113.66", "203.0.113.67"):
        press(world, room, "9", 500, source_host=host)
    press(world, room, "2", 9_000)
    send_audio(world, room, 60, 60)
    press(world, room, "4", 40_000, source_host="203.0.113.66")
    assert "".join(room.digits) == "2"


def test_where_policy_lets_nobody_be_elsewhere_no_key_is_kept() -> None:
    world = SipWorld(elsewhere=False)
    room = world.connect(announced_host="10.0.0.5")
    press(world, room, "12", 500)
    send_audio(world, room, 100, 60)
    assert not room.digits
