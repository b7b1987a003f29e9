from datetime import timedelta

from mcu.store.records import AuditRow
from tests.mcu.store.conftest import NOW


def row(number: int, actor: str | None = "t1", target: str = "/x") -> AuditRow:
    return AuditRow(
        NOW + timedelta(seconds=number), actor, "operator", "::1", "POST", target, "done 201"
    )


async def test_newest_first_in_pages(store):
    for number in range(5):
        await store.audit.append(row(number))
    first = await store.audit.list(limit=3)
    second = await store.audit.list(limit=3, cursor=first.next_cursor)
    assert [each.seq for each in (*first.items, *second.items)] == [5, 4, 3, 2, 1]
    assert second.next_cursor is None
    assert first.items[0] == AuditRow(
        NOW + timedelta(seconds=4), "t1", "operator", "::1", "POST", "/x", "done 201", seq=5
    )


async def test_of_somebody_and_of_something(store):
    await store.audit.append(row(1, None, "/a"))
    await store.audit.append(row(2, "t2", "/a"))
    await store.audit.append(row(3, "t2", "/b"))
    assert [each.seq for each in (await store.audit.list(actor="t2")).items] == [3, 2]
    assert [each.seq for each in (await store.audit.list(target="/a")).items] == [2, 1]
    assert [each.seq for each in (await store.audit.list(actor="t2", target="/a")).items] == [2]
    assert (await store.audit.list(limit=1)).items[0].seq == 3


async def test_old_rows_go_and_numbers_are_not_given_twice(store):
    for number in range(3):
        await store.audit.append(row(number))
    assert await store.audit.prune(NOW + timedelta(days=1), 100) == 3
    await store.audit.append(row(9))
    assert [each.seq for each in (await store.audit.list()).items] == [4]


async def test_the_newest_are_kept(store):
    for number in range(5):
        await store.audit.append(row(number))
    assert await store.audit.prune(NOW + timedelta(seconds=1), 100) == 1
    assert await store.audit.prune(NOW, 2) == 2
    assert [each.seq for each in (await store.audit.list()).items] == [5, 4]


async def test_what_was_done_to_something_and_below_it(store):
    for number, target in enumerate(
        ("/c/hop", "/c/hop/floor", "/c/hopp", "/c/hop-2/floor", "/c", "/c/hop0", "/c/hop/a/b")
    ):
        await store.audit.append(row(number, target=target))
    found = await store.audit.under("/c/hop", 10)
    assert [each.target for each in found] == ["/c/hop", "/c/hop/floor", "/c/hop/a/b"]
    assert [each.seq for each in await store.audit.under("/c/hop", 2)] == [2, 7], "the newest"
