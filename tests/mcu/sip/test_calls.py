"""Calls, the roster and the legs, against a telephone on loopback."""

import asyncio
import base64
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from mcu.conference.commands import (
    AdmitWaiting,
    EndConference,
    Lock,
    NoteJoined,
    RefuseWaiting,
    RemoveParticipant,
)
from mcu.conference.convening_model import RetryConvening, StartConvening, StopConvening
from mcu.conference.floor_model import GrantFloor
from mcu.sip.accounts import CallTarget
from mcu.sip.arrivals import (
    MANY_WAIT_S,
    MAX_CALLS_OF_ACCOUNT,
    MAX_GUESTS_OF_SOURCE,
    Arrivals,
)
from mcu.sip.endings import goodbye
from signalling.sip import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallReceived,
    Event,
    MediaAnswered,
    MediaRefused,
    Reason,
    SipStatistics,
)
from tests.peers.sip_stage import ACTOR, CERTIFICATE, Stage, description, stage
from tests.peers.sip_wire import Room, of_call, port_of, tcp_peer
from tests.peers.waiting import until as until_every

T = TypeVar("T")
LOOK_EVERY_S = 0.01


async def until(condition: Callable[[], bool]) -> None:
    """Leave the loop free meanwhile: there is a store behind it."""
    await until_every(condition, LOOK_EVERY_S)


def last(room: Room, kind: type[T]) -> T:
    return [event for event in room.events if isinstance(event, kind)][-1]


async def told(room: Room, kind: type[T], count: int = 1) -> T:
    """The ``count``-th event of a kind, when it is there."""
    await room.until(lambda events: sum(isinstance(one, kind) for one in events) >= count)
    return last(room, kind)


async def joined(found: Stage, conference: str, count: int = 1) -> None:
    await until(lambda: list(found.states(conference).values()).count("connected") == count)


def guests(found: Stage, conference: str) -> list[str]:
    return [who for who in found.states(conference) if who.startswith("guest-")]


# Who calls


async def test_who_cancels_in_the_same_breath_leaves_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with tcp_peer(port_of(found.endpoint, "tcp")) as peer:
            peer.write(of_call("INVITE", conference) + of_call("CANCEL", conference))
            starts = {(await peer.message()).partition(b"\r\n")[0] for _ in range(3)}
            assert b"SIP/2.0 487 Request Terminated" in starts
            peer.write(of_call("ACK", conference))
            await until(lambda: not len(found.calls))
        assert not found.acceptor.legs
        assert not guests(found, conference)


async def test_one_source_of_guests_does_not_take_all_places(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start("b1")
        for _ in range(MAX_GUESTS_OF_SOURCE):
            found.dial(conference)
        await told(found.room, CallAnswered, MAX_GUESTS_OF_SOURCE)
        refused = found.dial(conference)
        ended = await told(found.room, CallEnded)
        assert (ended.call, ended.code, ended.retry_after_s) == (refused, 503, MANY_WAIT_S)
        # A room that is called has its place, and the next guest when one has gone.
        found.directory.targets["b1"] = (found.telephone(),)
        found.calls.call_again(conference, "b1")
        await until(lambda: found.states(conference)["b1"] == "connected")
        answered = next(one for one in found.room.events if isinstance(one, CallAnswered))
        found.phone.do(lambda agent, now: agent.hang_up(answered.call, now))
        await until(lambda: "left" in found.states(conference).values())
        found.dial(conference)
        await told(found.room, CallAnswered, MAX_GUESTS_OF_SOURCE + 1)


async def test_one_account_does_not_take_all_places_while_it_waits_for_a_pin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Arrivals.take

    async def signed(self: Arrivals, event: CallReceived) -> None:
        await take(self, replace(event, identity="b1"))

    monkeypatch.setattr(Arrivals, "take", signed)
    async with stage(tmp_path) as found:
        conference = await found.start(pin="4711")
        for _ in range(MAX_CALLS_OF_ACCOUNT):
            found.dial(conference)
        await told(found.room, CallAnswered, MAX_CALLS_OF_ACCOUNT)
        assert not found.states(conference), "all of them wait"
        refused = found.dial(conference)
        ended = await told(found.room, CallEnded)
        assert (ended.call, ended.code, ended.retry_after_s) == (refused, 503, MANY_WAIT_S)
        # Others are not meant, and the account may call again once one of its calls has ended.
        monkeypatch.setattr(Arrivals, "take", take)
        found.dial(conference)
        await told(found.room, CallAnswered, MAX_CALLS_OF_ACCOUNT + 1)
        monkeypatch.setattr(Arrivals, "take", signed)
        answered = next(one for one in found.room.events if isinstance(one, CallAnswered))
        before = len(found.calls)
        found.phone.do(lambda agent, now: agent.hang_up(answered.call, now))
        await until(lambda: len(found.calls) < before)
        found.dial(conference)
        await told(found.room, CallAnswered, MAX_CALLS_OF_ACCOUNT + 2)


async def test_a_guest_comes_in_and_goes(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        call = found.dial(conference)
        await told(found.room, CallAnswered)
        await joined(found, conference)
        (guest,) = guests(found, conference)
        assert found.conferences.get(conference).participants[guest].name == "Phòng họp"
        assert len(found.engine.conferences[conference].legs) == 1
        assert [entry.summary for entry in found.calls.trace(conference, guest) or ()][:1] == [
            "INVITE"
        ]
        found.phone.do(lambda agent, now: agent.hang_up(call, now))
        await until(lambda: found.states(conference)[guest] == "left")
        assert not found.acceptor.legs
        assert not len(found.calls)


@pytest.mark.parametrize(
    ("user", "sip", "code"),
    [
        ("nowhere", {}, 404),
        ("here", {"guests": "refused"}, 403),
        ("here", {"guests": "with_pin"}, 403),
    ],
)
async def test_who_may_not_come_in(
    tmp_path: Path, user: str, sip: dict[str, str], code: int
) -> None:
    async with stage(tmp_path, **sip) as found:
        await found.start(id="here")
        found.dial(user)
        assert (await told(found.room, CallEnded)).code == code
        assert found.states("here") == {}


async def test_who_calls_a_locked_conference_waits_until_it_is_let_in(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        await found.conferences.execute(conference, Lock(), ACTOR)
        found.dial(conference)
        await joined(found, conference)
        (guest,) = guests(found, conference)
        media = found.engine.conferences[conference]
        assert found.conferences.participant(conference, guest).waiting
        assert media.waiting == {guest}
        await found.conferences.execute(conference, AdmitWaiting(guest), ACTOR)
        assert not found.conferences.participant(conference, guest).waiting
        assert media.waiting == set()


async def test_who_waits_and_is_refused_is_hung_up(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        await found.conferences.execute(conference, Lock(), ACTOR)
        found.dial(conference)
        await joined(found, conference)
        await found.conferences.execute(conference, RefuseWaiting(), ACTOR)
        assert (await told(found.room, CallEnded)).reason == goodbye("disconnected")
        assert found.states(conference) == {}


async def test_a_full_server_says_when_to_come_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        found.load.full = True
        found.dial(conference)
        ended = await told(found.room, CallEnded)
        assert (ended.code, ended.retry_after_s) == (503, 7)
        assert found.states(conference) == {}


@pytest.mark.parametrize("offer", [b"nonsense", description(40_000).replace(b"8 101", b"4")])
async def test_an_offer_that_cannot_be_used(tmp_path: Path, offer: bytes) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        found.dial(conference, offer)
        assert (await told(found.room, CallEnded)).code == 488
        assert found.states(conference) == {}
        assert not found.acceptor.legs


async def test_who_wants_our_offer_gets_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        call = found.dial(conference, late=True)
        answered = await told(found.room, CallAnswered)
        assert b"m=audio" in answered.sdp
        assert b"m=video" in answered.sdp
        answer = description().replace(b"RTP/AVP 8 101", b"RTP/AVP 8") + b"m=video 0 RTP/AVP 99\r\n"
        found.phone.do(lambda agent, now: agent.confirm(call, answer, now))
        await joined(found, conference)


async def test_an_answer_that_cannot_be_used_leaves_no_guest(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        call = found.dial(conference, late=True)
        await told(found.room, CallAnswered)
        found.phone.do(lambda agent, now: agent.confirm(call, b"nonsense", now))
        ended = await told(found.room, CallEnded)
        assert ended.reason is not None
        assert ended.reason.cause == 488
        await until(lambda: found.states(conference) == {})


# PIN


async def pressed(found: Stage, call: str, keys: str) -> None:
    """Press keys by INFO, one after the other."""
    for key in keys:
        before = found.endpoint.agent.statistics.messages["received INFO"]
        found.phone.do(lambda agent, now, key=key: agent.press(call, key, now))
        await until(lambda: received(found.endpoint.agent.statistics) > before)  # noqa: B023


def received(statistics: SipStatistics) -> int:
    return statistics.messages["received INFO"]


async def test_the_right_pin_lets_in(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start(pin="2468")
        call = found.dial(conference)
        await told(found.room, CallAnswered)
        (caller,) = found.calls.callers(conference)
        source = f"127.0.0.1:{port_of(found.phone, 'udp')}"
        assert (caller.source, caller.bridge, caller.tries_left) == (source, None, 3)
        assert found.calls.callers("elsewhere") == []
        await pressed(found, call, "1111")
        assert [one.tries_left for one in found.calls.callers(conference)] == [2]
        await pressed(found, call, "2*2468")
        await joined(found, conference)
        assert found.calls.callers(conference) == []


async def test_a_pin_that_was_dialled_is_tried(tmp_path: Path) -> None:
    plan = ({"pattern": "9{number}*{pin}", "conference": "{number}"},)
    async with stage(tmp_path, dial_plan=plan) as found:
        conference = await found.start(pin="2468", number="77")
        found.dial("977*2468")
        await joined(found, conference)


async def test_wrong_pins_are_sent_away(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start(pin="2468")
        call = found.dial(conference)
        await told(found.room, CallAnswered)
        with capture_logs() as lines:
            (caller,) = found.calls.callers(conference)
            await pressed(found, call, "0000#111122#")
            ended = await told(found.room, CallEnded)
            await until(lambda: not found.acceptor.legs)
        assert ended.reason is not None
        assert (ended.reason.cause, ended.reason.text) == (403, "wrong PIN")
        assert found.states(conference) == {}
        assert found.calls.callers(conference) == []
        source = f"127.0.0.1:{port_of(found.phone, 'udp')}"
        (away,) = [line for line in lines if line["event"] == "caller_sent_away"]
        assert away == {
            "event": "caller_sent_away", "log_level": "info", "conference": conference,
            "call": caller.call, "call_id": caller.call_id, "caller": "sip:guest@127.0.0.1",
            "account": None, "source": f"udp:{source}", "code": 403, "reason": "wrong PIN",
            "target": f"sip:{conference}@127.0.0.1:{port_of(found.endpoint, 'udp')}",
        }  # fmt: skip
        assert caller.source == source
        # Who looks for the fault finds what was said, also now that it is gone.
        said = found.calls.caller_trace(conference, caller.call) or ()
        assert said[0].summary == "INVITE"
        assert f"Call-ID: {caller.call_id}" in said[0].text
        assert "BYE" in [entry.summary for entry in said]
        assert found.calls.caller_trace("another", caller.call) is None
        (left,) = [line for line in lines if line["event"] == "leg_left"]
        assert (left["log_level"], left["reason"]) == ("info", "wrong PIN")


async def test_a_pin_that_was_dialled_wrong_stands_in_no_log(tmp_path: Path) -> None:
    rule = {"pattern": "9{number}*{pin}", "conference": "{number}"}
    async with stage(tmp_path, dial_plan=(rule,)) as found:
        await found.start(pin="2468", number="77")
        call = found.dial("977*2469")
        await told(found.room, CallAnswered)
        with capture_logs() as lines:
            await pressed(found, call, "0000#111122#")
            await told(found.room, CallEnded)
        (away,) = [line for line in lines if line["event"] == "caller_sent_away"]
        assert away["target"].startswith("sip:977****@")


# The floor


async def test_a_room_asks_for_the_floor_by_its_keys(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start(pin="2468")
        call = found.dial(conference)
        await told(found.room, CallAnswered)
        await pressed(found, call, "2468")
        await joined(found, conference)
        (guest,) = guests(found, conference)

        def waiting() -> list[str]:
            floor = found.conferences.get(conference).floor
            return [each.participant for each in floor.requests]

        await pressed(found, call, "*1")
        await until(lambda: waiting() == [guest])
        await pressed(found, call, "*0")
        await until(lambda: waiting() == [])
        await found.conferences.execute(conference, GrantFloor(guest), ACTOR)
        await pressed(found, call, "*0")
        await until(lambda: found.conferences.get(conference).floor.holder is None)


# Changes within a call


async def test_other_media_are_answered_and_bad_ones_change_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        call = found.dial(conference)
        await joined(found, conference)
        hold = description(40_000, "a=sendonly").replace(b"1 1 IN", b"1 2 IN")
        found.phone.do(lambda agent, now: agent.change_media(call, hold, now))
        answer = await told(found.room, MediaAnswered)
        assert b"a=recvonly" in answer.sdp
        (leg,) = found.acceptor.legs.values()
        assert leg.agreed.flows[0].held
        found.phone.do(lambda agent, now: agent.change_media(call, b"nonsense", now))
        assert (await told(found.room, MediaRefused)).code == 488
        assert list(found.states(conference).values()) == ["connected"]


async def test_our_offer_is_asked_for_in_a_call(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        call = found.dial(conference)
        await joined(found, conference)
        found.phone.do(lambda agent, now: agent.change_media(call, None, now))
        await until(lambda: found.endpoint.agent.statistics.messages["received INVITE"] == 2)
        assert list(found.states(conference).values()) == ["connected"]


# Whom we call


async def test_a_room_is_called_and_rests_once_it_has_hung_up(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1", "web")
        received = await told(found.room, CallReceived)
        assert received.name == "Họp"
        await until(lambda: found.states(conference) == {"b1": "connected", "web": "expected"})
        found.phone.do(lambda agent, now: agent.hang_up(received.call, now))
        await until(lambda: found.states(conference)["b1"] == "left")
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert found.endpoint.agent.statistics.calls["out"] == 1
        found.calls.call_again(conference, "b1")
        await until(lambda: found.states(conference)["b1"] == "connected")


async def test_a_room_that_was_lost_is_called_again(tmp_path: Path) -> None:
    async with stage(tmp_path, lost_for_s=0.0) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await joined(found, conference)
        (leg,) = found.acceptor.legs.values()
        leg.close("timeout", asyncio.get_running_loop().time())
        ended = await told(found.room, CallEnded)
        assert ended.reason is not None
        assert ended.reason.cause == 408
        await told(found.room, CallReceived, 2)
        await joined(found, conference)


async def test_who_is_busy_is_called_again_and_again(tmp_path: Path) -> None:
    async with stage(tmp_path, Room(refuse=486)) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await told(found.room, CallReceived, 3)
        await until(
            lambda: found.conferences.get(conference).participants["b1"].call_failure == "busy"
        )
        found.room.refuse = 0
        found.room.answer = description()
        await joined(found, conference)
        assert found.conferences.get(conference).participants["b1"].call_failure is None


async def test_an_answer_of_no_use_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path, Room(answer=b"nonsense")) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await until(
            lambda: (
                found.conferences.get(conference).participants["b1"].call_failure
                == "not_acceptable"
            )
        )
        ended = await told(found.room, CallEnded)
        assert ended.reason is not None
        assert ended.reason.cause == 488


class Insisting(Room):
    """Refuses offers that do not name its own protection, and answers those that do."""

    def __init__(self, protocol: str, lines: tuple[str, ...]) -> None:
        super().__init__()
        self._protocol = protocol
        answered = description(40_000, *lines).replace(b"RTP/AVP", protocol.encode())
        self.answer = answered
        self.offered: list[str] = []
        self.always_answers = False

    def __call__(self, event: Event, now: float) -> None:
        if isinstance(event, CallReceived):
            self.offered.append((event.sdp or b"").decode().split("m=audio ")[1].split(" ")[1])
            takes = self.always_answers or self.offered[-1] == self._protocol
            self.refuse = 0 if takes else 488
            count = (event.sdp or b"").count(b"\r\nm=") - 1
            self.answer = self.answer.split(b"m=video", 1)[0]
            self.answer += b"m=video 0 RTP/AVP 97\r\n" * (count - 1)
            self.answer += b"m=application 0 UDP/BFCP *\r\n"
        super().__call__(event, now)


KEYS = "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" + base64.b64encode(bytes(30)).decode()
FINGERPRINT = f"a=fingerprint:{CERTIFICATE.fingerprint}"


@pytest.mark.parametrize(
    ("protocol", "lines", "plain", "offered"),
    [
        ("RTP/SAVP", (KEYS,), "allowed", ["RTP/AVP", "RTP/SAVP"]),
        ("RTP/SAVP", (KEYS,), "refused", ["RTP/SAVP"]),
        (
            "UDP/TLS/RTP/SAVP",
            (FINGERPRINT, "a=setup:active"),
            "allowed",
            ["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVP"],
        ),
    ],
)
async def test_what_a_room_insists_on_is_found_and_remembered(
    tmp_path: Path, protocol: str, lines: tuple[str, ...], plain: str, offered: list[str]
) -> None:
    room = Insisting(protocol, lines)
    async with stage(tmp_path, room, plain_rtp=plain) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await told(found.room, CallConfirmed)
        assert room.offered == offered
        (leg,) = found.acceptor.legs.values()
        assert {type(flow.security).__name__ for flow in leg.agreed.flows} == {
            "Sdes" if lines == (KEYS,) else "Dtls"
        }
        # Called once more, it is offered at once what it took.
        found.phone.do(lambda agent, now: agent.hang_up(last(room, CallReceived).call, now))
        await until(lambda: not found.acceptor.legs)
        found.calls.call_again(conference, "b1")
        await told(found.room, CallConfirmed, 2)
        assert room.offered == [*offered, protocol]


async def test_who_answers_what_was_not_offered_is_offered_something_else(tmp_path: Path) -> None:
    room = Insisting("RTP/AVP", ())
    room.answer = description(40_000, FINGERPRINT, "a=setup:active").replace(
        b"RTP/AVP", b"UDP/TLS/RTP/SAVP"
    )
    async with stage(tmp_path, room) as found:
        room.always_answers = True
        found.directory.targets["b1"] = (found.telephone(),)
        await found.start("b1")
        await until(lambda: bool(found.acceptor.legs))
        assert room.offered == ["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVP"]


async def test_who_refuses_every_protection_is_not_acceptable(tmp_path: Path) -> None:
    room = Insisting("none", ())
    async with stage(tmp_path, room) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await until(
            lambda: (
                found.conferences.get(conference).participants["b1"].call_failure
                == "not_acceptable"
            )
        )
        assert room.offered[:3] == ["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVP"]


class Ringing(Room):
    """Rings, and never answers."""

    def __call__(self, event: object, now: float) -> None:
        self.events.append(event)  # type: ignore[arg-type]
        self.changed.set()
        if isinstance(event, CallReceived) and self.endpoint is not None:
            self.endpoint.agent.ring(event.call, now)


async def test_whoever_is_removed_while_it_rings_is_called_no_more(tmp_path: Path) -> None:
    async with stage(tmp_path, Ringing()) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await told(found.room, CallReceived)
        assert found.states(conference) == {"b1": "calling"}
        await found.conferences.execute(conference, RemoveParticipant("b1"), ACTOR)
        ended = await told(found.room, CallEnded)
        assert (ended.cause, ended.reason) == ("cancelled", goodbye("disconnected"))
        await until(lambda: not len(found.calls))


async def test_rooms_that_are_convened_are_called_in_turn(tmp_path: Path) -> None:
    async with stage(tmp_path, Room(refuse=486)) as found:
        found.directory.targets = dict.fromkeys(("b1", "b2"), (found.telephone(),))
        conference = await found.start("b1", "b2", calls_when_convened=True)
        for _ in range(20):
            await asyncio.sleep(0)
        assert found.states(conference) == {"b1": "expected", "b2": "expected"}
        await found.conferences.execute(conference, StartConvening(at_once=1), ACTOR)
        await told(found.room, CallReceived, 2)

        def causes() -> list[str | None]:
            convening = found.conferences.get(conference).convening
            return [room.failure for room in convening.rooms] if convening else []

        await until(lambda: causes() == ["busy", "busy"])
        assert found.endpoint.agent.statistics.calls["out"] == 2, "the pause is the convening's"
        found.room.refuse = 0
        found.room.answer = description()
        await found.conferences.execute(conference, RetryConvening(), ACTOR)
        await joined(found, conference, 2)
        convening = found.conferences.get(conference).convening
        assert convening is not None
        assert [each.percent for each in convening.milestones] == [50, 90, 100]


async def test_who_rings_is_let_go_when_convening_is_stopped(tmp_path: Path) -> None:
    async with stage(tmp_path, Ringing()) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1", calls_when_convened=True)
        await found.conferences.execute(conference, StartConvening(), ACTOR)
        await told(found.room, CallReceived)
        await found.conferences.execute(conference, StopConvening("b1"), ACTOR)
        ended = await told(found.room, CallEnded)
        assert (ended.cause, ended.reason) == ("cancelled", goodbye("disconnected"))
        await until(lambda: found.states(conference) == {"b1": "expected"})
        found.calls.call_again(conference, "b1")
        await told(found.room, CallReceived, 2)  # an operator wants this one nevertheless


async def test_who_came_by_itself_is_called_no_more(tmp_path: Path) -> None:
    async with stage(tmp_path, Ringing()) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await told(found.room, CallReceived)
        found.conferences.note(conference, NoteJoined("b1", "leg-web"))
        assert (await told(found.room, CallEnded)).cause == "cancelled"
        assert found.states(conference) == {"b1": "connected"}


async def test_a_room_that_becomes_reachable_while_it_is_expected_is_called(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start("b1", "web")
        for bridge in ("b1", "web"):  # without a target: a web room, or registered nowhere
            found.directory.targets[bridge] = (found.telephone(),)
            found.calls.bridge_changed(bridge)
            await until(lambda bridge=bridge: found.states(conference)[bridge] == "connected")


async def test_a_changed_record_of_a_room_that_is_here_or_nowhere_changes_nothing(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await joined(found, conference)
        found.calls.bridge_changed("b1")
        found.calls.bridge_changed("b2")
        await until(lambda: not found.endpoint.waiting)
        assert found.endpoint.agent.statistics.calls["out"] == 1
        assert found.states(conference) == {"b1": "connected"}


# A bare address


async def called_guest(found: Stage, conference: str, address: str = "") -> str:
    address = address or found.telephone().uri
    guest = await found.conferences.add_guest(conference, "Khách", ACTOR, address=address)
    return guest.id


async def test_a_guest_is_called_by_its_address_and_rests_once_it_has_hung_up(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        guest = await called_guest(found, conference)
        received = await told(found.room, CallReceived)
        await joined(found, conference)
        found.phone.do(lambda agent, now: agent.hang_up(received.call, now))
        await until(lambda: found.states(conference)[guest] == "left")
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert found.endpoint.agent.statistics.calls["out"] == 1
        found.calls.call_again(conference, guest)
        await joined(found, conference)


async def test_a_guest_that_is_busy_stays_on_the_roster_and_is_called_again(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, Room(refuse=486)) as found:
        conference = await found.start()
        guest = await called_guest(found, conference)
        await told(found.room, CallReceived, 2)
        await until(
            lambda: found.conferences.get(conference).participants[guest].call_failure == "busy"
        )
        found.room.refuse, found.room.answer = 0, description()
        await joined(found, conference)
        await found.conferences.execute(conference, RemoveParticipant(guest), ACTOR)
        await told(found.room, CallEnded)
        await until(lambda: not len(found.calls))


async def test_who_is_removed_is_told_why_and_its_ladder_stays(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        found.dial(conference)
        await joined(found, conference)
        (guest,) = guests(found, conference)
        command = RemoveParticipant(guest, "Nhầm phòng")
        await found.conferences.execute(conference, command, ACTOR)
        ended = await told(found.room, CallEnded)
        assert ended.reason == Reason("SIP", 403, "Nhầm phòng")
        await until(lambda: not len(found.calls))
        said = found.calls.trace(conference, guest) or ()
        assert "BYE" in [entry.summary for entry in said]
        assert any('text="Nhầm phòng"' in entry.text for entry in said)


async def test_who_is_removed_while_it_rings_is_told_why(tmp_path: Path) -> None:
    async with stage(tmp_path, Ringing()) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await told(found.room, CallReceived)
        command = RemoveParticipant("b1", "Hoãn họp")
        await found.conferences.execute(conference, command, ACTOR)
        ended = await told(found.room, CallEnded)
        assert (ended.cause, ended.reason) == ("cancelled", Reason("SIP", 403, "Hoãn họp"))


@pytest.mark.parametrize(
    ("transport", "why"),
    [("tcp", "no connection: Connection refused"), ("udp", "(ICMP)")],
)
async def test_a_device_that_is_switched_off_stands_in_the_ladder(
    tmp_path: Path, transport: str, why: str
) -> None:
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with stage(tmp_path) as found:
        address = f"sip:b1@127.0.0.1:{port};transport={transport}"
        found.directory.targets["b1"] = (CallTarget(address, None),)
        conference = await found.start("b1")
        await until(
            lambda: found.conferences.participant(conference, "b1").call_failure == "unreachable"
        )
        said = found.calls.trace(conference, "b1") or ()
        # Over UDP it was tried by TCP first, as it is long.
        at = next(n for n, entry in enumerate(said) if (entry.failure or "").endswith(why))
        assert said[at - 1].summary == "INVITE"
        assert said[at].summary.startswith("INVITE: ")


async def test_a_room_that_cannot_be_called_says_so_until_it_can(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start("b1", "web")
        failure = lambda: found.conferences.participant(conference, "b1").call_failure  # noqa: E731
        await until(lambda: failure() == "no_address")
        assert found.states(conference) == {"b1": "expected", "web": "expected"}
        assert found.conferences.participant(conference, "web").call_failure is None
        found.directory.targets["b1"] = (found.telephone(),)
        found.calls.bridge_changed("b1")
        await joined(found, conference)
        assert failure() is None


async def test_a_call_of_ours_that_comes_back_to_us_is_a_loop(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        own = f"sip:{conference}@127.0.0.1:{port_of(found.endpoint, 'udp')}"
        guest = await called_guest(found, conference, own)
        await until(
            lambda: found.conferences.get(conference).participants[guest].call_failure == "failed"
        )
        assert found.endpoint.agent.statistics.refused["482"] >= 1
        assert guests(found, conference) == [guest]


async def test_the_conference_ends(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await joined(found, conference)
        await found.conferences.execute(conference, EndConference(), ACTOR)
        ended = await told(found.room, CallEnded)
        assert ended.reason is not None
        assert (ended.reason.cause, ended.reason.text) == (410, "The conference has ended")


async def test_whoever_nobody_knows_any_more_is_not_called(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        await found.start("gone", "web")
        await asyncio.sleep(0)
        await until(lambda: found.endpoint.agent.is_idle)
        assert found.endpoint.agent.statistics.calls["out"] == 0


async def test_the_second_place_is_called_where_the_first_is_silent(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        dead = "sip:room@127.0.0.1:1;transport=tcp"
        found.directory.targets["b1"] = (
            type(found.telephone())(dead, None),
            found.telephone(),
        )
        conference = await found.start("b1")
        await joined(found, conference)
        assert found.endpoint.agent.statistics.calls["out"] == 2


async def test_an_account_that_is_revoked_ends_its_call(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await joined(found, conference)
        found.calls.revoked("b1")
        await told(found.room, CallEnded)
        assert found.states(conference) == {"b1": "left"}


async def test_a_full_server_calls_nobody_until_there_is_room(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        found.load.full = True
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await asyncio.sleep(0.05)
        assert found.states(conference) == {"b1": "expected"}
        assert not found.room.events
        # The operator sees why it is not called, told once, not with every attempt.
        who = found.conferences.get(conference).participants["b1"]
        assert (who.call_failure, who.version) == ("server_full", 3)
        found.load.full = False
        found.calls.call_again(conference, "b1")
        await joined(found, conference)


async def test_when_the_server_stops_rooms_are_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        await joined(found, conference)
        await found.conferences.close()
        await found.calls.close()
        ended = await told(found.room, CallEnded)
        assert ended.reason is not None
        assert ended.reason.cause == 503
        found.dial(conference)
        ended = await told(found.room, CallEnded, 2)
        assert (ended.code, ended.retry_after_s) == (503, 10)
