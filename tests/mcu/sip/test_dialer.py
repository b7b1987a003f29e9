"""A room is called where it says that it has moved to, and not for ever."""

from dataclasses import dataclass, field
from pathlib import Path

from structlog.testing import capture_logs

from mcu.sip.accounts import CallTarget
from mcu.sip.dialer import MAX_CONTACTS
from signalling.sip import CallReceived, Event
from tests.peers.sip_stage import Stage, description, stage
from tests.peers.sip_wire import NoNames, Room, port_of
from tests.peers.waiting import until


@dataclass
class Moved(Room):
    """A telephone whose rooms have moved, by the user part that is called.

    Args:
        to: where each is now; others are at home.
    """

    to: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, event: Event, now: float) -> None:
        if not isinstance(event, CallReceived):
            super().__call__(event, now)
            return
        user = event.target.partition(":")[2].partition("@")[0]
        self.asked.append(user)
        assert self.endpoint is not None
        if user not in self.to:
            super().__call__(event, now)
            return
        place = f"127.0.0.1:{port_of(self.endpoint, 'udp')}"
        contacts = tuple(f"sip:{one}@{place}" for one in self.to[user])
        self.endpoint.agent.redirect(event.call, contacts, now)


async def called(found: Stage, **states: str) -> str:
    found.directory.targets["b1"] = (found.telephone("old"),)
    conference = await found.start("b1")
    await until(lambda: found.states(conference) == states, 0.01)
    return conference


async def test_a_room_that_has_moved_is_called_at_its_new_place(tmp_path: Path) -> None:
    phone = Moved(answer=description(), to={"old": ("new",)})
    async with stage(tmp_path, phone) as found:
        await called(found, b1="connected")
    assert phone.asked == ["old", "new"]


async def test_of_several_places_the_next_is_called_where_one_has_moved_again(
    tmp_path: Path,
) -> None:
    phone = Moved(answer=description(), to={"old": ("first", "second"), "first": ("third",)})
    async with stage(tmp_path, phone) as found:
        await called(found, b1="connected")
    assert phone.asked == ["old", "first", "third"]


async def test_who_moves_in_a_circle_is_not_followed_for_ever(tmp_path: Path) -> None:
    phone = Moved(answer=description(), to={"old": ("new",), "new": ("old",)})
    async with stage(tmp_path, phone) as found:
        conference = await found.start("b1")
        found.directory.targets["b1"] = (found.telephone("old"),)
        found.calls.bridge_changed("b1")

        def failed() -> bool:
            who = found.conferences.get(conference).participants["b1"]
            return who.call_failure not in (None, "no_address")

        await until(failed, 0.01)
        assert len(phone.asked) % (1 + MAX_CONTACTS) == 0
        assert phone.asked[: 1 + MAX_CONTACTS] == ["old", "new"] * 2


async def failed_with(found: Stage, conference: str) -> tuple[str | None, str | None]:
    who = lambda: found.conferences.participant(conference, "b1")  # noqa: E731
    await until(lambda: who().call_failure not in (None, "no_address"), 0.01)
    return who().call_failure, who().call_failure_detail


async def test_a_name_that_nobody_knows_is_said_on_roster_ladder_and_log(tmp_path: Path) -> None:
    asked = "phong.invalid (NAPTR, SRV _sip._udp, SRV _sip._tcp, A, AAAA)"
    words = f"the name is known neither to DNS nor to /etc/hosts: {asked}"
    async with stage(tmp_path, names=NoNames()) as found:
        found.directory.targets["b1"] = (CallTarget("sip:b1@phong.invalid", None),)
        with capture_logs() as logged:
            conference = await found.start("b1")
            assert await failed_with(found, conference) == ("name_unknown", asked)
        entry, *_ = found.calls.trace(conference, "b1") or ()
        assert (entry.remote, entry.failure, entry.failure_cause) == (
            "phong.invalid", words, "lookup",
        )  # fmt: skip
        line = next(one for one in logged if one["event"] == "call_failed")
        assert (line["reason"], line["detail"]) == ("name_unknown", asked)
        # With another address it is called, and nothing is left of the failure.
        found.directory.targets["b1"] = (found.telephone(),)
        found.calls.bridge_changed("b1")
        await until(lambda: found.states(conference) == {"b1": "connected"}, 0.01)
        assert found.conferences.participant(conference, "b1").call_failure_detail is None


async def test_a_name_server_that_is_silent_is_told_from_a_name_that_is_wrong(
    tmp_path: Path,
) -> None:
    names = NoNames()
    names.is_silent = True
    async with stage(tmp_path, names=names) as found:
        found.directory.targets["b1"] = (CallTarget("sip:b1@phong.invalid:5060", None),)
        conference = await found.start("b1")
        said = await failed_with(found, conference)
        assert said == ("dns_silent", "phong.invalid (A, AAAA)")


async def test_the_next_place_is_called_where_the_first_is_none(tmp_path: Path) -> None:
    async with stage(tmp_path, names=NoNames()) as found:
        found.directory.targets["b1"] = (
            CallTarget("sip:b1@phong.invalid", None),
            CallTarget("sip:[::1", None),
            found.telephone(),
        )
        conference = await found.start("b1")
        await until(lambda: found.states(conference) == {"b1": "connected"}, 0.01)
        said = found.calls.trace(conference, "b1") or ()
        causes = [entry.failure_cause for entry in said if entry.failure]
        assert causes[:2] == ["lookup", "address"]


async def test_why_an_old_record_cannot_be_called_is_kept(tmp_path: Path) -> None:
    async with stage(tmp_path, names=NoNames()) as found:
        found.directory.targets["b1"] = (CallTarget("sip:b1@127.0.0.1:99999", None),)
        conference = await found.start("b1")
        failure, detail = await failed_with(found, conference)
        assert failure == "not_found"
        assert detail is not None
        assert detail.startswith("it is no address of SIP: ")
        assert "port" in detail


async def test_the_status_that_a_room_answered_stands_beside_the_failure(tmp_path: Path) -> None:
    async with stage(tmp_path, Room(refuse=480)) as found:
        found.directory.targets["b1"] = (found.telephone(),)
        conference = await found.start("b1")
        assert await failed_with(found, conference) == ("no_answer", "SIP 480")
