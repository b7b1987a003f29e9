"""RFC 4475 and RFC 5118 over real UDP and TCP: as the agent alone answers, and nothing is harmed.

What the agent has to answer to each stands in ``tests/signalling/sip/test_torture*.py``; here every
message comes over sockets, and right behind it a request that has to be answered.
"""

from collections import Counter

import pytest

from mcu.sip.endpoint import SipEndpoint
from mcu.sip.settings import EndpointSettings, SourceLimits
from signalling.sip import AgentSettings, Event, Listener, Registrar
from tests.peers.sip_wire import Room, endpoint, options, port_of, tcp_peer, udp_peer
from tests.signalling.sip.scripted import Scripted
from tests.signalling.sip.torture import message, names

pytestmark = pytest.mark.timeout(60)

ALL = [(standard, name) for standard in ("rfc4475", "rfc5118") for name in names(standard)]
ANYTHING = EndpointSettings("127.0.0.1", limits=SourceLimits(messages_per_s=10_000, burst=10_000))
AGENT = AgentSettings((Listener("udp", "127.0.0.1", 0),))

LEFT = {"clerr", "ncl", "mcl01", "inv2543", "dblreq", "multi01"}
"""Their Content-Length, or that of the second message that follows in them, does not say where they
end, or is not there: a stream cannot be cut behind them, or is two bytes too late (multi01)."""


class Watching(Room):
    """Lets calls wait: only what the agent sends by itself counts."""

    def __call__(self, event: Event, now: float) -> None:
        self.events.append(event)


def answers(found: SipEndpoint) -> Counter[str]:
    """How many it has sent of each kind."""
    counted = found.agent.statistics.messages
    return Counter({what: n for what, n in counted.items() if what.startswith("sent")})


def alone(data: bytes) -> Counter[str]:
    """What the agent sends without sockets."""
    peer = Scripted(AGENT, registrar=Registrar())
    peer.receive(data)
    counted = peer.agent.statistics.messages
    return Counter({what: n for what, n in counted.items() if what.startswith("sent")})


def test_all_are_sent() -> None:
    assert len(ALL) == 49 + 12


@pytest.mark.parametrize(("standard", "name"), ALL)
async def test_over_udp(standard: str, name: str) -> None:
    data = message(standard, name)
    async with (
        endpoint(ANYTHING, AGENT, room=Watching(), registrar=Registrar()) as found,
        udp_peer() as peer,
    ):
        to = ("127.0.0.1", port_of(found, "udp"))
        peer.transport.sendto(data, to)
        peer.transport.sendto(options(7_777), to)
        while b"call-7777" not in (answer := (await peer.received.get())[0]):
            pass
        assert answer.startswith(b"SIP/2.0 200")
        assert answers(found) - alone(data) == Counter(
            {"sent 2xx": 1}
        )  # that of the request behind it
        assert found.counts.faults == 0


@pytest.mark.parametrize(("standard", "name"), ALL)
async def test_over_tcp(standard: str, name: str) -> None:
    data = message(standard, name)
    async with endpoint(ANYTHING, AGENT, room=Watching(), registrar=Registrar()) as found:
        port = port_of(found, "tcp")
        async with tcp_peer(port) as peer:
            peer.write(data)
            if name not in LEFT:
                peer.write(options(7_777, via="SIP/2.0/TCP 127.0.0.1:5999"))
                while b"call-7777" not in (answer := await peer.message()):
                    pass
                assert answer.startswith(b"SIP/2.0 200")
                assert answers(found) - alone(data) == Counter({"sent 2xx": 1})
        # Whatever became of that connection, the next one is served.
        async with tcp_peer(port) as peer:
            peer.write(options(8_888, via="SIP/2.0/TCP 127.0.0.1:5999"))
            assert (await peer.message()).startswith(b"SIP/2.0 200")
        assert found.counts.faults == 0
