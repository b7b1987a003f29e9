"""Kamailio, a SIP proxy as carriers and ministries run it: stays in every call (Record-Route).

It writes down each request that passes: method, where it came from, where it goes.
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.peers import child
from tests.peers.free_ports import free_port

PROGRAM: Final = "kamailio"
STARTS_S: Final = 20.0
_PASSED: Final = "PASSED "

_CONFIGURATION = """
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
dns=no
rev_dns=no
auto_aliases=no
pv_buffer_size=8192
listen=udp:{host}:{port}
listen=tcp:{host}:{port}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "xlog.so"

modparam("tm", "fr_timer", 5000)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (!loose_route() && !(is_method("ACK") && t_check_trans())) {{
            xlog("L_ERR", "STRAYED $rm $si $sp $ru\\n");
            if (!is_method("ACK")) sl_send_reply("404", "Not here");
            exit;
        }}
    }} else {{
        loose_route();
        record_route();
    }}
    xlog("L_ERR", "{passed}$rm $si $sp $proto $ru\\n");
    t_relay();
}}
"""


def is_installed() -> bool:
    """Whether tests with it can run."""
    return shutil.which(PROGRAM, path=_PATH) is not None


_PATH: Final = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin"
"""Debian puts it where only root looks."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that it has sent on; ``port`` and ``transport`` are of who sent it."""

    method: str
    host: str
    port: int
    transport: str
    target: str


class Kamailio:
    """One proxy on UDP and TCP; an async context manager.

    Args:
        directory: for its configuration and log; made.
    """

    def __init__(self, directory: Path, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = free_port()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    def uri(self, transport: str) -> str:
        """As an outbound proxy."""
        return f"sip:{self.host}:{self.port};lr;transport={transport}"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self._directory / "log").read_text(errors="replace")

    @property
    def passed(self) -> list[Passed]:
        """The requests that went through it, in their order."""
        lines = [line.partition(_PASSED)[2] for line in self.log.splitlines() if _PASSED in line]
        found = [line.split() for line in lines]
        return [Passed(one[0], one[1], int(one[2]), one[3], one[4]) for one in found]

    def methods(self, port: int) -> list[str]:
        """Of what came from a port, in their order."""
        return [one.method for one in self.passed if one.port == port]

    async def __aenter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / "kamailio.cfg"
        file.write_text(_CONFIGURATION.format(host=self.host, port=self.port, passed=_PASSED))
        program = shutil.which(PROGRAM, path=_PATH)
        assert program is not None
        with (self._directory / "log").open("ab") as out:
            self._process = await child.start(
                program,
                *("-f", str(file), "-DD", "-E", "-m", "16", "-M", "4"),
                *("-Y", str(self._directory), "-w", str(self._directory)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        async with asyncio.timeout(STARTS_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection(self.host, self.port)
                    writer.close()
                    return self
                except OSError:
                    assert self._process.returncode is None, self.log[-4000:]
                    await asyncio.sleep(0.05)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()  # its children end with it
        await self._process.wait()
