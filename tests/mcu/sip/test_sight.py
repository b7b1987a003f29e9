"""What subscribers see of a conference by SIP."""

from dataclasses import replace
from pathlib import Path

from mcu.conference.commands import EndConference, Lock
from mcu.sip.sight import ConferenceSight, document_of
from signalling.sip import ConferenceInfo
from tests.peers.sip_stage import ACTOR, stage
from tests.peers.waiting import until


async def test_a_room_whose_line_is_lost_is_not_on_hold(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        state = found.conferences.get(await found.start("web"))
        for presence, status in (
            ("connected", "connected"),
            ("lost", "disconnected"),
            ("left", "disconnected"),
        ):
            who = replace(state.participants["web"], presence=presence)
            shown = document_of(replace(state, participants={"web": who}), "mcu.example.org")
            assert [user.status for user in shown.users] == [status]


async def test_a_conference_is_shown_as_it_changes(tmp_path: Path) -> None:
    shown: list[tuple[str, ConferenceInfo | None]] = []
    async with stage(tmp_path) as found:
        first = await found.start("web")
        state = found.conferences.get(first)
        number = state.number
        assert number
        sight = ConferenceSight(
            found.conferences, "mcu.example.org", lambda *told: shown.append(told)
        )
        sight.open()
        assert shown == [
            (name, document_of(state, "mcu.example.org", name)) for name in (first, number)
        ]
        await found.conferences.execute(first, Lock(), ACTOR)
        await until(lambda: len(shown) == 4)
        info = shown[2][1]
        assert info is not None
        assert info.is_locked
        assert info.entity == f"sip:{first}@mcu.example.org"
        (user,) = info.users
        assert (user.entity, user.status) == ("sip:web@mcu.example.org", "pending")
        assert shown[3][1] is not None
        assert shown[3][1].entity == f"sip:{number}@mcu.example.org"
        await found.conferences.execute(first, EndConference(), ACTOR)
        assert shown[4:] == [(first, None), (number, None)]
        # The next one is there before anybody can be called into it.
        second = await found.start("web")
        assert shown[6][0] == second
        sight.close()
        await found.start()
        assert len(shown) == 8
