"""The unit tree as the API keeps it."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from mcu.api.problem import Problem
from mcu.api.reach import TREE_SECONDS, Directory, Reach
from mcu.api.rights import Action, Holder, UnitTree
from mcu.conference.state import ConferenceState, Participant
from mcu.store.paging import MAX_LIMIT
from mcu.store.records import Page, Unit
from tests.mcu.api.live import Api

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


async def test_the_tree_is_read_again_when_it_may_have_changed(api: Api) -> None:
    directory = Directory(api.services)
    assert (await directory.tree()).parents == {}
    await api.store.units.create(Unit("tinh", "Tỉnh", "province"))
    assert (await directory.tree()).parents == {}
    directory.forget()
    assert (await directory.tree()).parents == {"tinh": None}
    await api.store.units.create(Unit("xa", "Xã", "commune", "tinh"))
    api.clock.advance(TREE_SECONDS + 1)
    assert (await directory.tree()).is_within("xa", "tinh")


async def test_a_unit_that_is_changed_while_the_tree_is_read(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Directory(api.services)
    read = api.store.units.list

    async def overtaken(**asked: Any) -> Page[Unit]:
        page = await read(**asked)
        if not page.items:
            await api.store.units.create(Unit("tinh", "Tỉnh", "province"))
            directory.forget()
        return page

    monkeypatch.setattr(api.store.units, "list", overtaken)
    await directory.tree()
    assert (await directory.tree()).parents == {"tinh": None}
    monkeypatch.setattr(api.store.units, "list", None)
    assert (await directory.tree()).parents == {"tinh": None}


async def test_a_country_is_read_page_by_page(api: Api) -> None:
    for number in range(MAX_LIMIT + 1):
        await api.store.units.create(Unit(f"u{number}", "x", "agency"))
    assert len((await Directory(api.services).tree()).parents) == MAX_LIMIT + 1


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (Holder("operator", "xa"), "unit 'xa' and below with the role operator"),
        (Holder("bridge", bridge="b"), "the bridge 'b'"),
        (Holder("admin", conference="c"), "in conference 'c' only"),
    ],
)
def test_a_refusal_says_how_far_the_token_reaches(holder: Holder, words: str) -> None:
    reach = Reach(holder, UnitTree({"tinh": None, "xa": "tinh"}))
    with pytest.raises(Problem) as caught:
        reach.require_unit(Action.WRITE_UNITS, "tinh", "add a unit")
    assert caught.value.kind == "forbidden"
    assert words in caught.value.detail


class Unread(dict[str, Participant]):
    """A roster that nobody may go through."""

    def values(self) -> Any:
        raise AssertionError("the roster was read")


@pytest.mark.parametrize("unit", [None, "tinh", "xa"])
def test_who_sees_a_conference_whole_is_known_without_its_roster(unit: str | None) -> None:
    """A list of rooms asks it for each of its rows: 145 times 145 rooms cost a third of a core."""
    state = ConferenceState("c", "Họp", "tinh", NOW, participants=Unread())
    reach = Reach(Holder("operator", unit), UnitTree({"tinh": None, "xa": "tinh"}))
    assert reach.whole(state) == (unit != "xa")
