import itertools
import random
from collections import Counter

import aiohttp
import pytest

from bench.rest import SHARES, Client, figures, plan

ROOMS = [f"p{number}" for number in range(20)]


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as http:
        yield Client(http, "http://127.0.0.1:1", "c", ROOMS, ["leg"], speakers=4, columns=4)


def test_each_hundred_requests_have_their_shares() -> None:
    kinds = list(itertools.islice(plan(SHARES, random.Random(1)), 200))
    assert Counter(kinds[:100]) == Counter(kinds[100:]) == SHARES
    assert kinds[:100] != kinds[100:]


async def test_speakers_are_never_muted(client: Client) -> None:
    paths = {client.request("mute one").path.rpartition("/")[2] for _ in range(100)}
    assert paths == set(ROOMS[4:])
    assert client.request("mute all").body["except"] == ROOMS[:4]


async def test_a_layout_keeps_all_rooms_and_the_first_in_its_place(client: Client) -> None:
    slots = client.request("set layout").body["slots"]
    assert slots[0] == {"participant": "p0"}
    assert sorted(slot["participant"] for slot in slots) == sorted(ROOMS[:16])


async def test_the_longest_answers_are_held_against_the_bar(client: Client) -> None:
    client.took_ms["conference"] = [1.0] * 50 + [80.0] * 50
    client.failed["leg"] = 1
    measured = {
        "legs": 145,
        "ticks_missed": 0,
        "tick_lateness_ms_p99": 3.0,
        "server_cores": 1.1,
    }
    found = {one.name: one for one in figures(client, measured, 100)}
    assert found["REST p99, conference"].value == pytest.approx(80.0)
    assert found["REST p99, conference"].holds is False
    assert found["REST requests that failed"].holds is False
    assert found["audio ticks missed meanwhile, 145 legs"].holds is True
