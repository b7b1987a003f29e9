"""Seeds of the campaign: each is read as it should be, and there are some of every parser."""

import random

import pytest

from tests.fuzz.campaign import NAMES
from tests.fuzz.targets import TARGETS, joined, pieces


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_damaged_seeds(name: str) -> None:
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert len(set(seeds)) == len(seeds) >= 4
    generator = random.Random(7)
    target.run(b"")
    for seed in seeds:
        target.run(seed)
        spoilt = bytearray(seed)
        for _ in range(3):
            spoilt[generator.randrange(len(spoilt))] = generator.randrange(256)
        target.run(bytes(spoilt))


def test_pieces_are_cut_as_they_were_joined() -> None:
    parts = [(1, 2, b"abc"), (255, 0, b""), (7, 7, bytes(255))]
    assert pieces(joined(parts)) == parts
    assert pieces(joined(parts)[:-1])[-1] == (7, 7, bytes(254))
    assert pieces(b"\x05\x01") == []


def test_the_campaign_knows_all_targets() -> None:
    assert list(TARGETS) == list(NAMES)
