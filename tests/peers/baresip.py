"""baresip, a real SIP phone, without sound card or screen: steered and watched by its TCP port.

What it says is a tone; what it hears is written to a file. With a film as its camera it sends
pictures, and writes one of those it receives to a file when asked.
"""

import asyncio
import json
import shutil
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from PIL import Image

from tests.peers import child
from tests.peers.free_ports import free_port

MODULES: Final = "/usr/lib/baresip/modules"
COMMANDS_S: Final = 30.0
AUDIO: Final = ("g711", "g722", "opus")
SOUND: Final = ("ausine", "aufile", "aubridge", "sndfile")
VIDEO: Final = ("avformat", "fakevideo", "swscale", "snapshot")
"""What a phone with pictures needs beside the codecs (``avcodec``, ``vp8``)."""

Event = dict[str, Any]


def is_installed() -> bool:
    """Whether tests with it can run."""
    return shutil.which("baresip") is not None


def has_pictures() -> bool:
    """Whether tests with its pictures can run (Debian: baresip-ffmpeg)."""
    return is_installed() and Path(MODULES, "avcodec.so").exists()


class Baresip:
    """One phone; an async context manager.

    Args:
        directory: for its configuration; made.
        account: user part and host of its address, and parameters behind it
            (``sip:room@127.0.0.1;transport=tcp``, ``;auth_pass=...;regint=60``).
        listen: address that it listens on. port: of SIP over UDP and TCP; TLS one above it.
        tone_hz: what it says. speech: a file that it says instead (48 kHz, stereo).
        modules: of codecs and encryption. settings: further lines.
        camera: a film that it sends (see ``tests.peers.film``); None: it has no pictures.
    """

    def __init__(
        self,
        directory: Path,
        account: str,
        *,
        listen: str = "127.0.0.1",
        port: int | None = None,
        tone_hz: int = 440,
        speech: Path | None = None,
        modules: tuple[str, ...] = AUDIO,
        settings: tuple[str, ...] = (),
        camera: Path | None = None,
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.events: list[Event] = []
        self._account = account
        self._listen = f"[{listen}]" if ":" in listen else listen
        self._says = f"ausine,{tone_hz}" if speech is None else f"aufile,{speech}"
        self._modules = modules
        self._settings = settings
        self._camera = camera
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._answers: asyncio.Queue[Event] = asyncio.Queue()
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.kill()

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.directory / "log").read_text(errors="replace")

    def heard_db(self, hz: float, seconds: float = 0.5) -> float:
        """Level of one frequency in the end of what the newest call has brought, dB of full scale.

        -120 while there is less than that.
        """
        files = sorted(self.directory.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        if not files:
            return -120.0
        data = files[-1].read_bytes()
        channels, rate = struct.unpack_from("<HI", data, 22)
        sound = np.frombuffer(data[44 : len(data) - len(data) % (2 * channels)], np.int16)[
            ::channels
        ]
        count = round(seconds * rate)
        if len(sound) < count:
            return -120.0
        window = np.blackman(count)
        spin = np.exp(-2j * np.pi * hz * np.arange(count) / rate)
        amplitude = 2 * abs(np.dot(sound[-count:] * window, spin)) / window.sum() / 32_768
        return 20 * float(np.log10(max(amplitude, 1e-6)))

    async def start(self) -> None:
        """Start it and wait until it can be steered."""
        control = free_port()
        self._configure(control)
        with (self.directory / "log").open("ab") as out:
            self._process = await child.start(
                "baresip",
                "-f",
                str(self.directory),
                "-v",
                "-s",
                cwd=self.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        async with asyncio.timeout(COMMANDS_S):
            while True:
                try:
                    reader, self._writer = await asyncio.open_connection("127.0.0.1", control)
                    break
                except OSError:
                    assert self._process.returncode is None, self.log[-4000:]
                    await asyncio.sleep(0.05)
        self._reading = asyncio.create_task(self._read(reader))

    async def kill(self) -> None:
        """``kill -9``: no goodbye is said."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._process = None
        self._writer.close()
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def do(self, command: str, parameters: str = "") -> str:
        """Give a command, as at its own console; gives what it says to it."""
        text = json.dumps({"command": command, "params": parameters, "token": "t"})
        self._writer.write(f"{len(text.encode())}:{text},".encode())
        async with asyncio.timeout(COMMANDS_S):
            answer = await self._answers.get()
        return str(answer.get("data", ""))

    async def press(self, keys: str) -> None:
        """Press keys in a call, one after the other."""
        for key in keys:
            await self.do("sndcode", key)

    async def picture(self) -> Image.Image | None:
        """What it receives now; None: nothing yet.

        The file is written with the next picture: what is given is what an earlier call asked for.
        """
        path = self.directory / "received.png"
        found = None
        if path.exists():
            try:
                found = Image.open(BytesIO(path.read_bytes())).convert("RGB")
            except OSError:
                return None  # being written
        await self.do("snapshot_recv", str(path))
        return found

    async def until(self, kind: str, *, after: int = 0, **fields: str) -> Event:
        """Wait for an event (``CALL_ESTABLISHED``); the test's timeout ends it.

        What happens before ``start`` has ended, a registration perhaps, is not told.

        Args:
            after: the events before this number do not count.
        """

        def fits(event: Event) -> bool:
            return event["type"] == kind and all(
                wanted in str(event.get(name, "")) for name, wanted in fields.items()
            )

        return await self._found(lambda: next(filter(fits, self.events[after:]), None))

    async def _found(self, look: Callable[[], Event | None]) -> Event:
        while (found := look()) is None:
            self._changed.clear()
            await self._changed.wait()
        return found

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                size = await reader.readuntil(b":")
                text = await reader.readexactly(int(size[:-1]) + 1)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            message = json.loads(text[:-1])
            if message.get("event"):
                self.events.append(message)
                self._changed.set()
            else:
                self._answers.put_nowait(message)

    def _configure(self, control: int) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        lines = [
            "poll_method epoll",
            f"sip_listen {self._listen}:{self.port}",
            f"audio_source {self._says}",
            "audio_player aubridge,nowhere",
            "audio_alert aubridge,alert",
            f"snd_path {self.directory}",
            "audio_level no",
            "ausrc_srate 48000",
            "ausrc_channels 2",
            f"net_interface {self._listen.strip('[]')}",
            "rtp_timeout 0",
            f"ctrl_tcp_listen 127.0.0.1:{control}",
            f"module_path {MODULES}",
            *(f"module {name}.so" for name in (*self._modules, *SOUND)),
            "module_tmp account.so",
            "module_app menu.so",
            "module_app ctrl_tcp.so",
            *self._settings,
        ]
        if self._camera is not None:
            lines += [
                f"video_source avformat,{self._camera}",
                "video_display fakevideo,nowhere",
                "video_size 320x180",
                "video_fps 15",
                "video_bitrate 400000",
                *(f"module {name}.so" for name in VIDEO),
            ]
        (self.directory / "config").write_text("\n".join(lines) + "\n")
        (self.directory / "accounts").write_text(f"<{self._account}\n")
        (self.directory / "contacts").write_text("")
