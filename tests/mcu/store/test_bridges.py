from dataclasses import replace

import pytest

from mcu.store.bridges import ImportRefused, ImportRow
from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.records import Bridge, Contact, Unit

FULL = Bridge(
    "hq", "UBND tỉnh", "tinh", "sip", "sip:hq@10.0.0.1", Contact("Nguyễn Văn A", "0912 345 678"),
    100, {"camera": "1080p", "line_mbps": 20.5, "ghi chú": None},
)  # fmt: skip


class TestCrud:
    async def test_everything_is_kept(self, tree):
        assert await tree.bridges.create(FULL) == FULL
        assert await tree.bridges.get("hq") == FULL

    @pytest.mark.parametrize(
        ("changes", "error", "field"),
        [
            ({"id": "b1"}, DuplicateRecord, "id"),
            ({"id": "guest-1"}, InvalidRecord, "id"),
            ({"id": "chair"}, InvalidRecord, "id"),
            ({"id": "x/y"}, InvalidRecord, "id"),
            ({"name": " "}, InvalidRecord, "name"),
            ({"unit": "nowhere"}, UnknownParent, "unit"),
            ({"kind": "h323"}, InvalidRecord, "kind"),
            ({"importance": 101}, InvalidRecord, "importance"),
            ({"importance": -1}, InvalidRecord, "importance"),
            ({"address": "10.0.0.1"}, InvalidRecord, "address"),
            ({"address": "sip:a\r\nb"}, InvalidRecord, "address"),
            ({"contact": Contact("x" * 201)}, InvalidRecord, "contact.name"),
            ({"contact": Contact("", "0" * 51)}, InvalidRecord, "contact.phone"),
            ({"standard": {"x": float("nan")}}, InvalidRecord, "standard"),
            ({"standard": {"x": {1, 2}}}, InvalidRecord, "standard"),
            ({"standard": {"x": "y" * 20_000}}, InvalidRecord, "standard"),
        ],
    )
    async def test_refusals(self, tree, changes, error, field):
        with pytest.raises(error) as caught:
            await tree.bridges.create(replace(FULL, **changes))
        assert caught.value.field == field

    async def test_update(self, tree):
        made = await tree.bridges.create(FULL)
        after = await tree.bridges.update(replace(made, name="Trụ sở", unit="so"), if_version=1)
        assert (after.name, after.unit, after.version) == ("Trụ sở", "so", 2)
        assert await tree.bridges.update(after) == after
        with pytest.raises(VersionConflict):
            await tree.bridges.update(replace(after, name="x"), if_version=1)
        with pytest.raises(UnknownParent):
            await tree.bridges.update(replace(after, unit="nowhere"))
        with pytest.raises(UnknownRecord):
            await tree.bridges.update(replace(after, id="nobody"))

    async def test_delete_takes_its_tokens_along(self, tree):
        _, text = await tree.tokens.create("bridge", bridge="b1")
        with pytest.raises(VersionConflict):
            await tree.bridges.delete("b1", if_version=3)
        await tree.bridges.delete("b1", if_version=1)
        assert await tree.tokens.authenticate(text) is None
        for call in (tree.bridges.delete("b1"), tree.bridges.get("b1")):
            with pytest.raises(UnknownRecord):
                await call


class TestReading:
    async def test_within_and_of_a_unit(self, tree):
        async def ids(**query):
            return [bridge.id for bridge in (await tree.bridges.list(**query)).items]

        assert await ids() == ["b1", "b2", "b3", "s"]
        assert await ids(within="huyen") == ["b1", "b2", "b3"]
        assert await ids(within="huyen", unit="xa2") == ["b3"]
        assert await ids(within="xa1", unit="xa2") == []
        assert await ids(unit="tinh") == []

    async def test_pages(self, tree):
        first = await tree.bridges.list(limit=3, within="tinh")
        assert [bridge.id for bridge in first.items] == ["b1", "b2", "b3"]
        second = await tree.bridges.list(limit=3, within="tinh", cursor=first.next_cursor)
        assert [bridge.id for bridge in second.items] == ["s"]
        assert second.next_cursor is None

    async def test_of_subtree_and_many(self, tree):
        await tree.bridges.update(replace(await tree.bridges.get("b3"), importance=5))
        assert [each.id for each in await tree.bridges.of_subtree("tinh")] == [
            "b3", "b1", "b2", "s",
        ]  # fmt: skip
        assert set(await tree.bridges.get_many(["s", "b1", "nobody"])) == {"s", "b1"}
        assert await tree.bridges.get_many([]) == {}


def rows(*bridges: Bridge) -> list[ImportRow]:
    """Rows that follow a header line."""
    return [ImportRow(line, bridge) for line, bridge in enumerate(bridges, 2)]


async def count(tree) -> int:
    return len((await tree.bridges.list()).items)


class TestImport:
    async def test_all(self, tree):
        made = await tree.bridges.import_all(rows(FULL, Bridge("n1", "Một", "xa2")))
        assert [bridge.id for bridge in made] == ["hq", "n1"]
        assert await tree.bridges.get("hq") == FULL
        assert await count(tree) == 6

    async def test_one_broken_line_and_nothing_is_imported(self, tree):
        with pytest.raises(ImportRefused) as caught:
            await tree.bridges.import_all(
                rows(
                    Bridge("n1", "Một", "xa1"),
                    Bridge("n2", "", "xa1"),
                    Bridge("n1", "Lại một", "xa1"),
                    Bridge("n3", "Ba", "nowhere"),
                    Bridge("b1", "Có rồi", "xa1"),
                )
            )
        assert [(error.line, error.field) for error in caught.value.errors] == [
            (3, "name"), (4, "id"), (5, "unit"), (6, "id"),
        ]  # fmt: skip
        assert "line 2" in caught.value.errors[1].reason
        assert await count(tree) == 4

    async def test_two_errors_of_one_line(self, tree):
        with pytest.raises(ImportRefused) as caught:
            await tree.bridges.import_all(rows(Bridge("b1", "Một", "nowhere")))
        assert {error.field for error in caught.value.errors} == {"unit", "id"}

    async def test_update_overwrites_and_counts_versions(self, tree):
        changed = Bridge("b1", "Tên mới", "xa2", importance=9)
        (made,) = await tree.bridges.import_all(rows(changed), update=True)
        assert made == replace(changed, version=2)
        assert await tree.bridges.get("b1") == made

    async def test_only_into_the_own_subtree(self, tree):
        with pytest.raises(ImportRefused, match="Nothing was imported"):
            await tree.bridges.import_all(rows(Bridge("n", "N", "so")), within="huyen")

    async def test_no_room_is_pulled_out_of_another_unit(self, tree):
        with pytest.raises(ImportRefused) as caught:
            await tree.bridges.import_all(
                rows(Bridge("s", "Của tôi", "xa1")), within="huyen", update=True
            )
        assert caught.value.errors[0].field == "id"
        assert (await tree.bridges.get("s")).unit == "so"

    async def test_three_thousand_in_one_go(self, store):
        await store.units.create(Unit("vn", "Chính phủ", "central"))
        many = rows(*(Bridge(f"xa-{number}", f"Xã {number}", "vn") for number in range(3321)))
        assert len(await store.bridges.import_all(many)) == 3321
        assert len(await store.bridges.of_subtree("vn")) == 3321
