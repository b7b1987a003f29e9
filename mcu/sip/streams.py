"""All TCP and TLS connections: accepted within limits, opened when needed, used again."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from mcu.sip.admission import Admission
from mcu.sip.certificates import bears
from mcu.sip.counts import TransportCounts
from mcu.sip.no_way import Failed, said_by
from mcu.sip.settings import EndpointSettings
from mcu.sip.stream import Stream, plain_address
from signalling.sip import Hop, Transport

SWEEP_S: Final = 5.0
"""How often silent connections are looked for."""
BACKLOG: Final = 256
MAX_QUEUED: Final = 64
"""Messages that wait for one connection to be opened."""
_NO_FILES_S: Final = 1.0
_NO_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Key = tuple[Transport, str, int, str]

log = structlog.get_logger(__name__)


class Streams:
    """All connections of an endpoint, by number and by where they lead.

    Args:
        received: gets each message and the connection it came on.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: EndpointSettings,
        admission: Admission,
        counts: TransportCounts,
        received: Callable[[bytes, Hop], None],
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.admission = admission
        self.counts = counts
        self.clock = clock
        self._loop = loop
        self._received = received
        self._numbers = 0
        self._pending = 0
        self._streams: dict[int, Stream] = {}
        self._by_key: dict[Key, Stream] = {}
        self._opening: dict[Key, list[tuple[bytes, Failed]]] = {}
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep = loop.call_later(SWEEP_S, self._look_for_silent)

    def __len__(self) -> int:
        return len(self._streams) + self._pending

    def listen(self, kind: Transport, host: str, port: int) -> int:
        """Accept connections from now on; gives the port bound.

        Raises:
            OSError: the address is in use or not ours.
        """
        sock = _listening_socket(host, port)
        self._sockets.append(sock)
        self._run(self._accept(sock, kind))
        return int(sock.getsockname()[1])

    def send(self, number: int, data: bytes) -> bool:
        """Send on a connection that is there; False where it is not any more."""
        stream = self._streams.get(number)
        return stream is not None and stream.send(data)

    def send_to(
        self, hop: Hop, data: bytes, failed: Failed, connect_s: float | None = None
    ) -> None:
        """Send to an address, over the connection that leads there or a new one.

        Args:
            connect_s: how long a new one may take; None: as the settings say.
        """
        if hop.port is None:
            raise ValueError("the address is not looked up")
        key = (hop.transport, hop.host, hop.port, hop.domain if hop.transport == "tls" else "")
        stream = self._by_key.get(key)
        if stream is not None and stream.send(data):
            return
        queue = self._opening.get(key)
        if queue is None:
            if len(self) >= self.settings.max_connections:
                failed("connection")
                return
            self._opening[key] = [(data, failed)]
            self._pending += 1
            self._run(self._open(key, self.settings.connect_s if connect_s is None else connect_s))
        elif len(queue) < MAX_QUEUED:
            queue.append((data, failed))
        else:
            failed("crowd")

    async def close(self) -> None:
        """Stop listening, and close all."""
        self._sweep.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sock in self._sockets:
            sock.close()
        for stream in tuple(self._streams.values()):
            stream.close()

    # StreamOwner

    def stream_opened(self, stream: Stream) -> None:
        """Keep it, unless it is to somebody else than was wanted."""
        kind = stream.hop.transport
        if stream.is_ours and kind == "tls" and not bears(stream.certificate(), stream.domain):
            stream.leave("certificate")
            return
        self._streams[stream.number] = stream
        self.counts.opened[f"{'out' if stream.is_ours else 'in'} {kind}"] += 1

    def stream_received(self, data: bytes, source: Hop) -> None:
        """Hand on."""
        self._received(data, source)

    def stream_lost(self, stream: Stream) -> None:
        """Forget it."""
        was_kept = self._streams.pop(stream.number, None) is not None
        if stream.is_ours:
            for key in [key for key, found in self._by_key.items() if found is stream]:
                del self._by_key[key]
        elif was_kept:
            self.admission.disconnect(stream.remote[0])

    # Private

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def leave_silent(self) -> None:
        """Close connections that were silent for too long; done every SWEEP_S."""
        now = self.clock()
        for stream in tuple(self._streams.values()):
            stream.check(now)

    def _look_for_silent(self) -> None:
        self.leave_silent()
        self._sweep = self._loop.call_later(SWEEP_S, self._look_for_silent)

    def _new(
        self, kind: Transport, remote: tuple[str, int], *, is_ours: bool, domain: str = ""
    ) -> Stream:
        self._numbers += 1
        return Stream(self, self._loop, self._numbers, kind, remote, is_ours=is_ours, domain=domain)

    async def _accept(self, sock: socket.socket, kind: Transport) -> None:
        while True:
            try:
                connection, address = await self._loop.sock_accept(sock)
            except OSError as error:
                # Without files left, those that are open go on; others only miss this one.
                await asyncio.sleep(_NO_FILES_S if error.errno in _NO_FILES else 0)
                continue
            remote = plain_address(str(address[0])), int(address[1])
            cause = self._refused(remote[0])
            if cause is not None:
                self.counts.dropped[cause] += 1
                connection.close()
                continue
            self._pending += 1
            self._run(self._take(connection, kind, remote))

    def _refused(self, host: str) -> str | None:
        if not self.admission.admits(host, self.clock()):
            return "rate"
        if len(self) >= self.settings.max_connections:
            return "connections"
        return None if self.admission.connect(host) else "connections of source"

    async def _take(
        self, connection: socket.socket, kind: Transport, remote: tuple[str, int]
    ) -> None:
        stream = self._new(kind, remote, is_ours=False)
        is_tls = kind == "tls"
        try:
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(
                lambda: stream,
                connection,
                ssl=self.settings.server_tls if is_tls else None,
                ssl_handshake_timeout=self.settings.connect_s if is_tls else None,
            )
        except (OSError, ssl.SSLError):
            self.counts.dropped["handshake" if is_tls else "connections"] += 1
            connection.close()
        finally:
            self._pending -= 1
            if not stream.was_open:
                self.admission.disconnect(remote[0])

    async def _open(self, key: Key, connect_s: float) -> None:
        kind, host, port, domain = key
        stream = self._new(kind, (host, port), is_ours=True, domain=domain or host)
        failure, detail = "connection", ""
        try:
            async with asyncio.timeout(connect_s):
                if kind == "tls" and self.settings.client_tls is None:
                    raise OSError("TLS is not configured")
                await self._loop.create_connection(
                    lambda: stream,
                    host,
                    port,
                    ssl=self.settings.client_tls if kind == "tls" else None,
                    server_hostname=(domain or host) if kind == "tls" else None,
                )
            if not stream.is_open:
                failure = "certificate"
        except ssl.SSLCertVerificationError as error:
            failure, detail = "certificate", said_by(error, connect_s)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            detail = said_by(error, connect_s)
            log.info("sip_not_connected", hop=f"{kind}:{host}:{port}", reason=detail)
        finally:
            self._pending -= 1
            waiting = self._opening.pop(key)
        if stream.number in self._streams:
            self._by_key[key] = stream
        for data, failed in waiting:
            if not stream.send(data):
                failed(failure, detail)


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host and socket.has_ipv6 else socket.AF_INET
    if host == "::" and not socket.has_dualstack_ipv6():
        family, host = socket.AF_INET, "0.0.0.0"  # noqa: S104 all of a server's, as asked for
    sock = socket.create_server(
        (host, port),
        family=family,
        backlog=BACKLOG,
        dualstack_ipv6=family == socket.AF_INET6 and host == "::",
    )
    sock.setblocking(False)
    return sock
