"""What rooms call themselves, by leg; the newest are kept."""

from collections import OrderedDict
from typing import Final

KEPT: Final = 1_000
MAX_CHARACTERS: Final = 200


class UserAgents:
    """Remembers what the client of each leg said of itself when it joined."""

    def __init__(self) -> None:
        self._by_leg: OrderedDict[str, str] = OrderedDict()

    def opened(self, leg: str, user_agent: str) -> None:
        """A leg was opened; an empty name tells nothing."""
        if user_agent:
            self._by_leg[leg] = user_agent[:MAX_CHARACTERS]
            while len(self._by_leg) > KEPT:
                self._by_leg.popitem(last=False)

    def of(self, leg: str) -> str | None:
        """What it calls itself; None: it did not say, or that is long ago."""
        return self._by_leg.get(leg)
