"""Three rooms meet: each hears and sees the others, and does not hear itself."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mixer.audio.block import TICK_S
from mixer.audio.delay import LEARNING_DELAY_S
from tests.peers.coded_media import tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE
from tests.scenario.meeting import (
    FULL_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)


@pytest.mark.parametrize("codecs", [("H264",) * 3, ("VP8",) * 3, ("H264", "VP8", "H264")])
async def test_three_rooms_hear_and_see_each_other(tmp_path: Path, codecs: Sequence[str]) -> None:
    setups = [replace(one, codec=codec) for one, codec in zip(THREE, codecs, strict=True)]
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site, setups)
        site.run(3.0)
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        reading = site.reading()
        assert reading.encoders["video"] == len(set(codecs))
        assert reading.decoders == {"audio": 3, "video": 3}
        # Three pairs of sound for three speakers: everybody has a mix of its own.
        assert reading.encoders["audio"] == 3
        assert not reading.dropped
        for room in rooms:
            assert not room.peer.dropped
            assert room.screen.errors == room.screen.given_up == 0
            assert room.longest_audio_gap() == 0


async def test_sound_and_picture_have_one_clock(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(3.0)
        for room in rooms:
            # Each bears the time at which it came: 10 ms on the line and, before that, what sound
            # waits in the playout buffer and a tick, or a frame's interval and the coding.
            newest = room.stream("audio").in_order()[-1].timestamp
            waited = LEARNING_DELAY_S + TICK_S
            assert 0.0 <= site.time.now - room.true_time("audio", newest) <= waited + 0.01
            picture = room.screen.timestamps[-1]
            assert 0.0 <= site.time.now - room.true_time("video", picture) <= 0.14


async def test_the_first_picture_and_sound_come_within_a_second(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        first, second, *_ = THREE
        await site.start([first.name, second.name], layout="2x2")
        [early] = await site.join(first)
        site.run(5.0)
        [late] = await site.join(second)
        site.run(0.9)
        assert site.colour(late, 0, "2x2").is_like(early.colour)
        assert site.colour(early, 1, "2x2").is_like(late.colour)
        assert tone_db(late.sound(0.4), early.hz) == pytest.approx(FULL_DB, abs=3.0)
        assert tone_db(early.sound(0.4), late.hz) == pytest.approx(FULL_DB, abs=3.0)
        assert late.screen.frames >= 7
