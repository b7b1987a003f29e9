"""Calls, the roster and the legs: what SIP tells goes to where it belongs, and what happens in
conferences becomes calls.

``SipCalls`` is the handler of the endpoint's events and a listener of the conferences. Calls that
come in are taken by ``Arrivals``; each hardware room that a conference expects has a ``Dialer``.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from mcu.api.services import SipCaller, SipTraceEntry
from mcu.backoff import Backoff
from mcu.conference.convening_model import ConveningCalled, ConveningStarted, ConveningStopped
from mcu.conference.drill_model import FaultEnded
from mcu.conference.events import (
    ConferenceEnded,
    ConferenceStarted,
    Event,
    ParticipantAdded,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantRemoved,
)
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import ConferenceState, Participant
from mcu.media.port_pairs import PortsExhausted
from mcu.sip.arrivals import Arrivals
from mcu.sip.callers import Callers
from mcu.sip.conversation import UNUSABLE, CallContext, Conversation
from mcu.sip.dial_plan import DialPlan
from mcu.sip.dialer import Dialer, Directory
from mcu.sip.floor_keys import FloorKeys, carry_out
from mcu.sip.invitations import Invitations
from mcu.sip.ladders import Ladders
from mcu.sip.outgoing import OutgoingConversation
from mcu.sip.outside import AddressDirectory
from mcu.sip.transfers import RoomTransfers, Transfers
from signalling.sip import (
    BindingsChanged,
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallId,
    CallReceived,
    DigitReceived,
    MediaAnswered,
    MediaOffered,
    PictureRequested,
    ReferProgressed,
    ReferReceived,
    SignedIn,
    SignInRefused,
)
from signalling.sip import Event as SipEvent

log = structlog.get_logger(__name__)


class SipCalls:
    """All calls: ``attach`` and ``open`` first, ``close`` in ``finally``.

    Args:
        bindings_changed: told of each change of registrations.
        sign_in: told who signs in, or is refused.
        redial_s: first and longest pause between calls to one room.
        room_transfers: which conferences rooms may move themselves to.
    """

    def __init__(
        self,
        conferences: Conferences,
        plan: DialPlan,
        directory: Directory,
        *,
        bindings_changed: Callable[[BindingsChanged], None],
        no_answer_s: float,
        redial_s: tuple[float, float],
        room_transfers: RoomTransfers = "own_units",
        sign_in: Callable[[SignedIn | SignInRefused], None] = lambda event: None,
    ) -> None:
        self._conferences = conferences
        self._plan = plan
        self._directory = directory
        self._bindings_changed = bindings_changed
        self._sign_in = sign_in
        self._no_answer_s = no_answer_s
        self._redial_s = redial_s
        self._room_transfers = room_transfers
        self._context: CallContext
        self._transfers: Transfers
        self._arrivals: Arrivals
        self._calls: dict[CallId, Conversation] = {}
        self._dialers: dict[tuple[str, str], tuple[Dialer, asyncio.Task[None]]] = {}
        self._ladders: Ladders
        self._callers = Callers(conferences.publish_ephemeral)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.confirmed: Callable[[str, str], object] = lambda conference, participant: None
        """Told that a room (conference, participant) confirms that it hears the test tone."""

    def attach(self, context: CallContext) -> None:
        """What calls are made of; the endpoint and its handler refer to each other."""
        self._context = context
        self._ladders = Ladders(context.endpoint.trace)
        invitations = Invitations()
        self._arrivals = Arrivals(
            context, self._conferences, self._plan, self._keep, invitations, self._callers
        )
        self._transfers = Transfers(
            context,
            self._conferences,
            self._plan,
            invitations,
            find=self._conversation_of,
            call_again=self.call_again,
            run=self._run,
            judge=self._arrivals.judge,
            by_rooms=self._room_transfers,
        )

    def open(self) -> None:
        """Call those whom running conferences expect, and listen from now on."""
        self._conferences.listen(self._conference_changed)
        for state in self._conferences.running():
            for who in state.participants.values():
                self._expect(state.id, who)

    async def close(self) -> None:
        """Call nobody any more, and say goodbye in all calls."""
        self._is_closed = True
        tasks = [*self._tasks, *(task for _, task in self._dialers.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for conversation in tuple(self._calls.values()):
            conversation.hang_up("restart")

    def __len__(self) -> int:
        return len(self._calls)

    def of(self, call: CallId) -> Conversation | None:
        """A call by its name; None for one that is over."""
        return self._calls.get(call)

    def trace(self, conference: str, participant: str) -> Sequence[SipTraceEntry] | None:
        """See ``mcu.api.services.Services.sip_trace``."""
        return self._ladders.entries((conference, participant))

    def callers(self, conference: str) -> Sequence[SipCaller]:
        """Who calls a conference and is to enter its PIN."""
        return self._callers.of(conference)

    def caller_trace(self, conference: str, call: CallId) -> Sequence[SipTraceEntry] | None:
        """See ``mcu.api.services.Services.sip_caller_trace``."""
        call_id = self._callers.call_id(conference, call)
        return None if call_id is None else self._ladders.of_call(call_id)

    def user_agent(self, conference: str, participant: str) -> str | None:
        """What a room calls itself in its newest message that says so; None: in none."""
        return self._ladders.user_agent((conference, participant))

    def call_again(self, conference: str, participant: str) -> None:
        """Call a room now that is to be there and is not; nothing happens to others."""
        found = self._dialers.get((conference, participant))
        if found is not None:
            found[0].call_again()

    async def transfer(
        self, conference: str, participant: str, target: str, actor: Actor
    ) -> Participant:
        """Move somebody to another conference; see ``Transfers``."""
        return await self._transfers.transfer(conference, participant, target, actor)

    def _conversation_of(self, conference: str, participant: str) -> Conversation | None:
        for one in self._calls.values():
            if (one.conference, one.participant) == (conference, participant) and one.leg:
                return one
        return None

    def bridge_changed(self, bridge: str) -> None:
        """A bridge's record is another now: it may be called from now on, or elsewhere."""
        found = self._dialers.get((self._conferences.conference_of(bridge) or "", bridge))
        if found is not None:
            found[0].reachable()

    def revoked(self, bridge: str) -> None:
        """A room's account is gone: its calls end."""
        for conversation in tuple(self._calls.values()):
            if conversation.participant == bridge:
                conversation.hang_up("disconnected")

    # What SIP tells

    def __call__(self, event: SipEvent, now: float) -> None:
        """Take an event of the agent."""
        if isinstance(event, CallReceived):
            if self._is_closed:
                self._context.endpoint.do(
                    lambda agent, at: agent.reject(event.call, 503, at, retry_after_s=10)
                )
            else:
                self._run(self._arrivals.take(event))
        elif isinstance(event, BindingsChanged):
            self._bindings_changed(event)
            for (_, participant), (dialer, _) in self._dialers.items():
                if participant == event.address and event.bindings:
                    dialer.reachable()
        elif isinstance(event, SignedIn | SignInRefused):
            self._sign_in(event)
        elif isinstance(event, ReferProgressed):
            self._transfers.progressed(event)
        elif (conversation := self._calls.get(getattr(event, "call", ""))) is not None:
            self._tell(conversation, event)

    def _tell(self, conversation: Conversation, event: SipEvent) -> None:
        if isinstance(event, CallEnded):
            del self._calls[event.call]
            self._transfers.ended(event)
            conversation.over(event)
        elif isinstance(event, CallAnswered):
            if isinstance(conversation, OutgoingConversation):
                conversation.answered(event)
        elif isinstance(event, CallConfirmed | MediaAnswered):
            if event.sdp is not None:
                self._complete(conversation, event.sdp)
        elif isinstance(event, MediaOffered):
            self._run(self._renegotiate(conversation, event))
        elif isinstance(event, PictureRequested):
            conversation.picture_requested()
        elif isinstance(event, ReferReceived):
            self._run(self._transfers.asked(conversation, event))
        elif isinstance(event, DigitReceived):
            conversation.digits(event.digit)

    def _complete(self, conversation: Conversation, answer: bytes) -> None:
        try:
            conversation.complete(answer)
        except UNUSABLE as error:
            log.info("answer_unusable", call=conversation.call, reason=str(error))
            if conversation.leg is None:
                conversation.hang_up("failed")

    async def _renegotiate(self, conversation: Conversation, event: MediaOffered) -> None:
        """Answer what the peer wants now; where it cannot be, all stays as it was."""
        endpoint = self._context.endpoint
        if conversation.leg is not None and conversation.leg.state == "left":
            endpoint.do(lambda agent, now: agent.refuse_media(event.call, now))
            return
        try:
            async with self._context.one_a_turn():
                if conversation.is_over:
                    return
                conversation.reserve()
                body = conversation.offer() if event.sdp is None else conversation.answer(event.sdp)
        except (*UNUSABLE, PortsExhausted) as error:
            log.info("media_refused", call=conversation.call, reason=str(error))
            conversation.release()
            endpoint.do(lambda agent, now: agent.refuse_media(event.call, now))
            return
        endpoint.do(lambda agent, now: agent.answer_media(event.call, body, now))

    # What conferences tell

    def _conference_changed(self, state: ConferenceState, event: Event) -> None:
        if isinstance(event, ConferenceStarted):
            for who in state.participants.values():
                self._expect(state.id, who)
        elif isinstance(event, ParticipantAdded):
            self._expect(state.id, event.participant)
        elif isinstance(event, ParticipantRemoved):
            for conversation in self._calls.values():
                if (conversation.conference, conversation.participant) == (
                    state.id,
                    event.participant.id,
                ):
                    conversation.words = event.reason
            self._expect_no_more(state.id, event.participant.id)
        elif isinstance(event, ConferenceEnded):
            self._run(self._expect_nobody(state.id))
        elif isinstance(event, ConveningCalled | ConveningStarted | ConveningStopped):
            called = event.participants if isinstance(event, ConveningCalled) else None
            for (conference, participant), (dialer, _) in self._dialers.items():
                if conference == state.id and (called is None or participant in called):
                    dialer.turn_changed()
        elif isinstance(event, FaultEnded) and event.kind == "restart":
            # As after a start of the server, who was here is called again.
            for (conference, participant), (dialer, _) in self._dialers.items():
                room = state.participants.get(participant)
                if conference == state.id and room is not None and room.presence == "lost":
                    dialer.left("restart")
        elif isinstance(event, ParticipantJoined | ParticipantLeft):
            found = self._dialers.get((state.id, event.participant.id))
            if found is None:
                return
            if isinstance(event, ParticipantLeft):
                found[0].left(event.reason)
            else:
                found[0].joined()

    def _expect(self, conference: str, who: Participant) -> None:
        key = conference, who.id
        if key in self._dialers or self._is_closed:
            return
        directory = self._directory
        if who.bridge is None:
            if who.address is None:
                return
            directory = AddressDirectory(who.address)
        dialer = Dialer(
            self._context,
            self._conferences,
            directory,
            conference,
            who.id,
            backoff=Backoff(*self._redial_s),
            no_answer_s=self._no_answer_s,
            opened=self._opened,
            nowhere=lambda place: self._ladders.nowhere(key, place, datetime.now(UTC)),
            waits=self._transfers.comes_by_itself(conference, who),
        )
        task = asyncio.get_running_loop().create_task(dialer.run())
        self._dialers[key] = dialer, task

        def gone(done: asyncio.Task[None]) -> None:
            found = self._dialers.get(key)
            if found is not None and found[1] is done:
                del self._dialers[key]
            if not done.cancelled() and done.exception() is not None:
                log.error("dialer_failed", participant=who.id, exc_info=done.exception())

        task.add_done_callback(gone)

    def _expect_no_more(self, conference: str, participant: str) -> None:
        found = self._dialers.pop((conference, participant), None)
        if found is not None:
            found[1].cancel()

    async def _expect_nobody(self, conference: str) -> None:
        """Call nobody of a conference any more: calls that ring are given up one by one."""
        for key in tuple(self._dialers):
            if key[0] == conference:
                async with self._context.one_a_turn():
                    self._expect_no_more(*key)

    # Inside

    def _opened(self, conversation: Conversation) -> None:
        self._keep(conversation.call, conversation)

    def _keep(self, call: CallId, conversation: Conversation) -> None:
        self._calls[call] = conversation
        conversation.entered = self._entered
        if conversation.participant is not None:
            self._entered(conversation)

    def _entered(self, conversation: Conversation) -> None:
        """It is known whose call it is: its messages can be found by that, its keys are its own."""
        room = conversation.participant
        if room is not None:
            conference = conversation.conference
            conversation.digits = FloorKeys(
                lambda asks: self._run(carry_out(self._conferences, conference, room, asks)),
                lambda: self.confirmed(conference, room),
            ).press
        call_id = self._context.endpoint.keep_trace(conversation.call)
        if call_id is None or conversation.participant is None:
            return
        self._ladders.keep((conversation.conference, conversation.participant), call_id)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("call_failed_inside", exc_info=task.exception())
