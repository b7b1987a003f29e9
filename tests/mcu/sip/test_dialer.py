"""A room is called where it says that it has moved to, and not for ever."""

from dataclasses import dataclass, field
from pathlib import Path

from mcu.sip.dialer import MAX_CONTACTS
from signalling.sip import CallReceived, Event
from tests.peers.sip_stage import Stage, description, stage
from tests.peers.sip_wire import Room, port_of
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
