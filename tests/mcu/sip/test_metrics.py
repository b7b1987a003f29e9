"""SIP for Prometheus."""

from collections import Counter

from prometheus_client import CollectorRegistry, generate_latest

from mcu.sip.metrics import SipCollector
from tests.peers.sip_wire import endpoint, options, port_of, tcp_peer, udp_peer


async def test_what_prometheus_reads() -> None:
    async with endpoint() as found, udp_peer() as peer:
        peer.transport.sendto(options(), ("127.0.0.1", port_of(found, "udp")))
        await peer.received.get()
        async with tcp_peer(port_of(found, "tcp")) as stream:
            stream.write(options(2, via="SIP/2.0/TCP 127.0.0.1:5999"))
            await stream.message()
            registry = CollectorRegistry()
            registry.register(SipCollector(found, lambda: 3, lambda: 4, Counter(sent=5)))
            text = generate_latest(registry).decode()
    for line in (
        'mcu_sip_transactions_total{kind="server"} 2.0',
        'mcu_sip_messages_total{direction="received",what="OPTIONS"} 2.0',
        'mcu_sip_messages_total{direction="sent",what="2xx"} 2.0',
        'mcu_sip_connections_opened_total{direction="in",transport="tcp"} 1.0',
        "mcu_sip_connections 1.0",
        "mcu_sip_calls_now 3.0",
        'mcu_sip_dropped_total{cause="kernel"} 0.0',
        'mcu_sip_floor_messages_total{what="sent"} 5.0',
        "mcu_sip_registered_rooms 4.0",
    ):
        assert line in text
