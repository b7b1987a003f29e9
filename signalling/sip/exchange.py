"""One request other than INVITE and its final answer, with credentials where they are asked for."""

from collections.abc import Callable

from sipmessage import Request

from signalling.sip.core import Core, authorization
from signalling.sip.digest import Credentials
from signalling.sip.hop import Hop
from signalling.sip.message import ReceivedResponse
from signalling.sip.transactions import FailureReason, Key

Outcome = ReceivedResponse | FailureReason
"""A final response, or why there is none."""


class Exchange:
    """Sends a request until it has a final answer.

    Args:
        make: builds the request, each time with a new CSeq.
        done: called once with the outcome.
    """

    def __init__(
        self,
        core: Core,
        make: Callable[[], Request],
        hop: Hop,
        done: Callable[[Outcome, float], None],
        credentials: Credentials | None = None,
    ) -> None:
        self._core = core
        self._make = make
        self._hop = hop
        self._done = done
        self._credentials = credentials
        self._attempt = 0
        self._fields: dict[str, str] = {}
        self._request: Request | None = None

    def start(self, now: float) -> None:
        """Send it."""
        self._attempt += 1
        self._request = self._make()
        for name, value in self._fields.items():
            self._request.headers.set(name, value)
        self._core.send(self._request, self._hop, self, now)

    def response_arrived(self, key: Key, response: ReceivedResponse, now: float) -> None:
        """Take a response of our transaction."""
        if response.code < 200 or self._request is None:
            return
        again = authorization(self._request, response, self._credentials, self._attempt)
        if again is not None:
            self._fields[again[0]] = again[1]
            self.start(now)
            return
        self._done(response, now)

    def transaction_failed(self, key: Key, reason: FailureReason, now: float) -> None:
        """No answer came."""
        self._done(reason, now)
