"""Subscribers see the conference as it is, however slow or lossy their line."""

import random
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from sipmessage import Request, Response

from signalling.sip.agent import UserAgent
from signalling.sip.conference_info import ConferenceInfo, ConferenceUser
from signalling.sip.digest import Credentials, DigestVerifier, answer, ha1
from signalling.sip.effects import CallReceived
from signalling.sip.settings import AgentSettings
from signalling.sip.subscriptions import Watchers
from tests.signalling.sip.scripted import CONTACT, OWN, Scripted, final, requests
from tests.signalling.sip.virtual_link import ANSWER, OFFER

EVENT = "Event: conference"
INFO = ConferenceInfo("sip:mcu@192.0.2.1", "Họp", (ConferenceUser("sip:a@b"),))


def users(number: int) -> ConferenceInfo:
    return replace(INFO, users=tuple(ConferenceUser(f"sip:{at}@b") for at in range(number)))


class Subscriber(Scripted):
    """Subscribes at an agent that shows a conference ``mcu``."""

    def __init__(
        self, settings: AgentSettings | None = None, watchers: Watchers | None = None
    ) -> None:
        super().__init__(settings, watchers=watchers)
        self.agent.show_conference("mcu", INFO, self.now)
        self.tag = ""
        self.cseq = 0

    def subscribe(self, *extra: str) -> tuple[Response, list[Request]]:
        self.cseq += 1
        branch = f"z9hG4bKs{self.cseq}"
        sent = self.request(
            "SUBSCRIBE", branch, CONTACT, EVENT, *extra, cseq=self.cseq, to_tag=self.tag
        )
        (response,) = (one for one in sent if isinstance(one, Response))
        self.tag = self.tag or response.headers["To"].partition("tag=")[2]
        return response, requests(sent)

    def show(self, info: ConferenceInfo | None) -> list[Request]:
        self.agent.show_conference("mcu", info, self.now)
        return requests(self.taken())

    def take(self, notify: Request, code: int = 200) -> list[Request]:
        return requests(self.answer(notify, code))


def root(notify: Request) -> ElementTree.Element:
    return ElementTree.fromstring(notify.body)


def test_subscribed_and_told() -> None:
    peer = Subscriber()
    response, (notify,) = peer.subscribe("Expires: 600")
    assert (response.code, response.headers["Expires"]) == (200, "600")
    assert notify.headers["Event"] == "conference"
    assert notify.headers["Subscription-State"] == "active;expires=600"
    assert notify.headers["Content-Type"] == "application/conference-info+xml"
    assert notify.headers["Contact"] == "<sip:mcu@192.0.2.1:5060>;isfocus"
    assert root(notify).attrib["state"] == "full"
    assert peer.take(notify) == []
    assert peer.show(INFO) == []
    (changed,) = peer.show(users(3))
    assert root(changed).attrib == {
        "entity": INFO.entity,
        "state": "partial",
        "version": "1",
    }


def test_a_slow_subscriber_gets_the_last_state() -> None:
    peer = Subscriber()
    _, (notify,) = peer.subscribe()
    for number in range(50):
        assert peer.show(users(number)) == []
    (last,) = peer.take(notify)
    assert len(root(last).findall(".//{*}user")) == 49 + 1  # and the one that is gone
    assert peer.take(last) == []


def test_refreshed_and_expired() -> None:
    peer = Subscriber()
    _, (notify,) = peer.subscribe("Expires: 100")
    peer.take(notify)
    peer.run(90.0)
    response, (notify,) = peer.subscribe("Expires: 100")
    assert response.code == 200
    assert root(notify).attrib["state"] == "full"
    peer.take(notify)
    peer.run(99.0)
    (ended,) = requests(peer.run(1.2))
    assert ended.headers["Subscription-State"] == "terminated;reason=timeout"
    peer.take(ended)
    peer.run(40.0)
    assert peer.agent.is_idle


def test_unsubscribed() -> None:
    peer = Subscriber()
    _, (notify,) = peer.subscribe()
    peer.take(notify)
    _, (ended,) = peer.subscribe("Expires: 0")
    assert ended.headers["Subscription-State"].startswith("terminated")
    assert root(ended).attrib["state"] == "full"
    peer.take(ended)
    assert peer.show(users(2)) == []
    response, _ = peer.subscribe()
    assert response.code == 481


def test_fetched_once() -> None:
    peer = Subscriber()
    response, (notify,) = peer.subscribe("Expires: 0")
    assert response.code == 200
    assert root(notify).attrib["state"] == "full"
    peer.take(notify)
    peer.run(40.0)
    assert peer.agent.is_idle


def test_the_conference_ends() -> None:
    peer = Subscriber()
    _, (notify,) = peer.subscribe()
    peer.take(notify)
    (ended,) = peer.show(None)
    assert ended.headers["Subscription-State"] == "terminated;reason=noresource"
    peer.take(ended)
    assert peer.subscribe()[0].code == 481


@pytest.mark.parametrize("code", [481, 500, None])
def test_a_subscriber_that_is_gone(code: int | None) -> None:
    peer = Subscriber()
    _, (notify,) = peer.subscribe()
    if code is None:
        peer.run(33.0)
    else:
        peer.take(notify, code)
    assert peer.show(users(2)) == []
    peer.run(40.0)
    assert peer.agent.is_idle


def test_out_of_order() -> None:
    peer = Subscriber()
    peer.subscribe()
    peer.cseq = 0
    assert peer.subscribe()[0].code in (200, 500)
    assert peer.request("SUBSCRIBE", "z9hG4bKlate", CONTACT, EVENT, to_tag=peer.tag)[0].code == 500  # type: ignore[union-attr]


def test_too_many() -> None:
    peer = Subscriber(AgentSettings((OWN,), max_subscriptions=2))
    for number in range(4):
        answers = peer.request(
            "SUBSCRIBE", f"z9hG4bK{number}", CONTACT, EVENT, call_id=f"subscription {number}"
        )
        code = next(one.code for one in answers if isinstance(one, Response))
        assert code == (200 if number < 2 else 503)


def test_within_a_call() -> None:
    peer = Subscriber()
    peer.request("INVITE", "z9hG4bK1", CONTACT, "Content-Type: application/sdp", body=OFFER)
    call = peer.one(CallReceived).call
    peer.agent.accept(call, ANSWER, peer.now)
    peer.tag = final(peer.taken()).headers["To"].partition("tag=")[2]
    peer.request("ACK", "z9hG4bK2", to_tag=peer.tag)
    peer.cseq = 1
    response, (notify,) = peer.subscribe()
    assert response.code == 200
    assert notify.headers["From"].endswith(f"tag={peer.tag}")
    peer.take(notify)
    peer.agent.hang_up(call, peer.now)
    (bye,) = requests(peer.taken())
    peer.take(bye)
    (changed,) = peer.show(users(2))  # the dialog lives on (RFC 5057)
    peer.take(changed)
    assert peer.subscribe("Expires: 0")[0].code == 200


class Allowed:
    """Lets whom it names: account and call."""

    def __init__(self, *who: tuple[str, str | None]) -> None:
        self.who = set(who)
        self.asked: set[str] = set()

    def may_watch(self, conference: str, account: str, call: str | None) -> bool:
        self.asked.add(conference)
        return (account, call) in self.who


def test_who_may_not_is_told_nothing() -> None:
    watchers = Allowed(("someone", None))
    peer = Subscriber(watchers=watchers)
    response, sent = peer.subscribe()
    assert (response.code, sent) == (403, [])
    assert watchers.asked == {"mcu"}
    peer.run(40.0)
    assert peer.agent.is_idle


def test_who_may_no_more_is_told_that_and_nothing_else() -> None:
    watchers = Allowed(("", None))
    peer = Subscriber(watchers=watchers)
    _, (notify,) = peer.subscribe()
    peer.take(notify)
    watchers.who.clear()
    (last,) = peer.show(users(3))
    assert last.headers["Subscription-State"] == "terminated;reason=rejected"
    assert last.body == b""
    peer.take(last)
    assert peer.show(users(4)) == []
    assert peer.subscribe()[0].code == 481


def test_within_a_call_it_counts_whose_call_it_is() -> None:
    watchers = Allowed()
    peer = Subscriber(watchers=watchers)
    peer.request("INVITE", "z9hG4bK1", CONTACT, "Content-Type: application/sdp", body=OFFER)
    call = peer.one(CallReceived).call
    peer.agent.accept(call, ANSWER, peer.now)
    peer.tag = final(peer.taken()).headers["To"].partition("tag=")[2]
    peer.request("ACK", "z9hG4bK2", to_tag=peer.tag)
    peer.cseq = 1
    response, sent = peer.subscribe()
    assert (response.code, sent) == (403, [])
    watchers.who.add(("", call))
    response, (notify,) = peer.subscribe()
    assert response.code == 200
    assert root(notify).get("state") == "full"


def test_who_has_signed_in_is_asked_about_by_account() -> None:
    watchers = Allowed(("room", None))
    peer = Subscriber(watchers=watchers)
    verifier = DigestVerifier("mcu", lambda user, kind: ha1(user, "mcu", "secret", kind))
    peer.agent = UserAgent(AgentSettings((OWN,)), verifier, rng=random.Random(1), watchers=watchers)
    peer.agent.show_conference("mcu", INFO, peer.now)
    for account, code in (("other", 403), ("room", 200)):
        peer.tag = ""
        challenged, _ = peer.subscribe()
        assert challenged.code == 401
        values = challenged.headers.getlist("WWW-Authenticate")
        given = answer(values, "SUBSCRIBE", "sip:mcu@192.0.2.1", Credentials(account, "secret"))
        peer.tag = ""
        assert peer.subscribe(f"Authorization: {given}")[0].code == code
