"""An agenda outlives the daemon: where it stood, its clock, and what is put back afterwards."""

from mcu.conference.agenda_commands import NextItem
from mcu.conference.commands import StartConference
from mcu.conference.scenario import Agenda, AgendaItem
from tests.mcu.conference.conftest import OPERATOR

AGENDA = Agenda(
    items=(
        AgendaItem("i1", "Khai mạc", 300, layout="lecture", unmuted=("chair",)),
        AgendaItem("i2", "Thảo luận", 600),
    ),
    scenario="giao-ban",
)
START = StartConference("Họp", "tinh", ("b0", "b1", "b2"), "b0", id="c1", agenda=AGENDA)


async def test_it_goes_on_where_it_stood(office):
    died = office.made()
    await died.restore(keep=False)
    await died.start(START, OPERATOR)
    await died.execute("c1", NextItem(), OPERATOR)
    before = died.get("c1").agenda  # and nobody closes it

    office.clock.seconds += 200
    async with office.daemon() as conferences:
        assert conferences.get("c1").agenda == before
        assert before.current == "i1"
        assert conferences.next_timer() == office.clock.now() + 30  # the rooms' time to come back

        office.clock.seconds += 99
        conferences.handle_timer(office.clock.now())
        assert not conferences.get("c1").agenda.visits[-1].overran
        office.clock.seconds += 1
        assert conferences.next_timer() == office.clock.now()
        conferences.handle_timer(office.clock.now())
        assert conferences.get("c1").agenda.visits[-1].overran

        await conferences.execute("c1", NextItem(), OPERATOR)
        state = conferences.get("c1")
        assert state.views["main"].layout == "auto"
        assert not any(who.audio_muted for who in state.participants.values())
    await died.close()


async def test_an_overrun_is_on_the_stream(office):
    async with office.daemon() as conferences:
        await conferences.start(START, OPERATOR)
        feed = conferences.subscribe(conference="c1")
        await conferences.execute("c1", NextItem(), OPERATOR)
        office.clock.seconds += 300
        conferences.handle_timer(office.clock.now())
        seen = []
        async with feed:
            while "agenda.overrun" not in seen:
                seen.append((await anext(feed)).type)
        assert seen == [
            "agenda.advanced", "layout.changed", "participants.changed", "agenda.overrun",
        ]  # fmt: skip
