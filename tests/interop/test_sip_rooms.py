"""Hardware rooms with the real daemon: baresip calls, is called, is lost and returns."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mcu.rooms.waiting_tone import NOTES_HZ
from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import meeting
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.sip_wire import udp_peer
from tests.peers.waiting import until, until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
    pytest.mark.skipif(not baresip.is_installed(), reason="baresip is not installed"),
]

WEB_HZ, PHONE_HZ = 440, 1_000
HEARD_DB, FAINT_DB = -40.0, -50.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    async with SipDaemon(tmp_path_factory.mktemp("sip") / "data") as daemon:
        yield daemon


def account(daemon: SipDaemon, user: str, secret: str, *more: str) -> str:
    parameters = ";".join((f"auth_pass={secret}", "answermode=auto", *more))
    return f"sip:{user}@127.0.0.1:{daemon.sip_port};transport=udp>;{parameters}"


async def hears(phone: Baresip, hz: float) -> None:
    await until(lambda: phone.heard_db(hz) > HEARD_DB, 0.1)


def state_of(roster: Mapping[str, Any], who: str) -> tuple[str, str | None]:
    return roster[who]["state"], roster[who]["call_failure"]


@pytest.mark.parametrize(
    ("name", "modules", "media", "transport"),
    [
        ("pcmu", ("g711",), "", "udp"),
        ("opus", ("opus",), "", "tcp"),
        ("g722-sdes", ("g722", "srtp"), "mediaenc=srtp-mand", "udp"),
        ("opus-dtls", ("opus", "dtls_srtp"), "mediaenc=dtls_srtp", "udp"),
        ("opus-ice-dtls", ("opus", "dtls_srtp", "ice"), "mediaenc=dtls_srtp;medianat=ice", "udp"),
        ("g722-mux-sdes", ("g722", "srtp"), "mediaenc=srtp-mand", "tcp"),
    ],
)
async def test_it_dials_in_and_both_hear_each_other(
    daemon: SipDaemon,
    tmp_path: Path,
    name: str,
    modules: tuple[str, ...],
    media: str,
    transport: str,
) -> None:
    room = f"phong-{name}"
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {f"web-{name}": "Web"}))
        secret = await add_sip_bridge(held, room)
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens[f"web-{name}"], tone_hz=WEB_HZ, decodes=True)
        who = account(daemon, room, secret, "regint=0", *([media] if media else []))
        phone = Baresip(
            tmp_path,
            who.replace("udp", transport),
            tone_hz=PHONE_HZ,
            modules=modules,
            settings=("rtcp_mux yes",) if "mux" in name else (),
        )
        await stack.enter_async_context(phone)
        await phone.do("dial", f"sip:{held.id}@127.0.0.1:{daemon.sip_port}")
        await phone.until("CALL_ESTABLISHED")
        roster = await held.until_roster(lambda found: found[room]["state"] == "connected")
        await hears(phone, WEB_HZ)
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        statistics = await held.leg(roster[room]["legs"][0])
        assert statistics["received"]["audio"]["packets"] > 0
        assert (statistics["srtp_profile"] is not None) == bool(media)
        trace = await daemon.call("GET", f"{held.path}/participants/{room}/sip-trace")
        lines = [entry["summary"] for entry in trace["items"]]
        assert "INVITE" in lines
        assert "200 OK (INVITE)" in lines
        assert secret not in str(trace)
        answer = next(one for one in trace["items"] if one["summary"] == "200 OK (INVITE)")
        assert ("a=ice-lite" in answer["text"]) == ("medianat=ice" in media)
        assert ("a=rtcp-mux" in answer["text"]) == ("mux" in name)
        # The room hangs up: it has left, and is not called back.
        await phone.do("hangup")
        await held.until_roster(lambda found: found[room]["state"] == "left")


async def test_it_is_called_lost_and_called_again(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web-out": "Web"}))
        secret = await add_sip_bridge(held, "phong-out")
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web-out"], tone_hz=WEB_HZ, decodes=True)
        # Nobody knows yet where it is.
        assert state_of(await held.roster(), "phong-out") == ("expected", "no_address")
        who = account(daemon, "phong-out", secret, "regint=60")
        phone = Baresip(tmp_path, who, tone_hz=PHONE_HZ)
        await stack.enter_async_context(phone)
        await held.until_states(phong_out="connected")
        await hears(phone, WEB_HZ)
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        await phone.kill()
        await held.until_states(phong_out="lost")
        # Called again at the place where it was, and nobody is there.
        await held.until_roster(
            lambda found: state_of(found, "phong-out")[0] in ("left", "calling")
        )
        await phone.start()
        await held.until_states(phong_out="connected")
        web.forget_heard()
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)


async def test_a_web_room_of_a_running_conference_becomes_a_hardware_room(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"phong-moi": "Mới"}))
        await daemon.call("PATCH", "/bridges/phong-moi", {"kind": "sip"})
        found = await daemon.call("POST", "/bridges/phong-moi/sip-secret", {})
        phone = Baresip(tmp_path, account(daemon, "phong-moi", found["secret"], "regint=60"))
        await stack.enter_async_context(phone)
        await held.until_states(phong_moi="connected")


async def test_a_room_of_a_running_conference_gets_an_address(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}))
        await add_sip_bridge(held, "phong-dc")
        phone = Baresip(tmp_path, "sip:codec@127.0.0.1>;regint=0;answermode=auto")
        await stack.enter_async_context(phone)
        address = f"sip:codec@127.0.0.1:{phone.port}"
        await daemon.call("PATCH", "/bridges/phong-dc", {"address": address})
        await held.until_states(phong_dc="connected")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_room_that_registered_by_ipv6_is_called_with_addresses_of_ipv6(
    tmp_path: Path, transport: str
) -> None:
    async with AsyncExitStack() as stack:
        daemon = SipDaemon(tmp_path / "data", MCU_SIP__HOST="::")
        await stack.enter_async_context(daemon)
        held = await stack.enter_async_context(meeting(daemon, {}))
        secret = await add_sip_bridge(held, "phong-6")
        who = account(daemon, "phong-6", secret, "regint=60").replace("udp", transport)
        phone = Baresip(tmp_path / "room", who.replace("127.0.0.1", "[::1]"), listen="::1")
        await stack.enter_async_context(phone)
        await held.until_states(phong_6="connected")


async def test_a_bare_address_is_called(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}))
        phone = Baresip(tmp_path, "sip:codec@127.0.0.1>;regint=0;answermode=auto")
        await stack.enter_async_context(phone)
        body = {"address": f"codec@127.0.0.1:{phone.port}", "name": "Bộ Y tế"}
        guest = (await daemon.call("POST", f"{held.path}/participants", body))["id"]
        await held.until_roster(lambda found: found[guest]["state"] == "connected")
        await phone.do("hangup")
        await held.until_roster(lambda found: found[guest]["state"] == "left")
        assert (await daemon.call("POST", f"{held.path}/participants", body))["id"] == guest
        await held.until_roster(lambda found: found[guest]["state"] == "connected")


async def test_an_operator_disconnects_it_and_ends_the_conference(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}))
        secret = await add_sip_bridge(held, "phong-op")
        phone = Baresip(tmp_path, account(daemon, "phong-op", secret, "regint=60"))
        await stack.enter_async_context(phone)
        roster = await held.until_roster(lambda found: found["phong-op"]["state"] == "connected")
        await daemon.call("DELETE", f"/legs/{roster['phong-op']['legs'][0]}")
        await phone.until("CALL_CLOSED")
        assert 'Reason: SIP;cause=403;text="Disconnected by the operator"' in phone.log
        assert (await held.roster())["phong-op"]["state"] == "left"
        # Called in once more, and put on the roster anew, it is called again.
        await daemon.call("POST", f"{held.path}/participants", {"bridge": "phong-op"})
        await held.until_states(phong_op="connected")
        await daemon.call("DELETE", f"{held.path}/participants/phong-op")
        await daemon.call("POST", f"{held.path}/participants", {"bridge": "phong-op"})
        await held.until_states(phong_op="connected")
        before = len(phone.events)
        await daemon.call("DELETE", held.path)
        await phone.until("CALL_CLOSED", after=before)
        assert 'Reason: SIP;cause=410;text="The conference has ended"' in phone.log


async def test_hold_and_resume(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web-hold": "Web"}))
        secret = await add_sip_bridge(held, "phong-hold")
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web-hold"], tone_hz=WEB_HZ, decodes=True)
        phone = Baresip(
            tmp_path, account(daemon, "phong-hold", secret, "regint=60"), tone_hz=PHONE_HZ
        )
        await stack.enter_async_context(phone)
        await held.until_states(phong_hold="connected")
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        await phone.do("hold")
        await until(lambda: web.heard_db(PHONE_HZ) < 10, 0.05)
        await held.until_roster(lambda found: found["phong-hold"]["quality"]["on_hold"])
        # Silent for longer than a lost room may be, and yet not lost.
        for _ in range(3):
            web.forget_heard()
            await until(lambda: web.heard_db(WEB_HZ) > -120, 0.05)
            assert (await held.roster())["phong-hold"]["state"] == "connected"
        await phone.do("resume")
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        await hears(phone, WEB_HZ)
        await held.until_roster(lambda found: not found["phong-hold"]["quality"]["on_hold"])


async def test_a_guest_enters_a_pin(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web-pin": "Web"}, pin="2468"))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web-pin"], tone_hz=WEB_HZ, decodes=True)
        who = f"sip:guest@127.0.0.1:{daemon.sip_port};transport=udp>;regint=0"
        phone = Baresip(tmp_path, who, tone_hz=PHONE_HZ)
        await stack.enter_async_context(phone)
        await phone.do("dial", f"sip:{held.id}@127.0.0.1:{daemon.sip_port}")
        await phone.until("CALL_ESTABLISHED")
        await phone.press("1111")
        assert list(await held.roster()) == ["web-pin"]
        await phone.press("2468")
        roster = await held.until_roster(lambda found: len(found) == 2)
        guest = next(who for who in roster if who != "web-pin")
        assert roster[guest]["name"] == f"guest@127.0.0.1:{daemon.sip_port}"
        await held.until_states(**{guest: "connected"})
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        trace = await daemon.call("GET", f"{held.path}/participants/{guest}/sip-trace")
        assert trace["items"]


async def test_a_guest_of_a_locked_conference_waits_until_it_is_let_in(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web-lock": "Web"}, pin="2468"))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web-lock"], tone_hz=WEB_HZ, decodes=True)
        await held.until_states(web_lock="connected")
        await daemon.call("PUT", f"{held.path}/lock")
        who = f"sip:guest@127.0.0.1:{daemon.sip_port};transport=udp>;regint=0"
        phone = Baresip(tmp_path, who, tone_hz=PHONE_HZ)
        await stack.enter_async_context(phone)
        await phone.do("dial", f"sip:{held.id}@127.0.0.1:{daemon.sip_port}")
        await phone.until("CALL_ESTABLISHED")
        await phone.press("2468")
        roster = await held.until_roster(lambda found: len(found) == 2)
        guest = next(who for who in roster if who != "web-lock")
        roster = await held.until_states(**{guest: "connected"})
        assert roster[guest]["waiting"]
        await hears(phone, NOTES_HZ[0])
        # Between the notes there is nothing; what is heard goes on all the time.
        await until(lambda: phone.heard_db(WEB_HZ) < FAINT_DB, 0.05)
        assert web.heard_db(PHONE_HZ) < 10
        await daemon.call("POST", f"{held.path}/waiting/admit", {"participant": guest})
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        await hears(phone, WEB_HZ)


async def test_without_a_pin_no_guest_comes_in(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}))
        who = f"sip:guest@127.0.0.1:{daemon.sip_port};transport=udp>;regint=0"
        phone = await stack.enter_async_context(Baresip(tmp_path, who))
        await phone.do("dial", f"sip:{held.id}@127.0.0.1:{daemon.sip_port}")
        closed = await phone.until("CALL_CLOSED")
        assert closed["param"].startswith("403 ")
        before = len(phone.events)
        await phone.do("dial", f"sip:nobody@127.0.0.1:{daemon.sip_port}")
        closed = await phone.until("CALL_CLOSED", after=before)
        assert closed["param"].startswith("404 ")


async def test_why_it_does_not_come_stands_in_the_roster(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}))
        silent = await stack.enter_async_context(udp_peer())
        async with udp_peer() as gone:
            closed = gone.port
        addresses = {
            "busy": f"sip:486@127.0.0.1:{silent.port}",
            "refused": f"sip:603@127.0.0.1:{silent.port}",
            "not_found": f"sip:404@127.0.0.1:{silent.port}",
            "not_acceptable": f"sip:488@127.0.0.1:{silent.port}",
            "no_answer": f"sip:180@127.0.0.1:{silent.port}",
            "unreachable": f"sip:room@127.0.0.1:{closed};transport=tcp",
        }
        for reason, address in addresses.items():
            await add_sip_bridge(held, reason, address)

        async def answer() -> None:
            while True:
                data, source = await silent.received.get()
                text = data.decode()
                method, uri = text.split(" ")[:2]
                if method == "INVITE":
                    code = uri.removeprefix("sip:").partition("@")[0]
                    silent.transport.sendto(response(text, int(code)), source)
                elif method == "CANCEL":
                    silent.transport.sendto(response(text, 200), source)
                    silent.transport.sendto(response(text, 487, "INVITE"), source)

        answering = asyncio.create_task(answer())
        try:
            await until_read(
                held.roster,
                lambda found: all(found[reason]["call_failure"] == reason for reason in addresses),
            )
            # They are called again and again.
            before = (await daemon.metrics())['mcu_sip_calls_total{direction="out"}']

            async def calls() -> float:
                return (await daemon.metrics())['mcu_sip_calls_total{direction="out"}']

            await until_read(calls, lambda now: now > before + 3)
            metrics = await daemon.metrics()
            assert metrics['mcu_sip_call_results_total{cause="busy"}'] >= 1
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


def response(request: str, code: int, method: str = "") -> bytes:
    """An answer with the fields of the request, with a tag."""
    lines = request.partition("\r\n\r\n")[0].split("\r\n")
    kept = [one for one in lines if one.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
    if method:
        kept = [one.replace("CANCEL", method) for one in kept]
    to = next(one for one in lines if one.startswith("To:"))
    tagged = to if ";tag=" in to else f"{to};tag=far"
    contact = "Contact: <sip:room@127.0.0.1>"
    head = [f"SIP/2.0 {code} Answer", *kept, tagged, contact, "Content-Length: 0", "", ""]
    return "\r\n".join(head).encode()


async def test_a_daemon_that_was_restarted_calls_it_again(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(SipDaemon(tmp_path / "data"))
        held = await stack.enter_async_context(meeting(daemon, {}))
        secret = await add_sip_bridge(held, "phong-again")
        phone = Baresip(tmp_path / "phone", account(daemon, "phong-again", secret, "regint=60"))
        await stack.enter_async_context(phone)
        roster = await held.until_roster(lambda found: found["phong-again"]["state"] == "connected")
        first = roster["phong-again"]["legs"]

        status = await until_read(
            lambda: daemon.call("GET", "/bridges/phong-again"),
            lambda bridge: bridge["sip"]["registered"],
        )
        assert status["sip"]["contacts"][0]["transport"] == "udp"
        await daemon.stop()
        await daemon.start()
        roster = await held.until_roster(
            lambda found: (
                found["phong-again"]["state"] == "connected"
                and found["phong-again"]["legs"] != first
            )
        )
        assert 'Reason: SIP;cause=503;text="The server is stopping"' in phone.log
