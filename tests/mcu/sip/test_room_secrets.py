"""Secrets as technicians type them."""

import pytest

from mcu.sip.room_secrets import MAX_SECRET, MIN_SECRET, checked_secret, made_secret
from mcu.store.errors import InvalidRecord


def test_made_ones_are_long_different_and_easy_to_read_out() -> None:
    made = [made_secret() for _ in range(50)]
    assert len(set(made)) == 50
    assert all(len(one) == 20 and not set(one) & set("lo01") for one in made)
    assert all(checked_secret(one, "secret") == one for one in made)


@pytest.mark.parametrize(
    "secret", ["x" * (MIN_SECRET - 1), "x" * (MAX_SECRET + 1), "with a space in", "dấu-tiếng-việt"]
)
def test_unfit_ones(secret: str) -> None:
    with pytest.raises(InvalidRecord):
        checked_secret(secret, "secret")
