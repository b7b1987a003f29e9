"""Calls a room until it is in the conference: again after each failure, later each time.

A bridge that is no hardware room, or has no address and is registered nowhere, is waited for: both
may change while the conference runs.

A room that hung up by itself, or that an operator disconnected, is left in peace until it is
called in again; one whose line was lost is called again.

While rooms are convened it is called when it has its turn, and the pauses are the convening's.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from mcu.api.services import NoCapacity
from mcu.backoff import Backoff
from mcu.conference import convening
from mcu.conference.commands import NoteCallFailed, NoteCalling
from mcu.conference.convening_model import NoteReachable
from mcu.conference.service import Conferences
from mcu.conference.state import CallFailure, ConferenceState, Refused
from mcu.media.port_pairs import PortsExhausted
from mcu.sip.accounts import CallTarget
from mcu.sip.call_outcomes import FAILURES_OF_LOOKUP, Failed, NoPlace
from mcu.sip.conversation import CallContext, Conversation
from mcu.sip.endings import failure_of, refuses_media, status_of, tries_elsewhere
from mcu.sip.lookup import Nowhere
from mcu.sip.media_ends import Protections
from mcu.sip.no_way import why
from mcu.sip.outgoing import OutgoingConversation
from mcu.store.errors import StoreUnavailable, UnknownRecord
from signalling.sip import (
    CallEnded,
    Credentials,
    Hop,
    SipError,
)

RESTING: Final = frozenset({"bye", "disconnected"})
"""Reasons of leaving after which a room is not called again by itself."""
MAX_CONTACTS: Final = 3
"""Places that are followed where a room says that it has moved."""

log = structlog.get_logger(__name__)


class Directory(Protocol):
    """Where rooms are; ``SipAccounts`` is one."""

    async def call_targets(self, bridge: str) -> tuple[CallTarget, ...] | None:
        """Where to call a room, the best first; None: it is not called by SIP.

        Raises:
            UnknownRecord, StoreUnavailable.
        """

    async def credentials(self, bridge: str) -> Credentials | None:
        """What we answer a challenge with. Raises StoreUnavailable."""


class Dialer:
    """Calls one room of one conference; ``run`` until it is cancelled.

    Args:
        participant: its name on the roster; of a bridge, its id.
        backoff: pauses between attempts.
        opened: told of each call. nowhere: told where there was none.
        waits: not called before ``call_again``: it is on its way by itself.
    """

    def __init__(
        self,
        context: CallContext,
        conferences: Conferences,
        directory: Directory,
        conference: str,
        participant: str,
        *,
        backoff: Backoff,
        no_answer_s: float,
        opened: Callable[[Conversation], None],
        nowhere: Callable[[NoPlace], None],
        waits: bool = False,
    ) -> None:
        self._context = context
        self._conferences = conferences
        self._directory = directory
        self._conference = conference
        self._participant = participant
        self._backoff = backoff
        self._no_answer_s = no_answer_s
        self._opened = opened
        self._nowhere = nowhere
        self._wake = asyncio.Event()  # something that makes it worth to call at once
        self._changed = asyncio.Event()  # that, or the call under way has come to its end
        self._resting = waits
        self._is_asked_for = False
        self._not_before = 0.0  # the loop's time that the room has asked us to wait for
        self._protections: Protections = ()  # what the room did not refuse last

    # What others tell

    def left(self, reason: str) -> None:
        """The room has left the conference."""
        self._resting = reason in RESTING
        self._backoff.reset()
        self._stir()

    def joined(self) -> None:
        """The room is in the conference, by whatever way it came."""
        self._resting = self._is_asked_for = False
        self._backoff.reset()
        self._stir()

    def reachable(self) -> None:
        """Where the room can be reached has changed: it has registered, or has another record."""
        self._conferences.note(self._conference, NoteReachable(self._participant))
        self._stir()

    def call_again(self) -> None:
        """An operator wants it called now."""
        self._is_asked_for, self._not_before = True, 0.0
        self._resting = False
        self._backoff.reset()
        self._stir()

    def turn_changed(self) -> None:
        """It has its turn in the convening, or is called no more."""
        state = self._state()
        if state is None or not convening.may_call(state, self._participant):
            self._is_asked_for = False
            self._stir()
        elif self._now() >= self._not_before:  # else it has asked us to wait for longer
            self._resting = False
            self._stir()

    def _stir(self) -> None:
        self._wake.set()
        self._changed.set()

    # The work

    async def run(self) -> None:
        """Call whenever the room is wanted and not there."""
        while True:
            self._wake.clear()
            if not self._is_wanted():
                await self._wake.wait()
                continue
            try:
                targets = await self._directory.call_targets(self._participant)
                if not targets:
                    self._note_nowhere(is_by_sip=targets is not None)
                    await self._wake.wait()
                    continue
                await self._call(targets)
            except UnknownRecord:
                return
            except Failed as failed:
                if failed.retry_after_s:
                    self._not_before = self._now() + failed.retry_after_s
                await self._pause(max(failed.retry_after_s, self._backoff.next_s()))
            except StoreUnavailable as error:
                log.warning("call_waits", participant=self._participant, reason=error.reason)
                await self._pause(self._backoff.next_s())

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    def _state(self) -> ConferenceState | None:
        try:
            return self._conferences.get(self._conference)
        except Refused:
            return None

    def _is_wanted(self) -> bool:
        state = self._state()
        who = None if state is None else state.participants.get(self._participant)
        if state is None or who is None or who.legs or self._resting:
            return False
        return self._is_asked_for or convening.may_call(state, self._participant)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _call(self, targets: tuple[CallTarget, ...]) -> None:
        """Call until somebody answers; raises Failed where nobody does."""
        credentials = await self._directory.credentials(self._participant)
        await self._context.rooms.parted()  # a room says busy that is not told yet that it is over
        async with self._context.one_a_turn():
            if not self._is_wanted():
                return  # it has come by itself meanwhile
            self._begin()
        try:
            await self._try_all(targets, credentials)
        except Failed as failed:
            log.info(
                "call_failed",
                conference=self._conference,
                participant=self._participant,
                reason=failed.failure,
                detail=failed.detail or None,
            )
            async with self._context.one_a_turn():
                self._note_failure(failed.failure, failed.detail)
            raise
        except BaseException:
            self._note_failure("failed")
            raise
        if not self._is_wanted():
            self._note_failure(None)  # it is called no more; nothing happens where it has come

    def _begin(self) -> None:
        """Tell that it is called, if there is a place for it; raises Failed."""
        try:
            self._context.rooms.admit(self._conference, self._participant)
        except NoCapacity as error:
            self._note_full(error.reason)
            raise Failed("server_full", error.retry_after_s) from error
        except Refused as error:
            raise Failed("failed", detail=error.reason) from error
        self._conferences.note(self._conference, NoteCalling(self._participant))

    def _note_full(self, reason: str) -> None:
        """Tell the operator once that we are full, and not again with every attempt."""
        state = self._state()
        who = None if state is None else state.participants.get(self._participant)
        if who is None or who.call_failure == "server_full":
            return
        log.warning(
            "call_waits",
            conference=self._conference,
            participant=self._participant,
            reason=reason,
        )
        self._conferences.note(self._conference, NoteCalling(self._participant))
        self._note_failure("server_full", reason)

    def _note_nowhere(self, *, is_by_sip: bool) -> None:
        """Tell that it cannot be called, or it would look like a room that has not come yet."""
        state = self._state()
        who = None if state is None else state.participants.get(self._participant)
        if who is not None and (who.call_failure == "no_address") != is_by_sip:
            self._note_failure("no_address" if is_by_sip else None)

    def _note_failure(self, failure: CallFailure | None, detail: str = "") -> None:
        self._conferences.note(self._conference, NoteCallFailed(self._participant, failure, detail))

    async def _try_all(
        self, targets: tuple[CallTarget, ...], credentials: Credentials | None
    ) -> None:
        failed = Failed("unreachable")
        queue = list(targets)
        contacts = MAX_CONTACTS
        while queue:
            target = queue.pop(0)
            try:
                hops = await self._hops(target)
            except Failed as nowhere:
                failed = nowhere  # another place of the room may be one
                continue
            for hop in hops:
                ended = await self._try_protected(target, hop, credentials)
                if ended is None:
                    return
                failed = Failed(
                    failure_of(ended), ended.retry_after_s or 0, detail=status_of(ended)
                )
                moved = ended.contacts[:contacts]
                contacts -= len(moved)
                queue[:0] = [CallTarget(contact, None) for contact in moved]
                if not tries_elsewhere(ended):
                    break
        raise failed

    async def _hops(self, target: CallTarget) -> tuple[Hop, ...]:
        """Where a target is, at least one place; raises Failed, and tells of it, where it is none.

        It is told of here as there is no call, and so nothing else that a ladder could be made of.
        """
        if target.hop is not None:
            return (target.hop,)
        try:
            return await self._context.endpoint.locate(target.uri)
        except Nowhere as error:
            self._nowhere(NoPlace(target.uri, error.cause, error.detail))
            failure = FAILURES_OF_LOOKUP[error.cause]
            says_it = failure != "unreachable"
            detail = error.detail if says_it else why(error.cause, error.detail)
            raise Failed(failure, detail=detail) from error
        except SipError as error:
            self._nowhere(NoPlace(target.uri, "address", error.detail))
            raise Failed("not_found", detail=why("address", error.detail)) from error

    async def _try_protected(
        self, target: CallTarget, hop: Hop, credentials: Credentials | None
    ) -> CallEnded | None:
        """Call one place, with each protection of media until it does not refuse that; see _try.

        What it did not refuse last is tried first.
        """
        ended = None
        ways = self._context.ends.protections(hop)
        for way in sorted(ways, key=lambda way: way != self._protections):
            ended = await self._try(target, hop, credentials, way)
            if ended is None or not refuses_media(ended):
                self._protections = way
                break
        return ended

    async def _try(
        self,
        target: CallTarget,
        hop: Hop,
        credentials: Credentials | None,
        protections: Protections,
    ) -> CallEnded | None:
        """Call one place; None: the room is in, by this call or another way."""
        state = self._state()
        if state is None:
            return None
        async with self._context.one_a_turn():
            conversation = self._invite(state, target, hop, credentials, protections)
        conversation.participant = self._participant
        self._opened(conversation)
        try:
            while conversation.outcome is None and self._is_wanted():
                self._changed.clear()
                await self._changed.wait()
            return conversation.outcome
        finally:
            if not self._is_here_by(conversation):
                conversation.hang_up(self._why_not())

    def _invite(
        self,
        state: ConferenceState,
        target: CallTarget,
        hop: Hop,
        credentials: Credentials | None,
        protections: Protections,
    ) -> OutgoingConversation:
        """Begin a call; raises Failed where it cannot even begin."""
        conversation = OutgoingConversation(
            self._context, self._conference, hop, protections, self._changed.set
        )
        try:
            conversation.reserve()
            conversation.call = self._context.endpoint.call(
                target.uri,
                conversation.offer(),
                caller=self._caller(state, hop),
                hop=hop,
                credentials=credentials,
                no_answer_s=self._no_answer_s,
                is_flow=target.hop is not None,
            )
        except PortsExhausted as error:
            raise Failed("failed", detail=str(error)) from error
        except SipError as error:
            raise Failed("not_found", detail=why("address", error.detail)) from error
        finally:
            if not conversation.call:
                conversation.abandon()
        return conversation

    def _why_not(self) -> str:
        """Why a call of ours is given up."""
        state = self._state()
        if state is None:
            return "ended"
        who = state.participants.get(self._participant)
        if who is None:
            return "disconnected"
        if who.legs or self._resting:
            return "replaced"
        return "restart" if convening.may_call(state, self._participant) else "disconnected"

    def _is_here_by(self, conversation: Conversation) -> bool:
        state = self._state()
        who = None if state is None else state.participants.get(self._participant)
        leg = conversation.leg
        return who is not None and leg is not None and any(one.id == leg.id for one in who.legs)

    def _caller(self, state: ConferenceState, hop: Hop) -> str:
        name = state.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}" <sip:{state.number or state.id}@{self._context.endpoint.told_host(hop)}>'
