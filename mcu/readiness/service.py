"""Readiness checks as the daemon runs them: what ``decide`` says is made true here.

Checks are few and their rooms are looked at four times a second; what was decided is true at once
and stored right after by ``CheckLog``. Sound is worked out in a pool.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from mcu.conference.actor import new_id
from mcu.conference.service import Conferences
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.video_requests import SourceRequest
from mcu.legs.leg import Leg
from mcu.readiness.assessment import Rules
from mcu.readiness.check_log import CheckLog
from mcu.readiness.decide import begin, decide, evolve
from mcu.readiness.measurements import SoundMeasured, Standard
from mcu.readiness.meter import RoomMeter, TestTone
from mcu.readiness.model import (
    Budget,
    Check,
    CheckBegun,
    CheckEnded,
    CheckRefused,
    Command,
    ConfirmSound,
    Event,
    NoteMeasured,
    NoteRestarted,
    NoteSeen,
    RoomCalled,
    RoomDropped,
    RoomEntry,
    RoomJudged,
    RoomMeasured,
)
from mcu.readiness.sound import measure_sound
from mcu.readiness.stage import Stage, belongs_to, end_conference
from mcu.sentences import sentence
from mcu.store.errors import StoreUnavailable
from mcu.store.store import Store

STEP_S: Final = 0.25
TONE_EVERY_S: Final = 5.0
"""While somebody is to confirm it, the tone comes so often."""
KEPT_ENDED: Final = 8
"""Checks that ended lately, for re-checks of single rooms; others are read from the store."""
KEY: Final = "*5"
"""On a keypad: the tone is heard."""
MAX_RUNNING: Final = 10

Compute = Callable[[Callable[[], SoundMeasured]], Awaitable[SoundMeasured]]
AskRoom = Callable[[str, str, SourceRequest | None], None]
log = structlog.get_logger(__name__)


async def in_thread(work: Callable[[], SoundMeasured]) -> SoundMeasured:
    """The usual ``Compute``."""
    return await asyncio.to_thread(work)


@dataclass(frozen=True, slots=True)
class NewCheck:
    """A check to begin; see ``CheckBegun``."""

    name: str
    unit: str
    by: str
    rooms: tuple[RoomEntry, ...]
    conference: str | None = None
    scenario: str | None = None
    due: datetime | None = None


class _Live:
    """A check in memory: its state, its stage, and who is measured."""

    def __init__(self, check: Check, stage: Stage) -> None:
        self.check = check
        self.stage = stage
        self.meters: dict[str, RoomMeter] = {}
        self.tones: dict[str, tuple[TestTone, float]] = {}


class ReadinessChecks:
    """All checks: ``restore`` first, ``handle_timer`` a few times a second, then ``close``.

    Args:
        media: of running conferences, by id.
        ask: asks a room (conference, participant) for pictures of a size; see ``RoomMeter``.
        agent_of: what a room on a leg calls itself; None: it has not said.
        call_again: see ``Stage``.
        utcnow: wall clock. compute: where sound is worked out.
    """

    def __init__(
        self,
        store: Store,
        conferences: Conferences,
        media: Mapping[str, ConferenceMedia],
        *,
        ask: AskRoom,
        utcnow: Callable[[], datetime],
        rules: Rules = Rules(),  # noqa: B008 - frozen
        budget: Budget = Budget(),  # noqa: B008 - frozen
        agent_of: Callable[[Leg], str | None] = lambda leg: None,
        call_again: Callable[[str, str], None] = lambda conference, participant: None,
        compute: Compute = in_thread,
    ) -> None:
        self.rules, self.budget = rules, budget
        self._log = CheckLog(store, utcnow)
        self._conferences, self._media = conferences, media
        self._ask, self._utcnow, self._agent_of = ask, utcnow, agent_of
        self._call_again, self._compute = call_again, compute
        self._checks: dict[str, _Live] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._computing: set[tuple[str, str]] = set()
        self._next = float("-inf")
        self._closed = False

    async def restore(self) -> None:
        """Go on with checks that were under way; rooms that were being looked at begin anew.

        Raises:
            StoreUnavailable.
        """
        for id_ in await self._log.unfinished():
            for state in self._conferences.running():
                if belongs_to(state.id, id_):
                    await end_conference(self._conferences, state.id)
            live = await self._load(id_)
            if live is None:
                continue
            self._checks[id_] = live
            self._order(live, NoteRestarted())

    async def close(self) -> None:
        """Measure no more, and write what waits; checks that run go on after a restart."""
        self._closed = True
        for live in self._checks.values():
            self._let_go(live)
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._log.close()

    async def settled(self) -> None:
        """Wait for everything that is under way."""
        while self._work or self._log.waits:
            tasks = [*self._work]
            if self._log.writing is not None and not self._log.writing.done():
                tasks.append(self._log.writing)
            if not tasks:
                return
            await asyncio.wait(tasks)

    # Reading

    def running(self) -> Sequence[Check]:
        """All that run."""
        return [live.check for live in self._checks.values() if live.check.running]

    def get(self, check: str) -> Check | None:
        """One that runs, or ended lately. O(1)."""
        live = self._checks.get(check)
        return None if live is None else live.check

    async def read(self, check: str) -> Check | None:
        """One check, also one that has ended; None: it is not known, or kept no more.

        Raises:
            StoreUnavailable.
        """
        live = self._checks.get(check)
        return await self._log.load(check) if live is None else live.check

    # Commands

    async def begin(self, new: NewCheck) -> Check:
        """Begin a check.

        Raises:
            CheckRefused: too many run, or a room is in another check that runs.
            StoreUnavailable: nothing was begun.
        """
        running = self.running()
        if len(running) >= MAX_RUNNING:
            raise CheckRefused(sentence("check.too-many"))
        for entry in new.rooms:
            for other in running:
                found = other.rooms.get(entry.bridge)
                if found is not None and found.phase != "done":
                    raise CheckRefused(
                        sentence(
                            "check.elsewhere",
                            name=entry.name,
                            room=entry.bridge,
                            check=other.name,
                            id=other.id,
                        ),
                        "bridges",
                    )
        event = CheckBegun(
            new_id("check-"), new.name, new.unit, new.by, self.rules, self.budget, new.rooms,
            new.conference, new.scenario, new.due,
        )  # fmt: skip
        live = self._live(begin(event, self._utcnow()))
        self._checks[event.id] = live
        try:
            await self._log.begin(live.check, event)
        except StoreUnavailable:
            del self._checks[event.id]
            raise
        self._forget_ended()
        return live.check

    async def order(self, check: str, command: Command) -> Check | None:
        """Carry out a command; None: there is no such check.

        Raises:
            CheckRefused, StoreUnavailable.
        """
        live = self._checks.get(check)
        if live is None:
            live = await self._load(check)
            if live is None:
                return None
            live = self._checks.setdefault(check, live)
        self._order(live, command)
        return live.check

    def confirm_by_key(self, conference: str, participant: str) -> bool:
        """A room has pressed the key that says that it hears the tone; False: none was asked."""
        for live in self._checks.values():
            room = live.check.rooms.get(participant)
            asked = live.check.running and room is not None and room.phase != "done"
            if asked and live.stage.here(participant) == conference:
                self._order(live, ConfirmSound(participant, True, None, KEY))
                return True
        return False

    # The timer

    def handle_timer(self, now: float) -> None:
        """Look where rooms are, read what is measured, and go on.

        Cost: O(rooms that are not done), 4 times a second; nothing while no check runs.
        """
        if now < self._next or self._closed:
            return
        self._next = now + STEP_S
        for live in list(self._checks.values()):
            if live.check.running:
                self._step(live, now)

    def _step(self, live: _Live, now: float) -> None:
        rooms = {
            bridge: live.stage.seen(bridge)
            for bridge, room in live.check.rooms.items()
            if room.phase != "done"
        }
        elsewhere = sum(len(other.meters) for other in self._checks.values() if other is not live)
        self._order(live, NoteSeen(rooms, elsewhere), now)
        for bridge, meter in list(live.meters.items()):
            if meter.finished(now):
                del live.meters[bridge]
                self._run(self._measured(live, bridge, meter, now))
            else:
                meter.handle_timer(now)
        for bridge, (tone, due) in list(live.tones.items()):
            tone.handle_timer()
            if now >= due and not tone.playing:
                tone.play()
                live.tones[bridge] = tone, now + TONE_EVERY_S
        for bridge, room in live.check.rooms.items():
            if room.phase == "measuring" and bridge not in live.meters:
                self._begin_measuring(live, bridge, now)

    def _begin_measuring(self, live: _Live, bridge: str, now: float) -> None:
        """Also of a room whose leg was not to be found when it was decided."""
        conference = live.stage.here(bridge)
        media = self._media.get(conference or "")
        if media is None or conference is None or (live.check.id, bridge) in self._computing:
            return
        leg = next((one for one in media.legs.values() if one.participant == bridge), None)
        if leg is None or leg.state != "connected":
            return
        room = live.check.rooms[bridge]
        live.meters[bridge] = RoomMeter(
            media,
            leg,
            Standard.of(room.entry.standard),
            lambda request: self._ask(conference, bridge, request),
            seconds=live.check.budget.measure_s,
            now=now,
        )

    async def _measured(self, live: _Live, bridge: str, meter: RoomMeter, now: float) -> None:
        ticks, probes = meter.sound_kept()
        key = live.check.id, bridge
        self._computing.add(key)
        try:
            try:
                measured = meter.measured(SoundMeasured(), self._agent_of(meter.leg), now)
            finally:
                meter.close()
            sound = await self._compute(lambda: measure_sound(ticks, probes))
            recorded, incidents = await self._log.known_of(bridge)
        except StoreUnavailable as error:
            # Without what was recorded there is no result: it is measured once more.
            log.warning("readiness_measured_again", bridge=bridge, reason=error.reason)
            return
        finally:
            self._computing.discard(key)
        self._order(live, NoteMeasured(bridge, replace(measured, sound=sound), recorded, incidents))

    # Private

    def _order(self, live: _Live, command: Command, now: float | None = None) -> None:
        at = self._utcnow()
        events = decide(live.check, command, at)
        if not events:
            return
        for event in events:
            live.check = evolve(live.check, event, at)
            self._carry_out(live, event)
        self._log.append(live.check, events)
        self._publish(live, events)

    def _carry_out(self, live: _Live, event: Event) -> None:
        if isinstance(event, CheckEnded):
            live.stage.close()
        elif isinstance(event, RoomCalled):
            live.stage.invite(event.bridge)
        elif isinstance(event, RoomDropped):
            self._stop(live, event.bridge)
        elif isinstance(event, RoomJudged):
            self._stop(live, event.bridge)
            live.stage.dismiss(event.bridge)
        elif isinstance(event, RoomMeasured):
            self._play_on(live, event.bridge)

    def _play_on(self, live: _Live, bridge: str) -> None:
        """Let a room that is to confirm it hear the tone again and again; not within a meeting."""
        conference = live.stage.here(bridge)
        if conference is not None and live.stage.is_own(conference):
            media = self._media.get(conference)
            if media is not None:
                live.tones[bridge] = TestTone(media, bridge), float("-inf")

    def _stop(self, live: _Live, bridge: str) -> None:
        meter = live.meters.pop(bridge, None)
        if meter is not None:
            meter.close()
        tone = live.tones.pop(bridge, None)
        if tone is not None:
            tone[0].stop()

    def _let_go(self, live: _Live) -> None:
        for bridge in [*live.meters, *live.tones]:
            self._stop(live, bridge)

    def _publish(self, live: _Live, events: Sequence[Event]) -> None:
        """Tell of each room that has changed, once; of an end by a room of it."""
        touched = {bridge for event in events if (bridge := getattr(event, "bridge", None))}
        for bridge in touched or set(list(live.check.rooms)[:1]):
            room = live.check.rooms[bridge]
            self._conferences.publish_ephemeral(
                "readiness.changed",
                None,
                {
                    "check": live.check.id,
                    "bridge": bridge,
                    "unit": room.entry.unit,
                    "phase": room.phase,
                    "verdict": room.verdict,
                    "confirmation": room.confirmation,
                    "running": live.check.running,
                },
            )

    async def _load(self, id_: str) -> _Live | None:
        check = await self._log.go_on(id_)
        return None if check is None else self._live(check)

    def _live(self, check: Check) -> _Live:
        stage = Stage(self._conferences, check, self._run, self._call_again)
        return _Live(check, stage)

    def _forget_ended(self) -> None:
        ended = [id_ for id_, live in self._checks.items() if not live.check.running]
        for id_ in ended[:-KEPT_ENDED]:
            del self._checks[id_]
            self._log.forget(id_)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("readiness_failed_inside", exc_info=task.exception())
