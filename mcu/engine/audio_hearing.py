"""Who hears which mix, and how a listener passes from one to another unheard.

Everybody who is silent hears ``total``; a speaker hears ``total`` without itself and so needs an
encoder of its own. A change of encoder in the middle of a stream clicks unless the new one's
memory is what the listener's decoder expects. Therefore

* a new encoder first encodes what its listeners have just heard (the last RUN_IN_TICKS of
  ``total`` are kept for that), within the tick in which the own voice begins: nobody hears
  itself, and nobody waits;
* an own encoder that is no longer needed goes on until it has carried the same sound as the
  shared one for SETTLE_TICKS; then the two can be exchanged;
* an encoder that nobody else hears goes along with its listener, and nothing is exchanged.

Deafening works the same way, through a branch that fades to silence; all who are deafened in the
same tick share it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mcu.engine.audio_bus import Branch, Bus, Played
from mcu.engine.taps import End, Source
from mcu.legs.leg import Leg
from mcu.media.rendition import FanOut
from mixer.audio.block import SILENCE, TICK_SAMPLES, Int16Block, Int32Block
from mixer.audio.limiter import LimiterState, limit
from mixer.audio.mix import apply_gain, mix_minus, mix_total
from mixer.codecs.audio import FORMATS

RUN_IN_TICKS = max(form.memory_ticks for form in FORMATS.values())
SETTLE_TICKS = 25
SETTLE_LIMIT_TICKS = 250
"""Listeners go back even if the two limiters do not agree by then (5 s)."""
SAME_GAIN = 0.005


class Hearing:
    """The mixes of one conference and their listeners."""

    def __init__(self, fan_out: FanOut) -> None:
        self.total = Bus("total", fan_out, 1.0)
        self.silence = Bus("silence", fan_out, 0.0)
        self.encoded = 0
        """Packets encoded so far."""
        self._fan_out = fan_out
        self._branches: list[Branch] = []
        self._played: dict[str, Played] = {}
        """Those who hear something of their own, by participant."""
        self._limiters = LimiterState.fresh(1)  # row 0: total; then one per branch
        self._bus: dict[str, Bus] = {}  # of each participant with listeners
        self._history: deque[Int16Block] = deque(maxlen=RUN_IN_TICKS)
        self._unrouted: dict[str, None] = {}  # in the order they were marked

    def buses(self) -> Iterator[Bus]:
        """All mixes that exist now."""
        yield self.total
        yield self.silence
        yield from self._branches
        yield from self._played.values()

    def participants(self) -> list[str]:
        """Those with at least one listening leg."""
        return list(self._bus)

    def add(self, leg: Leg, deafened: bool) -> None:
        """Let a leg hear what its participant hears, or would hear were it there already.

        Raises:
            ValueError: no codec of the mixer. KeyError: the leg receives no audio.
        """
        participant = leg.participant
        if participant is None:
            self.total.join(leg, tuple(self._history))
            return
        bus = self._bus.get(participant) or self._played.get(participant)
        if bus is None:
            bus = self.silence if deafened else self.total
        bus.join(leg, tuple(self._history) if bus.heard else ())
        self._bus[participant] = bus
        self.mark(participant)

    def remove(self, leg: Leg) -> None:
        """Send nothing more to a leg; without effect when it is no listener."""
        for bus in list(self.buses()):
            if leg.id in bus.legs:
                bus.leave(leg)
                leg.play("audio", None)
        participant = leg.participant
        if participant is not None and participant in self._bus:
            left = self._bus[participant].legs.values()
            if not any(other.participant == participant for other in left):
                del self._bus[participant]
        self._prune([branch for branch in self._branches if not branch.legs])

    def mark(self, participant: str) -> None:
        """Look at this participant at the next ``route``: it began to speak or was (un)deafened."""
        self._unrouted[participant] = None

    def play_to(self, participant: str, source: Source) -> End:
        """Let one participant hear a source instead of its mix, from the next tick on.

        Returns: ends it; the participant then hears its mix again. A source that was played to it
            before is replaced, and to end that one has no effect any more.
        """
        played = Played(participant, self._fan_out, source)
        played.expected_loss = self.total.expected_loss
        before = self._bus.get(participant)
        self._played.pop(participant, None)
        self._played[participant] = played
        if before is not None:
            self._move(participant, before, played)

        def end() -> None:
            if self._played.get(participant) is not played:
                return
            del self._played[participant]
            if participant in self._bus:
                # Its mix comes in from silence: a speaker's own voice is in the total's past.
                self._move(participant, played, self.silence)
                self.mark(participant)

        return end

    def draw(self, now: float) -> None:
        """Take this tick of what is played to some."""
        for one in self._played.values():
            one.draw(now)

    def heard_by(self, participant: str, mixes: Sequence[Int16Block]) -> Int16Block | None:
        """What a participant is sent in this tick; None: it does not listen.

        Args:
            mixes: what ``mix`` gave.
        """
        bus = self._bus.get(participant)
        if bus is None:
            return None
        if isinstance(bus, Played):
            return bus.block
        if isinstance(bus, Branch):
            return mixes[1 + self._branches.index(bus)]
        return SILENCE if bus is self.silence else mixes[0]

    def own_mixes(self, mixes: Sequence[Int16Block]) -> dict[str, Int16Block]:
        """What those hear in this tick who have a mix of their own.

        Args:
            mixes: what ``mix`` gave.
        """
        own = {who: one.block for who, one in self._played.items()}
        for branch, block in zip(self._branches, mixes[1:], strict=True):
            if branch.owner is not None:
                own[branch.owner] = block
        return own

    def expect_loss(self, share: float) -> None:
        """Let all encoders reckon with a share of lost packets."""
        for bus in self.buses():
            bus.expect_loss(share)

    def route(self, speaks: Callable[[str], bool], is_deafened: Callable[[str], bool]) -> None:
        """Give the marked participants the mix that is theirs now."""
        crowds: dict[float, Branch] = {}
        for participant in self._unrouted:
            bus = self._bus.get(participant)
            if bus is None or isinstance(bus, Played):
                continue
            wanted = 0.0 if is_deafened(participant) else 1.0
            needs_own = wanted > 0.0 and speaks(participant)
            if isinstance(bus, Branch):
                if bus.owner is not None:
                    bus.target = wanted
                    continue
                if not needs_own:
                    continue  # a crowd's branch ends soon and marks its listeners
            elif bus.heard == wanted and not needs_own:
                continue
            if needs_own:
                branch = self._branch(f"minus:{participant}", participant, bus.heard, wanted)
            else:
                if wanted not in crowds:
                    crowds[wanted] = self._branch("fade", None, bus.heard, wanted)
                branch = crowds[wanted]
            self._move(participant, bus, branch)
        self._unrouted.clear()
        self._prune([branch for branch in self._branches if not branch.legs])

    def mix(self, sounds: Int32Block, owners: Sequence[str]) -> list[Int16Block]:
        """This tick of every mix.

        Args:
            sounds: int32 (voices, samples). owners: whose voice each row is.
        Returns: the total, then one block per branch; for ``encode``.
        """
        mixes = np.empty((1 + len(self._branches), TICK_SAMPLES), np.int32)
        total = mixes[0]
        mix_total(sounds, total)
        for branch, mix in zip(self._branches, mixes[1:], strict=True):
            mix[:] = total
            for owner, sound in zip(owners, sounds, strict=True):
                if owner == branch.owner:
                    mix_minus(mix, sound[None], mix[None])
            if not branch.heard == branch.target == 1.0:
                apply_gain(mix, branch.heard, branch.target, mix)
                branch.heard = branch.target
        return list(limit(mixes, self._limiters))

    def encode(
        self, mixes: Sequence[Int16Block], tick: int, now: float, captured: float | None = None
    ) -> None:
        """Encode and send what ``mix`` gave, everything under the tick's one timestamp.

        Args:
            captured: when the sound was, for sender reports; None: now.
        """
        played = (one.block for one in self._played.values())
        blocks = (mixes[0], SILENCE, *mixes[1:], *played)
        for bus, block in zip(self.buses(), blocks, strict=True):
            bus.encode(block, tick, now, captured)
            self.encoded += len(bus.encodings)
        self._history.append(mixes[0])

    def settle(self, speaks: Callable[[str], bool]) -> None:
        """Dissolve branches that have carried the same as a shared mix for long enough."""
        done: list[Branch] = []
        for row, branch in enumerate(self._branches, 1):
            audible = branch.target > 0.0
            if audible and branch.owner is not None and speaks(branch.owner):
                branch.settled_ticks = 0
                continue
            branch.settled_ticks += 1
            gain = self._limiters.gain
            same = not audible or abs(gain[row] - gain[0]) < SAME_GAIN
            if branch.settled_ticks < (SETTLE_TICKS if same else SETTLE_LIMIT_TICKS):
                continue
            shared = self.total if audible else self.silence
            for participant in {leg.participant: None for leg in branch.legs.values()}:
                if participant is not None:
                    self._move(participant, branch, shared)
                    self.mark(participant)
            done.append(branch)
        self._prune(done)

    def _branch(self, name: str, owner: str | None, heard: float, target: float) -> Branch:
        branch = Branch(name, self._fan_out, owner, heard, target)
        branch.expected_loss = self.total.expected_loss
        if heard:
            everything = list(range(1 + len(self._branches)))
            self._limiters = self._limiters.rows([*everything, 0])  # a twin of the total's
        else:
            self._limiters = self._limiters.plus(LimiterState.fresh())
        self._branches.append(branch)
        return branch

    def _move(self, participant: str, before: Bus, after: Bus) -> None:
        heard = tuple(self._history)
        run_in = heard if before.heard else (SILENCE,) * len(heard)
        for leg in [one for one in before.legs.values() if one.participant == participant]:
            own = before.own_encoding(leg)
            before.leave(leg)
            after.join(leg, run_in, own)
        self._bus[participant] = after

    def _prune(self, done: Sequence[Branch]) -> None:
        if not done:
            return
        keep = [row for row, branch in enumerate(self._branches, 1) if branch not in done]
        self._limiters = self._limiters.rows([0, *keep])
        self._branches = [self._branches[row - 1] for row in keep]
