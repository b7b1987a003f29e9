"""Floor control of one call: what its descriptions say, its line, its part in the floor.

A line stays as long as offers and answers say the same of it.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from mcu.media.latch import Elsewhere
from mcu.media.port_pairs import PortPair, PortsExhausted
from mcu.media.ports import MediaPorts
from mcu.sip.conference_floor import FLOOR, ConferenceFloor
from mcu.sip.floor_line import FloorEnd, FloorLine, FloorNames
from mcu.sip.floor_tcp import FloorConnections
from mcu.sip.floor_udp import FloorDatagrams
from mcu.sip.followed_floor import FollowedFloor
from signalling.offer_answer import Agreed, LocalFloor
from signalling.offer_answer.agreement import Address, Floor, FloorProtocol
from signalling.offer_answer.refusal import SectionRefused


@dataclass(frozen=True, slots=True)
class SeatContext:
    """What all seats share; see ``Floors``."""

    loop: asyncio.AbstractEventLoop
    ports: MediaPorts
    clock: Callable[[], float]
    elsewhere: Elsewhere


class FloorSeat:
    """See the module. Made by ``Floors.seat``; a ``FloorEnd`` where we are the server.

    Args:
        take_pair: gives a bound pair of ports, which is the seat's from then on.
    """

    def __init__(
        self, conference: ConferenceFloor, context: SeatContext, take_pair: Callable[[], PortPair]
    ) -> None:
        self._conference = conference
        self._context = context
        self._take_pair = take_pair
        self._user = conference.new_user()
        self._participant: str | None = None
        self._reserved: dict[int, _Ends] = {}
        self._ends: _Ends | None = None
        self._agreed: Floor | None = None
        self._remote: Address | None = None
        self._line: FloorLine | None = None
        self._followed: FollowedFloor | None = None
        self._is_closed = False
        self.local = LocalFloor(self._port, conference.number, self._user, FLOOR)
        """Our end in descriptions."""

    def follow(self, agreed: Agreed) -> None:
        """Follow a new agreement; ports that it does not name are freed."""
        if self._is_closed:
            return
        floor, before = agreed.floor, self._agreed
        remote, remote_before = _remote(agreed), self._remote
        self._agreed, self._remote = floor, remote
        if floor is None:
            self._part()
        elif before is None or _essence(floor) != _essence(before):
            self._part(floor.local_port)
            self._open(floor)
        elif self._line is not None and (remote != remote_before or _is_new(agreed, floor)):
            self._line.announce(remote, self._context.clock())
        self.release()

    def enter(self, participant: str) -> None:
        """It is known who calls."""
        self._participant = participant
        if not self._is_closed:
            self._join()

    def release(self) -> None:
        """Free what nothing was agreed on for. Idempotent."""
        for ends in self._reserved.values():
            ends.close()
        self._reserved.clear()

    def close(self) -> None:
        """The call has ended. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self.release()
        self._part()
        self._conference.leave(self._user)
        self.local = replace(self.local, port=_no_port)  # the seat itself would be held by it

    # FloorEnd

    def connected(self) -> None:
        """See ``FloorEnd``."""
        if self._agreed is not None:
            reliable = self._agreed.protocol.startswith("TCP")
            self._conference.open(self._user, self._send, reliable=reliable)
            self._join()

    def heard(self, data: bytes, now: float) -> bool:
        """See ``FloorEnd``."""
        return self._conference.heard(self._user, data, now)

    def disconnected(self) -> None:
        """See ``FloorEnd``."""
        self._conference.shut(self._user)

    # Inside

    def _port(self, protocol: FloorProtocol) -> int:
        """See ``LocalFloor``: a TCP port has the number of a UDP port that is ours."""
        try:
            pair = self._take_pair()
        except PortsExhausted as error:
            raise SectionRefused(str(error)) from error
        ends = self._reserved[pair.port] = _Ends(pair)
        if protocol.startswith("TCP"):
            ends.listener = _listen(pair)
        return pair.port

    def _join(self) -> None:
        who = self._participant
        if who is None:
            return
        if self._followed is not None:
            self._followed.join(who)
        else:
            self._conference.join(self._user, who, self._conference.label_of(who))

    def _open(self, floor: Floor) -> None:
        context = self._context
        end: FloorEnd = self
        if floor.role == "client":
            end = self._followed = FollowedFloor(self._conference, floor, self._send)
        names = FloorNames(floor.conference_id, floor.user_id)
        ends = self._ends = self._reserved.pop(floor.local_port, None)
        if floor.opens or (ends is not None and ends.listener is not None):
            self._line = FloorConnections(
                context.loop,
                None if ends is None else ends.listener,
                end,
                names,
                self._remote,
                elsewhere=context.elsewhere,
                clock=context.clock,
            )
        elif ends is not None:
            self._line = FloorDatagrams(
                ends.pair.rtp,
                context.ports,
                end,
                names,
                self._remote,
                elsewhere=context.elsewhere,
                now=context.clock(),
            )
            end.connected()
        if self._followed is not None and self._participant is not None:
            self._followed.join(self._participant)

    def _send(self, data: bytes) -> None:
        if self._line is not None:
            self._line.send(data)

    def _part(self, keeps: int | None = None) -> None:
        """Leave the line there is.

        Args:
            keeps: a port that the next line goes on with.
        """
        line, self._line = self._line, None
        ends, self._ends = self._ends, None
        followed, self._followed = self._followed, None
        if line is not None:
            line.close()
        if ends is not None and ends.pair.port == keeps:
            self._reserved[ends.pair.port] = ends
        elif ends is not None:
            ends.close()
        if followed is not None:
            followed.close()
        elif line is not None:
            self._conference.shut(self._user)


@dataclass(slots=True)
class _Ends:
    """Our ends of a line. The pair is kept with TCP too, so that the number stays this call's."""

    pair: PortPair
    listener: socket.socket | None = None

    def close(self) -> None:
        self.pair.close()
        if self.listener is not None:
            self.listener.close()


def _no_port(protocol: FloorProtocol) -> int:
    raise SectionRefused("the call has ended")


def _listen(pair: PortPair) -> socket.socket:
    """Listen where the pair is bound, by TCP.

    Raises:
        SectionRefused: somebody else does.
    """
    host = str(pair.rtp.getsockname()[0])
    listener = socket.socket(pair.rtp.family, socket.SOCK_STREAM)
    try:
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        # The number may have been that of a call before, whose connection lingers.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((host, pair.port))
        listener.listen(4)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise SectionRefused(f"TCP port {pair.port} is in use") from error
    return listener


def _essence(floor: Floor) -> Floor:
    """What makes a line another one: all but where the peer is, and where our slides are."""
    return replace(floor, remote=None, labels=(), index=0)


def _remote(agreed: Agreed) -> Address | None:
    """Where the peer is; of one that opens the connection only the host counts."""
    floor = agreed.floor
    if floor is None:
        return None
    if floor.remote is not None or floor.opens or not floor.protocol.startswith("TCP"):
        return floor.remote
    section = agreed.remote.media[floor.index]
    told = section.connection or agreed.remote.connection
    return None if told is None else (told.address, section.port)


def _is_new(agreed: Agreed, floor: Floor) -> bool:
    """Whether a connection is to be made anew, with everything else as before."""
    section = agreed.local.media[floor.index]
    return floor.protocol.startswith("TCP") and section.attribute("connection") == "new"
