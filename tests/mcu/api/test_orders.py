"""A command, its audit and its kept answer are one transaction."""

import asyncio
import sqlite3

import pytest

from mcu.store.errors import StoreUnavailable
from tests.mcu.api.live import Api
from tests.peers.waiting import until

KEY = {"Idempotency-Key": "4f1c"}


@pytest.fixture
async def meeting(api: Api) -> str:
    await api.province()
    return await api.conference("xa-1-a")


async def commits(api: Api) -> list[str]:
    """What the writer's connection is told from now on."""
    said: list[str] = []
    await api.store._database._writer.set_trace_callback(said.append)
    return said


async def audit(api: Api) -> list[tuple[str, str]]:
    return [(row.action, row.outcome) for row in (await api.store.audit.list()).items]


async def test_one_commit_for_each(api: Api, meeting: str) -> None:
    path = f"/conferences/{meeting}"
    said = await commits(api)
    await api.call("POST", f"{path}/mute", {"scope": "all"}, headers=KEY, status=200)
    assert said.count("COMMIT") == 1
    await api.call("PUT", f"{path}/message", {"text": "Chờ"}, status=200)
    await api.call("PATCH", f"{path}/participants/xa-1-a", {"label": "Xã"}, status=200)
    await api.call("DELETE", f"{path}/participants/xa-1-a", status=204)
    await api.call("DELETE", path, status=204)
    assert said.count("COMMIT") == 5
    assert [action for action, _ in await audit(api)][:5] == [
        "end_conference", "remove_participant", "change_participant", "show_message", "mute",
    ]  # fmt: skip


async def test_a_start_is_one_too_and_the_audit_names_it(api: Api) -> None:
    await api.province()
    said = await commits(api)
    new = {"name": "Giao ban", "unit": "tinh", "bridges": []}
    first = await api.call("POST", "/conferences", new, headers=KEY, status=201)
    assert said.count("COMMIT") == 1
    assert (await api.store.audit.list()).items[0].target == first.headers["Location"]
    again = await api.call("POST", "/conferences", new, headers=KEY, status=201)
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
    assert len(api.conferences.running()) == 1


async def test_the_answer_that_was_kept_is_given_again(api: Api, meeting: str) -> None:
    path = f"/conferences/{meeting}/mute"
    first = await api.call("POST", path, {"scope": "all"}, headers=KEY, status=200)
    await api.call("POST", f"/conferences/{meeting}/unmute", {"scope": "all"}, status=200)
    again = await api.call("POST", path, {"scope": "all"}, headers=KEY, status=200)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_what_cannot_be_audited_is_not_done(
    api: Api, meeting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> object:
        def write(connection: sqlite3.Connection) -> None:
            raise StoreUnavailable("The disk is full.")

        return write

    monkeypatch.setattr(api.store.audit, "row", away)
    path, body = f"/conferences/{meeting}/mute", {"scope": "all"}
    await api.call("POST", path, body, headers=KEY, status=503)
    assert api.conferences.get(meeting).entry_muted == ()
    monkeypatch.undo()
    reply = await api.call("POST", path, body, headers=KEY, status=200)
    assert "Idempotent-Replayed" not in reply.headers
    assert (await audit(api))[0] == ("mute", "done 200")


async def test_of_two_who_read_the_same_version_one_is_refused(api: Api, meeting: str) -> None:
    path = f"/conferences/{meeting}/participants/xa-1-a"
    tag = (await api.call("GET", path, status=200)).headers["ETag"]
    replies = await asyncio.gather(
        *(
            api.call("PATCH", path, {"label": label}, headers={"If-Match": tag})
            for label in ("Một", "Hai", "Ba")
        )
    )
    assert sorted(reply.status for reply in replies) == [200, 412, 412]


async def test_what_changes_nothing_is_answered_and_audited(api: Api, meeting: str) -> None:
    path = f"/conferences/{meeting}"
    await api.call("PUT", f"{path}/lock", status=200)
    reply = await api.call("PUT", f"{path}/lock", status=200)
    assert reply.json["locked"] is True
    assert [outcome for action, outcome in await audit(api) if action == "lock"] == [
        "done 200", "done 200",
    ]  # fmt: skip
    stale = {"If-Match": '"1"'}
    await api.call("DELETE", path, headers=stale, status=412)
    await api.call("DELETE", path, status=204)
    await api.call("DELETE", path, headers=stale, status=412)
    await api.call("DELETE", path, status=204)


async def test_many_at_once_share_their_commits(api: Api, meeting: str) -> None:
    said = await commits(api)
    async with api.store._database.write():
        asked = [
            asyncio.ensure_future(
                api.call("PUT", f"/conferences/{meeting}/message", {"text": f"Tin {number}"})
            )
            for number in range(8)
        ]
        await until(lambda: len(api.conferences._turns._orders) == 7)
    replies = await asyncio.gather(*asked)
    assert {reply.status for reply in replies} == {200}
    assert said.count("COMMIT") == 3
    assert len(await audit(api)) >= 8
