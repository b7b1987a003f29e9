"""Why a room that was called did not come."""

from typing import Literal

CallFailure = Literal[
    "busy", "no_answer", "unreachable", "refused", "not_found", "name_unknown", "dns_silent",
    "not_acceptable", "server_full", "no_address", "failed",
]  # fmt: skip
"""``refused`` by a person or for its credentials, ``not_acceptable`` for its media; ``not_found``:
it is not known where it was called; ``name_unknown``: nobody knows the host name in its address;
``dns_silent``: that could not be found out, as no name server answers;
``server_full``: this server has no place for it now; ``no_address``: it was not even called, as it
is not signed in and has no address."""
