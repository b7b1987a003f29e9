"""Linphone, a SIP phone of another stack (belle-sip, mediastreamer), without sound card or screen.

Its console program is steered by its standard input. What it says is a tone from a file, what it
shows is one picture; what it hears is written to a file, and what it sees when it is asked.
"""

import asyncio
import os
import shutil
import wave
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from PIL import Image

from tests.peers import child
from tests.peers.daemon import free_port

RATE_HZ: Final = 48_000
READY: Final = "linphonec> "
START_S: Final = 20.0


def is_installed() -> bool:
    """Whether tests with it can run (Debian: linphone-cli)."""
    return shutil.which("linphonec") is not None


class Linphone:
    """One phone that answers by itself; an async context manager.

    Args:
        directory: for all of its files; made.
        tone_hz: what it says. colour: what its camera shows, RGB.
        encryption: of media: ``none``, ``srtp`` (keys in descriptions) or ``dtls``.
        ice: whether it offers and answers ICE.
        keys_by_info: keys are sent by INFO, and not in the media.
    """

    def __init__(
        self,
        directory: Path,
        *,
        tone_hz: int = 1_000,
        colour: tuple[int, int, int] = (238, 7, 1),
        encryption: str = "none",
        ice: bool = False,
        keys_by_info: bool = False,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self._tone_hz = tone_hz
        self._colour = colour
        self._encryption = encryption
        self._ice = ice
        self._keys_by_info = keys_by_info
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._write_files()
        with (self.directory / "said").open("wb") as out:
            self._process = await child.start(
                "linphonec", "-c", "config", "-a", "-V", "-d", "6", "-l", "log",
                cwd=self.directory,
                # Its databases are below it; two phones are not to share one.
                env={**os.environ, "HOME": str(self.directory)},
                stdin=asyncio.subprocess.PIPE, stdout=out, stderr=out,
            )  # fmt: skip
        await self.do("soundcard use files")
        async with asyncio.timeout(START_S):
            while "Using wav files" not in self.said:
                assert self._process.returncode is None, self.said[-2000:]
                await asyncio.sleep(0.05)
        await self.do("play tone.wav")
        await self.do("record heard.wav")
        await self.do(f"staticpic set {self.directory / 'camera.jpg'}")
        await self.do("staticpic fps 10")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    @property
    def said(self) -> str:
        """What it has written to its console so far."""
        return (self.directory / "said").read_text(errors="replace")

    @property
    def log(self) -> str:
        """All it has noted, with every SIP message."""
        return (self.directory / "log").read_text(errors="replace")

    async def do(self, command: str) -> None:
        """Give a command."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()

    async def press(self, keys: str) -> None:
        """Press keys in a call, one after the other."""
        for key in keys:
            await self.do(key)

    @property
    def heard_bytes(self) -> int:
        """How much it has heard."""
        path = self.directory / "heard.wav"
        return path.stat().st_size if path.exists() else 0

    def heard_db(self, hz: float, seconds: float = 0.5) -> float:
        """Level of one frequency in the end of what it has heard, dB of full scale."""
        path = self.directory / "heard.wav"
        data = path.read_bytes() if path.exists() else b""
        sound = np.frombuffer(data[44 : len(data) - len(data) % 2], np.int16)
        count = round(seconds * RATE_HZ)
        if len(sound) < count:
            return -120.0
        window = np.blackman(count)
        spin = np.exp(-2j * np.pi * hz * np.arange(count) / RATE_HZ)
        amplitude = 2 * abs(np.dot(sound[-count:] * window, spin)) / window.sum() / 32_768
        return 20 * float(np.log10(max(amplitude, 1e-6)))

    async def picture(self) -> Image.Image | None:
        """What it receives, as asked for by the call before; None: nothing yet."""
        path = self.directory / "seen.jpg"
        found = None
        if path.exists():
            try:
                found = Image.open(BytesIO(path.read_bytes())).convert("RGB")
            except OSError:
                return None  # being written
        await self.do(f"snapshot {path}")
        return found

    def _write_files(self) -> None:
        (self.directory / ".local/share/linphone").mkdir(parents=True)
        Image.new("RGB", (352, 288), self._colour).save(self.directory / "camera.jpg")
        # Whole periods: it begins anew without a click.
        at = np.arange(2 * RATE_HZ) / RATE_HZ
        tone = np.round(8_000 * np.sin(2 * np.pi * self._tone_hz * at)).astype(np.int16)
        with wave.open(str(self.directory / "tone.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes(tone.tobytes())
        lines = [
            "[sip]", f"sip_port={self.port}", f"sip_tcp_port={self.port}", "sip_tls_port=-1",
            f"media_encryption={self._encryption}",
            f"media_encryption_mandatory={int(self._encryption != 'none')}",
            # Or it offers an address of this family wherever the machine has one.
            "use_ipv6=0", "ipv6_migration_done=1", "bind_address=127.0.0.1",
            f"use_info={int(self._keys_by_info)}", f"use_rfc2833={int(not self._keys_by_info)}",
            "[net]", f"firewall_policy={'ice' if self._ice else 'none'}",
            # There is no screen: pictures are decoded, and go nowhere.
            "[video]", "displaytype=MSVoidSink", "size=cif",
            "automatically_initiate=1", "automatically_accept=1",
            "[rtp]", "bind_address=127.0.0.1",
            f"audio_rtp_port={free_port()}", f"video_rtp_port={free_port()}",
            "[sound]", "echocancellation=0", "",
        ]  # fmt: skip
        (self.directory / "config").write_text("\n".join(lines))
