"""The real daemon with SIP on loopback, and hardware rooms on its rosters."""

from pathlib import Path

from tests.peers.daemon import Daemon
from tests.peers.free_ports import free_port
from tests.peers.meeting import Meeting


class SipDaemon(Daemon):
    """The daemon with SIP on loopback, on one port of UDP and TCP.

    Args:
        environment: further ``MCU_…`` settings.
    """

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.sip_port = free_port()
        super().__init__(
            data_dir,
            environment={
                "MCU_SIP__HOST": "127.0.0.1",
                "MCU_SIP__UDP_PORT": str(self.sip_port),
                "MCU_SIP__TCP_PORT": str(self.sip_port),
                "MCU_SIP__TLS_PORT": "0",
                # baresip 1.0 gives up at a challenge with SHA-256 before one with MD5.
                "MCU_SIP__DIGEST_ALGORITHMS": '["MD5"]',
                "MCU_SIP__GUESTS": "with_pin",
                "MCU_SIP__NO_ANSWER_S": "5",
                "MCU_SIP__REDIAL_MIN_S": "1",
                "MCU_SIP__REDIAL_MAX_S": "2",
                "MCU_MEDIA__LOST_AFTER_S": "1.0",
                "MCU_MEDIA__LEFT_AFTER_S": "3.0",
                **environment,
            },
        )

    @property
    def sip(self) -> str:
        """Where it is called (``127.0.0.1:5060``)."""
        return f"127.0.0.1:{self.sip_port}"

    async def counted(self, name: str, **labels: str) -> float:
        """A counter of SIP from ``/metrics``; 0 while it was not counted yet."""
        named = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        sample = f"mcu_sip_{name}" + (f"{{{named}}}" if named else "")
        return (await self.metrics()).get(sample, 0.0)


async def add_sip_bridge(held: Meeting, bridge: str, address: str = "") -> str:
    """Register a hardware room and put it on the roster; gives its secret."""
    body = {"id": bridge, "name": bridge, "unit": held.unit, "kind": "sip"}
    if address:
        body["address"] = address
    await held.daemon.call("POST", "/bridges", body)
    found = await held.daemon.call("POST", f"/bridges/{bridge}/sip-secret", {})
    await held.daemon.call("POST", f"{held.path}/participants", {"bridge": bridge})
    return str(found["secret"])
