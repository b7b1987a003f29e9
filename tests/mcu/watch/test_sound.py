"""One room's sound beside what it was sent, in pieces as they come."""

import numpy as np
import numpy.typing as npt
import pytest

from bench import detect_faults as faults
from bench import detect_sound as sounds
from mcu.watch.sound import SoundReading, SoundWatch

Sound = npt.NDArray[np.int16]


def watched(
    returned: Sound, sent: Sound, loudest: list[str] | None = None, least_db: float = -80.0
) -> list[SoundReading]:
    """A reading each half second."""
    watch = SoundWatch(least_db)
    readings = []
    for number, at in enumerate(range(0, len(returned) - 23_999, 24_000)):
        blocks = [part[at : at + 24_000].reshape(-1, 960) for part in (returned, sent)]
        who = None if loudest is None else loudest[number % len(loudest)]
        readings.append(watch.take(list(blocks[0]), list(blocks[1]), who))
    return readings


def test_an_echo_is_believed_at_the_second_look_and_kept_over_a_new_search() -> None:
    far = sounds.voice("far", 40)
    back = sounds.coded(sounds.whole(sounds.echo(far, 150, -12)), "opus")
    readings = watched(back, far, ["a", "b"])
    first = next(number for number, one in enumerate(readings) if one.echo)
    assert 7 <= first <= 16
    assert all(one.echo for one in readings[first + 4 :])
    assert all(abs(one.delay_ms - 154) < 8 for one in readings[first:] if one.echo)
    assert readings[-1].level_db == pytest.approx(-12, abs=4)


def test_what_comes_back_with_one_voice_only_is_said_so() -> None:
    far = sounds.voice("far", 20)
    back = sounds.whole(sounds.echo(far, 250, -10))
    assert watched(back, far, ["a"])[-1].only_with == "a"
    quarters = ["a"] * 4 + ["b"] * 4
    assert watched(back, far, quarters)[-1].only_with is None


def test_one_that_is_too_faint_is_none_and_a_healthy_room_neither() -> None:
    far, near = sounds.voice("far", 20), sounds.voice("near", 20)
    back = sounds.mixed(sounds.echo(far, 150, -30), sounds.noise(1, 20, -70))
    assert watched(back, far)[-1].echo
    assert not any(one.echo for one in watched(back, far, least_db=-15.0))
    healthy = watched(near, far)
    assert not any(one.echo for one in healthy)
    assert healthy[-1].echo == 0.0
    assert all(one.clipping is None or one.clipping < 1.0 for one in healthy)


def test_a_howl_is_not_clipping_though_it_has_a_ceiling() -> None:
    quiet = np.zeros(12 * 48_000, np.int16)
    howl = watched(faults.howling(1_000.0, 60.0, sounds.voice("near", 12)), quiet)
    assert max(one.howl_s for one in howl) > 1.0
    assert any(abs(one.howl_hz - 1_000) < 8 for one in howl)
    assert all(not one.clipping or one.clipping < 1.0 for one in howl)
    clipped = watched(faults.clipped(sounds.voice("near", 12), 20.0, -3.0), quiet)
    assert max(one.clipping or 0.0 for one in clipped) >= 1.0
    assert max(one.howl_s for one in clipped) < 1.0


def test_nothing_and_unequal_directions() -> None:
    watch = SoundWatch()
    assert watch.take([], [], None) == SoundReading()
    with pytest.raises(ValueError, match="returned"):
        watch.take([np.zeros(960, np.int16)], [], None)
