"""Calls that come in: to which conference, as whom, with which PIN; or why not."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from mcu.api.client_address import client_key
from mcu.api.services import NoCapacity, SipCaller
from mcu.conference.service import Conferences
from mcu.conference.state import Refused, UnknownConference
from mcu.media.port_pairs import PortsExhausted
from mcu.rooms.rooms import SYSTEM, Rooms
from mcu.sip.callers import Callers
from mcu.sip.conversation import UNUSABLE, CallContext, Conversation
from mcu.sip.dial_plan import Caller, Destination, DialPlan, Refusal
from mcu.sip.invitations import Invitation, Invitations
from mcu.sip.pin_entry import TRIES, WAIT_S, PinEntry
from mcu.sip.pin_picture import Notice
from mcu.sip.pins import PinGate
from mcu.sip.stored_bindings import written
from mcu.sip.trace import MASK
from mcu.store.errors import StoreUnavailable
from signalling.sip import CallId, CallReceived, Reason

MAX_GUEST_NAME = 80
MAX_ADDRESS = 255
STORE_WAIT_S = 10
NO_PORTS_WAIT_S = 30
MAX_GUESTS_OF_SOURCE: Final = 20
"""Calls of one source without an account: strangers must not take the places of all rooms."""
MAX_CALLS_OF_ACCOUNT: Final = 5
"""Of one room: two devices, and calls of before whose end has not been noticed. Waiting for a PIN
they hold ports and a place, and nothing else would bound them."""
MANY_WAIT_S = 30
FAREWELL_S: Final = 2.5
"""So long a caller who is sent away is told why, before the call ends."""

log = structlog.get_logger(__name__)


class Refuse(Exception):  # noqa: N818 - a decision, no failure
    """Answer the call with this status."""

    def __init__(self, code: int, reason: str, retry_after_s: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.retry_after_s = retry_after_s


class Arrivals:
    """Answers calls that come in, one in each turn of the loop.

    Args:
        opened: told of each call that may become one of a conference.
        invitations: of calls that we have asked for.
        callers: shows who is to enter a PIN.
    """

    def __init__(
        self,
        context: CallContext,
        conferences: Conferences,
        plan: DialPlan,
        opened: Callable[[CallId, Conversation], None],
        invitations: Invitations,
        callers: Callers,
    ) -> None:
        self._context = context
        self._conferences = conferences
        self._rooms: Rooms = context.rooms
        self._plan = plan
        self._opened = opened
        self._invitations = invitations
        self._callers = callers
        self._gate = PinGate()
        self._calls: Counter[tuple[str, str]] = Counter()
        """Of guests by their source, of rooms by their account."""

    async def take(self, event: CallReceived) -> None:
        """Answer one call; raises nothing that the caller of it causes."""
        try:
            await self._take(event)
        except Refuse as refusal:
            log.info(
                "call_refused",
                target=event.target,
                caller=event.caller,
                source=str(event.source),
                call_id=self._context.endpoint.agent.call_id(event.call),
                code=refusal.code,
                reason=refusal.reason,
            )
            self._reject(event.call, refusal)

    async def _take(self, event: CallReceived) -> None:
        if self._context.endpoint.agent.call_id(event.call) is None:
            return  # cancelled in the same read: its end was told before anybody kept it
        caller = Caller(event.identity, event.source.host)
        invitation = self._invitations.take(event.target)
        if invitation is not None:
            found = await self._invited(invitation, event)
        else:
            resolved = self._plan.resolve(event.target, caller)
            if isinstance(resolved, Refusal):
                raise Refuse(resolved.code, resolved.reason)
            found = resolved
        pin = found.pin
        if pin is not None and found.dialled_pin is not None:
            verdict = self._judge(found, found.dialled_pin, caller)
            if verdict == "right":
                pin = None
        self._admit(found)
        conversation = Conversation(self._context, found.conference, event.source)
        conversation.call = event.call
        self._count(conversation, event)
        self._opened(event.call, conversation)
        async with self._context.one_a_turn():
            if conversation.is_over:
                return
            self._reserve(conversation)
            try:
                body = conversation.offer() if event.sdp is None else conversation.answer(event.sdp)
            except UNUSABLE as error:
                raise Refuse(488, str(error)) from error
        if pin is None:
            await self._enter(conversation, found, event)
        elif not conversation.is_over:
            self._ask(conversation, found, event, caller)
        self._context.endpoint.do(lambda agent, now: agent.accept(event.call, body, now))

    async def _invited(self, invitation: Invitation, event: CallReceived) -> Destination:
        """Where a call leads that we have asked for; raises Refuse for any other."""
        if event.identity and event.identity != invitation.bridge:
            invitation.settle(False)
            raise Refuse(403, "another room was asked to call")
        invitation.settle(True)
        found = await invitation.leads_to
        if found is None:
            raise Refuse(480, "not expected any more")
        if self._context.endpoint.agent.call_id(event.call) is None:
            raise Refuse(487, "cancelled meanwhile")
        return found

    def judge(self, found: Destination, entered: str, caller: Caller) -> bool:
        """Whether a PIN is right; who guesses is stopped."""
        try:
            return self._judge(found, entered, caller) == "right"
        except Refuse:
            return False

    def _count(self, conversation: Conversation, event: CallReceived) -> None:
        """Count a call until its end; raises Refuse for one too many."""
        if event.identity:
            caller, most, whose = (
                ("account", event.identity),
                MAX_CALLS_OF_ACCOUNT,
                "of this account",
            )
        else:
            caller = "source", client_key(event.source.host)
            most, whose = MAX_GUESTS_OF_SOURCE, "without an account from there"
        if self._calls[caller] >= most:
            raise Refuse(503, f"too many calls {whose}", MANY_WAIT_S)

        def ended() -> None:
            self._callers.gone(event.call)
            self._calls[caller] -= 1
            if not self._calls[caller]:
                del self._calls[caller]

        self._calls[caller] += 1
        conversation.ended = ended

    def _admit(self, found: Destination) -> None:
        try:
            self._rooms.admit(found.conference, found.participant)
        except NoCapacity as error:
            raise Refuse(503, error.reason, error.retry_after_s) from error
        except Refused as error:
            raise Refuse(403, error.reason) from error

    def _reserve(self, conversation: Conversation) -> None:
        try:
            conversation.reserve()
        except PortsExhausted as error:
            raise Refuse(503, str(error), NO_PORTS_WAIT_S) from error

    async def _enter(
        self, conversation: Conversation, found: Destination, event: CallReceived
    ) -> None:
        """Put the caller on the roster if it is not there, and let it in: of a locked conference,
        to where it waits until somebody admits it.
        """
        participant = found.participant
        try:
            if participant is None and event.identity:
                bridge = await self._conferences.add_bridge(
                    found.conference, event.identity, SYSTEM, knocks=True
                )
                participant = bridge.id
            elif participant is None:
                guest = await self._conferences.add_guest(
                    found.conference, _name_of(event), SYSTEM, knocks=True
                )
                participant = guest.id
        except UnknownConference as error:
            raise Refuse(404, error.reason) from error
        except Refused as error:
            raise Refuse(403, error.reason) from error
        except StoreUnavailable as error:
            raise Refuse(503, error.reason, STORE_WAIT_S) from error
        self._callers.gone(event.call)
        conversation.enter(participant)
        if conversation.is_over:  # the caller went while its name was stored
            self._rooms.forget(found.conference, participant)

    # The PIN

    def _judge(self, found: Destination, entered: str, caller: Caller) -> str:
        now = self._context.clock()
        verdict = self._gate.judge(found.conference, found.pin or "", entered, caller.source, now)
        if verdict == "blocked":
            raise Refuse(403, "too many wrong PINs came from there")
        return verdict

    def _ask(
        self, conversation: Conversation, found: Destination, event: CallReceived, caller: Caller
    ) -> None:
        loop = asyncio.get_running_loop()
        tries = TRIES
        tasks: set[asyncio.Task[None]] = set()
        prompt = conversation.prompt()

        def send_away(refusal: Refuse, notice: Notice) -> None:
            timer.cancel()
            conversation.digits = lambda key: None
            prompt.refused(notice, 0)
            loop.call_later(
                FAREWELL_S, lambda: self._send_away(conversation, found, event, refusal)
            )

        async def let_in() -> None:
            try:
                await self._enter(conversation, found, event)
            except Refuse as refusal:
                send_away(refusal, "blocked")

        def entered(pin: str) -> None:
            nonlocal tries
            tries -= 1
            try:
                verdict = self._judge(found, pin, caller)
            except Refuse as refusal:
                send_away(refusal, "blocked")
                return
            if verdict == "wrong" and not tries:
                send_away(Refuse(403, "wrong PIN"), "wrong")
            elif verdict == "wrong":
                prompt.refused("wrong", tries)
                self._callers.tried(event.call, tries)
            else:
                conversation.digits = lambda key: None
                timer.cancel()
                task = loop.create_task(let_in())
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        def too_late() -> None:
            send_away(Refuse(408, "no PIN was entered"), "too_late")

        def press(key: str) -> None:
            prompt.digits(0 if key == "*" else entry.count + key.isdecimal())
            entry.press(key)

        self._callers.come(
            event.call,
            found.conference,
            SipCaller(
                name=_name_of(event),
                address=event.caller[:MAX_ADDRESS],
                source=written(event.source),
                bridge=event.identity or None,
                since=datetime.now(UTC),
                tries_left=tries,
                call=event.call,
                call_id=self._context.endpoint.agent.call_id(event.call) or "",
            ),
        )
        timer = loop.call_later(WAIT_S, too_late)
        entry = PinEntry(len(found.pin or ""), entered)
        conversation.digits = press

    def _send_away(
        self, conversation: Conversation, found: Destination, event: CallReceived, refusal: Refuse
    ) -> None:
        if conversation.is_over:
            return
        dialled = found.dialled_pin
        log.info(
            "caller_sent_away",
            conference=found.conference,
            call=conversation.call,
            call_id=self._context.endpoint.agent.call_id(conversation.call),
            caller=event.caller,
            account=event.identity or None,
            # A PIN that was wrong may be nearly right.
            target=event.target if dialled is None else event.target.replace(dialled, MASK),
            source=str(event.source),
            code=refusal.code,
            reason=refusal.reason,
        )
        conversation.digits = lambda key: None
        conversation.sent_away = refusal.reason
        reason = Reason("SIP", refusal.code, refusal.reason)
        self._context.endpoint.do(lambda agent, now: agent.hang_up(conversation.call, now, reason))

    def _reject(self, call: CallId, refusal: Refuse) -> None:
        self._context.endpoint.do(
            lambda agent, now: agent.reject(
                call, refusal.code, now, refusal.reason, refusal.retry_after_s
            )
        )


def _name_of(event: CallReceived) -> str:
    """What a guest is called: the name it gives, else its address."""
    name = "".join(character for character in event.name if character.isprintable()).strip()
    address = event.caller.partition(":")[2].partition(";")[0]
    return (name or address or event.source.host)[:MAX_GUEST_NAME]
