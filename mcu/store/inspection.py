"""A look at a store's file from outside (``mcu check``): nothing is made, migrated or changed."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mcu.sentences import sentence
from mcu.store.database import unavailable
from mcu.store.errors import StoreUnavailable
from mcu.store.migrations import MIGRATIONS
from mcu.store.site_imports import ANY_SITE

SITES_SINCE = 2
"""The schema since which ``site_imports`` is there."""

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a store holds.

    Args:
        sites: that were taken in, by name.
    """

    units: int
    bridges: int
    sites: tuple[str, ...]


def inspect(path: Path) -> Inspection | None:
    """Look through a store's file; None where there is none yet.

    Raises:
        StoreUnavailable: it is damaged, cannot be read, or was written by a newer version.
    Cost: reads the whole file.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with closing(_opened(path)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise StoreUnavailable(
                    sentence("store.newer", version=version, known=len(MIGRATIONS))
                )
            if version == 0:
                return None
            units, bridges = connection.execute(
                "SELECT (SELECT count(*) FROM units), (SELECT count(*) FROM bridges)"
            ).fetchone()
            sites = () if version < SITES_SINCE else connection.execute(
                "SELECT site FROM site_imports WHERE site <> ? ORDER BY imported_at", (ANY_SITE,)
            ).fetchall()  # fmt: skip
            return Inspection(units, bridges, tuple(site for (site,) in sites))
    except sqlite3.Error as error:
        raise unavailable(error) from error


def _opened(path: Path) -> sqlite3.Connection:
    """Read-only. Without a write-ahead log nobody writes, and no file beside it need be made."""
    quiet = not path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if quiet else ''}"
    return sqlite3.connect(address, uri=True, timeout=TIMEOUT_S)
