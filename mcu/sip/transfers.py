"""From one conference to another by SIP: what operators order, and what rooms ask for (RFC 3515).

A room that understands REFER is asked to call the other conference; its call here ends when it is
there. Others, and those with whom that comes to nothing, are hung up and called from there.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal

import structlog

from mcu.conference.move import check_move, move
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import Participant, Refused
from mcu.rooms.rooms import SYSTEM
from mcu.sip.conversation import CallContext, Conversation
from mcu.sip.dial_plan import Caller, Destination, DialPlan, Refusal
from mcu.sip.invitations import Invitation, Invitations
from mcu.store.errors import StoreUnavailable
from signalling.sip import CallEnded, CallId, ReferProgressed, ReferReceived

REFER_S: Final = 8.0
"""So long a room may take to call after it was asked to."""
ARRIVE_S: Final = 10.0
"""So long its call may take to bring media before it is called from there."""
LEAVE_S: Final = 3.0
"""So long its call here stands after it has come there, for it to be told so."""

RoomTransfers = Literal["refused", "own_units"]

log = structlog.get_logger(__name__)


class Transfers:
    """Moves participants.

    Args:
        find: the conversation of a participant of a conference.
        call_again: see ``SipCalls``. run: starts work that nobody waits for.
        judge: whether a PIN that was dialled is right (where it leads, the PIN, who calls).
        by_rooms: which conferences rooms may move themselves to.
    """

    def __init__(
        self,
        context: CallContext,
        conferences: Conferences,
        plan: DialPlan,
        invitations: Invitations,
        *,
        find: Callable[[str, str], Conversation | None],
        call_again: Callable[[str, str], None],
        run: Callable[[Coroutine[Any, Any, None]], None],
        judge: Callable[[Destination, str, Caller], bool],
        by_rooms: RoomTransfers,
    ) -> None:
        self._context = context
        self._conferences = conferences
        self._plan = plan
        self._invitations = invitations
        self._find = find
        self._call_again = call_again
        self._run = run
        self._judge = judge
        self._by_rooms = by_rooms
        self._asked: dict[CallId, Invitation] = {}
        self._coming: set[tuple[str, str]] = set()

    def comes_by_itself(self, conference: str, who: Participant) -> bool:
        """Whether somebody who is expected now is on its way, and need not be called."""
        return (conference, who.bridge or who.address or "") in self._coming

    async def transfer(
        self, conference: str, participant: str, target: str, actor: Actor
    ) -> Participant:
        """Move somebody; see ``mcu.conference.move``. Takes up to ``REFER_S``."""
        who = check_move(self._conferences, conference, participant, target)
        conversation = self._find(conference, participant)
        agent = self._context.endpoint.agent
        if conversation is None or not agent.peer_allows(conversation.call, "REFER"):
            return await self._redial(conversation, conference, participant, target, actor)
        invitation = self._invitations.invite(who.bridge or "")
        try:
            if not await self._refer(conversation, invitation):
                log.info("refer_failed", conference=conference, participant=participant)
                return await self._redial(conversation, conference, participant, target, actor)
            moved = await self._move_who_comes(conversation, who, target, actor)
            invitation.admit(Destination(target, moved.id))
            self._run(self._look_after(target, moved.id))
            return moved
        finally:
            self._asked.pop(conversation.call, None)
            self._invitations.end(invitation)

    def progressed(self, event: ReferProgressed) -> None:
        """A room says how it fares with our REFER."""
        invitation = self._asked.get(event.call)
        if invitation is not None and event.final and not 200 <= event.code < 300:
            invitation.settle(False)

    def ended(self, event: CallEnded) -> None:
        """A call has ended: who was asked to call may have gone."""
        invitation = self._asked.get(event.call)
        if invitation is not None:
            invitation.settle(False)

    async def asked(self, conversation: Conversation, event: ReferReceived) -> None:
        """A room wants to be moved: see whether it may, and tell it."""
        source, participant = conversation.conference, conversation.participant or ""
        found = self._wanted(conversation, event)
        if isinstance(found, Refusal):
            log.info("transfer_refused", participant=participant, reason=found.reason)
            self._report(event, found)
            return
        self._report(event, Refusal(200, "OK"))  # said while there is a call to say it in
        try:
            await self._redial(conversation, source, participant, found, SYSTEM)
        except (Refused, StoreUnavailable) as error:
            log.warning("transfer_failed", participant=participant, reason=error.reason)

    # Inside

    async def _redial(
        self,
        conversation: Conversation | None,
        conference: str,
        participant: str,
        target: str,
        actor: Actor,
    ) -> Participant:
        if conversation is not None:
            conversation.farewell = "moved"
        try:
            return await move(self._conferences, conference, participant, target, actor)
        finally:
            if conversation is not None:
                conversation.farewell = None

    async def _move_who_comes(
        self, conversation: Conversation, who: Participant, target: str, actor: Actor
    ) -> Participant:
        coming = target, who.bridge or who.address or ""
        self._coming.add(coming)
        conversation.stays_s = LEAVE_S
        try:
            return await move(
                self._conferences, conversation.conference, who.id, target, actor, comes=True
            )
        finally:
            conversation.stays_s = 0.0
            self._coming.discard(coming)

    async def _refer(self, conversation: Conversation, invitation: Invitation) -> bool:
        """Ask a room to call; whether its call has come."""
        endpoint, call = self._context.endpoint, conversation.call
        place = endpoint.own_address(conversation.hop, invitation.user)
        by = endpoint.own_address(conversation.hop, conversation.conference)
        self._asked[call] = invitation
        if not endpoint.do(lambda agent, now: agent.refer(call, place, now, by)):
            return False
        try:
            async with asyncio.timeout(REFER_S):
                return await invitation.came
        except TimeoutError:
            return False

    async def _look_after(self, conference: str, participant: str) -> None:
        """Who was on its way and did not get in is called."""
        await asyncio.sleep(ARRIVE_S)
        try:
            who = self._conferences.participant(conference, participant)
        except Refused:
            return
        if not who.legs and who.presence == "expected":
            self._call_again(conference, participant)

    def _wanted(self, conversation: Conversation, event: ReferReceived) -> str | Refusal:
        """The conference that a room may move itself to."""
        if self._by_rooms == "refused":
            return Refusal(403, "sip.room_transfers refuses rooms that move themselves")
        try:
            who = self._conferences.participant(
                conversation.conference, conversation.participant or ""
            )
        except Refused as error:
            return Refusal(403, error.reason)
        if who.bridge is None:
            return Refusal(403, "only rooms of the registry may move themselves")
        caller = Caller(who.bridge, conversation.hop.host)
        found = self._plan.find(event.target, caller)
        if isinstance(found, Refusal):
            return found
        state, dialled = found
        if state.unit not in who.unit_path:
            return Refusal(403, f"the conference {state.id} is of none of the room's units")
        try:
            check_move(self._conferences, conversation.conference, who.id, state.id)
        except Refused as error:
            return Refusal(403, error.reason)
        if state.pin is not None:
            place = Destination(state.id, None, state.pin)
            if dialled is None or not self._judge(place, dialled, caller):
                return Refusal(403, "the PIN is missing or wrong")
        return state.id

    def _report(self, event: ReferReceived, how: Refusal) -> None:
        self._context.endpoint.do(
            lambda agent, now: agent.report_refer(event.call, event.refer, how.code, now)
        )
