"""SIPp's scenarios of our own against the daemon, and where our side has to begin, the endpoint.

What each scenario does stands in ``tests/peers/sipp_scenarios``; here stands what the daemon must
have made of it. Nothing may be left of any call.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from mcu.sip.settings import EndpointSettings
from signalling.sip import CallConfirmed, CallEnded, MediaAnswered, TimerValues
from tests.peers import sipp
from tests.peers.free_ports import free_port
from tests.peers.meeting import Meeting, meeting
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.sip_wire import ANSWER, FILLED_IN, Room, endpoint, of_call, port_of, tcp_peer
from tests.peers.waiting import until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not sipp.is_installed(), reason="SIPp is not installed"),
]

FASTER = TimerValues(t1_s=0.03, t2_s=0.2)
"""An answer that nobody acknowledges is given up after two seconds, not after 32."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    found = SipDaemon(
        tmp_path_factory.mktemp("sipp") / "data",
        MCU_SIP__GUESTS="allowed",
        MCU_SIP__MESSAGES_PER_SECOND="1000",
        MCU_SIP__MESSAGE_BURST="2000",
        # SIPp sends no sound: its calls are to end by signalling, not because they are lost.
        MCU_MEDIA__LOST_AFTER_S="20",
        MCU_MEDIA__LEFT_AFTER_S="30",
    )
    async with found:
        yield found


@asynccontextmanager
async def held(daemon: SipDaemon) -> AsyncIterator[Meeting]:
    """A conference; afterwards no call may be left."""
    async with meeting(daemon, {}) as found:
        yield found
    await no_call_is_left(daemon)


async def no_call_is_left(daemon: SipDaemon) -> None:
    async def calls() -> float:
        return await daemon.counted("calls_now")

    await until_read(calls, lambda now: now == 0)
    assert await daemon.counted("faults_total") == 0


async def said(daemon: SipDaemon, direction: str, what: str, count: float) -> None:
    """Wait until the daemon has sent or received so many of a kind."""

    async def read() -> float:
        return await daemon.counted("messages_total", direction=direction, what=what)

    await until_read(read, lambda now: now >= count)


async def is_registered(daemon: SipDaemon, bridge: str) -> bool:
    found = await daemon.call("GET", f"/bridges/{bridge}")
    return bool(found["sip"]["registered"])


def signed_in(user: str, secret: str, uri: str) -> dict[str, str]:
    """SIPp signs in like this; it writes ``sip:`` before the URI itself."""
    return {"au": user, "ap": secret, "auth_uri": uri}


# Who it is


async def test_credentials_right_wrong_and_replayed(daemon: SipDaemon, tmp_path: Path) -> None:
    async with meeting(daemon, {}) as found:
        body = {"id": "phong-dk", "name": "Phòng", "unit": found.unit, "kind": "sip"}
        await daemon.call("POST", "/bridges", body)
        secret = (await daemon.call("POST", "/bridges/phong-dk/sip-secret", {}))["secret"]
        user = {"user": "phong-dk"}
        wrong = await daemon.counted("refused_total", reason="wrong credentials")
        options = signed_in("phong-dk", "guessed", daemon.sip)
        await sipp.run(tmp_path / "w", "register-wrong", daemon.sip, options=options, keys=user)
        assert await daemon.counted("refused_total", reason="wrong credentials") == wrong + 1
        assert not await is_registered(daemon, "phong-dk")

        options = signed_in("phong-dk", secret, daemon.sip)
        done = await sipp.run(tmp_path / "r", "register", daemon.sip, options=options, keys=user)
        assert await is_registered(daemon, "phong-dk")

        # Somebody who has listened sends what was sent: the nonce is not taken twice.
        sent = re.findall(r"^Authorization: (Digest .*)$", done.messages(), re.MULTILINE)[0]
        overheard = {**user, "authorization": sent.strip()}
        accepted = await daemon.counted("registrations_total", outcome="accepted")
        await sipp.run(tmp_path / "p", "register-replayed", daemon.sip, keys=overheard)
        assert await daemon.counted("registrations_total", outcome="accepted") == accepted


async def test_a_room_signs_in_to_call(daemon: SipDaemon, tmp_path: Path) -> None:
    async with held(daemon) as found:
        secret = await add_sip_bridge(found, "phong-goi")
        before = await daemon.counted("call_results_total", cause="hung up")
        uri = f"{found.id}@{daemon.sip}"
        options = signed_in("phong-goi", secret, uri) | {"s": found.id}
        await sipp.run(
            tmp_path, "invite-digest", daemon.sip, options=options, keys={"user": "phong-goi"}
        )
        assert await daemon.counted("call_results_total", cause="hung up") == before + 1
        roster = await found.roster()
        assert roster["phong-goi"]["state"] == "left"


async def test_a_room_asks_us_for_credentials(daemon: SipDaemon, tmp_path: Path) -> None:
    """It judges them itself: what is stored for it is what it is given."""
    port = str(free_port())
    async with held(daemon) as found:
        body = {
            "id": "phong-hoi", "name": "Phòng", "unit": found.unit, "kind": "sip",
            "address": f"sip:room@127.0.0.1:{port}",
        }  # fmt: skip
        await daemon.call("POST", "/bridges", body)
        known = {"user_name": "hop-giao-ban", "secret": "Mat-khau-7"}
        await daemon.call("PUT", "/bridges/phong-hoi/sip-outbound", known)
        acks = await daemon.counted("messages_total", direction="sent", what="ACK")
        answered = await daemon.counted("messages_total", direction="received", what="2xx")
        async with sipp.started(tmp_path, "asks-credentials", None, options={"p": port}) as peer:
            await daemon.call("POST", f"{found.path}/participants", {"bridge": "phong-hoi"})
            await said(daemon, "received", "2xx", answered + 1)
            await said(daemon, "sent", "ACK", acks + 1)
            ladder = f"{found.path}/participants/phong-hoi/sip-trace"
            text = str((await daemon.call("GET", ladder))["items"])
            assert "hop-giao-ban" in text
            await daemon.call("DELETE", f"{found.path}/participants/phong-hoi")
            await peer.done()
        # The secret itself is nowhere: not on the wire, not in the ladder, not on the disk.
        assert known["secret"] not in text + peer.messages()
        for file in daemon.data_dir.iterdir():
            if file.is_file():
                assert known["secret"].encode() not in file.read_bytes(), file.name


# CANCEL


async def test_a_cancel_in_the_same_breath(daemon: SipDaemon) -> None:
    """INVITE and CANCEL come in one read, before anybody can have answered."""
    async with held(daemon) as found, tcp_peer(daemon.sip_port) as peer:
        before = await daemon.counted("call_results_total", cause="cancelled")
        peer.write(of_call("INVITE", found.id) + of_call("CANCEL", found.id))
        starts = [(await peer.message()).partition(b"\r\n")[0] for _ in range(3)]
        assert sorted(starts) == [
            b"SIP/2.0 100 Trying",
            b"SIP/2.0 200 OK",
            b"SIP/2.0 487 Request Terminated",
        ]
        peer.write(of_call("ACK", found.id))
        assert await daemon.counted("call_results_total", cause="cancelled") == before + 1
        assert await found.roster() == {}


async def test_a_cancel_crosses_our_answer(daemon: SipDaemon, tmp_path: Path) -> None:
    async with held(daemon) as found:
        cancelled = await daemon.counted("call_results_total", cause="cancelled")
        options = {"s": found.id}
        await sipp.run(tmp_path, "cancel-crosses-answer", daemon.sip, calls=5, options=options)
        assert await daemon.counted("call_results_total", cause="cancelled") == cancelled


async def test_an_answer_crosses_our_cancel(daemon: SipDaemon, tmp_path: Path) -> None:
    port = str(free_port())
    async with (
        held(daemon) as found,
        sipp.started(tmp_path, "answer-crosses-cancel", None, options={"p": port}) as peer,
    ):
        before = await daemon.counted("messages_total", direction="received", what="1xx")
        await add_sip_bridge(found, "phong-cat", f"sip:room@127.0.0.1:{port}")
        await said(daemon, "received", "1xx", before + 1)
        await daemon.call("DELETE", f"{found.path}/participants/phong-cat")
        await peer.done()


# Offers and answers


async def test_a_late_offer(daemon: SipDaemon, tmp_path: Path) -> None:
    async with held(daemon) as found:
        await sipp.run(tmp_path, "late-offer", daemon.sip, options={"s": found.id})


async def test_a_late_offer_that_nobody_answers(daemon: SipDaemon, tmp_path: Path) -> None:
    async with held(daemon) as found:
        await sipp.run(tmp_path, "late-offer-unanswered", daemon.sip, options={"s": found.id})


async def test_both_change_the_call_at_once(tmp_path: Path) -> None:
    """The daemon itself changes a call only to keep it alive, after many minutes."""
    room = Room()
    async with endpoint(EndpointSettings("127.0.0.1"), room=room) as found:
        target = f"127.0.0.1:{port_of(found, 'udp')}"
        async with sipp.started(tmp_path, "glare", target) as peer:
            await room.until(lambda events: any(isinstance(e, CallConfirmed) for e in events))
            call = next(one for one in room.events if isinstance(one, CallConfirmed)).call
            changed = ANSWER.replace(b"o=- 1 1", b"o=- 1 2")
            found.do(lambda agent, now: agent.change_media(call, changed, now))
            await peer.done()
        assert [type(one) for one in room.events[1:]] == [CallConfirmed, MediaAnswered, CallEnded]
        assert found.agent.statistics.messages["received 4xx"] == 1


# What is lost


async def test_lost_answers_are_repeated(daemon: SipDaemon, tmp_path: Path) -> None:
    async with held(daemon) as found:
        before = await daemon.counted("retransmissions_total", direction="sent")
        await sipp.run(tmp_path, "lost-ack", daemon.sip, options={"s": found.id})
        # At 0.5 and 1.5 seconds, until the ACK comes at 1.8.
        assert await daemon.counted("retransmissions_total", direction="sent") >= before + 2


async def test_who_never_acknowledges_is_hung_up_on(tmp_path: Path) -> None:
    room = Room()
    settings = EndpointSettings("127.0.0.1")
    async with endpoint(settings, replace(FILLED_IN, timers=FASTER), room=room) as found:
        await sipp.run(tmp_path, "no-ack", f"127.0.0.1:{port_of(found, 'udp')}")
        (ended,) = (one for one in room.events if isinstance(one, CallEnded))
        assert ended.cause == "gone"
        assert found.agent.statistics.repetitions["sent"] >= 5


async def test_lost_invites_are_repeated(daemon: SipDaemon, tmp_path: Path) -> None:
    port = str(free_port())
    async with (
        held(daemon) as found,
        sipp.started(tmp_path, "lost-invite", None, options={"p": port}) as peer,
    ):
        before = await daemon.counted("retransmissions_total", direction="sent")
        acks = await daemon.counted("messages_total", direction="sent", what="ACK")
        await add_sip_bridge(found, "phong-mat", f"sip:room@127.0.0.1:{port}")
        await said(daemon, "sent", "ACK", acks + 1)
        assert await daemon.counted("retransmissions_total", direction="sent") >= before + 2
        await daemon.call("DELETE", f"{found.path}/participants/phong-mat")
        await peer.done()


# What SIPp brings along


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_its_own_caller(daemon: SipDaemon, tmp_path: Path, transport: str) -> None:
    async with held(daemon) as found:
        before = await daemon.counted("call_results_total", cause="hung up")
        await sipp.run(
            tmp_path, "uac", daemon.sip, calls=10, rate=20, transport=transport,
            options={"s": found.id},
        )  # fmt: skip
        assert await daemon.counted("call_results_total", cause="hung up") == before + 10


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_it_is_called(daemon: SipDaemon, tmp_path: Path, transport: str) -> None:
    port = str(free_port())
    room = f"phong-{transport}"
    peer_transport = {"udp": "u1", "tcp": "t1"}[transport]
    async with (
        held(daemon) as found,
        sipp.started(tmp_path, "uas", None, transport=peer_transport, options={"p": port}) as peer,
    ):
        before = await daemon.counted("messages_total", direction="sent", what="ACK")
        await add_sip_bridge(found, room, f"sip:room@127.0.0.1:{port};transport={transport}")
        await said(daemon, "sent", "ACK", before + 1)
        await daemon.call("DELETE", f"{found.path}/participants/{room}")
        await peer.done()
