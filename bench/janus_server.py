"""Janus with its AudioBridge, as ``bench.janus`` loads it: a process with one room, and its API.

Everything it needs is written into a folder of its own: of its plugins the AudioBridge runs alone,
of its transports the one over a Unix socket, so nothing else costs it time and no port is taken
but those of its media. Participants are plain RTP (``allow_rtp_participants``, Janus 1.0), which
spares Janus ICE, DTLS and SRTP.
"""

import asyncio
import json
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.figures import VoidRunError
from tests.peers import child

ROOM = 1
PAYLOAD_TYPE = 111
LEVEL_ID = 1
START_TIMEOUT_S = 15.0
START_ATTEMPTS = 5
"""Its transport's thread sometimes ends before the transport is marked as begun (1.1.2), on a busy
machine above all; then Janus ends as well."""
ANSWER_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 1 << 20
PLUGINS = (
    "audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "streaming",
    "textroom", "videocall", "videoroom", "voicemail",
)  # fmt: skip
TRANSPORTS = ("http", "mqtt", "nanomsg", "pfunix", "rabbitmq", "websockets")

Message = Mapping[str, Any]


def configuration(folder: Path) -> dict[str, str]:
    """Janus' configuration files by their names.

    Args:
        folder: where its socket is to be.
    """
    without_plugins = ",".join(f"libjanus_{name}.so" for name in PLUGINS if name != "audiobridge")
    without_transports = ",".join(f"libjanus_{name}.so" for name in TRANSPORTS if name != "pfunix")
    return {
        "janus.jcfg": f"""
general: {{
    debug_level = 2
    session_timeout = 0
}}
plugins: {{ disable = "{without_plugins}" }}
transports: {{ disable = "{without_transports}" }}
loggers: {{ disable = "libjanus_jsonlog.so" }}
events: {{ broadcast = false }}
""",
        "janus.transport.pfunix.jcfg": f"""
general: {{
    enabled = true
    json = "compact"
    path = "{folder / "janus.sock"}"
    type = "SOCK_SEQPACKET"
}}
admin: {{ admin_enabled = false }}
""",
        "janus.plugin.audiobridge.jcfg": f"""
general: {{
    events = false
    local_ip = "127.0.0.1"
    rtp_port_range = "20000-32000"
}}
room-{ROOM}: {{
    description = "Bench"
    sampling_rate = 48000
    record = false
    audiolevel_ext = true
    audiolevel_event = false
    allow_rtp_participants = true
}}
""",
    }


def joining(participant: int, port: int) -> dict[str, Any]:
    """The AudioBridge's request for a plain RTP participant that listens on a loopback port."""
    return {
        "request": "join",
        "room": ROOM,
        "id": participant,
        "display": f"room {participant}",
        "codec": "opus",
        "rtp": {
            "ip": "127.0.0.1",
            "port": port,
            "payload_type": PAYLOAD_TYPE,
            "audiolevel_ext": LEVEL_ID,
        },
    }


def media_port(answer: Message) -> int:
    """Where Janus takes a participant's RTP.

    Args:
        answer: the event that follows a ``joining`` request.
    Raises:
        VoidRunError: Janus did not let it in.
    """
    data = answer.get("plugindata", {}).get("data", {})
    port = data.get("rtp", {}).get("port")
    if data.get("audiobridge") != "joined" or not isinstance(port, int):
        raise VoidRunError(f"Janus let nobody in: {json.dumps(answer)[:500]}")
    return port


class JanusClient:
    """Janus' API over its Unix socket; one session."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._reading = asyncio.create_task(self._read())
        self._session = 0

    async def open(self) -> None:
        """Begin the session."""
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]

    async def join(self, participant: int, port: int) -> int:
        """Let a plain RTP participant into the room; gives the port it sends to.

        Raises:
            VoidRunError: Janus refused, or said nothing.
        """
        attach = {"janus": "attach", "plugin": "janus.plugin.audiobridge"}
        handle = (await self._ask(attach))["data"]["id"]
        message = {"janus": "message", "handle_id": handle, "body": joining(participant, port)}
        return media_port(await self._ask(message))

    def close(self) -> None:
        """Stop listening."""
        self._reading.cancel()
        self._socket.close()

    async def _ask(self, message: dict[str, Any]) -> Message:
        transaction = secrets.token_hex(8)
        message = message | {"transaction": transaction}
        if self._session:
            message["session_id"] = self._session
        loop = asyncio.get_running_loop()
        future = self._waiting[transaction] = loop.create_future()
        await loop.sock_sendall(self._socket, json.dumps(message).encode())
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer: Message = await future
        except TimeoutError as error:
            raise VoidRunError(f"Janus did not answer {message['janus']}") from error
        finally:
            del self._waiting[transaction]
        if answer.get("janus") == "error":
            raise VoidRunError(f"Janus: {answer.get('error')}")
        return answer

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._socket, MAX_MESSAGE_BYTES):
            message = json.loads(data)
            future = self._waiting.get(message.get("transaction", ""))
            # A request to a plugin is acknowledged first; its answer is an event.
            if future is not None and not future.done() and message.get("janus") != "ack":
                future.set_result(message)


class JanusServer:
    """A running Janus.

    Args:
        pid: of its process. client: its API.
    """

    def __init__(self, pid: int, client: JanusClient) -> None:
        self.pid = pid
        self._client = client

    async def join(self, ports: Sequence[int]) -> list[int]:
        """Let one participant in for each loopback port; gives where each sends to."""
        return [await self._client.join(number, port) for number, port in enumerate(ports, 1)]


@asynccontextmanager
async def janus() -> AsyncIterator[JanusServer]:
    """Start Janus with an empty room; it ends with the block.

    Raises:
        VoidRunError: it is not installed, or did not start.
    """
    program = shutil.which("janus")
    if program is None:
        raise VoidRunError("janus is not installed: apt-get install janus")
    with tempfile.TemporaryDirectory(prefix="janus") as temporary:
        folder = Path(temporary)
        for name, text in configuration(folder).items():
            (folder / name).write_text(text)
        process, client = await _started(program, folder)
        try:
            yield JanusServer(process.pid, client)
        finally:
            client.close()
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _started(program: str, folder: Path) -> tuple[asyncio.subprocess.Process, JanusClient]:
    for _ in range(START_ATTEMPTS):
        with (folder / "log").open("wb") as log:
            process = await child.start(
                program, "--configs-folder", str(folder), "--disable-colors",
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        sock = await _connected(folder, process)
        if sock is not None:
            client = JanusClient(sock)
            try:
                await client.open()
                return process, client
            except (VoidRunError, OSError):
                client.close()
        if process.returncode is None:
            process.kill()
        await process.wait()
    said = (folder / "log").read_text(errors="replace")[-500:]
    raise VoidRunError(f"Janus did not start: {said}")


async def _connected(folder: Path, process: asyncio.subprocess.Process) -> socket.socket | None:
    """Its API's socket; None when it ended or does not listen in time."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_TIMEOUT_S
    while process.returncode is None and loop.time() < deadline:
        try:
            await loop.sock_connect(sock, str(folder / "janus.sock"))
            return sock
        except (FileNotFoundError, ConnectionRefusedError):
            await asyncio.sleep(0.05)
    sock.close()
    return None
