"""Accounts as a real agent and a real store use them."""

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sipmessage import Response
from structlog.testing import capture_logs

from config.sip_section import SipSettings
from mcu.api.services import SipRefusal
from mcu.sip.accounts import MAX_STRANGERS, CallTarget, SipAccounts
from mcu.store.errors import InvalidRecord, UnknownRecord
from mcu.store.records import Bridge, Unit
from mcu.store.store import Store
from signalling.sip.agent import UserAgent
from signalling.sip.digest import Credentials, answer
from signalling.sip.hop import Hop
from signalling.sip.registrar import BindingsChanged
from signalling.sip.settings import AgentSettings, Listener
from signalling.sip.sign_in import SignedIn, SignInRefused
from signalling.sip.transactions import SendMessage
from tests.signalling.sip.messages import request_text

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
CODEC = Hop("udp", "10.0.0.7", 5060)
SERVER = "mcu.example.org"


@dataclass
class Office:
    """One daemon's accounts, its agent, and what has been published."""

    store: Store
    accounts: SipAccounts
    seconds: list[float]
    published: list[tuple[str, str | None, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.agent = UserAgent(
            AgentSettings((Listener("udp", SERVER, 5060),)),
            self.accounts.verifier,
            self.accounts.registrar,
        )
        self.sequence = 0

    def publish_ephemeral(
        self, type_: str, conference: str | None, data: Mapping[str, Any]
    ) -> None:
        self.published.append((type_, conference, data))

    @property
    def now(self) -> float:
        return self.seconds[0]

    def register(
        self,
        secret: str,
        *fields: str,
        user: str = "codec",
        domain: str = SERVER,
        source: Hop = CODEC,
        contact: str = "sip:codec@10.0.0.7:5060",
    ) -> int:
        """Sign in as a device does; the last status."""
        code, challenges = self._send(user, domain, source, f"Contact: <{contact}>", *fields)
        if code != 401:
            return code
        value = answer(challenges, "REGISTER", f"sip:{domain}", Credentials(user, secret))
        code, _ = self._send(
            user, domain, source, f"Contact: <{contact}>", *fields, f"Authorization: {value}"
        )
        return code

    def challenge(self) -> list[str]:
        """What algorithms a device that brings no credentials is offered."""
        _, challenges = self._send("codec", SERVER, CODEC, "Contact: <sip:codec@10.0.0.7>")
        return [one.partition("algorithm=")[2].partition(",")[0] for one in challenges]

    def _send(self, user: str, domain: str, source: Hop, *fields: str) -> tuple[int, list[str]]:
        self.sequence += 1
        data = request_text(
            "REGISTER", f"z9hG4bK{self.sequence}", *fields, cseq=self.sequence, uri=f"sip:{domain}"
        )
        own = b"To: <sip:mcu@192.0.2.1>"
        assert own in data
        data = data.replace(own, f"To: <sip:{user}@{domain}>".encode())
        self.agent.receive(data, source, self.now)
        return self.taken()

    def taken(self) -> tuple[int, list[str]]:
        code, challenges = 0, []
        for effect in self.agent.effects():
            if isinstance(effect, SendMessage):
                assert isinstance(effect.message, Response)
                code = effect.message.code
                challenges = effect.message.headers.getlist("WWW-Authenticate")
            elif isinstance(effect, BindingsChanged):
                self.accounts.bindings_changed(effect)
            elif isinstance(effect, SignedIn | SignInRefused):
                self.accounts.sign_in(effect)
        return code, challenges

    def advance(self, seconds: float) -> None:
        self.seconds[0] += seconds
        self.agent.handle_timer(self.now)
        self.taken()


@asynccontextmanager
async def office(
    directory: Path,
    seconds: list[float] | None = None,
    wall: Callable[[], datetime] | None = None,
    **settings: Any,
) -> AsyncIterator[Office]:
    seconds = [1_000.0] if seconds is None else seconds
    epoch = START - timedelta(seconds=1_000.0)
    wall = wall or (lambda: epoch + timedelta(seconds=seconds[0]))
    store = await Store.open(directory / "mcu.sqlite3", wall)
    found: list[Office] = []

    class Sink:
        def publish_ephemeral(self, *event: Any) -> None:
            found[0].publish_ephemeral(*event)

    accounts = SipAccounts(
        store, SipSettings(**settings), Sink(), monotonic=lambda: seconds[0], utcnow=wall
    )
    try:
        await accounts.open(keep=False)
        found.append(Office(store, accounts, seconds))
        yield found[0]
    finally:
        await accounts.close()
        await store.close()


@pytest.fixture
async def mcu(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        await populate(opened.store)
        yield opened


async def populate(store: Store) -> None:
    await store.units.create(Unit("tinh", "Tỉnh", "province"))
    for id_, kind, address in (
        ("codec", "sip", ""),
        ("called", "sip", "sip:room@10.0.0.9"),
        ("web", "webrtc", ""),
    ):
        await store.bridges.create(Bridge(id_, "Phòng", "tinh", kind, address))  # type: ignore[arg-type]


class TestSecrets:
    async def test_made_and_good_for_either_algorithm(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        assert len(secret) == 20
        assert secret.isalnum()
        assert mcu.register(secret) == 200
        assert mcu.register(secret + "x") == 401
        assert secret not in repr(vars(mcu.accounts))

    async def test_chosen(self, mcu: Office) -> None:
        assert await mcu.accounts.set_secret("codec", "chosen-by-people") == "chosen-by-people"
        assert mcu.register("chosen-by-people") == 200

    @pytest.mark.parametrize("secret", ["short", "x" * 129, "with a blank in it", "mật-khẩu-dài"])
    async def test_unfit(self, mcu: Office, secret: str) -> None:
        with pytest.raises(InvalidRecord) as caught:
            await mcu.accounts.set_secret("codec", secret)
        assert caught.value.field == "secret"
        assert not mcu.accounts.status("codec").has_secret

    async def test_for_sip_bridges_only(self, mcu: Office) -> None:
        with pytest.raises(InvalidRecord):
            await mcu.accounts.set_secret("web")
        with pytest.raises(UnknownRecord):
            await mcu.accounts.set_secret("nobody")

    async def test_a_new_one_makes_the_old_one_void(self, mcu: Office) -> None:
        old = await mcu.accounts.set_secret("codec")
        new = await mcu.accounts.set_secret("codec")
        assert mcu.register(old) == 401
        assert mcu.register(new) == 200

    async def test_one_room_cannot_register_as_another(self, mcu: Office) -> None:
        await mcu.accounts.set_secret("called", "secret-of-called")
        secret = await mcu.accounts.set_secret("codec")
        assert mcu.register(secret, user="called") == 401
        assert mcu.register("secret-of-called", user="called") == 200

    async def test_guessing(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        codes = [mcu.register("wrong-secret") for _ in range(8)]
        assert codes == [401] * 6 + [403] * 2
        assert mcu.register(secret) == 403
        assert mcu.register(secret, source=Hop("udp", "10.0.0.99", 5060)) == 200
        mcu.advance(60.0)
        assert mcu.register(secret) == 200

    async def test_a_new_secret_is_not_blocked_by_what_was_typed_before(self, mcu: Office) -> None:
        await mcu.accounts.set_secret("codec")
        for _ in range(8):
            mcu.register("wrong-secret")
        assert mcu.register(await mcu.accounts.set_secret("codec")) == 200

    async def test_a_forgotten_device_with_the_old_one_locks_nobody_out(
        self, tmp_path: Path
    ) -> None:
        async with office(tmp_path) as mcu:
            await populate(mcu.store)
            old = await mcu.accounts.set_secret("codec")
            new = await mcu.accounts.set_secret("codec")
            assert [mcu.register(old) for _ in range(20)] == [401] * 20
            shown = mcu.accounts.status("codec").last_refused
            assert shown is not None
            assert (shown.reason, shown.count) == ("old_password", 20)
            assert mcu.register(new) == 200
        async with office(tmp_path) as mcu:  # which a restart does not forget
            mcu.sequence = 100  # devices go on counting
            assert [mcu.register(old) for _ in range(20)] == [401] * 20
            assert mcu.register(new) == 200
            await mcu.accounts.revoke("codec")
            newer = await mcu.accounts.set_secret("codec")
            for secret in (old, new):
                assert [mcu.register(secret) for _ in range(20)] == [401] * 20
            assert mcu.register(newer) == 200

    async def test_who_is_locked_out_does_not_learn_which_password_was_the_old_one(
        self, mcu: Office
    ) -> None:
        old = await mcu.accounts.set_secret("codec")
        await mcu.accounts.set_secret("codec")
        assert [mcu.register("wrong-secret") for _ in range(7)] == [401] * 6 + [403]
        assert mcu.register(old) == 403

    async def test_another_realm_makes_all_void(self, tmp_path: Path) -> None:
        async with office(tmp_path) as before:
            await populate(before.store)
            secret = await before.accounts.set_secret("codec")
        async with office(tmp_path, realm="other") as after:
            assert not after.accounts.status("codec").has_secret
            assert after.register(secret) == 401


class TestRevoked:
    async def test_bindings_and_calls_end(self, mcu: Office) -> None:
        ended: list[str] = []
        mcu.accounts.on_revoked.append(ended.append)
        secret = await mcu.accounts.set_secret("codec")
        mcu.register(secret)
        await mcu.accounts.revoke("codec")
        assert ended == ["codec"]
        assert not mcu.accounts.status("codec").registered
        assert not mcu.accounts.status("codec").has_secret
        assert mcu.register(secret) == 401
        await mcu.accounts.flush()
        assert await mcu.store.sip_bindings.all() == []
        await mcu.accounts.revoke("codec")
        assert ended == ["codec"]

    async def test_deleted_bridge(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        mcu.register(secret)
        await mcu.store.bridges.delete("codec")
        mcu.accounts.forget("codec")
        assert mcu.register(secret) == 401
        await mcu.accounts.flush()
        assert [type_ for type_, _, _ in mcu.published] == []


class TestRegistrations:
    async def test_shown_with_where_and_since(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        assert not mcu.accounts.status("codec").registered
        mcu.register(secret, "Expires: 600", "User-Agent: Codec/2.1")
        mcu.advance(100.0)
        mcu.register(secret, "Expires: 600", "User-Agent: Codec/2.1")
        status = mcu.accounts.status("codec")
        assert status.registered
        assert status.since == START
        (contact,) = status.contacts
        assert contact.address == "sip:codec@10.0.0.7:5060"
        assert (contact.transport, contact.source) == ("udp", "10.0.0.7:5060")
        assert contact.expires_at == START + timedelta(seconds=700)
        assert contact.user_agent == "Codec/2.1"

    async def test_told_when_it_comes_and_goes(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        mcu.register(secret, "Expires: 600")
        await mcu.accounts.flush()
        mcu.advance(601.0)
        await mcu.accounts.flush()
        assert [(type_, conference) for type_, conference, _ in mcu.published] == [
            ("bridge.registered", None),
            ("bridge.unregistered", None),
        ]
        first, last = (data for _, _, data in mcu.published)
        assert (first["bridge"], first["unit"]) == ("codec", "tinh")
        assert first["sip"]["contacts"][0]["address"] == "sip:codec@10.0.0.7:5060"
        assert (last["sip"]["registered"], last["sip"]["contacts"]) == (False, [])

    async def test_whatever_name_of_ours_a_device_uses(self, tmp_path: Path) -> None:
        async with office(tmp_path, domains=(SERVER, "10.0.0.1")) as mcu:
            await populate(mcu.store)
            secret = await mcu.accounts.set_secret("codec")
            for domain in (SERVER, "10.0.0.1", "MCU.Example.Org"):
                assert mcu.register(secret, domain=domain) == 200
            assert len(mcu.accounts.status("codec").contacts) == 1
            assert mcu.register(secret, domain="elsewhere.org") == 404

    async def test_times_are_those_of_the_settings(self, tmp_path: Path) -> None:
        limits = {"registration_min_s": 120, "registration_max_s": 600}
        async with office(tmp_path, **limits) as mcu:
            await populate(mcu.store)
            secret = await mcu.accounts.set_secret("codec")
            assert mcu.register(secret, "Expires: 60") == 423
            assert mcu.register(secret, "Expires: 7200") == 200
            (contact,) = mcu.accounts.status("codec").contacts
            assert contact.expires_at == START + timedelta(seconds=600)

    async def test_a_restart_keeps_them(self, tmp_path: Path) -> None:
        seconds = [1_000.0]
        async with office(tmp_path, seconds) as before:
            await populate(before.store)
            secret = await before.accounts.set_secret("codec")
            before.register(secret, "Expires: 600", "User-Agent: Codec/2.1")
            stream = Hop("tcp", "10.0.0.8", 40_000, connection=3)
            before.register(secret, "Expires: 60", source=stream, contact="sip:codec@10.0.0.8")
            status = before.accounts.status("codec")
        seconds[0] += 30.0
        async with office(tmp_path, seconds) as after:
            assert after.accounts.status("codec") == status
            # The stream is gone with the process: what is left is the address it gave.
            assert await after.accounts.call_targets("codec") == (
                CallTarget("sip:codec@10.0.0.8", None),
                CallTarget("sip:codec@10.0.0.7:5060", CODEC),
            )
            after.advance(31.0)
            assert len(after.accounts.status("codec").contacts) == 1
            await after.accounts.flush()
            assert len(await after.store.sip_bindings.all()) == 1

    async def test_only_what_changed_is_written(
        self, mcu: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[list[str]] = []
        put = mcu.store.sip_bindings.put

        async def counted(changed: Mapping[str, Any]) -> None:
            written.append(sorted(changed))
            await put(changed)

        monkeypatch.setattr(mcu.store.sip_bindings, "put", counted)
        for room in ("codec", "called"):
            mcu.register(await mcu.accounts.set_secret(room), user=room)
        for _ in range(2):
            await mcu.accounts.flush()
        mcu.register(await mcu.accounts.set_secret("codec"))
        await mcu.accounts.flush()
        assert written == [["called", "codec"], ["codec"]]


class TestWhoIsNotLet:
    async def test_shown_until_it_is_let(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        for _ in range(2):
            mcu.register("guessed")
        mcu.advance(300.0)
        shown = mcu.accounts.status("codec").last_refused
        assert shown == SipRefusal(START, "wrong_password", "10.0.0.7", "REGISTER", 2)
        assert mcu.register(secret) == 200
        assert mcu.accounts.status("codec").last_refused is None

    async def test_its_time_is_that_of_the_refusal_however_often_it_is_read(
        self, tmp_path: Path
    ) -> None:
        # As in life: each reading of the wall clock is some microseconds after the other's.
        readings = itertools.count()
        seconds = [1_000.0]
        late = lambda: START + timedelta(microseconds=7 * next(readings))  # noqa: E731
        async with office(tmp_path, seconds, wall=late) as mcu:
            await populate(mcu.store)
            secret = await mcu.accounts.set_secret("codec")
            mcu.register(secret, "Expires: 600")
            mcu.register("guessed", source=Hop("udp", "10.0.0.8", 5060))
            first = mcu.accounts.status("codec")
            assert first.last_refused is not None
            await mcu.accounts.flush()
            assert mcu.accounts.status("codec") == first
        async with office(tmp_path, seconds, wall=late) as mcu:
            assert mcu.accounts.status("codec") == replace(first, last_refused=None)

    async def test_a_refresh_lets_as_well(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        mcu.register(secret)
        mcu.register("guessed", source=Hop("udp", "10.0.0.8", 5060))
        assert mcu.accounts.status("codec").last_refused is not None
        mcu.register(secret)  # no binding changes
        assert mcu.accounts.status("codec").last_refused is None

    async def test_locked_out_is_named_and_a_new_secret_unlocks(self, mcu: Office) -> None:
        await mcu.accounts.set_secret("codec")
        codes = [mcu.register("guessed") for _ in range(7)]
        assert codes == [401] * 6 + [403]
        shown = mcu.accounts.status("codec").last_refused
        assert shown is not None
        assert (shown.reason, shown.count) == ("locked_out", 7)
        secret = await mcu.accounts.set_secret("codec")
        assert mcu.accounts.status("codec").last_refused is None
        assert mcu.register(secret) == 200

    async def test_told_once_a_minute(self, mcu: Office) -> None:
        await mcu.accounts.set_secret("codec")
        for _ in range(3):
            mcu.register("guessed")
            await mcu.accounts.flush()
        mcu.advance(61.0)
        mcu.register("guessed")
        await mcu.accounts.flush()
        assert [type_ for type_, _, _ in mcu.published] == ["bridge.refused"] * 2
        assert mcu.published[-1][2]["sip"]["last_refused"]["count"] == 4

    async def test_a_room_without_a_secret_is_no_stranger(self, mcu: Office) -> None:
        assert mcu.register("guessed") == 401
        await mcu.accounts.flush()
        shown = mcu.accounts.status("codec").last_refused
        assert shown == SipRefusal(START, "unknown_account", "10.0.0.7", "REGISTER", 1)
        assert [type_ for type_, _, _ in mcu.published] == ["bridge.refused"]
        secret = await mcu.accounts.set_secret("codec")
        assert mcu.accounts.status("codec").last_refused is None
        assert mcu.register(secret) == 200

    async def test_a_name_in_capital_letters_is_told_of_beside_the_room(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        assert mcu.register(secret, user="Codec") == 401
        await mcu.accounts.flush()
        shown = mcu.accounts.status("codec").last_refused
        assert shown == SipRefusal(START, "wrong_case", "10.0.0.7", "REGISTER", 1)
        assert mcu.register(secret, domain=SERVER.upper()) == 200, "hosts are the same in any case"

    async def test_so_many_names_are_looked_up_at_a_time(self, mcu: Office) -> None:
        for number in range(MAX_STRANGERS):
            source = Hop("udp", f"10.1.0.{number}", 5060)
            mcu.register("guessed", user=f"nobody-{number}", source=source)
        mcu.register("guessed")
        await mcu.accounts.flush()
        assert mcu.accounts.status("codec").last_refused is None

    async def test_strangers_are_kept_nowhere(self, mcu: Office) -> None:
        for number in range(3):
            mcu.register("guessed", user=f"nobody-{number}")
        await mcu.accounts.flush()
        assert mcu.published == []
        assert mcu.accounts.status("nobody-1").last_refused is None

    async def test_which_devices_know_md5_alone_is_kept_over_a_restart(
        self, tmp_path: Path
    ) -> None:
        async with office(tmp_path) as before:
            await populate(before.store)
            secret = await before.accounts.set_secret("codec")
            for algorithms in (["SHA-256", "MD5"], ["MD5"]):
                assert before.challenge() == algorithms
            assert before.register(secret) == 200
        async with office(tmp_path) as after:
            assert after.challenge() == ["MD5"]
            await after.accounts.revoke("codec")
            await after.accounts.flush()
            assert await after.store.sip_secrets.old_devices() == []


class TestLogged:
    async def test_how_many_devices_are_left(self, mcu: Office) -> None:
        secret = await mcu.accounts.set_secret("codec")
        with capture_logs() as lines:
            for seconds, contact in ((600, "sip:a@10.0.0.7"), (60, "sip:b@10.0.0.7")):
                mcu.register(secret, f"Expires: {seconds}", contact=contact)
                await mcu.accounts.flush()
            for _ in range(2):
                mcu.advance(301.0)
                await mcu.accounts.flush()
        told = [(line["event"], line["devices_left"]) for line in lines]
        assert told == [
            ("bridge_registered", 1), ("bridge_registered", 2),
            ("bridge_unregistered", 1), ("bridge_unregistered", 0),
        ]  # fmt: skip


class TestCalledOut:
    async def test_devices_first_then_the_address_of_the_registry(self, mcu: Office) -> None:
        assert await mcu.accounts.call_targets("codec") == ()
        assert await mcu.accounts.call_targets("called") == (CallTarget("sip:room@10.0.0.9", None),)
        secret = await mcu.accounts.set_secret("called")
        stream = Hop("tcp", "10.0.0.9", 40_000, connection=3)
        mcu.register(secret, user="called", source=stream, contact="sip:device@10.0.0.9")
        assert await mcu.accounts.call_targets("called") == (
            CallTarget("sip:device@10.0.0.9", stream),
            CallTarget("sip:room@10.0.0.9", None),
        )
        with pytest.raises(UnknownRecord):
            await mcu.accounts.call_targets("nobody")

    async def test_a_web_room_is_not_called_whatever_address_it_has(self, mcu: Office) -> None:
        bridge = await mcu.store.bridges.get("called")
        await mcu.store.bridges.update(replace(bridge, kind="webrtc"))
        assert await mcu.accounts.call_targets("called") is None

    async def test_with_what_we_sign_in(self, mcu: Office) -> None:
        assert await mcu.accounts.credentials("codec") is None
        await mcu.accounts.set_outbound("codec", "mcu", "what-the-codec-wants")
        assert mcu.accounts.status("codec").has_outbound
        assert await mcu.accounts.credentials("codec") == Credentials("mcu", "what-the-codec-wants")
        await mcu.accounts.clear_outbound("codec")
        assert await mcu.accounts.credentials("codec") is None
        assert not mcu.accounts.status("codec").has_outbound
