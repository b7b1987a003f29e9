"""All transitions of the four transactions (RFC 3261 section 17, with RFC 6026's corrections).

What a table does not list is ignored: the message is dropped, the timer means nothing. RFC 6026
keeps server transactions alive when a response cannot be sent; their timers end them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["INVITE client", "client", "INVITE server", "server"]
State = Literal[
    "calling", "trying", "proceeding", "completed", "confirmed", "accepted", "terminated"
]
Happening = Literal[
    "start",
    # a client receives, by status code
    "1xx", "2xx", "3xx-6xx",
    # a server receives
    "request", "ack",
    # a server is told to send
    "send 1xx", "send 2xx", "send 3xx-6xx",
    "timer A", "timer B", "timer D", "timer E", "timer F", "timer G", "timer H", "timer I",
    "timer J", "timer K", "timer L", "timer M",
    "transport error",
]  # fmt: skip
Action = Literal[
    "send",  # the request, or the response that is given
    "repeat",  # what was sent last
    "acknowledge",  # ACK for a response that is none of success
    "deliver",  # to the transaction user
    "report timeout",
    "report transport error",
    "start A", "start B", "start D", "start E", "start F", "start G", "start H", "start I",
    "start J", "start K", "start L", "start M",
    "stop A", "stop B", "stop E", "stop F", "stop G", "stop H",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transition:
    """The state afterwards, and what is done on the way, in order."""

    state: State
    actions: tuple[Action, ...] = ()


Table = Mapping[tuple[State, Happening], Transition]


def _to(state: State, *actions: Action) -> Transition:
    return Transition(state, actions)


INVITE_CLIENT: Table = {
    ("calling", "start"): _to("calling", "send", "start A", "start B"),
    ("calling", "timer A"): _to("calling", "repeat", "start A"),
    ("calling", "timer B"): _to("terminated", "report timeout"),
    ("calling", "transport error"): _to("terminated", "report transport error"),
    ("calling", "1xx"): _to("proceeding", "stop A", "stop B", "deliver"),
    ("calling", "2xx"): _to("accepted", "stop A", "stop B", "start M", "deliver"),
    ("calling", "3xx-6xx"): _to(
        "completed", "stop A", "stop B", "acknowledge", "deliver", "start D"
    ),
    ("proceeding", "1xx"): _to("proceeding", "deliver"),
    ("proceeding", "2xx"): _to("accepted", "start M", "deliver"),
    ("proceeding", "3xx-6xx"): _to("completed", "acknowledge", "deliver", "start D"),
    ("completed", "3xx-6xx"): _to("completed", "acknowledge"),
    ("completed", "transport error"): _to("terminated", "report transport error"),
    ("completed", "timer D"): _to("terminated"),
    ("accepted", "2xx"): _to("accepted", "deliver"),
    ("accepted", "timer M"): _to("terminated"),
}
CLIENT: Table = {
    ("trying", "start"): _to("trying", "send", "start E", "start F"),
    ("trying", "timer E"): _to("trying", "repeat", "start E"),
    ("trying", "timer F"): _to("terminated", "report timeout"),
    ("trying", "transport error"): _to("terminated", "report transport error"),
    ("trying", "1xx"): _to("proceeding", "deliver"),
    ("trying", "2xx"): _to("completed", "stop E", "stop F", "deliver", "start K"),
    ("trying", "3xx-6xx"): _to("completed", "stop E", "stop F", "deliver", "start K"),
    ("proceeding", "timer E"): _to("proceeding", "repeat", "start E"),
    ("proceeding", "timer F"): _to("terminated", "report timeout"),
    ("proceeding", "transport error"): _to("terminated", "report transport error"),
    ("proceeding", "1xx"): _to("proceeding", "deliver"),
    ("proceeding", "2xx"): _to("completed", "stop E", "stop F", "deliver", "start K"),
    ("proceeding", "3xx-6xx"): _to("completed", "stop E", "stop F", "deliver", "start K"),
    ("completed", "timer K"): _to("terminated"),
}
INVITE_SERVER: Table = {
    ("proceeding", "start"): _to("proceeding", "deliver"),
    ("proceeding", "request"): _to("proceeding", "repeat"),
    ("proceeding", "send 1xx"): _to("proceeding", "send"),
    ("proceeding", "send 2xx"): _to("accepted", "send", "start L"),
    ("proceeding", "send 3xx-6xx"): _to("completed", "send", "start G", "start H"),
    ("proceeding", "transport error"): _to("proceeding", "report transport error"),
    ("completed", "request"): _to("completed", "repeat"),
    ("completed", "timer G"): _to("completed", "repeat", "start G"),
    ("completed", "timer H"): _to("terminated", "report timeout"),
    ("completed", "ack"): _to("confirmed", "stop G", "stop H", "start I"),
    ("completed", "transport error"): _to("completed", "report transport error"),
    ("confirmed", "timer I"): _to("terminated"),
    # The user repeats a 2xx until its ACK comes, which is a transaction of its own but for
    # clients of RFC 2543 (RFC 3261 section 13.3.1.4).
    ("accepted", "send 2xx"): _to("accepted", "send"),
    ("accepted", "ack"): _to("accepted", "deliver"),
    ("accepted", "transport error"): _to("accepted", "report transport error"),
    ("accepted", "timer L"): _to("terminated"),
}
SERVER: Table = {
    ("trying", "start"): _to("trying", "deliver"),
    ("trying", "send 1xx"): _to("proceeding", "send"),
    ("trying", "send 2xx"): _to("completed", "send", "start J"),
    ("trying", "send 3xx-6xx"): _to("completed", "send", "start J"),
    ("proceeding", "request"): _to("proceeding", "repeat"),
    ("proceeding", "send 1xx"): _to("proceeding", "send"),
    ("proceeding", "send 2xx"): _to("completed", "send", "start J"),
    ("proceeding", "send 3xx-6xx"): _to("completed", "send", "start J"),
    ("proceeding", "transport error"): _to("proceeding", "report transport error"),
    ("completed", "request"): _to("completed", "repeat"),
    ("completed", "transport error"): _to("completed", "report transport error"),
    ("completed", "timer J"): _to("terminated"),
}
TABLES: Mapping[Kind, Table] = {
    "INVITE client": INVITE_CLIENT,
    "client": CLIENT,
    "INVITE server": INVITE_SERVER,
    "server": SERVER,
}
FIRST_STATES: Mapping[Kind, State] = {
    "INVITE client": "calling",
    "client": "trying",
    "INVITE server": "proceeding",
    "server": "trying",
}
