"""Who did what, from where, and whether it was allowed."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from mcu.store.commits import Write
from mcu.store.database import Database, Row
from mcu.store.paging import DEFAULT_LIMIT, page, read_limit, read_number_cursor
from mcu.store.records import AuditRow, Page
from mcu.store.times import from_text, to_text

NEWEST = 2**63 - 1


class Audit:
    """Appending and reading; rows are never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def row(row: AuditRow) -> Write:
        """Append one row (its ``seq`` is given here), within somebody's transaction."""
        values = (
            to_text(row.time),
            row.actor,
            row.role,
            row.address,
            row.action,
            row.target,
            row.outcome,
        )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO audit (time, actor, role, address, action, target, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )

        return write

    async def append(self, row: AuditRow) -> None:
        """Append one row as a transaction.

        Raises:
            StoreUnavailable.
        """
        await self._database.commit(self.row(row), durable=False)

    async def list(
        self,
        *,
        actor: str | None = None,
        target: str | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[AuditRow]:
        """List newest first.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, before = read_limit(limit), read_number_cursor(cursor)
        rows = await self._database.rows(
            "SELECT * FROM audit WHERE seq < ?1 AND (?2 IS NULL OR actor = ?2)"
            " AND (?3 IS NULL OR target = ?3) ORDER BY seq DESC LIMIT ?4",
            (NEWEST if before is None else before, actor, target, limit + 1),
        )
        return page([_row(row) for row in rows], limit, lambda row: str(row.seq))

    async def under(self, target: str, limit: int) -> Sequence[AuditRow]:
        """The newest ``limit`` rows on a target, a path, and on everything below it; oldest first.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT * FROM (SELECT * FROM audit WHERE target = ?1"
            " UNION ALL SELECT * FROM audit WHERE target > ?1 || '/' AND target < ?1 || '0')"
            " ORDER BY seq DESC LIMIT ?2",
            (target, limit),
        )
        return [_row(row) for row in reversed(list(rows))]

    async def prune(self, before: datetime, keep: int) -> int:
        """Delete what is older than ``before``, or not among the ``keep`` newest; gives how many.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            cursor = await connection.execute(
                "DELETE FROM audit WHERE time < ? OR seq <= (SELECT max(seq) FROM audit) - ?",
                (to_text(before), keep),
            )
            return cursor.rowcount


def _row(row: Row) -> AuditRow:
    return AuditRow(
        time=from_text(row["time"]),
        actor=row["actor"],
        role=row["role"],
        address=row["address"],
        action=row["action"],
        target=row["target"],
        outcome=row["outcome"],
        seq=row["seq"],
    )
