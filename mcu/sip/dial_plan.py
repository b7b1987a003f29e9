"""Where a call leads: from the address that was dialled, and who dials, to a conference.

Pure: it looks at the settings and at the conferences as they are, and changes nothing.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.dial_rule import DialRule, filled
from config.sip_section import SipSettings
from mcu.conference.state import ConferenceState
from signalling.sip.errors import SipError
from signalling.sip.uri import SipUri, parse_uri

DEFAULT_RULES = (
    DialRule(pattern="{number}", conference="{number}"),
    DialRule(pattern="{conference}", conference="{conference}"),
)
"""Stand after those of the settings."""


class Meetings(Protocol):
    """What is asked of the conferences; ``mcu.conference.service.Conferences`` is one."""

    def running(self) -> Sequence[ConferenceState]:
        """All that run."""

    def conference_of(self, bridge: str) -> str | None:
        """The running conference whose roster a bridge is on."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        identity: the bridge whose credentials came (``CallReceived.identity``); empty: a guest.
        source: address the call came from, for the limit of wrong PINs.
    """

    identity: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """A conference to join.

    Args:
        participant: as whom: an id on its roster; None: the caller has to be put on it first, as
            a bridge (``Conferences.add_bridge`` with the caller's identity) or, without identity,
            as a guest (``add_guest``).
        pin: must be entered before that (``PinGate``); None: the caller may come in at once.
            Whoever is on the roster and has signed in was invited, and is not asked.
        dialled_pin: what was dialled as PIN already; to be tried once before asking.
    """

    conference: str
    participant: str | None
    pin: str | None = None
    dialled_pin: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """No way in: a SIP status code, and why, for the trace and the log."""

    code: int
    reason: str


class DialPlan:
    """Finds the conference of a call.

    Args:
        conferences: those that run.
    Cost: O(rules + running conferences) a call.
    """

    def __init__(self, settings: SipSettings, conferences: Meetings) -> None:
        self._settings = settings
        self._rules = (*settings.dial_plan, *DEFAULT_RULES)
        self._domains = own_domains(settings)
        self._conferences = conferences

    def resolve(self, request_uri: str, caller: Caller) -> Destination | Refusal:
        """Say where a call leads.

        Args:
            request_uri: ``CallReceived.target``.

        Returns:
            404 for what leads nowhere, 403 for who may not come in, 484 for an address without
            anything before its @.
        """
        found = self.find(request_uri, caller)
        if isinstance(found, Refusal):
            return found
        return self._admit(found[0], caller, found[1])

    def find(
        self, request_uri: str, caller: Caller
    ) -> tuple[ConferenceState, str | None] | Refusal:
        """The conference that an address leads to, and the PIN in it; not whether one may in."""
        try:
            uri = parse_uri(request_uri)
        except SipError as error:
            return Refusal(404, str(error))
        if not uri.is_sip:
            return Refusal(416, f"{uri.scheme}: is not an address of SIP")
        if not is_own(uri, self._domains):
            return Refusal(404, f"{uri.host} is none of sip.domains")
        if not uri.user:
            return Refusal(484, "the address names no conference")
        for rule in self._rules:
            found = rule.match(uri.user)
            if found is not None:
                return self._follow(rule, found, caller)
        return Refusal(404, "no rule of the dial plan fits")

    def _follow(
        self, rule: DialRule, found: dict[str, str], caller: Caller
    ) -> tuple[ConferenceState, str | None] | Refusal:
        if rule.refuse:
            return Refusal(404, f"the dial plan refuses {rule.pattern}")
        if rule.own:
            if not caller.identity:
                return Refusal(403, "only a room that has signed in has a conference of its own")
            state = self._by_id(self._conferences.conference_of(caller.identity))
        elif rule.participant is not None:
            bridge = filled(rule.participant, found)
            state = self._by_id(self._conferences.conference_of(bridge))
        else:
            wanted = filled(rule.conference or "", found)
            state = self._by_id(wanted) or self._by_number(wanted)
        if state is None:
            return Refusal(404, "no such conference runs")
        return state, found.get("pin")

    def _admit(
        self, state: ConferenceState, caller: Caller, dialled: str | None
    ) -> Destination | Refusal:
        if caller.identity in state.participants:
            return Destination(state.id, caller.identity)
        if caller.identity:
            other = self._conferences.conference_of(caller.identity)
            if other is not None:
                return Refusal(403, f"{caller.identity} is expected in the conference {other}")
        guests = self._settings.guests
        if not caller.identity and guests == "refused":
            return Refusal(403, "sip.guests refuses callers without an account")
        if state.pin is None and (caller.identity or guests == "with_pin"):
            return Refusal(403, f"not invited, and the conference {state.id} has no PIN to ask for")
        return Destination(state.id, None, state.pin, dialled if state.pin else None)

    def _by_id(self, conference: str | None) -> ConferenceState | None:
        return next((one for one in self._conferences.running() if one.id == conference), None)

    def _by_number(self, number: str) -> ConferenceState | None:
        return next((one for one in self._conferences.running() if one.number == number), None)


def own_domains(settings: SipSettings) -> frozenset[str]:
    """Hosts that are ours, in lower case without brackets; empty: every one."""
    if not settings.domains:
        return frozenset()
    named = (*settings.domains, settings.public_host, settings.host)
    return frozenset(plain_hosts(host for host in named if host is not None))


def is_own(uri: SipUri, domains: frozenset[str]) -> bool:
    """Whether an address is of this server."""
    return not domains or next(iter(plain_hosts([uri.host]))) in domains


def plain_hosts(hosts: Iterable[str]) -> Iterable[str]:
    """Names and addresses as they are compared: lower case, addresses in their short form."""
    for host in hosts:
        plain = host.strip("[]").lower().rstrip(".")
        try:
            yield str(ipaddress.ip_address(plain))
        except ValueError:
            yield plain
