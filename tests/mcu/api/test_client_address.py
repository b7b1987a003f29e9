"""Whose requests are counted together."""

import pytest

from mcu.api.client_address import client_key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:0DB8:0000:0001:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("/run/mcu.socket", "/run/mcu.socket"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_counts_as_one_client(address: str | None, key: str) -> None:
    assert client_key(address) == key
