"""Where registered rooms are, kept so that a restart does not have to wait for each of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from mcu.store.database import Database, Row
from mcu.store.records import SipBinding
from mcu.store.times import from_text, to_text
from mcu.store.tokens import utcnow


class SipBindings:
    """Reading them at the start, writing what changed a batch at a time."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    async def all(self) -> Sequence[SipBinding]:
        """What has not expired, of sip bridges that still have a secret, by bridge.

        Those of one bridge stand in the order in which they were given to ``put``.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT sip_bindings.* FROM sip_bindings JOIN bridges ON bridges.id = bridge"
            " JOIN sip_secrets USING (bridge) WHERE kind = 'sip' AND expires_at > ?"
            " ORDER BY bridge, place",
            (to_text(self._clock()),),
        )
        return [_binding(row) for row in rows]

    async def put(self, changed: Mapping[str, Sequence[SipBinding]]) -> None:
        """Write what there is now of these bridges, in one transaction; others stay.

        What expired is dropped of all; of a bridge that is gone nothing is written.

        Raises:
            StoreUnavailable: nothing was written.
        """
        async with self._database.write() as connection:
            await connection.execute(
                "DELETE FROM sip_bindings WHERE expires_at <= ?", (to_text(self._clock()),)
            )
            await connection.executemany(
                "DELETE FROM sip_bindings WHERE bridge = ?", [(bridge,) for bridge in changed]
            )
            await connection.executemany(
                "INSERT OR REPLACE INTO sip_bindings (bridge, contact, place, q, expires_at,"
                " call_id, sequence, transport, host, port, since, user_agent)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
                " WHERE EXISTS (SELECT 1 FROM bridges WHERE id = ?)",
                [
                    (one.bridge, one.contact, place, one.q, to_text(one.expires_at), one.call_id,
                     one.sequence, one.transport, one.host, one.port, to_text(one.since),
                     one.user_agent, one.bridge)
                    for bindings in changed.values() for place, one in enumerate(bindings)
                ],
            )  # fmt: skip


def _binding(row: Row) -> SipBinding:
    return SipBinding(
        row["bridge"],
        row["contact"],
        row["q"],
        from_text(row["expires_at"]),
        row["call_id"],
        row["sequence"],
        row["transport"],
        row["host"],
        row["port"],
        from_text(row["since"]),
        row["user_agent"],
    )
