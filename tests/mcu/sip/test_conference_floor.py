"""The floor of one conference beside its commands."""

import asyncio
from pathlib import Path

from mcu.conference.commands import AdmitWaiting, Lock, NoteJoined, StartPresentation
from mcu.sip.conference_floor import FLOOR, MAX_USER, ConferenceFloor
from signalling.bfcp import BfcpClient, HolderChanged, RequestChanged, RequestStatus
from tests.peers.floor_calls import until
from tests.peers.sip_stage import ACTOR, Stage, stage


class Follower:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def started(self, participant: str) -> None:
        self.told.append(("started", participant))

    def stopped(self, participant: str) -> None:
        self.told.append(("stopped", participant))


def floor_of(found: Stage, conference: str) -> ConferenceFloor:
    clock = asyncio.get_running_loop().time
    return ConferenceFloor(conference, found.conferences, clock=clock, take_over=False)


class Member:
    """A participant of a floor, without any line between."""

    def __init__(self, floor: ConferenceFloor) -> None:
        self.floor = floor
        self.user = floor.new_user()
        self.client = BfcpClient(floor.number, self.user, FLOOR, reliable=True)
        self.events: list[object] = []
        floor.open(self.user, self.receive, reliable=True)

    def receive(self, data: bytes) -> None:
        self.client.receive(data, self.floor.clock())
        self.events += self.client.events()

    def flush(self) -> None:
        for data in self.client.data_to_send():
            assert self.floor.heard(self.user, data, self.floor.clock())

    def ask(self) -> None:
        self.client.start(self.floor.clock())
        self.client.request_floor(self.floor.clock())
        while not self.client.association.is_idle:
            self.flush()

    @property
    def told(self) -> list[RequestStatus]:
        return [event.status for event in self.events if isinstance(event, RequestChanged)]


async def test_users_differ_until_they_leave(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        floor = floor_of(found, await found.start())
        users = {floor.new_user() for _ in range(500)}
        assert len(users) == 500
        assert min(users) > 0
        assert max(users) <= MAX_USER
        for user in users:
            floor.leave(user)


async def test_what_is_no_bfcp_says_that_its_connection_is_over(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        floor = floor_of(found, await found.start())
        member = Member(floor)
        assert not floor.heard(member.user, b"\xff" * 64, floor.clock())
        assert floor.heard(member.user % MAX_USER + 1, b"\xff" * 64, floor.clock())


async def test_who_is_not_there_may_not_present(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start("web")
        floor = floor_of(found, conference)
        member = Member(floor)
        floor.join(member.user, "web", "Web")
        member.ask()
        await until(lambda: RequestStatus.DENIED in member.told)
        assert found.conferences.get(conference).presenter is None


async def presenting(found: Stage, conference: str) -> str:
    """A guest that presents."""
    found.dial(conference)
    await until(lambda: "connected" in found.states(conference).values())
    (guest,) = (who for who, state in found.states(conference).items() if state == "connected")
    await found.conferences.execute(conference, StartPresentation(guest), ACTOR)
    return guest


async def test_who_waits_to_be_let_in_is_told_no_names(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        guest = await presenting(found, conference)
        label = found.conferences.participant(conference, guest).label
        await found.conferences.execute(conference, Lock(), ACTOR)
        late = await found.conferences.add_guest(conference, "Khách", ACTOR, knocks=True)
        floor = floor_of(found, conference)
        floor.resume()
        member = Member(floor)
        floor.join(member.user, late.id, late.label)
        member.client.start(floor.clock())
        member.flush()
        found.conferences.note(conference, NoteJoined(late.id, "leg-late"))
        floor.admitted()
        await found.conferences.execute(conference, AdmitWaiting(late.id), ACTOR)
        floor.admitted()
        names = [one.name for one in member.events if isinstance(one, HolderChanged)]
        assert names == [None, label]


async def test_who_presents_already_is_known_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start("web")
        guest = await presenting(found, conference)
        floor = floor_of(found, conference)
        floor.resume()
        follower = Follower()
        floor.follow(follower)
        assert follower.told == [("started", guest)]
        member = Member(floor)
        floor.join(member.user, "web", "Web")
        member.client.start(floor.clock())
        member.flush()
        (event,) = member.events
        assert isinstance(event, HolderChanged)
        assert event.name == floor.label_of(guest)
        floor.stopped(guest)
        assert follower.told[1:] == [("stopped", guest)]
        floor.unfollow(follower)
        floor.started(guest, "")
        assert len(follower.told) == 2
