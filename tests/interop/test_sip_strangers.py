"""Media of strangers at the ports of a hardware room's leg, which anybody can reach.

The room is a real telephone, whose sound is plain or protected; whoever sends there besides it is
neither heard nor sent anything, whatever it sends.
"""

import asyncio
import itertools
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from mixer.codecs.audio import make_encoder
from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import meeting
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.waiting import until, until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(90),
    pytest.mark.skipif(not baresip.is_installed(), reason="baresip is not installed"),
]

WEB_HZ, PHONE_HZ, STRANGER_HZ = 440, 1_000, 2_130
HEARD_DB = -40.0
STRANGERS = ("127.0.0.99", "127.0.0.1")
"""One of another host, and one of the telephone's own, at another port."""
PACKETS = 100
PACKET_S = 0.02
PCMU = 0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    async with SipDaemon(tmp_path_factory.mktemp("strangers") / "data") as daemon:
        yield daemon


def loud_packets() -> list[bytes]:
    """RTP of a loud tone, of the type that was agreed on."""
    encoder = make_encoder("pcmu")
    packets = []
    for number in range(PACKETS):
        at = np.arange(number * 960, (number + 1) * 960)
        wave = (20_000 * np.sin(2 * np.pi * STRANGER_HZ * at / 48_000)).astype(np.int16)
        head = struct.pack("!BBHII", 0x80, PCMU, number, number * 160, 0xBAD)
        packets.append(head + encoder.encode(wave))
    return packets


GOODBYE = struct.pack("!BBHI", 0x80, 201, 1, 0xBAD) + struct.pack("!BBHI", 0x81, 203, 1, 0xBAD)
"""RTCP: an empty report, and BYE."""
OTHERS = (b"", b"\x80", bytes(60), b"\x80\x00" + bytes(1_400), b"\x16\xfe\xfd" + bytes(60))


@pytest.mark.parametrize("security", ["", "srtp-mand"], ids=["plain", "sdes"])
async def test_they_are_not_heard_and_move_nothing(
    daemon: SipDaemon, tmp_path: Path, security: str
) -> None:
    room = f"phong-{security or 'khong-khoa'}"
    web_room = f"web-{room}"
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {web_room: "Web"}))
        secret = await add_sip_bridge(held, room)
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens[web_room], tone_hz=WEB_HZ, decodes=True)
        account = f"sip:{room}@{daemon.sip};transport=udp>;auth_pass={secret};regint=0"
        phone = Baresip(
            tmp_path,
            f"{account};mediaenc={security}" if security else account,
            tone_hz=PHONE_HZ,
            modules=("g711", *(["srtp"] if security else [])),
        )
        await stack.enter_async_context(phone)
        await phone.do("dial", f"sip:{held.id}@{daemon.sip}")
        roster = await held.until_states(**{room: "connected"})
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        (leg,) = roster[room]["legs"]
        before = await held.leg(leg)

        trace = (await daemon.call("GET", f"{held.path}/participants/{room}/sip-trace"))["items"]
        answer = next(one["text"] for one in trace if one["summary"] == "200 OK (INVITE)")
        found = re.search(r"^m=audio (\d+) ", answer, re.MULTILINE)
        assert found is not None
        port = int(found[1])
        strangers = []
        for host in STRANGERS:
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.setblocking(False)
            sock.bind((host, 0))
            strangers.append(sock)

        async def send() -> None:
            """At the pace of sound, for as long as it is looked at."""
            for packet in itertools.cycle(loud_packets()):
                for sock in strangers:
                    sock.sendto(packet, ("127.0.0.1", port))
                    for other in OTHERS:
                        sock.sendto(other, ("127.0.0.1", port))
                strangers[0].sendto(GOODBYE, ("127.0.0.1", port + 1))
                await asyncio.sleep(PACKET_S)

        async def dropped() -> int:
            return int((await held.leg(leg))["dropped"].get("stranger", 0))

        sending = asyncio.create_task(send())
        stack.callback(sending.cancel)
        await until_read(dropped, lambda count: count >= 2 * PACKETS)
        web.forget_heard()
        # Their tone would be louder than the telephone's.
        await until(lambda: web.heard_db(PHONE_HZ) > 40 and web.heard_db(STRANGER_HZ) < 10, 0.05)
        assert phone.heard_db(WEB_HZ) > HEARD_DB

        after = await held.leg(leg)
        assert after["remote_address"] == before["remote_address"]
        assert after["state"] == "connected"
        for sock in strangers:
            with pytest.raises(BlockingIOError):
                sock.recv(2_048)
        assert (await held.roster())[room]["state"] == "connected"
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
