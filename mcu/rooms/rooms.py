"""Legs of conferences: answers offers, feeds the media, tells the conferences what happened.

Decisions are elsewhere (``mcu.conference``), and so is the media (``mcu.engine``); this is the
wiring between them. Everything here runs on the loop's thread and none of it blocks.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import structlog

from mcu.api.services import JoinedLeg, LegInfo, NoCapacity, Receives
from mcu.conference.commands import (
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteReturned,
    RemoveParticipant,
)
from mcu.conference.events import Event, ParticipantJoined, ParticipantRemoved
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import VIEWS, ConferenceState, Refused
from mcu.engine.conference_media import MAIN_VIEW, ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.plan import MediaPlan
from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.leg import Leg, LegKind, StreamName
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.frames import EncodedFrame
from mcu.rooms.bad_lines import BadLines
from mcu.rooms.farewells import Farewells
from mcu.rooms.lines import Lines
from mcu.rooms.load import LoadWatch
from mcu.rooms.waiting_tone import WaitingTone
from mcu.sentences import sentence
from mcu.store.errors import StoreUnavailable
from mcu.store.identifiers import GUEST_PREFIX

DOWN_RETRY_S = 2
NO_LEGS: Mapping[str, Leg] = MappingProxyType({})
SYSTEM = Actor(token="", role="admin", name="system")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Entry:
    """What a leg itself does not know: who opened it, the view it asked for, if it ever worked."""

    opened_by: str
    view: str | None
    connected: bool = False


class Rooms:
    """The API's ``LegService``, the conferences' ``MediaControl``, the legs' ``LegObserver``.

    Call ``attach`` before anything joins.

    Args:
        clock: monotonic seconds. load: says whether one more may come in.
        calls: legs that are opened by calls (SIP), by id; the acceptor's are the others.
        lines: knows what each leg receives and why.
        leg_left: told of every leg that is closed for good, while its statistics can be read.
    """

    def __init__(
        self,
        engine: Engine,
        acceptor: WebRtcAcceptor,
        *,
        clock: Callable[[], float],
        load: LoadWatch,
        leg_left: Callable[[Leg], None] = lambda leg: None,
        media_ended: Callable[[ConferenceMedia], None] = lambda media: None,
        lines: Lines | None = None,
        calls: Mapping[str, Leg] = NO_LEGS,
    ) -> None:
        self._calls = calls
        self._lines = lines or Lines()
        self._engine = engine
        self._acceptor = acceptor
        self._clock = clock
        self._load = load
        self._leg_left = leg_left
        self._media_ended = media_ended
        self._entries: dict[str, _Entry] = {}
        self._removing: set[asyncio.Task[None]] = set()
        self._answering = asyncio.Lock()
        self._farewells = Farewells(clock)
        self._conferences: Conferences
        self._playing: dict[str, dict[str, Callable[[], None]]] = {}
        self._bad_lines = BadLines(clock)
        self._down: set[str] = set()
        """Conferences without media for a while, in a drill."""

    def attach(self, conferences: Conferences) -> None:
        """Whom to tell of legs; conferences and media refer to each other."""
        self._conferences = conferences
        conferences.listen(self._conference_changed)

    # MediaControl

    def start(self, conference_id: str) -> None:
        """Make the media of a conference."""
        self._engine.start_conference(conference_id)

    def apply(self, conference_id: str, plan: MediaPlan) -> None:
        """Make the media follow the plan and disconnect whom it does not name."""
        now = self._clock()
        if plan.down:
            self._drop(conference_id)
            return
        if conference_id in self._down:
            self._farewells.finish()  # what was there has to be gone before there is new media
            self._down.discard(conference_id)
        self._engine.start_conference(conference_id).apply_plan(plan, now)
        self._bad_lines.follow(plan, self._legs_of(conference_id), now)
        for leg in self._legs_of(conference_id):
            if leg.participant is not None and leg.participant not in plan.participants:
                leg.close("disconnected", now)

    def _drop(self, conference_id: str) -> None:
        """Have no media of a conference that goes on, as a server that is started again."""
        if conference_id in self._down:
            return
        self._down.add(conference_id)
        self._playing.pop(conference_id, None)
        media = self._engine.remove_conference(conference_id)
        if media is None:
            return
        self._media_ended(media)
        self._farewells.say(
            self._legs_of(conference_id), "restart", parting=media.remove_leg, last=media.close
        )

    def end(self, conference_id: str) -> None:
        """Nothing is mixed any more; the legs are closed in turns (see ``Farewells``)."""
        self._down.discard(conference_id)
        media = self._engine.remove_conference(conference_id)
        legs = self._legs_of(conference_id)
        if media is None:
            self._farewells.say(legs, "ended")
            return
        self._media_ended(media)
        self._farewells.say(legs, "ended", parting=media.remove_leg, last=media.close)

    async def parted(self) -> None:
        """Wait until all legs of conferences that have ended are closed."""
        await self._farewells.said()

    def finish(self) -> None:
        """Close now what waits to be closed: the program ends."""
        self._farewells.finish()

    # LegService

    async def join(
        self,
        conference: str,
        participant: str | None,
        kind: LegKind,
        view: str | None,
        offer_sdp: str,
        actor: Actor,
    ) -> JoinedLeg:
        """Answer an offer; see ``mcu.api.services.LegService``.

        One in each turn of the loop, as an answer takes a millisecond or two and a whole province
        may come in one moment.
        """
        async with self._answering:
            await asyncio.sleep(0)  # the lock alone would be free again for the next at once
            return self._answer(conference, participant, kind, view, offer_sdp, actor)

    def _answer(
        self,
        conference: str,
        participant: str | None,
        kind: LegKind,
        view: str | None,
        offer_sdp: str,
        actor: Actor,
    ) -> JoinedLeg:
        if view is not None and view not in VIEWS:
            raise Refused(sentence("view.unknown", view=view, known=", ".join(VIEWS)), "view")
        now = self._clock()
        self.admit(conference, participant, kind)
        leg = self._acceptor.accept(
            offer_sdp,
            leg_id=f"leg-{secrets.token_hex(8)}",
            conference=conference,
            participant=participant,
            kind=kind,
            observer=self,
            now=now,
        )
        self._expect(leg, _Entry(actor.token, view), now)
        return JoinedLeg(leg.id, leg.answer_sdp)

    def _expect(self, leg: Leg, entry: _Entry, now: float) -> None:
        """Take a leg that will connect.

        An earlier attempt of the same room that never connected is given up; a connected leg goes
        on until this one is connected, so that a failed attempt takes nothing away.
        """
        self._entries[leg.id] = entry
        media = self._engine.conferences.get(leg.conference)
        if media is not None and media.plan.faults:
            self._bad_lines.put_into(leg, media.plan, now)
        for earlier in self._same(leg.conference, leg.participant, leg.kind):
            if earlier.state == "new" and earlier is not leg:
                earlier.close("replaced", now)

    def _same(self, conference: str, participant: str | None, kind: LegKind) -> list[Leg]:
        if participant is None:
            return []
        return [
            leg
            for leg in self._legs_of(conference)
            if (leg.participant, leg.kind) == (participant, kind)
        ]

    # Calls

    def admit(self, conference: str, participant: str | None, kind: LegKind = "join") -> None:
        """Say whether one more leg may come in.

        Args:
            participant: on the roster; None: somebody who is not, or not yet.

        Raises:
            UnknownConference. Refused: not on the roster. NoCapacity: see ``LoadWatch.admit``.
        """
        self._conferences.get(conference)
        if conference in self._down:
            raise NoCapacity(sentence("conference.restoring"), DOWN_RETRY_S)
        if participant is not None:
            self._conferences.participant(conference, participant)
        # What takes the place of another needs no place of its own: a lost room may rejoin.
        if not self._same(conference, participant, kind):
            standing = len(self._acceptor.legs) + len(self._calls) - len(self._farewells)
            self._load.admit(standing, self._clock())

    def expect(self, leg: Leg, now: float) -> None:
        """Take the leg of a call, admitted before; tell of it as its ``LegObserver`` from now on.

        Its ``participant`` is on the roster.
        """
        self._expect(leg, _Entry("", None), now)

    def forget(self, conference: str, participant: str) -> None:
        """A call has ended before it had a leg: who came by itself goes off the roster.

        A bridge stays, and so does a guest whom we call.
        """
        if participant.startswith(GUEST_PREFIX) and not self._is_called(conference, participant):
            self._forget_guest(conference, participant)

    # LegService

    def get(self, leg_id: str) -> LegInfo | None:
        """A living leg, or None."""
        leg, entry = self._leg(leg_id), self._entries.get(leg_id)
        if leg is None or entry is None:
            return None
        return LegInfo(
            id=leg.id,
            conference=leg.conference,
            participant=leg.participant,
            kind=leg.kind,
            state=leg.state,
            view=self._view_of(leg, entry),
            opened_by=entry.opened_by,
            ice_ufrag=leg.ice_ufrag if isinstance(leg, WebRtcLeg) else "",
            statistics=leg.statistics(self._clock()),
            receives=self._receives(leg),
        )

    async def restart_ice(self, leg_id: str, fragment: str) -> str:
        """Restart ICE; gives our fragment. KeyError: the leg is gone."""
        return self._acceptor.legs[leg_id].restart_ice(fragment, self._clock())

    async def leave(self, leg_id: str, reason: str) -> None:
        """Close a leg; one that is gone already is no error."""
        leg = self._leg(leg_id)
        if leg is not None:
            leg.close(reason, self._clock())

    def openers(self) -> Collection[str]:
        """See ``mcu.api.services.LegService``."""
        return {entry.opened_by for entry in self._entries.values() if entry.opened_by}

    async def withdraw(self, token: str, reason: str) -> int:
        """Close every leg that a token opened."""
        ids = [leg for leg, entry in self._entries.items() if entry.opened_by == token]
        self._farewells.say([leg for each in ids if (leg := self._leg(each))], reason)
        await self._farewells.said()
        return len(ids)

    # LegObserver

    def leg_connected(self, leg: Leg, now: float) -> None:
        """Give the leg its part in the media, and tell the conference."""
        media = self._engine.conferences.get(leg.conference)
        entry = self._entries.get(leg.id)
        if media is None or entry is None:
            leg.close("ended", now)
            return
        entry.connected = True
        media.add_leg(leg, now, entry.view)
        if leg.participant is not None:
            self._conferences.note(leg.conference, NoteJoined(leg.participant, leg.id, leg.kind))

    def leg_lost(self, leg: Leg, now: float) -> None:
        """Tell the conference."""
        if leg.participant is not None:
            self._conferences.note(leg.conference, NoteLost(leg.participant, leg.id))

    def leg_returned(self, leg: Leg, now: float) -> None:
        """Tell the conference."""
        if leg.participant is not None:
            self._conferences.note(leg.conference, NoteReturned(leg.participant, leg.id))

    def leg_renegotiated(self, leg: Leg, now: float) -> None:
        """Let the media follow the leg's new streams; its line is looked at anew."""
        media = self._engine.conferences.get(leg.conference)
        if media is not None:
            self._lines.forget(leg.id)
            media.leg_renegotiated(leg, now)

    def line_congested(self, leg: Leg, now: float) -> None:
        """Give the leg less at once."""
        media = self._engine.conferences.get(leg.conference)
        if media is not None:
            self._lines.relieve(media, leg, now)

    def leg_left(self, leg: Leg, reason: str, now: float) -> None:
        """Take the leg out of the media, and tell the conference."""
        self._leg_left(leg)
        self._bad_lines.forget(leg)
        entry = self._entries.pop(leg.id, None)
        media = self._engine.conferences.get(leg.conference)
        if media is not None:
            media.remove_leg(leg)
        if leg.participant is None:
            return
        if entry is not None and entry.connected:
            self._conferences.note(leg.conference, NoteLeft(leg.participant, leg.id, reason))
        elif leg.participant.startswith(GUEST_PREFIX):
            self._forget_guest(leg.conference, leg.participant)

    def frame_received(self, leg: Leg, source: StreamName, frame: EncodedFrame, now: float) -> None:
        """Hand on to the conference's media."""
        media = self._engine.conferences.get(leg.conference)
        if media is not None:
            media.frame_received(leg, source, frame, now)

    # Private

    def _conference_changed(self, state: ConferenceState, event: Event) -> None:
        """Close the legs that a decision has left without a place; play to those who wait."""
        self._entertain(state)
        if isinstance(event, ParticipantJoined):
            self._close(event.replaced, "replaced")
        elif isinstance(event, ParticipantRemoved):
            self._close(tuple(leg.id for leg in event.participant.legs), "disconnected")

    def _entertain(self, state: ConferenceState) -> None:
        """Let those who wait hear so, and those let in hear the conference. O(roster)."""
        waiting = {each.id for each in state.participants.values() if each.waiting and each.legs}
        playing = self._playing.get(state.id, {})
        if not state.running or not (waiting or playing):
            self._playing.pop(state.id, None)
            return
        media = self._engine.conferences.get(state.id)
        for gone in [each for each in playing if each not in waiting]:
            playing.pop(gone)()
        if media is not None:
            for each in waiting - playing.keys():
                playing[each] = media.play_to(each, WaitingTone())
        self._playing[state.id] = playing

    def _is_called(self, conference: str, guest: str) -> bool:
        try:
            return self._conferences.participant(conference, guest).address is not None
        except Refused:
            return False

    def _forget_guest(self, conference: str, guest: str) -> None:
        """Take a guest off the roster whose connection never came about.

        Nobody expects a guest, so it would stand there as expected for good.
        """
        if any(leg.participant == guest for leg in self._legs_of(conference)):
            return
        task = asyncio.get_running_loop().create_task(self._remove(conference, guest))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def _remove(self, conference: str, guest: str) -> None:
        try:
            await self._conferences.execute(conference, RemoveParticipant(guest), SYSTEM)
        except (Refused, StoreUnavailable) as error:
            log.warning("guest_stays", conference=conference, guest=guest, reason=str(error))

    def _close(self, leg_ids: tuple[str, ...], reason: str) -> None:
        for leg_id in leg_ids:
            leg = self._leg(leg_id)
            if leg is not None:
                leg.close(reason, self._clock())

    def _leg(self, leg_id: str) -> Leg | None:
        return self._acceptor.legs.get(leg_id) or self._calls.get(leg_id)

    def _legs_of(self, conference: str) -> list[Leg]:
        legs = (*self._acceptor.legs.values(), *self._calls.values())
        return [leg for leg in legs if leg.conference == conference]

    def _receives(self, leg: Leg) -> Receives | None:
        media = self._engine.conferences.get(leg.conference)
        return None if media is None else self._lines.receives(media, leg.id)

    def _view_of(self, leg: Leg, entry: _Entry) -> str:
        if entry.view is not None:
            return entry.view
        media = self._engine.conferences.get(leg.conference)
        planned = media.plan.participants.get(leg.participant or "") if media else None
        return planned.view if planned is not None else MAIN_VIEW
