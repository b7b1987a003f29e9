"""SIP for Prometheus: plain counters of the agent and the transports, read when asked."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mcu.sip.endpoint import SipEndpoint


class SipCollector(Collector):
    """Families of one endpoint.

    Args:
        calls: calls now. registered: rooms that are registered now.
        floor: what floor control has counted, see ``Floors``.
    """

    def __init__(
        self,
        endpoint: SipEndpoint,
        calls: Callable[[], int],
        registered: Callable[[], int],
        floor: Mapping[str, int] | None = None,
    ) -> None:
        self._floor = {} if floor is None else floor
        self._endpoint = endpoint
        self._calls = calls
        self._registered = registered

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All families."""
        agent, counts = self._endpoint.agent.statistics, self._endpoint.counts
        yield _counter("transactions", "SIP transactions begun", "kind", agent.transactions)
        messages = CounterMetricFamily(
            "mcu_sip_messages", "SIP messages", labels=["direction", "what"]
        )
        for name, count in agent.messages.items():
            messages.add_metric(name.split(" ", 1), count)
        yield messages
        yield _counter(
            "retransmissions",
            "SIP messages sent again by us, or received again",
            "direction",
            agent.repetitions,
        )
        yield _counter("failures", "SIP transactions that came to no end", "reason", agent.failures)
        yield _counter("refused", "SIP messages not taken, by reason", "reason", agent.refused)
        yield _counter(
            "dropped",
            "SIP messages and connections dropped, by cause",
            "cause",
            {**(agent.dropped + counts.dropped), "kernel": self._endpoint.kernel_drops()},
        )
        yield _counter("floor_messages", "BFCP messages and wishes", "what", self._floor)
        yield _counter("unsent", "SIP messages that found no way", "cause", counts.unsent)
        yield _counter("calls", "SIP calls begun", "direction", agent.calls)
        yield _counter("call_results", "SIP calls ended, by cause", "cause", agent.results)
        yield _counter("registrations", "REGISTER requests", "outcome", agent.registrations)
        yield _counter(
            "sign_ins_refused",
            "Who signs in and is not let, by reason",
            "reason",
            agent.sign_ins_refused,
        )
        opened = CounterMetricFamily(
            "mcu_sip_connections_opened",
            "SIP connections opened",
            labels=["direction", "transport"],
        )
        for name, count in counts.opened.items():
            opened.add_metric(name.split(" ", 1), count)
        yield opened
        yield CounterMetricFamily(
            "mcu_sip_faults", "Defects that a SIP message met", value=counts.faults
        )
        yield CounterMetricFamily(
            "mcu_sip_delayed",
            "How often a SIP connection was not read for a while, as it brought too much",
            value=counts.delayed,
        )
        yield _gauge("connections", "SIP connections now", self._endpoint.connections)
        yield _gauge("waiting", "SIP messages that wait to be looked at", self._endpoint.waiting)
        yield _gauge("calls_now", "SIP calls now", self._calls())
        yield _gauge("registered_rooms", "Rooms registered by SIP now", self._registered())


def _counter(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"mcu_sip_{name}", text, labels=[label])
    for key, count in values.items():
        family.add_metric([key], count)
    return family


def _gauge(name: str, text: str, value: int) -> Metric:
    return GaugeMetricFamily(f"mcu_sip_{name}", text, value=value)
