"""Secrets of hardware rooms: what they sign in with (hashed), and what we sign in with at them.

See ``docs/decisions/0012-sip-secrets.md`` for why the one is a hash and the other is not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import aiosqlite
import structlog

from mcu.sentences import sentence
from mcu.store.database import Database
from mcu.store.errors import InvalidRecord, UnknownRecord
from mcu.store.records import SipSecret
from mcu.store.secret_box import CannotOpen, Sealed, SecretBox
from mcu.store.times import from_text, to_text
from mcu.store.tokens import utcnow

MAX_USER_NAME = 128
MAX_VOID = 3
"""Secrets before the present one that are remembered of each bridge."""

log = structlog.get_logger(__name__)


class SipSecrets:
    """Reading and writing them. They go with their bridge."""

    def __init__(
        self, database: Database, box: SecretBox, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._database = database
        self._box = box
        self._clock = clock

    async def all(self) -> Sequence[SipSecret]:
        """What every sip bridge signs in with.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT sip_secrets.* FROM sip_secrets JOIN bridges ON bridges.id = bridge"
            " WHERE kind = 'sip' ORDER BY bridge"
        )
        return [
            SipSecret(
                row["bridge"],
                row["realm"],
                from_text(row["changed_at"]),
                {"SHA-256": row["ha1_sha256"], "MD5": row["ha1_md5"]},
            )
            for row in rows
        ]

    async def void(self) -> Sequence[SipSecret]:
        """What sip bridges signed in with before, the latest first; ``MAX_VOID`` of each.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT sip_void_secrets.* FROM sip_void_secrets JOIN bridges ON bridges.id = bridge"
            " WHERE kind = 'sip' ORDER BY bridge, voided_at DESC"
        )
        return [
            SipSecret(
                row["bridge"],
                row["realm"],
                from_text(row["voided_at"]),
                {"SHA-256": row["ha1_sha256"], "MD5": row["ha1_md5"]},
            )
            for row in rows
        ]

    async def put(self, bridge: str, realm: str, ha1: Mapping[str, str]) -> None:
        """Set what a sip bridge signs in with; what was there is remembered as void.

        Args:
            ha1: by algorithm, for ``SHA-256`` and ``MD5``.

        Raises:
            UnknownRecord. InvalidRecord: the bridge is of another kind. StoreUnavailable.
        """
        async with self._database.write() as connection:
            await _check_bridge(connection, bridge)
            await self._make_void(connection, bridge)
            await connection.execute(
                "INSERT INTO sip_secrets (bridge, realm, ha1_sha256, ha1_md5, changed_at)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (bridge) DO UPDATE SET"
                " realm = excluded.realm, ha1_sha256 = excluded.ha1_sha256,"
                " ha1_md5 = excluded.ha1_md5, changed_at = excluded.changed_at",
                (bridge, realm, ha1["SHA-256"], ha1["MD5"], to_text(self._clock())),
            )

    async def remove(self, bridge: str) -> None:
        """Take away what a bridge signs in with, and where it is; harmless where there is none.

        What it was is remembered as void.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            await self._make_void(connection, bridge)
            await connection.execute("DELETE FROM sip_secrets WHERE bridge = ?", (bridge,))
            await connection.execute("DELETE FROM sip_bindings WHERE bridge = ?", (bridge,))
            await connection.execute("DELETE FROM sip_old_devices WHERE bridge = ?", (bridge,))

    async def _make_void(self, connection: aiosqlite.Connection, bridge: str) -> None:
        await connection.execute(
            "INSERT OR REPLACE INTO sip_void_secrets"
            " SELECT bridge, realm, ha1_sha256, ha1_md5, ? FROM sip_secrets WHERE bridge = ?",
            (to_text(self._clock()), bridge),
        )
        await connection.execute(
            "DELETE FROM sip_void_secrets WHERE bridge = ? AND (realm, ha1_sha256) NOT IN"
            " (SELECT realm, ha1_sha256 FROM sip_void_secrets WHERE bridge = ?"
            " ORDER BY voided_at DESC LIMIT ?)",
            (bridge, bridge, MAX_VOID),
        )

    async def old_devices(self) -> Sequence[tuple[str, str]]:
        """Sources and bridges whose devices know MD5 alone.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT source, bridge FROM sip_old_devices ORDER BY bridge, source"
        )
        return [(row["source"], row["bridge"]) for row in rows]

    async def put_old_devices(self, devices: Iterable[tuple[str, str]]) -> None:
        """Set them, all there are; of a bridge that is gone nothing is written.

        Raises:
            StoreUnavailable: nothing was written.
        """
        async with self._database.write() as connection:
            await connection.execute("DELETE FROM sip_old_devices")
            await connection.executemany(
                "INSERT INTO sip_old_devices (source, bridge)"
                " SELECT ?, id FROM bridges WHERE id = ?",
                list(devices),
            )

    async def outbound(self, bridge: str) -> tuple[str, str] | None:
        """User name and secret with which we sign in at a room; None where there is none.

        One that cannot be opened any more is logged, and counts as none.

        Raises:
            StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM sip_outbound WHERE bridge = ?", (bridge,))
        if row is None:
            return None
        try:
            secret = self._box.open(Sealed(row["key_id"], row["sealed"]), bridge)
        except CannotOpen as error:
            log.error("sip_secret_unreadable", bridge=bridge, reason=str(error))
            return None
        return row["user_name"], secret

    async def with_outbound(self) -> frozenset[str]:
        """Ids of the bridges that have such a secret.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows("SELECT bridge FROM sip_outbound")
        return frozenset(row["bridge"] for row in rows)

    async def put_outbound(self, bridge: str, user_name: str, secret: str) -> None:
        """Set with what we sign in at a room.

        Raises:
            UnknownRecord. InvalidRecord: the bridge is of another kind. StoreUnavailable.
        """
        async with self._database.write() as connection:
            await _check_bridge(connection, bridge)
            sealed = self._box.seal(secret, bridge)
            await connection.execute(
                "INSERT INTO sip_outbound (bridge, user_name, key_id, sealed, changed_at)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (bridge) DO UPDATE SET"
                " user_name = excluded.user_name, key_id = excluded.key_id,"
                " sealed = excluded.sealed, changed_at = excluded.changed_at",
                (bridge, user_name, sealed.key_id, sealed.data, to_text(self._clock())),
            )

    async def remove_outbound(self, bridge: str) -> None:
        """Forget it; harmless where there is none.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            await connection.execute("DELETE FROM sip_outbound WHERE bridge = ?", (bridge,))

    async def rotate_key(self) -> int:
        """Make a new key and seal every secret with it; gives how many there are.

        A daemon that runs meanwhile may still write with the key before, which therefore stays in
        the file until the next rotation; keys older than that go.

        Raises:
            StoreUnavailable: nothing is lost; repeat it.
        """
        before = self._box.key_ids()[:1]
        self._box.rotate()
        count = 0
        async with self._database.write() as connection:
            rows = list(await connection.execute_fetchall("SELECT * FROM sip_outbound"))
            for row in rows:
                try:
                    secret = self._box.open(Sealed(row["key_id"], row["sealed"]), row["bridge"])
                except CannotOpen as error:
                    log.error("sip_secret_unreadable", bridge=row["bridge"], reason=str(error))
                    continue
                sealed = self._box.seal(secret, row["bridge"])
                await connection.execute(
                    "UPDATE sip_outbound SET key_id = ?, sealed = ? WHERE bridge = ?",
                    (sealed.key_id, sealed.data, row["bridge"]),
                )
                count += 1
        self._box.drop(before)
        return count


async def _check_bridge(connection: aiosqlite.Connection, bridge: str) -> None:
    rows = list(
        await connection.execute_fetchall("SELECT kind FROM bridges WHERE id = ?", (bridge,))
    )
    if not rows:
        raise UnknownRecord("bridge", bridge)
    if rows[0]["kind"] != "sip":
        raise InvalidRecord(sentence("sip.not-sip-room", room=bridge), "kind")
