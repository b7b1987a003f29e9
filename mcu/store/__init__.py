"""What outlives the process: registry, tokens, events, audit, in one SQLite file."""

from mcu.store.store import Store

__all__ = ["Store"]
