"""JSON columns as they are read back, when a damaged file may hold anything."""

import json
from collections.abc import Mapping
from typing import Any


def read_object(text: str) -> Mapping[str, Any] | None:
    """The object in a column; None when it holds none (any more).

    None and no exception, because one damaged row must not keep a list from being read.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
