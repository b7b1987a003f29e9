"""Digest authentication (RFC 7616, RFC 8760): who is who, without a password on the wire.

``DigestVerifier`` is the server: it challenges, and says whose credentials came. ``answer`` is the
client. What a server stores is HA1, one for each algorithm; who has it can answer as its owner, so
it is a secret, but the password itself is not stored.
"""

import base64
import hashlib
import hmac
import math
import re
import secrets
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from signalling.sip.authentication_fields import parse_authentication, quoted
from signalling.sip.device_habits import DeviceHabits
from signalling.sip.errors import SipError
from signalling.sip.sign_in import SignInFault
from signalling.sip.uri import SipUri, parse_uri

Algorithm = Literal["SHA-256", "MD5"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
"""In order of preference. MD5 is what most devices in the field know."""

NONCE_LIFE_S = 300.0
MAX_NONCES = 10_000
"""Nonces in use that are remembered; beyond, the oldest are called stale before their time."""
NC_WINDOW = 64
"""Counts of one nonce may come out of order by as many."""

_NONCE = struct.Struct("!d8s")
_MAC_BYTES = 16
_COUNT = re.compile(r"[0-9A-Fa-f]{8}\Z")
_NO_SECRET = "0" * 64


@dataclass(frozen=True, slots=True)
class Credentials:
    """What we answer challenges of others with."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """The credentials are good."""

    username: str


@dataclass(frozen=True, slots=True)
class Refused:
    """They are not.

    Args:
        stale: only the nonce was too old. blocked: too many wrong ones came before these, so they
            were not looked at, and will not be for ``wait_s``.
        username: as given. fault: what is wrong; None where nothing was claimed that could be, or
            not in answer to a challenge of ours to that source.
    """

    reason: str
    stale: bool = False
    blocked: bool = False
    username: str = ""
    fault: SignInFault | None = None
    wait_s: int = 0


class Guard(Protocol):
    """Who may still guess. A source cannot be feigned here: nonces are good for one source only."""

    def admits(self, source: str, username: str, now: float) -> bool:
        """Whether credentials of ``username`` from ``source`` are looked at."""

    def failed(self, source: str, username: str, now: float) -> None:
        """They were wrong."""

    def wait_s(self, source: str, username: str, now: float) -> float:
        """How long it is until they are looked at again; 0: they are."""


@dataclass(slots=True)
class _Counts:
    """Which counts of a nonce were used: the highest, and a bit for each below it."""

    highest: int = 0
    used: int = 0

    def take(self, count: int) -> bool:
        if count > self.highest:
            step = min(count - self.highest, NC_WINDOW)
            self.used = (self.used << step | 1) & ((1 << NC_WINDOW) - 1)
            self.highest = count
            return True
        bit = 1 << (self.highest - count)
        if self.highest - count >= NC_WINDOW or self.used & bit:
            return False
        self.used |= bit
        return True


class DigestVerifier:
    """Challenges, and judges what comes back.

    Args:
        realm: ours. secret_of: HA1 of a user for an algorithm, lower-case hex; None where there is
            none. key: signs nonces; random by default, then no nonce outlives the process.
        guard: stops who guesses; None lets everybody try for ever. void_of: HA1 of what a user
            had before: who has it is a device that was forgotten, and guesses nothing.

    A nonce says itself when it was made and that we made it, so challenges cost no memory. Of
    nonces in use the counts are kept, for ``MAX_NONCES`` at most. ``habits``: what devices answer.
    """

    def __init__(
        self,
        realm: str,
        secret_of: Callable[[str, Algorithm], str | None],
        key: bytes | None = None,
        algorithms: Sequence[Algorithm] = ALGORITHMS,
        guard: Guard | None = None,
        void_of: Callable[[str, Algorithm], Iterable[str]] = lambda username, algorithm: (),
    ) -> None:
        self.realm = realm
        self._guard = guard
        self._void_of = void_of
        self._secret_of = secret_of
        self._key = secrets.token_bytes(32) if key is None else key
        self._algorithms = tuple(algorithms)
        self._counts: OrderedDict[str, _Counts] = OrderedDict()
        self.habits = DeviceHabits()
        self._stale_until = float("-inf")

    def knows(self, username: str) -> bool:
        """Whether there is such a user."""
        return any(self._secret_of(username, algorithm) for algorithm in self._algorithms)

    def challenges(
        self,
        now: float,
        stale: bool = False,
        source: str = "",
        username: str = "",
        unanswered: bool = False,
    ) -> list[str]:
        """Values of WWW-Authenticate, the preferred algorithm first (RFC 8760 section 2.4).

        Devices from before RFC 8760 give up where they are offered anything but MD5, instead of
        taking what they know. Who was offered several and comes again without having answered is
        offered MD5 alone, and so from then on.

        Args:
            source: address to which they are sent; the answer must come from there.
            username: who is to answer, as far as the request says. unanswered: it came without
                credentials.
        """
        nonce = self._nonce(now, source)
        ending = ", stale=true" if stale else ""
        if unanswered and self.knows(username):
            self.habits.challenged((source, username))
        return [
            f"Digest realm={quoted(self.realm)}, nonce={quoted(nonce)}, algorithm={algorithm}, "
            f'qop="auth"{ending}'
            for algorithm in self._offered(source, username, unanswered)
        ]

    def _offered(self, source: str, username: str, unanswered: bool) -> Sequence[Algorithm]:
        if not username or "MD5" not in self._algorithms or len(self._algorithms) == 1:
            return self._algorithms
        gives_up = self.habits.gives_up((source, username), unanswered=unanswered)
        return ("MD5",) if gives_up else self._algorithms

    def verify(
        self, method: str, uri: SipUri, values: Sequence[str], now: float, source: str = ""
    ) -> Verified | Refused:
        """Judge the credentials of a request.

        Args:
            uri: the Request-URI. values: of Authorization; those for other realms do not count.
            source: address it came from.
        """
        refused = Refused("no credentials")
        for value in values:
            try:
                credentials = parse_authentication(value, "Authorization")
            except SipError as error:
                refused = Refused(error.detail)
                continue
            parameters = credentials.parameters
            if credentials.scheme != "digest":
                continue
            if parameters.get("realm") == self.realm:
                return self._judge(method, uri, dict(parameters), now, source)
            if self._made_at(parameters.get("nonce", ""), source) is not None:
                username = parameters.get("username", "")
                self.habits.answered((source, username))
                refused = Refused("the realm is wrong", username=username, fault="wrong_realm")
        return refused

    def _judge(
        self, method: str, uri: SipUri, given: dict[str, str], now: float, source: str
    ) -> Verified | Refused:
        username, nonce = given.get("username", ""), given.get("nonce", "")
        made_at = self._made_at(nonce, source)

        def refused(reason: str, fault: SignInFault) -> Refused:
            # What does not answer a challenge of ours may be feigned: nobody is told of it.
            return Refused(reason, username=username, fault=None if made_at is None else fault)

        if made_at is not None:
            self.habits.answered((source, username))
        algorithm = algorithm_named(given.get("algorithm"))
        if algorithm is None or algorithm not in self._algorithms:
            return refused("the algorithm is not known here", "unknown_algorithm")
        if given.get("qop", "").lower() != "auth":
            return refused("qop is not auth", "unreadable")
        count_text = given.get("nc", "")
        if not _COUNT.match(count_text):
            return refused("nc is not eight digits", "unreadable")
        if not _same_place(given.get("uri", ""), uri):
            return refused("the credentials are for another address", "unreadable")
        if made_at is None:
            return Refused("the nonce is not ours", stale=True)
        if self._guard is not None and not self._guard.admits(source, username, now):
            return Refused(
                "too many wrong credentials came from there",
                blocked=True,
                username=username,
                fault="locked_out",
                wait_s=max(1, math.ceil(round(self._guard.wait_s(source, username, now), 3))),
            )
        secret = self._secret_of(username, algorithm)

        def answers(ha1_of: str) -> bool:
            expected = digest_response(
                algorithm, ha1_of, nonce, count_text, given.get("cnonce", ""), method, given["uri"]
            )
            response = given.get("response", "").lower().encode("utf-8", "replace")
            return hmac.compare_digest(expected.encode(), response)

        if not answers(secret or _NO_SECRET) or secret is None:
            if any(answers(void) for void in self._void_of(username, algorithm)):
                return refused("the password is the one before", "old_password")
            if self._guard is not None:
                self._guard.failed(source, username, now)
            return refused(
                "the user or the password is wrong",
                "unknown_account" if secret is None else "wrong_password",
            )
        if not 0 <= now - made_at <= NONCE_LIFE_S or made_at <= self._stale_until:
            return Refused("the nonce is too old", stale=True)
        if not self._take_count(nonce, int(count_text, 16)):
            return Refused("the nonce was used before", stale=True)
        self.habits.verified((source, username), algorithm)
        return Verified(username)

    def _nonce(self, now: float, source: str) -> str:
        made = _NONCE.pack(now, secrets.token_bytes(8))
        return base64.urlsafe_b64encode(made + self._mac(made, source)).decode().rstrip("=")

    def _mac(self, made: bytes, source: str) -> bytes:
        return hmac.digest(self._key, made + source.encode(), "sha256")[:_MAC_BYTES]

    def _made_at(self, nonce: str, source: str) -> float | None:
        try:
            data = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
        except ValueError:
            return None
        made, mac = data[: _NONCE.size], data[_NONCE.size :]
        if len(made) < _NONCE.size or not hmac.compare_digest(mac, self._mac(made, source)):
            return None
        at: float = _NONCE.unpack(made)[0]
        return at

    def _take_count(self, nonce: str, count: int) -> bool:
        # Spellings of one nonce (padding, other last bits) must not count as several.
        name = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4)).hex()
        counts = self._counts.get(name)
        if counts is None:
            if len(self._counts) >= MAX_NONCES:
                self._forget_oldest()
            counts = self._counts[name] = _Counts()
        return count > 0 and counts.take(count)

    def _forget_oldest(self) -> None:
        """Forget a nonce, and call it and all made before it stale, or it could be replayed."""
        name, _ = self._counts.popitem(last=False)
        made_at: float = _NONCE.unpack(bytes.fromhex(name)[: _NONCE.size])[0]
        self._stale_until = max(self._stale_until, made_at)


def ha1(username: str, realm: str, password: str, algorithm: Algorithm) -> str:
    """What a server stores of a user (RFC 7616 section 3.4.2)."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


def answer(
    challenges: Sequence[str], method: str, uri: str, credentials: Credentials, count: int = 1
) -> str | None:
    """Credentials for the first challenge that can be answered (RFC 8760 section 2.4).

    Args:
        challenges: values of WWW-Authenticate or Proxy-Authenticate, in their order.
        uri: the Request-URI as sent. count: how often this nonce has been answered, with this.

    Returns:
        the value of Authorization or Proxy-Authorization; None where no challenge is Digest with
        an algorithm and a qop known here.
    """
    for value in challenges:
        try:
            challenge = parse_authentication(value, "WWW-Authenticate")
        except SipError:
            continue
        given = challenge.parameters
        algorithm = algorithm_named(given.get("algorithm"))
        offered = {qop.strip().lower() for qop in given.get("qop", "").split(",")}
        if challenge.scheme != "digest" or algorithm is None or "nonce" not in given:
            continue
        if "qop" in given and "auth" not in offered:
            continue
        return _credentials(dict(given), algorithm, method, uri, credentials, count)
    return None


def is_stale(challenges: Sequence[str]) -> bool:
    """Whether a challenge says that only the nonce was too old."""
    for value in challenges:
        try:
            parameters = parse_authentication(value, "WWW-Authenticate").parameters
        except SipError:
            continue
        if parameters.get("stale", "").lower() == "true":
            return True
    return False


def algorithm_named(name: str | None) -> Algorithm | None:
    """An algorithm by its name in any case; MD5 where none is named (RFC 7616 section 3.3)."""
    wanted = (name or "MD5").upper()
    return next((known for known in ALGORITHMS if known == wanted), None)


def _credentials(
    given: dict[str, str],
    algorithm: Algorithm,
    method: str,
    uri: str,
    credentials: Credentials,
    count: int,
) -> str:
    realm, nonce = given.get("realm", ""), given["nonce"]
    secret = ha1(credentials.username, realm, credentials.password, algorithm)
    parts = [
        f"username={quoted(credentials.username)}",
        f"realm={quoted(realm)}",
        f"nonce={quoted(nonce)}",
        f"uri={quoted(uri)}",
        f"algorithm={algorithm}",
    ]
    if "qop" in given:
        cnonce, count_text = secrets.token_hex(16), f"{count:08x}"
        response = digest_response(algorithm, secret, nonce, count_text, cnonce, method, uri)
        parts += ["qop=auth", f"nc={count_text}", f"cnonce={quoted(cnonce)}"]
    else:  # servers of RFC 2069
        response = _hash(algorithm, f"{secret}:{nonce}:{_hash(algorithm, f'{method}:{uri}')}")
    parts.append(f"response={quoted(response)}")
    if "opaque" in given:
        parts.append(f"opaque={quoted(given['opaque'])}")
    return "Digest " + ", ".join(parts)


def digest_response(
    algorithm: Algorithm, secret: str, nonce: str, count: str, cnonce: str, method: str, uri: str
) -> str:
    """The response for qop ``auth`` (RFC 7616 section 3.4.1); ``secret`` is HA1."""
    ha2 = _hash(algorithm, f"{method}:{uri}")
    return _hash(algorithm, f"{secret}:{nonce}:{count}:{cnonce}:auth:{ha2}")


def _hash(algorithm: Algorithm, text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    if algorithm == "MD5":
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()


def _same_place(named: str, uri: SipUri) -> bool:
    """Whether credentials name the address of the request; parameters may differ on the way."""
    try:
        other = parse_uri(named, "Authorization")
    except SipError:
        return False
    return (other.user, other.host.lower()) == (uri.user, uri.host.lower())
