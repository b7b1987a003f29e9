from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    UnitCycle,
    UnitInUse,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.records import Unit


class TestCreate:
    async def test_as_it_was_given(self, tree):
        made = await tree.units.create(Unit("xa3", "  Xa\u0303 Ba ", "commune", "huyen"))
        assert made == Unit("xa3", "Xã Ba", "commune", "huyen", 1)
        assert await tree.units.get("xa3") == made

    @pytest.mark.parametrize(
        ("unit", "error", "field"),
        [
            (Unit("tinh", "Tỉnh", "province"), DuplicateRecord, "id"),
            (Unit("new", "Xã", "commune", "nowhere"), UnknownParent, "parent"),
            (Unit("new", "Xã", "commune", "new"), UnknownParent, "parent"),
            (Unit("new", "Xã", "village", "huyen"), InvalidRecord, "level"),
            (Unit("new", "", "commune", "huyen"), InvalidRecord, "name"),
            (Unit("a b", "Xã", "commune", "huyen"), InvalidRecord, "id"),
            (Unit("all", "Xã", "commune", "huyen"), InvalidRecord, "id"),
        ],
    )
    async def test_refusals(self, tree, unit, error, field):
        with pytest.raises(error) as caught:
            await tree.units.create(unit)
        assert caught.value.field == field


class TestUpdate:
    async def test_a_move_takes_everything_along(self, tree):
        huyen = await tree.units.get("huyen")
        moved = await tree.units.update(replace(huyen, parent="khac"), if_version=1)
        assert moved.version == 2
        assert await tree.units.path("xa1") == ("khac", "huyen", "xa1")
        assert await tree.units.subtree("tinh") == {"tinh", "so"}
        ids = [bridge.id for bridge in await tree.bridges.of_subtree("khac")]
        assert ids == ["b1", "b2", "b3"]

    @pytest.mark.parametrize("parent", ["huyen", "xa1"])
    async def test_under_itself_is_refused(self, tree, parent):
        unit = await tree.units.get("huyen")
        with pytest.raises(UnitCycle):
            await tree.units.update(replace(unit, parent=parent))

    async def test_a_root_may_be_made(self, tree):
        unit = await tree.units.get("huyen")
        assert (await tree.units.update(replace(unit, parent=None))).parent is None
        assert await tree.units.path("xa2") == ("huyen", "xa2")

    async def test_the_same_again_is_no_new_version(self, tree):
        unit = await tree.units.get("huyen")
        assert await tree.units.update(unit) == unit

    async def test_versions(self, tree):
        unit = await tree.units.get("huyen")
        await tree.units.update(replace(unit, name="Huyện A"), if_version=1)
        with pytest.raises(VersionConflict) as caught:
            await tree.units.update(replace(unit, name="Huyện B"), if_version=1)
        assert caught.value.current == 2
        assert (await tree.units.get("huyen")).name == "Huyện A"

    async def test_unknown(self, tree):
        with pytest.raises(UnknownRecord):
            await tree.units.update(Unit("x", "X", "commune"))
        with pytest.raises(UnknownParent):
            await tree.units.update(Unit("so", "Sở", "agency", "x"))


class TestDelete:
    async def test_one_that_holds_something_says_what(self, tree):
        with pytest.raises(UnitInUse) as caught:
            await tree.units.delete("tinh")
        assert caught.value.children == ("huyen", "so")
        with pytest.raises(UnitInUse, match="b1, b2") as caught:
            await tree.units.delete("xa1")
        assert (caught.value.children, caught.value.bridges) == ((), ("b1", "b2"))

    async def test_an_empty_one_goes_with_its_tokens(self, tree):
        token, text = await tree.tokens.create("operator", unit="khac")
        await tree.units.delete("khac", if_version=1)
        with pytest.raises(UnknownRecord):
            await tree.units.get("khac")
        with pytest.raises(UnknownRecord):
            await tree.tokens.get(token.id)
        assert await tree.tokens.authenticate(text) is None

    async def test_refusals(self, tree):
        with pytest.raises(UnknownRecord):
            await tree.units.delete("x")
        with pytest.raises(VersionConflict):
            await tree.units.delete("khac", if_version=2)


class TestReading:
    async def test_pages(self, tree):
        seen, cursor = [], None
        while True:
            page = await tree.units.list(limit=2, cursor=cursor)
            assert len(page.items) <= 2
            seen += [unit.id for unit in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == ["huyen", "khac", "so", "tinh", "xa1", "xa2"]

    async def test_within(self, tree):
        page = await tree.units.list(within="huyen")
        assert [unit.id for unit in page.items] == ["huyen", "xa1", "xa2"]
        assert (await tree.units.list(within="nowhere")).items == ()

    async def test_paths(self, tree):
        assert await tree.units.paths(["xa1", "so", "nowhere"]) == {
            "xa1": ("tinh", "huyen", "xa1"),
            "so": ("tinh", "so"),
        }
        with pytest.raises(UnknownRecord):
            await tree.units.path("nowhere")

    async def test_names(self, tree):
        every = await tree.units.names()
        assert await tree.units.names(["xa1", "so", "nowhere"]) == {
            unit: every[unit] for unit in ("xa1", "so")
        }
        assert await tree.units.names([]) == {}

    async def test_names_as_they_were(self, tree, clock):
        begun = clock()
        for name in ("Huyện Một", "Huyện Hai"):
            clock.pass_(hours=1)
            unit = await tree.units.get("huyen")
            await tree.units.update(replace(unit, name=name))
        clock.pass_(hours=1)
        await tree.unit_reform.merge("xa1", "xa2")
        clock.pass_(hours=1)
        after = [(await tree.units.names_at(begun + timedelta(hours=n / 2))) for n in range(9)]
        assert [each["huyen"] for each in after] == [
            *["Huyen"] * 2, *["Huyện Một"] * 2, *["Huyện Hai"] * 5,
        ]  # fmt: skip
        assert {each["xa1"] for each in after} == {"Xa1"}, "also of a unit that is no more"
        assert after[-1] == await tree.units.names()

    async def test_contains(self, tree):
        assert await tree.units.contains("tinh", "xa1")
        assert await tree.units.contains("xa1", "xa1")
        assert not await tree.units.contains("xa1", "tinh")
        assert not await tree.units.contains("khac", "xa1")
        assert not await tree.units.contains("nowhere", "nowhere")

    async def test_deep_trees(self, store):
        parent = None
        for number in range(60):
            await store.units.create(Unit(f"u{number}", "Đơn vị", "agency", parent))
            parent = f"u{number}"
        assert len(await store.units.path("u59")) == 60
        assert len(await store.units.subtree("u0")) == 60


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])


class Tree(RuleBasedStateMachine):
    """Whatever is moved where, the tree stays a forest, as a plain dict says it should be."""

    def __init__(self):
        super().__init__()
        import asyncio
        import tempfile
        from pathlib import Path

        from mcu.store.store import Store

        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.store = self.loop.run_until_complete(
            Store.open(Path(self.directory.name) / "mcu.sqlite3")
        )
        self.parents: dict[str, str | None] = {}

    def teardown(self):
        self.loop.run_until_complete(self.store.close())
        self.loop.close()
        self.directory.cleanup()

    def above(self, unit):
        path = [unit]
        while (parent := self.parents[path[0]]) is not None:
            path.insert(0, parent)
        return tuple(path)

    @rule(unit=NAMES, parent=st.none() | NAMES)
    def create(self, unit, parent):
        good = unit not in self.parents and (parent is None or parent in self.parents)
        made = self.attempt(self.store.units.create(Unit(unit, unit, "agency", parent)))
        assert made == good
        if good:
            self.parents[unit] = parent

    @rule(unit=NAMES, parent=st.none() | NAMES)
    def move(self, unit, parent):
        good = unit in self.parents and (
            parent is None or (parent in self.parents and unit not in self.above(parent))
        )
        made = self.attempt(self.store.units.update(Unit(unit, unit, "agency", parent)))
        assert made == good
        if good:
            self.parents[unit] = parent

    @rule(unit=NAMES)
    def delete(self, unit):
        good = unit in self.parents and unit not in self.parents.values()
        assert self.attempt(self.store.units.delete(unit)) == good
        if good:
            del self.parents[unit]

    def attempt(self, work):
        try:
            self.loop.run_until_complete(work)
        except (DuplicateRecord, UnknownParent, UnknownRecord, UnitCycle, UnitInUse):
            return False
        return True

    @invariant()
    def every_path_is_as_it_should_be(self):
        expected = {unit: self.above(unit) for unit in self.parents}
        assert self.loop.run_until_complete(self.store.units.paths(list("abcde"))) == expected


Tree.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestTree = Tree.TestCase
