"""Secrets of rooms as technicians type them: made, and judged where an operator has chosen one."""

import secrets
import string

from mcu.sentences import sentence
from mcu.store.errors import InvalidRecord

SECRET_CHARACTERS = 20
"""Of a secret that we make: 20 of 32 signs are 100 bits."""
MIN_SECRET, MAX_SECRET = 12, 128
"""Characters of one that an operator chooses."""

# Without what is taken for something else when it is read out: no l, o, 0, 1.
_ALPHABET = "".join(sorted(set(string.ascii_lowercase + string.digits) - set("lo01")))


def made_secret() -> str:
    """A new one."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARACTERS))


def checked_secret(secret: str, field: str) -> str:
    """The secret as it is; raises InvalidRecord for one that is unfit."""
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise InvalidRecord(
            sentence("sip.secret-length", shortest=MIN_SECRET, longest=MAX_SECRET),
            field,
        )
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidRecord(sentence("sip.secret-form"), field)
    return secret
