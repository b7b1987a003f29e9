"""Why a message found no way, in words."""

import errno
import ssl

import pytest

from mcu.sip.no_way import MAX_DETAIL, said_by, why


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "Connection refused"),
        (OSError(errno.EHOSTUNREACH, "whatever"), "No route to host"),
        (TimeoutError(), "no answer within 5 s"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "Connection timed out"),
        (OSError("TLS is not configured"), "TLS is not configured"),
        (ssl.SSLError(1, "[SSL: NO_CIPHER] no cipher"), "TLS: [SSL: NO_CIPHER] no cipher"),
    ],
)
def test_what_the_system_says(error: Exception, said: str) -> None:
    assert said_by(error, 5.0).endswith(said)


def test_in_words() -> None:
    assert why("connection", "Connection refused") == "no connection: Connection refused"
    assert why("lookup", "a.test (A, AAAA)") == (
        "the name is known neither to DNS nor to /etc/hosts: a.test (A, AAAA)"
    )
    assert why("too long") == "too long"
    assert len(why("connection", "x" * 999)) < MAX_DETAIL + 30
