"""Why a room that was called did not come."""

from typing import Literal

CallFailure = Literal[
    "busy", "no_answer", "unreachable", "refused", "not_found", "not_acceptable", "server_full",
    "no_address", "failed",
]  # fmt: skip
"""``refused`` by a person or for its credentials, ``not_acceptable`` for its media;
``server_full``: this server has no place for it now; ``no_address``: it was not even called, as it
is not signed in and has no address."""
