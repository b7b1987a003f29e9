"""Taking a site's units and bridges into the registry: once, as one transaction.

What was taken in is written down, so that units and bridges which operators delete or merge
afterwards stay away.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import aiosqlite

from mcu.store import bridges as bridge_rows
from mcu.store import units as unit_rows
from mcu.store.database import Database
from mcu.store.errors import OtherSite
from mcu.store.records import Bridge, Unit
from mcu.store.times import from_text, to_text
from mcu.store.tokens import utcnow

ANY_SITE = ""
"""Stands for the site of a registry that is older than these records."""


@dataclass(frozen=True, slots=True)
class SiteImport:
    """How many rows were added; ``before``: when it was taken in earlier (then none were)."""

    units: int = 0
    bridges: int = 0
    before: datetime | None = None


class SiteImports:
    """The sites that the registry has taken in."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    async def taken_in_at(self, site: str) -> datetime | None:
        """When a site was taken in, or a registry that is older than these records was made.

        Returns: None: it may be taken in.
        Raises:
            StoreUnavailable.
        """
        row = await self._database.row(
            "SELECT imported_at FROM site_imports WHERE site IN (?, ?)", (site, ANY_SITE)
        )
        return None if row is None else from_text(row["imported_at"])

    async def take_in(
        self, site: str, units: Iterable[Unit], bridges: Iterable[Bridge], *, beside: bool = False
    ) -> SiteImport:
        """Add what the registry does not have, unless this site was taken in before.

        Args:
            units: in any order; with ``bridges`` a whole: every parent and unit is among them.
            beside: also where another site was taken in before.

        Raises:
            OtherSite: another one was, and ``beside`` is not said. InvalidRecord,
            StoreUnavailable. Nothing was added then.
        """
        new_units = [unit_rows.checked(unit) for unit in units]
        new_bridges = [bridge_rows.checked(bridge) for bridge in bridges]
        async with self._database.write() as connection:
            rows = await connection.execute_fetchall(
                "SELECT imported_at FROM site_imports WHERE site IN (?, ?)", (site, ANY_SITE)
            )
            for row in rows:
                return SiteImport(before=from_text(row["imported_at"]))
            if not beside:
                await _check_alone(connection, site)
            # Until the commit, so that a unit may stand before its parent.
            await connection.execute("PRAGMA defer_foreign_keys = ON")
            added_units = await connection.executemany(
                "INSERT INTO units (id, name, level, parent) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                [(unit.id, unit.name, unit.level, unit.parent) for unit in new_units],
            )
            added_bridges = await connection.executemany(
                f"{bridge_rows.INSERT} ON CONFLICT (id) DO NOTHING",
                [bridge_rows.values_of(bridge) for bridge in new_bridges],
            )
            await connection.execute(
                "INSERT INTO site_imports (site, imported_at) VALUES (?, ?)",
                (site, to_text(self._clock())),
            )
        return SiteImport(max(0, added_units.rowcount), max(0, added_bridges.rowcount))


async def _check_alone(connection: aiosqlite.Connection, site: str) -> None:
    rows = await connection.execute_fetchall("SELECT site FROM site_imports ORDER BY imported_at")
    others = tuple(str(row["site"]) for row in rows)
    if others:
        counts = await connection.execute_fetchall(
            "SELECT (SELECT count(*) FROM units), (SELECT count(*) FROM bridges)"
        )
        (units, bridges), *_ = counts
        raise OtherSite(site, others, units, bridges)
