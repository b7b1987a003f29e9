"""Who may send more just now: token buckets by source, asked before anything is parsed."""

from mcu.api.client_address import client_key
from mcu.api.rate_limit import RateLimiter
from mcu.sip.settings import SourceLimits


class Admission:
    """Counts what each source sends and how many connections it holds.

    Memory is bounded: of sources that are quiet the oldest are forgotten.
    Cost: some microseconds a message.
    """

    def __init__(self, limits: SourceLimits) -> None:
        self._limits = limits
        self._messages = RateLimiter(limits.messages_per_s, limits.burst)
        self._connections: dict[str, int] = {}

    def admits(self, host: str, now: float) -> bool:
        """Whether one more message of ``host`` is taken."""
        return self._messages.take(client_key(host), now) is None

    @property
    def pause_s(self) -> float:
        """How long a stream is not read whose source has sent too many."""
        return max(0.02, 1.0 / self._limits.messages_per_s)

    def connect(self, host: str) -> bool:
        """Count a connection of ``host``, to be ended by ``disconnect``; False: one too many."""
        key = client_key(host)
        count = self._connections.get(key, 0)
        if count >= self._limits.connections:
            return False
        self._connections[key] = count + 1
        return True

    def disconnect(self, host: str) -> None:
        """A connection that was counted has ended."""
        key = client_key(host)
        count = self._connections.get(key, 0) - 1
        if count > 0:
            self._connections[key] = count
        else:
            self._connections.pop(key, None)
