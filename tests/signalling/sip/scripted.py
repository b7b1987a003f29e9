"""One agent, and a peer written down message by message."""

import random

from sipmessage import Request, Response

from signalling.sip.agent import UserAgent
from signalling.sip.digest import DigestVerifier
from signalling.sip.effects import Event
from signalling.sip.hop import Hop
from signalling.sip.message import encode
from signalling.sip.registrar import Registrar
from signalling.sip.settings import AgentSettings, Listener
from signalling.sip.subscriptions import Watchers
from signalling.sip.transactions import SendMessage
from tests.signalling.sip.messages import request_text, response

SOURCE = Hop("udp", "192.0.2.7", 5060)
CONTACT = "Contact: <sip:room@192.0.2.7>"
OWN = Listener("udp", "192.0.2.1", 5060)


class Scripted:
    """An agent at 192.0.2.1."""

    def __init__(
        self,
        settings: AgentSettings | None = None,
        verifier: DigestVerifier | None = None,
        registrar: Registrar | None = None,
        source: Hop = SOURCE,
        watchers: Watchers | None = None,
    ) -> None:
        self.now = 0.0
        self.source = source
        self.agent = UserAgent(
            settings or AgentSettings((OWN,)), verifier, registrar, random.Random(1), watchers
        )
        self.events: list[Event] = []
        self.sent: list[SendMessage] = []

    def receive(self, data: bytes) -> list[Request | Response]:
        """What the agent sends because of a message."""
        self.agent.receive(data, self.source, self.now)
        return self.taken()

    def request(self, *arguments: str, **options: object) -> list[Request | Response]:
        return self.receive(request_text(*arguments, **options))  # type: ignore[arg-type]

    def answer(
        self, sent: Request, code: int, *extra: str, tag: str = "far"
    ) -> list[Request | Response]:
        """Answer a request of the agent."""
        return self.receive(encode(response(sent, code, *extra, to_tag=tag).message))

    def taken(self) -> list[Request | Response]:
        taken: list[Request | Response] = []
        for effect in self.agent.effects():
            if isinstance(effect, SendMessage):
                encode(effect.message)
                self.sent.append(effect)
                taken.append(effect.message)
            else:
                self.events.append(effect)
        return taken

    def run(self, seconds: float) -> list[Request | Response]:
        """Let time pass; what is sent meanwhile."""
        until = self.now + seconds
        sent = []
        while (at := self.agent.next_timer()) is not None and at <= until:
            self.now = at
            self.agent.handle_timer(at)
            sent += self.taken()
        self.now = until
        return sent

    def one(self, kind: type):  # type: ignore[no-untyped-def]
        """The only event of its kind."""
        (event,) = (event for event in self.events if isinstance(event, kind))
        return event


def code_of(messages: list[Request | Response]) -> int:
    """The status of the last response among them."""
    return [message for message in messages if isinstance(message, Response)][-1].code


def requests(messages: list[Request | Response]) -> list[Request]:
    return [message for message in messages if isinstance(message, Request)]


def final(messages: list[Request | Response]) -> Response:
    last = messages[-1]
    assert isinstance(last, Response)
    return last
