import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcu.engine.audio_hearing import SETTLE_TICKS, Hearing
from mcu.media.rendition import FanOut
from tests.mcu.engine.audio_room import Ear

FAN_OUT = FanOut(lambda delay, call: None)


class Stage:
    """A Hearing whose voices are given directly, as arrays."""

    def __init__(self, *participants: str) -> None:
        self.hearing = Hearing(FAN_OUT)
        self.ears = {name: Ear(f"leg-{name}", name) for name in participants}
        self.speaking: set[str] = set()
        self.deafened: set[str] = set()
        self.tick = 0
        for ear in self.ears.values():
            self.hearing.add(ear, deafened=False)

    def speak(self, *participants: str) -> None:
        for name in participants:
            self.speaking.add(name)
            self.hearing.mark(name)

    def deafen(self, participant: str, deafened: bool) -> None:
        (self.deafened.add if deafened else self.deafened.discard)(participant)
        self.hearing.mark(participant)

    def step(self, sounds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One tick; returns what each participant hears, before encoding."""
        hearing = self.hearing
        hearing.route(self.speaking.__contains__, self.deafened.__contains__)
        rows = np.array(list(sounds.values()), np.int32).reshape(-1, 960)
        mixes = hearing.mix(rows, list(sounds))
        audible = [mixes[0], np.zeros(960, np.int16), *mixes[1:]]
        heard = {}
        for bus, block in zip(hearing.buses(), audible, strict=True):
            for leg in bus.legs.values():
                heard[leg.participant] = block
        hearing.encode(mixes, self.tick, self.tick * 0.02)
        hearing.settle(self.speaking.__contains__)
        self.tick += 1
        return heard

    def names(self) -> list[str]:
        return [bus.name for bus in self.hearing.buses()]


def noise(seed: int, amplitude: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-amplitude, amplitude + 1, 960)


@pytest.mark.parametrize("amplitude", [1_000, 32_000], ids=["quiet", "limited"])
def test_what_a_speaker_hears_does_not_depend_on_its_own_sound_at_all(amplitude: int) -> None:
    """Bit by bit, also while every mix is being limited."""
    stages = [Stage("a", "b", "c", "d") for _ in range(2)]
    for stage in stages:
        stage.speak("a", "b", "c")
    for tick in range(20):
        heard = []
        for variant, stage in enumerate(stages):
            sounds = {name: noise(tick * 10 + k, amplitude) for k, name in enumerate("abc")}
            if variant:
                sounds["a"] = noise(1_000 + tick, 32_000)
            heard.append(stage.step(sounds))
        assert np.array_equal(heard[0]["a"], heard[1]["a"])
        assert not np.array_equal(heard[0]["d"], heard[1]["d"])


def test_listeners_share_one_mix_and_speakers_have_their_own() -> None:
    stage = Stage("a", "b", "c", "d")
    stage.speak("a", "b")
    heard = stage.step({"a": noise(1, 500), "b": noise(2, 500)})
    assert heard["c"] is heard["d"]
    assert stage.names() == ["total", "silence", "minus:a", "minus:b"]


def test_a_branch_ends_when_it_has_long_been_the_same_as_the_total() -> None:
    stage = Stage("a", "b")
    stage.speak("a")
    stage.step({"a": noise(1, 500)})
    stage.speaking.clear()
    for tick in range(SETTLE_TICKS):
        assert "minus:a" in stage.names()
        stage.step({"b": noise(tick, 500)})
    assert stage.names() == ["total", "silence"]
    assert stage.ears["a"].plays == ["total", "minus:a", "total"]


def test_a_branch_waits_until_both_limiters_agree() -> None:
    stage = Stage("a", "b")
    stage.speak("a", "b")
    for tick in range(10):
        stage.step({"a": noise(tick, 32_000) * 2, "b": noise(tick + 50, 200)})
    stage.speaking.clear()
    for tick in range(SETTLE_TICKS + 5):
        stage.step({"b": noise(tick, 200)})
    assert "minus:a" in stage.names()  # the total's limiter still comes back from a's voice
    for tick in range(150):
        stage.step({"b": noise(tick, 200)})
    assert stage.names() == ["total", "silence"]


def test_leaving_in_any_state_frees_the_branch() -> None:
    stage = Stage("a", "b")
    stage.speak("a")
    stage.deafen("b", deafened=True)
    stage.step({"a": noise(1, 500)})
    assert len(stage.names()) == 4
    for ear in stage.ears.values():
        stage.hearing.remove(ear)
        assert ear.plays[-1] is None
    assert stage.names() == ["total", "silence"]
    assert not stage.hearing.participants()
    stage.step({})


def test_one_who_comes_back_deafened_hears_silence_from_the_start() -> None:
    hearing = Hearing(FAN_OUT)
    ear = Ear("x", "x")
    hearing.add(ear, deafened=True)
    assert ear.plays == ["silence"]


events = st.lists(
    st.tuples(
        st.sampled_from(["speak", "quiet", "deafen", "undeafen", "leave", "join", "wait"]),
        st.sampled_from("abcd"),
        st.integers(1, 40),
    ),
    max_size=15,
)


@given(events)
@settings(max_examples=25, deadline=None)
def test_whatever_happens_everybody_gets_each_tick_once_and_never_itself(
    script: list[tuple[str, str, int]],
) -> None:
    stage = Stage("a", "b", "c", "d")
    present = set("abcd")
    for what, name, ticks in script:
        if what == "speak":
            stage.speak(name)
        elif what == "quiet":
            stage.speaking.discard(name)
        elif what == "deafen":
            stage.deafen(name, deafened=True)
        elif what == "undeafen":
            stage.deafen(name, deafened=False)
        elif what == "leave" and name in present:
            stage.hearing.remove(stage.ears[name])
            present.discard(name)
        elif what == "join" and name not in present:
            stage.hearing.add(stage.ears[name], name in stage.deafened)
            present.add(name)
        else:
            for step in range(ticks):
                value = {one: 1 << (4 * k) for k, one in enumerate("abcd")}
                heard = stage.step({n: np.full(960, value[n]) for n in stage.speaking})
                assert set(heard) == present
                total = sum(value[one] for one in stage.speaking)
                for one in present:
                    last = int(heard[one][-1])
                    own = value[one] if one in stage.speaking else 0
                    if one not in stage.deafened:
                        assert last in (0, total - own) or not step
                        assert not last & own or not step
                    elif step:  # the limiter's look-ahead lets a fade end in the next tick
                        assert last == 0
    for _ in range(2):  # settled: everybody hears exactly the others
        for _ in range(SETTLE_TICKS + 2):
            heard = stage.step({n: np.full(960, 100) for n in stage.speaking})
    for one in present - stage.deafened:
        others = len(stage.speaking - {one})
        assert heard[one][-1] == 100 * others
    for one in present & stage.deafened:
        assert heard[one][-1] == 0
    for name, ear in stage.ears.items():
        if ("leave", name) not in {step[:2] for step in script}:
            assert len(ear.heard) == stage.tick
            assert set(np.diff(ear.timestamps)) == {960}
