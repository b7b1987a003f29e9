"""One call and its media: offers and answers go through here, and so does its end.

The same for both directions; how a call comes about is in ``arrivals`` and ``dialer``.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from mcu.legs.sip import SipLeg
from mcu.legs.sip_acceptor import ReservedPorts, SipAcceptor
from mcu.media.port_pairs import PortPair, PortsExhausted
from mcu.rooms.rooms import Rooms
from mcu.sip.door import Door
from mcu.sip.endings import goodbye, leg_reason
from mcu.sip.endpoint import SipEndpoint
from mcu.sip.floors import Floors
from mcu.sip.foyer import Foyer
from mcu.sip.media_ends import SECTIONS, MediaEnds, Protections
from mcu.sip.pin_prompt import PinPrompt
from signalling.offer_answer import (
    Agreed,
    Offered,
    OfferRefused,
    answer_offer,
    complete_offer,
    make_offer,
)
from signalling.sdp import SdpError, SessionDescription
from signalling.sip import CallEnded, CallId, Hop

log = structlog.get_logger(__name__)

UNUSABLE: Final = (OfferRefused, SdpError, UnicodeDecodeError)
"""What a description of a peer can raise."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What all calls share.

    Args:
        lost_for_s: so long a lost leg may be lost before its call is ended.
        turn: held while something is done for a call that takes up to a millisecond or two (its
            place on the roster, its ports, a description): one such thing in each turn of the
            loop, or a whole province that is called delays sound.
    """

    endpoint: SipEndpoint
    acceptor: SipAcceptor
    rooms: Rooms
    ends: MediaEnds
    floors: Floors
    foyer: Foyer
    clock: Callable[[], float]
    lost_for_s: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def one_a_turn(self) -> AsyncIterator[None]:
        """Wait for a turn of the loop in which nobody else holds it; first come, first served."""
        async with self.turn:
            await asyncio.sleep(0)  # the lock alone would be free for the next at once
            yield


class Conversation:
    """One call.

    Args:
        hop: where its signalling comes from or goes to.
        protections: of its media; None: as the site has it.
    """

    def __init__(
        self,
        context: CallContext,
        conference: str,
        hop: Hop,
        protections: Protections | None = None,
    ) -> None:
        self.call: CallId = ""
        self.conference = conference
        self.participant: str | None = None
        self.digits: Callable[[str], None] = lambda key: None
        self.entered: Callable[[Conversation], None] = lambda conversation: None
        """Told when it is known who calls."""
        self.ended: Callable[[], None] = lambda: None
        """Told when the call is over."""
        self.hop = hop
        self.farewell: str | None = None
        """Said in place of the reason for which the leg is closed."""
        self.words = ""
        """An operator's, for why the room is disconnected."""
        self.sent_away = ""
        """Why a caller was not let in; empty: it was, or went by itself."""
        self._prompt: PinPrompt | None = None
        self._prompting: asyncio.Task[None] | None = None
        self.stays_s = 0.0
        """So long the call stands once its leg has gone."""
        self.is_over = False
        self.leg: SipLeg | None = None
        self.agreed: Agreed | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._context = context
        self._offered: Offered | None = None
        self._ports = ports = _Ports()
        self._door = Door(
            context.rooms, self._leg_left, clock=context.clock, gives_up_s=context.lost_for_s
        )
        self._elsewhere = context.ends.elsewhere(hop)
        self._seat = context.floors.seat(conference, ports.take_pair, self._elsewhere)
        self._family = context.ends.family(hop)
        self._local = context.ends.local(
            hop, lambda index, family: ports.take(), self._seat.local, protections
        )

    # Media

    def reserve(self) -> None:
        """Bind ports for what may be agreed on next; in the turn of the loop that describes them.

        Raises:
            PortsExhausted.
        """
        ports = self._context.acceptor.reserve(SECTIONS)
        self.release()
        self._ports.reserved = ports

    def answer(self, offer: bytes) -> bytes:
        """Answer the peer's offer, and follow what is agreed on.

        Raises:
            OfferRefused, SdpError, UnicodeDecodeError: it cannot be used; nothing has changed.
        """
        agreed = answer_offer(_read(offer), self._local, previous=self.agreed)
        self._offered = None
        self._follow(agreed)
        return str(agreed.local).encode()

    def offer(self) -> bytes:
        """Offer what there is; nothing changes before ``complete``."""
        self._offered = make_offer(self._local, previous=self.agreed, family=self._family)
        return str(self._offered.local).encode()

    def complete(self, answer: bytes) -> None:
        """Follow the peer's answer to our offer.

        Raises:
            OfferRefused, SdpError, UnicodeDecodeError: it cannot be used; nothing has changed.
        """
        if self._offered is None:
            raise OfferRefused("nothing was offered")
        agreed = complete_offer(self._offered, _read(answer))
        self._offered = None
        self._follow(agreed)

    # The conference

    def prompt(self) -> PinPrompt:
        """Tell the caller to enter a PIN, from now on until it enters or the call is over."""
        self._prompt = prompt = PinPrompt(
            lambda: self.leg, self._context.foyer, self._context.clock
        )
        self._prompting = asyncio.get_running_loop().create_task(prompt.run())
        return prompt

    def _end_prompt(self) -> None:
        if self._prompt is not None and self._prompting is not None:
            self._prompt.close()
            self._prompting.cancel()

    def enter(self, participant: str) -> None:
        """Be somebody of the roster from now on; with media at once, or as soon as there is."""
        self._end_prompt()
        if self.participant != participant:
            self.participant = participant
            self.entered(self)
        leg = self.leg
        if leg is None or self.is_over:
            return
        now = self._context.clock()
        leg.participant = participant
        self._seat.enter(participant)
        self._context.rooms.expect(leg, now)
        self._door.enter(leg, now)

    # The end

    def hang_up(self, reason: str) -> None:
        """End the call; ``reason`` as of a leg: ``ended``, ``disconnected``, ``restart`` ..."""
        if self.leg is not None and self.leg.state != "left":
            self.leg.close(reason, self._context.clock())
        else:
            self._end_call(reason)

    def over(self, event: CallEnded) -> None:
        """The call has ended: its leg goes too."""
        if self.is_over:
            return
        self.is_over = True
        self._end_prompt()
        if self._leaving is not None:
            self._leaving.cancel()
        self.ended()
        self.release()
        self._seat.close()
        if self.leg is not None:
            self.leg.close(self.sent_away or leg_reason(event), self._context.clock())
        elif self.participant is not None:
            self._context.rooms.forget(self.conference, self.participant)
        self._door.shut()

    def picture_requested(self) -> None:
        """The peer wants a key frame by INFO."""
        if self.leg is not None:
            self.leg.picture_requested(self._context.clock())

    def _leg_left(self, reason: str, now: float) -> None:
        if self.is_over:
            return
        if self.stays_s:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(self.stays_s, lambda: self._end_call("moved"))
        elif reason == "disconnected":
            # The operator's words are told after that, in the same turn of the loop.
            asyncio.get_running_loop().call_soon(self._end_call, self.farewell or reason)
        else:
            self._end_call(self.farewell or reason)

    def _end_call(self, reason: str) -> None:
        if self.call and not self.is_over:
            why = goodbye(reason, self.words)
            self._context.endpoint.do(lambda agent, now: agent.hang_up(self.call, now, why))

    def _follow(self, agreed: Agreed) -> None:
        context, now = self._context, self._context.clock()
        ports = self._ports.give()
        before, self.agreed = self.agreed, agreed
        if agreed.refused and (before is None or before.refused != agreed.refused):
            log.info("media_left_out", call=self.call, sections=agreed.refused)
        self._seat.follow(agreed)
        if self.leg is not None:
            context.acceptor.update(self.leg, agreed, now, ports)
            return
        if ports is None:
            raise RuntimeError("ports are to be reserved first")
        self.leg = context.acceptor.open(
            agreed,
            ports,
            leg_id=f"leg-{secrets.token_hex(8)}",
            conference=self.conference,
            participant=self.participant,
            observer=self._door,
            digits=self._key_pressed,
            now=now,
            elsewhere=self._elsewhere,
        )
        self.leg.ask_picture = self._ask_picture
        if self.participant is not None:
            self.enter(self.participant)

    def _key_pressed(self, key: str) -> None:
        self.digits(key)

    def _ask_picture(self) -> None:
        self._context.endpoint.do(lambda agent, now: agent.request_picture(self.call, now))

    def abandon(self) -> None:
        """There will be no call."""
        self.release()
        self._seat.close()
        self._door.shut()

    def release(self) -> None:
        """Free ports that nothing was agreed on for. Idempotent."""
        self._seat.release()
        ports = self._ports.give()
        if ports is not None:
            ports.close()


class _Ports:
    """Those of a call that nothing was agreed on for.

    Apart from the call, which its description would refer back to otherwise; see ``SipLeg.part``.
    """

    def __init__(self) -> None:
        self.reserved: ReservedPorts | None = None

    def take(self) -> int:
        """See ``ReservedPorts``."""
        return self._there().take()

    def take_pair(self) -> PortPair:
        """See ``ReservedPorts``."""
        return self._there().take_pair()

    def give(self) -> ReservedPorts | None:
        """All that are left, which are the caller's now."""
        given, self.reserved = self.reserved, None
        return given

    def _there(self) -> ReservedPorts:
        if self.reserved is None:
            raise PortsExhausted("no ports are reserved")
        return self.reserved


def _read(description: bytes) -> SessionDescription:
    return SessionDescription.parse(description.decode())
