"""What stands in the place of units that were merged or split."""

from mcu.conference.scenario import AgendaItem, ItemPolling, Scenario
from mcu.conference.scenario_units import named_units, succeeded, unknown_unit


def scenario(unit, *scopes):
    items = [AgendaItem(f"i{n}", f"Mục {n}", 60, polling=scope) for n, scope in enumerate(scopes)]
    return Scenario("Họp", unit, items=tuple(items))


PREPARED = scenario("huyen", ItemPolling("xa-1", 8), None, ItemPolling("all"), ItemPolling("xa-2"))


def test_every_unit_is_named():
    assert named_units(PREPARED) == {"huyen", "xa-1", "xa-2"}


def test_one_successor_stands_in_its_place():
    after = succeeded(PREPARED, {"huyen": ("tinh",), "xa-1": ("xa-moi",), "xa-2": ("a", "b")})
    assert after.unit == "tinh"
    scopes = [None if each.polling is None else each.polling.scope for each in after.items]
    assert scopes == ["xa-moi", None, "all", "xa-2"]
    assert after.items[0].polling.interval_s == 8
    assert succeeded(PREPARED, {}) is PREPARED


def test_what_is_said_of_a_unit_that_is_not():
    assert unknown_unit("x", {}).startswith("No unit 'x' is known")
    assert unknown_unit("x", {"x": ("a", "b")}).endswith("what succeeded it: 'a', 'b'.")
    assert "nobody succeeded it" in unknown_unit("x", {"x": ()})
