"""What comes between the sound of a SIP peer."""

from tests.peers.sip_media import Section, SipWorld, send_audio


def test_keys_are_told_once_and_make_no_sound() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    at = 10
    for key in (1, 2, 2, 11):
        stamp = at * 160
        for number in range(5):
            payload = bytes((key, 10, 0, 160 * (number + 1) & 0xFF))
            room.send("audio", payload, stamp, payload_type=101, marker=number == 0)
            world.run(0.02)
        for _ in range(3):
            room.send("audio", bytes((key, 0x8A, 4, 0)), stamp, payload_type=101)
        world.run(0.02)
        at += 6
        send_audio(world, room, 10, at)
        at += 10
    assert "".join(room.digits) == "122#"
    sound = [one for one in room.recorder.audio if one.payload]
    assert len(sound) == 50
    numbers = [one.sequence for one in sound]
    assert numbers == list(range(numbers[0], numbers[0] + 50))
    quiet = [one for one in room.recorder.audio if not one.payload]
    assert all(one.level_dbov == -127 for one in quiet)
    assert room.leg.statistics(0).received["audio"].packets_lost == 0


def test_comfort_noise_is_silence_of_its_level() -> None:
    world = SipWorld()
    room = world.connect(Section(codecs=((8, "PCMA/8000", ""), (13, "CN/8000", ""))))
    send_audio(world, room, 5)
    room.send("audio", bytes((67,)), 5 * 160, payload_type=13)
    world.run(0.4)
    send_audio(world, room, 5, 25)
    packets = room.recorder.audio
    assert [bool(one.payload) for one in packets] == [True] * 5 + [False] + [True] * 5
    assert packets[5].level_dbov == -67
    assert packets[6].sequence == packets[5].sequence == packets[4].sequence + 1
