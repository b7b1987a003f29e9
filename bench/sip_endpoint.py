"""The SIP endpoint in a process of its own: takes every call and every registration, without media.

For ``bench.sip``. Prints ``{"udp": port, "tcp": port}`` when it listens, and how many of what it
has done when its standard input ends.
"""

import asyncio
import json
import sys

import uvloop

from bench.sip_agent import SDP, SECRET
from mcu.sip.endpoint import SipEndpoint
from mcu.sip.settings import EndpointSettings, SourceLimits
from signalling.sip import (
    AgentSettings,
    CallReceived,
    DigestVerifier,
    Event,
    Listener,
    Registrar,
    ha1,
)

ANYTHING = SourceLimits(messages_per_s=1e6, burst=1_000_000)
"""All of the load comes from one address."""


async def serve() -> None:
    """Answer until standard input ends."""

    def handle(event: Event, now: float) -> None:
        if isinstance(event, CallReceived):
            endpoint.agent.accept(event.call, SDP.encode(), now)

    endpoint = SipEndpoint(
        EndpointSettings("127.0.0.1", udp_port=0, tcp_port=0, limits=ANYTHING),
        AgentSettings(
            (Listener("udp", "127.0.0.1", 0),), max_calls=1_000_000, max_transactions=1_000_000,
            authenticated_methods=frozenset({"REGISTER"}),
        ),
        handle,
        # SIPp knows MD5 only.
        verifier=DigestVerifier(
            "mcu", lambda user, kind: ha1(user, "mcu", SECRET, kind), algorithms=("MD5",)
        ),
        registrar=Registrar(),
    )  # fmt: skip
    await endpoint.open()
    try:
        print(json.dumps({one.transport: one.port for one in endpoint.listeners}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        statistics = endpoint.agent.statistics
        print(
            json.dumps(
                {
                    "hung_up": statistics.results["hung up"],
                    "registered": statistics.registrations["accepted"],
                    "repeated": statistics.repetitions.total(),
                    "faults": endpoint.counts.faults,
                }
            ),
            flush=True,
        )
    finally:
        await endpoint.close()


if __name__ == "__main__":
    uvloop.run(serve())
