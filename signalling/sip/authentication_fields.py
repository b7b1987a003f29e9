"""Authentication fields (RFC 7616 section 3, RFC 8760), cut into parameters.

``sipmessage`` splits these fields at every comma, also inside quotes, so that it cannot read
``qop="auth,auth-int"``, which common servers send.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from signalling.sip.errors import SipError

MAX_PARAMETERS = 32

_SCHEME = re.compile(r"\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+")
_PARAMETER = re.compile(
    r"\s*([A-Za-z0-9\-.!%*_+`'~]+)\s*=\s*(\"(?:[^\"\\]|\\.)*+\"|[^\s,\"]+)\s*(?:,|\Z)", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AuthenticationField:
    """Scheme in lower case; parameters with names in lower case and values without quotes."""

    scheme: str
    parameters: Mapping[str, str]


def parse_authentication(text: str, field: str) -> AuthenticationField:
    """Read a challenge or credentials.

    Raises:
        SipError: it is not a scheme with parameters, or one of them is there twice.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise SipError(field, "has no authentication scheme")
    parameters: dict[str, str] = {}
    position = scheme.end()
    while position < len(text):
        found = _PARAMETER.match(text, position)
        if found is None or found[1].lower() in parameters or len(parameters) >= MAX_PARAMETERS:
            raise SipError(field, "has parameters that cannot be read")
        parameters[found[1].lower()] = _unquoted(found[2])
        position = found.end()
    return AuthenticationField(scheme[1].lower(), parameters)


def quoted(value: str) -> str:
    """A quoted string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
