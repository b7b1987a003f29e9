"""Accounts of hardware rooms: who signs in with what, where each of them is, and who may know.

Hashes and bindings are kept in memory, as every message asks for them, and in the store, so that a
restart loses neither. What changes is written by one task, a batch at a time, never on the clock's
way. A registrar's name for a room's devices is the bridge's id.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from config.sip_section import SipSettings
from mcu.api.services import SipStatus
from mcu.sip.account_status import status_document, status_of
from mcu.sip.dial_plan import is_own, own_domains
from mcu.sip.guard import GuessGuard
from mcu.sip.room_hashes import RoomHashes
from mcu.sip.room_secrets import checked_secret, made_secret
from mcu.sip.sign_ins import SignIns
from mcu.sip.stored_bindings import restored, stored, way_back
from mcu.sip.wall_times import WallTimes
from mcu.store.errors import StoreUnavailable, UnknownRecord
from mcu.store.store import Store
from mcu.store.tokens import utcnow
from signalling.sip.digest import ALGORITHMS, Credentials, DigestVerifier, ha1
from signalling.sip.hop import Hop
from signalling.sip.registrar import Binding, BindingsChanged, Registrar, RegistrarLimits
from signalling.sip.sign_in import SignedIn, SignInRefused
from signalling.sip.uri import SipUri

WRITE_EVERY_S = 5.0
"""How long a registration may be unwritten; what a crash loses of it comes back by itself."""
MAX_STRANGERS = 64
"""Names looked up at a time, as some are of rooms without a secret; others are strangers."""

log = structlog.get_logger(__name__)


class EventSink(Protocol):
    """Where events go; ``mcu.conference.service.Conferences`` is one."""

    def publish_ephemeral(
        self, type_: str, conference: str | None, data: Mapping[str, Any]
    ) -> None:
        """Publish something that is not stored."""


@dataclass(frozen=True, slots=True)
class CallTarget:
    """Where a room can be called.

    Args:
        uri: its Contact, or its address in the registry. hop: the way its last REGISTER came,
            which reaches a device behind a NAT or on a stream; None: by the URI (RFC 3263).
    """

    uri: str
    hop: Hop | None


class SipAccounts:
    """Accounts, as the SIP endpoint and the API use them: ``open`` first, ``close`` in ``finally``.

    ``verifier`` and ``registrar`` are for the endpoint's ``UserAgent``; every ``BindingsChanged``
    it tells of is to be handed to ``bindings_changed``, and who signs in or is refused to
    ``sign_in``. ``on_revoked`` is told of bridges whose calls by their account are to end. All on
    the loop's thread.

    Args:
        monotonic: seconds, the clock of the agent. utcnow: wall time, for what is stored.
    """

    def __init__(
        self,
        store: Store,
        settings: SipSettings,
        events: EventSink,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        utcnow: Callable[[], datetime] = utcnow,
    ) -> None:
        self._store = store
        self._settings = settings
        self._events = events
        self._monotonic = monotonic
        self._utcnow = utcnow
        self._domains = own_domains(settings)
        self._hashes = RoomHashes()
        self._outbound: set[str] = set()
        self._written: dict[str, tuple[Binding, ...]] = {}
        self._untold: dict[str, bool] = {}
        """Rooms whose standing has changed; whether nothing but a sign-in was refused."""
        self._strangers: dict[str, SignInRefused] = {}
        """Refused under names without a secret, to be looked up: some are of rooms."""
        self._devices: dict[str, int] = {}
        """How many each room had when that was told last."""
        self._old_written: frozenset[tuple[str, str]] = frozenset()
        self._wake = asyncio.Event()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self.on_revoked: list[Callable[[str], None]] = []
        self.registrar = Registrar(
            RegistrarLimits(settings.registration_min_s, settings.registration_max_s),
            self._name_of,
        )
        self._guard = GuessGuard()
        self._sign_ins = SignIns()
        self._times = WallTimes(monotonic, utcnow)
        self.verifier = DigestVerifier(
            settings.realm,
            self._hashes.secret_of,
            algorithms=settings.digest_algorithms,
            guard=self._guard,
            void_of=self._hashes.void_of,
        )

    async def open(self, *, keep: bool = True) -> None:
        """Read what the store holds.

        Args:
            keep: write changes and tell of them from now on; else the caller does (``flush``).

        Raises:
            StoreUnavailable.
        """
        realm, secrets = self._settings.realm, await self._store.sip_secrets.all()
        ours = [secret for secret in secrets if secret.realm == realm]
        void = await self._store.sip_secrets.void()
        self._hashes.restore(ours, [secret for secret in void if secret.realm == realm])
        if len(secrets) > len(ours):
            other = len(secrets) - len(ours)
            log.warning("sip_secrets_of_another_realm", rooms=other, realm=realm)
        self._outbound = set(await self._store.sip_secrets.with_outbound())
        now = self._monotonic()
        kept: dict[str, list[Binding]] = {}
        for record in await self._store.sip_bindings.all():
            binding = restored(record, now, self._utcnow())
            if binding is not None and record.bridge in self._hashes:
                self._times.know(binding.since, record.since)
                self._times.know(binding.expires_at, record.expires_at)
                kept.setdefault(record.bridge, []).append(binding)
        for bridge, bindings in kept.items():
            self.registrar.restore(bridge, bindings, now)
        self._written = dict(self.registrar.all())
        self._devices = {bridge: len(found) for bridge, found in self._written.items()}
        self._old_written = frozenset(await self._store.sip_secrets.old_devices())
        self.verifier.habits.restore(self._old_written)
        if keep:
            self._tasks = (
                asyncio.create_task(self._keep_telling(), name="sip accounts: tell"),
                asyncio.create_task(self._keep_writing(), name="sip accounts: write"),
            )

    async def close(self) -> None:
        """Write what is not written yet; rooms stay registered for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.flush()
        except StoreUnavailable as error:
            log.error("registrations_not_written", reason=error.reason)

    # For the endpoint

    def bindings_changed(self, change: BindingsChanged) -> None:
        """The registrar has changed where a room is: tell those who may know."""
        for binding in change.bindings:
            self._times.of(binding.since)
        self._changed(change.address)

    def sign_in(self, event: SignedIn | SignInRefused) -> None:
        """Somebody was let or not: remember what is to be shown, and tell of it."""
        if isinstance(event, SignedIn):
            if self._sign_ins.forget(event.account):
                self._changed(event.account)
        elif event.fault == "unknown_account" and len(self._strangers) < MAX_STRANGERS:
            self._strangers.setdefault(event.named, event)
            self._wake.set()
        else:
            self._refused(event)

    def _refused(self, event: SignInRefused) -> None:
        now = self._monotonic()
        self._times.of(now)
        if self._sign_ins.refused(event, now):
            self._untold.setdefault(event.account, True)
            self._wake.set()

    def _changed(self, bridge: str) -> None:
        self._untold[bridge] = False
        self._wake.set()

    async def call_targets(self, bridge: str) -> tuple[CallTarget, ...] | None:
        """Where to call a room, the best first: its devices, then its address in the registry.

        Returns: None for a bridge that is not of kind sip; empty: it cannot be called now.
        Raises:
            UnknownRecord: no such bridge. StoreUnavailable.
        """
        record = await self._store.bridges.get(bridge)
        if record.kind != "sip":
            return None
        targets = [
            CallTarget(str(binding.contact), way_back(binding))
            for binding in self.registrar.bindings(bridge, self._monotonic())
        ]
        if record.address:
            targets.append(CallTarget(record.address, None))
        return tuple(targets)

    async def credentials(self, bridge: str) -> Credentials | None:
        """What we answer with when a room asks us for credentials; None where there is nothing.

        Raises:
            StoreUnavailable.
        """
        if bridge not in self._outbound:
            return None
        found = await self._store.sip_secrets.outbound(bridge)
        return None if found is None else Credentials(*found)

    # For the API

    def status(self, bridge: str) -> SipStatus:
        """How a room stands now. O(its devices)."""
        now = self._monotonic()
        bindings = self.registrar.bindings(bridge, now)
        return status_of(
            bindings,
            self._sign_ins.last(bridge),
            self._times.of,
            has_secret=bridge in self._hashes,
            has_outbound=bridge in self._outbound,
        )

    async def set_secret(self, bridge: str, secret: str | None = None) -> str:
        """Give a room a new secret, made by us where none is given; the one before is void.

        Its devices stay registered until they have to sign in again.

        Returns: the secret, which cannot be read again.
        Raises:
            InvalidRecord: unfit, or the bridge is not of kind sip. UnknownRecord,
            StoreUnavailable: the one before stays.
        """
        text = made_secret() if secret is None else checked_secret(secret, "secret")
        realm = self._settings.realm
        hashes: dict[str, str] = {
            algorithm: ha1(bridge, realm, text, algorithm) for algorithm in ALGORITHMS
        }
        await self._store.sip_secrets.put(bridge, realm, hashes)
        self._hashes.put(bridge, hashes)
        self._guard.forgive(bridge)
        if self._sign_ins.forget(bridge):
            self._changed(bridge)
        return text

    async def revoke(self, bridge: str) -> None:
        """Take a room's secret away: its devices are forgotten, its calls end.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        await self._store.sip_secrets.remove(bridge)
        self.forget(bridge)

    def forget(self, bridge: str) -> None:
        """A bridge that the store has no account of any more: deleted, or of another kind."""
        had = self._hashes.drop(bridge)
        self._outbound.discard(bridge)
        self._sign_ins.forget(bridge)
        change = self.registrar.forget(bridge, self._monotonic())
        if change is not None:
            self.bindings_changed(change)
        if had:
            for callback in self.on_revoked:
                callback(bridge)

    async def set_outbound(self, bridge: str, user_name: str, secret: str) -> None:
        """Set with what we sign in at a room that asks for it.

        Raises:
            InvalidRecord: unfit, or the bridge is not of kind sip. UnknownRecord,
            StoreUnavailable.
        """
        await self._store.sip_secrets.put_outbound(bridge, user_name, secret)
        self._outbound.add(bridge)

    async def clear_outbound(self, bridge: str) -> None:
        """Forget it; harmless where there is none.

        Raises:
            StoreUnavailable.
        """
        await self._store.sip_secrets.remove_outbound(bridge)
        self._outbound.discard(bridge)

    # Inside

    async def flush(self) -> None:
        """Write what has changed since the last time, and tell of it.

        Raises:
            StoreUnavailable: it is tried again.
        Cost: O(registered rooms), one transaction where something changed.
        """
        await self._tell()
        current = dict(self.registrar.all())
        changed = {
            bridge: current.get(bridge, ())
            for bridge in current.keys() | self._written.keys()
            if current.get(bridge) is not self._written.get(bridge)
        }
        if changed:
            await self._store.sip_bindings.put(
                {
                    bridge: [stored(bridge, one, self._times.of) for one in bindings]
                    for bridge, bindings in changed.items()
                }
            )
        self._written = current
        old = frozenset(
            one for one in self.verifier.habits.of_md5_alone() if one[1] in self._hashes
        )
        if old != self._old_written:
            await self._store.sip_secrets.put_old_devices(old)
            self._old_written = old

    async def _keep_telling(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._guarded(self._tell, "registrations_untold")

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self._guarded(self.flush, "registrations_not_written")

    async def _guarded(self, work: Callable[[], Awaitable[None]], failed: str) -> None:
        try:
            await work()
        except StoreUnavailable as error:
            log.warning(failed, reason=error.reason)
        except Exception:
            # One room's defect must not end the work for all.
            log.exception(failed)

    async def _look_up_strangers(self) -> None:
        """A room whose secret was never made, or withdrawn, is no stranger."""
        while self._strangers:
            name = next(iter(self._strangers))
            known = (await self._store.bridges.get_many([name])).get(name)
            event = self._strangers.pop(name)
            if known is not None and known.kind == "sip":
                event = replace(event, account=name, given="")
            elif (meant := self._hashes.meant_by(name)) is not None:
                event = replace(event, account=meant, given="", fault="wrong_case")
            self._refused(event)

    async def _tell(self) -> None:
        """Publish how the rooms stand whose devices have changed."""
        await self._look_up_strangers()
        while self._untold:
            bridge = next(iter(self._untold))
            try:
                record = await self._store.bridges.get(bridge)
            except UnknownRecord:
                self._untold.pop(bridge, None)
                continue
            was_refused = self._untold.pop(bridge, False)
            status = self.status(bridge).with_address(record.address)
            verb = "registered" if status.registered else "unregistered"
            if was_refused:
                verb = "refused"
            data = {"bridge": bridge, "unit": record.unit, "sip": status_document(status)}
            self._events.publish_ephemeral(f"bridge.{verb}", None, data)
            self._log(bridge, len(status.contacts))

    def _log(self, bridge: str, devices: int) -> None:
        """Say what has become of a room's devices, if there are more or fewer than before."""
        before = self._devices.get(bridge, 0)
        if devices == before:
            return
        if devices:
            self._devices[bridge] = devices
        else:
            self._devices.pop(bridge, None)
        what = "bridge_registered" if devices > before else "bridge_unregistered"
        log.info(what, bridge=bridge, devices_left=devices, devices_before=before)

    def _name_of(self, uri: SipUri) -> str | None:
        return uri.user if uri.user and is_own(uri, self._domains) else None
