"""Who acts, and the ids of what they make."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose token a command came with.

    Args:
        token: its id, kept with the events. address: where the request came from.
    """

    token: str
    role: str
    name: str = ""
    address: str | None = None


def new_id(prefix: str) -> str:
    """A random id; ``prefix`` says what it is of (``c-``, ``guest-``)."""
    return f"{prefix}{secrets.token_hex(5)}"
