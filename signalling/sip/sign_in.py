"""What becomes of those who sign in (RFC 3261 section 22): told by event, in words for people.

An event names an account only where there is one. What a stranger gave for a name is cut and
masked, as people type passwords into the wrong line; no event carries a secret, a digest or a
nonce.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from signalling.sip.errors import SipError
from signalling.sip.hop import Hop

SignInFault = Literal[
    "wrong_password",
    "old_password",
    "unknown_account",
    "wrong_case",
    "wrong_realm",
    "locked_out",
    "unknown_algorithm",
    "no_answer",
    "unreadable",
    "wrong_address",
]
"""Why somebody is not let.

``old_password``: the one before the present one, which is no guess and locks nobody out.
``wrong_case``: there is no such account, but one whose name differs in capital letters alone.
``wrong_realm``: the credentials are for another realm, though they answer our challenge.
``locked_out``: too many wrong ones came before, so these were not looked at.
``unknown_algorithm``: answered by one that was not offered. ``no_answer``: our challenge is never
answered: no password is set there, or no algorithm of ours is known (MD5 alone). ``unreadable``:
credentials that are none. ``wrong_address``: the account's own, but to register another address.
"""
FAULTS: Final[tuple[SignInFault, ...]] = get_args(SignInFault)

MAX_SHOWN: Final = 2
"""Characters of an unknown name that are told."""
_MASK: Final = "***"

_SAID: Final[Mapping[SignInFault, tuple[str, str]]] = {
    # What a device is told: reason phrase and warning. The same whether there is such an account.
    "wrong_password": ("Wrong User Name Or Password", "Wrong user name or password"),
    "old_password": ("Wrong User Name Or Password", "Wrong user name or password"),
    "unknown_account": ("Wrong User Name Or Password", "Wrong user name or password"),
    "wrong_case": ("Wrong User Name Or Password", "Wrong user name or password"),
    "wrong_realm": ("Wrong Realm", "Leave the realm empty in the device, or take ours"),
    "locked_out": (
        "Too Many Wrong Passwords",
        "Too many wrong passwords from this address: wait {wait_s} seconds",
    ),
    "unknown_algorithm": ("Digest Algorithm Not Offered", "Answer with an algorithm we offered"),
    # Found out of accounts only, so it must look like any first challenge.
    "no_answer": ("Unauthorized", ""),
    "unreadable": ("Credentials Not Understood", "The credentials cannot be read"),
    "wrong_address": (
        "Not The Address Of This Account",
        "User name and authentication name must be the same, and the domain ours",
    ),
}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A device of an account has registered, for the first time or again."""

    account: str
    source: Hop


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Somebody was not let. An answer to a first challenge, or to one too old, is no refusal.

    Args:
        account: whose credentials they were to be; empty: there is no such account.
        given: the name that was given where there is no such account, masked; else empty.
        method: of the request, ``REGISTER`` or ``INVITE``.
        named: the name as it was given, to look it up; never shown, as people type passwords there.
    """

    account: str
    given: str
    source: Hop
    fault: SignInFault
    method: str
    named: str = field(default="", repr=False, compare=False)


class SignInError(SipError):
    """A request that is refused with 403 for who sends it.

    Args:
        wait_s: so long it is not worth to try again.
    """

    def __init__(self, detail: str, fault: SignInFault, wait_s: int = 0) -> None:
        super().__init__("Authorization", detail, 403)
        self.fault = fault
        self.wait_s = wait_s


def masked(name: str) -> str:
    """A name of nobody, as it may be shown and logged: its beginning only."""
    shown = "".join(one for one in name[:MAX_SHOWN] if one.isprintable())
    return shown + _MASK if name else ""


def phrase_of(fault: SignInFault) -> str:
    """The reason phrase, which is what most devices show."""
    return _SAID[fault][0]


def warning_of(fault: SignInFault, agent: str, wait_s: int = 0) -> str | None:
    """A value of Warning (RFC 3261 section 20.43), which some devices show; None: none is sent.

    Args:
        agent: who warns, host and port.
    """
    text = _SAID[fault][1]
    return f'399 {agent} "{text.format(wait_s=wait_s)}"' if text else None
