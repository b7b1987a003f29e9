"""Characters that make a text look like another one: one room could pass for another."""

import re
from typing import Final

DISGUISES: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9)."""


def disguise_in(text: str) -> str | None:
    """What is wrong with a text that shows in another order than it is written in, or None."""
    found = DISGUISES.search(text)
    if found is None:
        return None
    return f"holds U+{ord(found[0]):04X}, which changes the order in which a text is shown"
