"""RFC 3261 section 10.3, step by step."""

import pytest

from signalling.sip.errors import SipError
from signalling.sip.hop import Hop
from signalling.sip.registrar import BindingsChanged, Registrar, RegistrarLimits
from tests.signalling.sip.messages import request

ROOM = "sip:room@example.com"
SOURCE = Hop("udp", "198.51.100.9", 40_000)


class Phone:
    """Registers one address at one registrar."""

    def __init__(self, registrar: Registrar | None = None, call_id: str = "phone") -> None:
        self.registrar = registrar or Registrar(RegistrarLimits(contacts=3, addresses=2))
        self.call_id = call_id
        self.sequence = 0

    def register(
        self, *fields: str, now: float = 0.0, address: str = ROOM, cseq: int = 0
    ) -> BindingsChanged | None:
        self.sequence = cseq or self.sequence + 1
        register = request(
            "REGISTER", f"z9hG4bK{self.sequence}", *fields, cseq=self.sequence, call_id=self.call_id
        )
        return self.registrar.register(address, register, SOURCE, now)

    def contacts(self, now: float = 0.0) -> list[str]:
        return [str(binding.contact) for binding in self.registrar.bindings(ROOM, now)]


def test_registered_refreshed_and_gone() -> None:
    phone = Phone()
    changed = phone.register("Contact: <sip:a@192.0.2.7>", "Expires: 600")
    assert changed is not None
    (binding,) = changed.bindings
    assert (binding.expires_at, binding.q, binding.source) == (600.0, 1.0, SOURCE)
    assert phone.registrar.remaining(ROOM, 100.0) == ["<sip:a@192.0.2.7>;expires=500"]
    assert phone.register("Contact: <sip:a@192.0.2.7>", "Expires: 600", now=300.0) is None
    assert phone.registrar.next_timer() == 900.0
    assert phone.registrar.handle_timer(899.0) == []
    assert phone.registrar.handle_timer(900.0) == [BindingsChanged(ROOM, ())]
    assert len(phone.registrar) == 0
    assert phone.registrar.next_timer() is None


def test_expired_is_gone_even_before_the_timer() -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>", "Expires: 600")
    assert phone.contacts(now=599.0)
    assert phone.contacts(now=600.0) == []


def test_times() -> None:
    phone = Phone()
    phone.register(
        "Contact: <sip:a@192.0.2.7>;expires=120, <sip:b@192.0.2.7>;expires=nonsense",
        "Contact: <sip:c@192.0.2.7>;expires=999999999999999999999",
        "Expires: 240",
    )
    assert [binding.expires_at for binding in phone.registrar.bindings(ROOM, 0.0)] == [
        3600.0, 3600.0, 120.0,
    ]  # fmt: skip
    phone.register("Contact: <sip:a@192.0.2.7>")
    assert phone.registrar.bindings(ROOM, 0.0)[0].expires_at == 3600.0


def test_several_devices_by_preference() -> None:
    phone = Phone()
    phone.register("Contact: <sip:low@192.0.2.7>;q=0.1, <sip:high@192.0.2.7>;q=0.9")
    phone.register("Contact: <sip:newest@192.0.2.7>;q=0.9")
    assert phone.contacts() == [
        "sip:newest@192.0.2.7",
        "sip:high@192.0.2.7",
        "sip:low@192.0.2.7",
    ]
    assert phone.registrar.remaining(ROOM, 0.0)[-1].endswith(";q=0.1")
    with pytest.raises(SipError) as caught:
        phone.register("Contact: <sip:fourth@192.0.2.7>")
    assert caught.value.status == 503
    assert len(phone.contacts()) == 3


def test_one_device_unregisters() -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>")
    phone.register("Contact: <sip:A@192.0.2.7>;expires=0")  # another user
    assert len(phone.contacts()) == 2
    phone.register("Contact: <sip:%61@192.0.2.7;x=y>;expires=0")
    assert phone.contacts() == ["sip:b@192.0.2.7"]


def test_all_devices_unregister() -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>")
    assert phone.register("Contact: *", "Expires: 0") == BindingsChanged(ROOM, ())
    assert len(phone.registrar) == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("Contact: *",), 400),
        (("Contact: *", "Expires: 60"), 400),
        (("Contact: <sip:a@192.0.2.7>;expires=59",), 423),
        (("Contact: <sip:ok@192.0.2.7>, <sip:a@192.0.2.7>;expires=1",), 423),
        (("Contact: <tel:+84>",), 400),
        (("Contact: <sip:a@192.0.2.7>;q=2",), 400),
        (("Contact: <sip:a@192.0.2.7>;q=",), 400),
    ],
)
def test_refused_as_a_whole(fields: tuple[str, ...], status: int) -> None:
    phone = Phone()
    phone.register("Contact: <sip:was@192.0.2.7>")
    with pytest.raises(SipError) as caught:
        phone.register(*fields)
    assert caught.value.status == status
    assert phone.contacts() == ["sip:was@192.0.2.7"]


def test_a_query_changes_nothing() -> None:
    phone = Phone()
    assert phone.register() is None
    phone.register("Contact: <sip:a@192.0.2.7>")
    assert phone.register() is None
    assert phone.contacts() == ["sip:a@192.0.2.7"]


@pytest.mark.parametrize("field", ["Contact: <sip:a@192.0.2.7>", "Contact: *"])
def test_what_was_sent_before_and_comes_late(field: str) -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>", cseq=7)
    with pytest.raises(SipError) as caught:
        phone.register(field, "Expires: 0", cseq=6)
    assert caught.value.status == 500
    assert phone.contacts()
    restarted = Phone(phone.registrar, call_id="after a restart")
    restarted.register(field, "Expires: 0", cseq=1)
    assert phone.contacts() == []


def test_a_device_that_moves() -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>")
    register = request(
        "REGISTER", "z9hG4bKx", "Contact: <sip:a@192.0.2.7>", cseq=9, call_id="phone"
    )
    changed = phone.registrar.register(ROOM, register, Hop("udp", "198.51.100.9", 50_000), 0.0)
    assert changed is not None  # its port at the NAT is another


def test_addresses_are_bounded() -> None:
    phone = Phone()
    for address in ("sip:1@example.com", "sip:2@example.com"):
        phone.register("Contact: <sip:a@192.0.2.7>", address=address)
    with pytest.raises(SipError) as caught:
        phone.register("Contact: <sip:a@192.0.2.7>", address="sip:3@example.com")
    assert caught.value.status == 503
    assert phone.registrar.forget("sip:1@example.com", 0.0) is not None
    phone.register("Contact: <sip:a@192.0.2.7>", address="sip:3@example.com")
    assert phone.registrar.forget("sip:1@example.com", 0.0) is None


def test_since_when_and_by_what() -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>", f"User-Agent: {'Codec ' * 40}", now=5.0)
    phone.register("Contact: <sip:a@192.0.2.7>", "User-Agent: Codec", now=50.0)
    (binding,) = phone.registrar.bindings(ROOM, 60.0)
    assert (binding.since, binding.user_agent) == (5.0, "Codec")
    first = Phone().register("Contact: <sip:a@192.0.2.7>", f"User-Agent: {'x' * 400}")
    assert first is not None
    assert len(first.bindings[0].user_agent) == 100


def test_restored_without_what_has_expired() -> None:
    phone = Phone()
    phone.register("Contact: <sip:a@192.0.2.7>;expires=100;q=0.5, <sip:b@192.0.2.7>;expires=600")
    kept = phone.registrar.all()[ROOM]
    restarted = Registrar(phone.registrar.limits)
    restarted.restore(ROOM, kept, now=200.0)
    assert [str(one.contact) for one in restarted.bindings(ROOM, 200.0)] == ["sip:b@192.0.2.7"]
    assert restarted.next_timer() == 600.0
    restarted.restore("sip:gone@example.com", kept, now=700.0)
    assert list(restarted.all()) == [ROOM]
