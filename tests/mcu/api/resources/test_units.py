"""Units: the tree, who may change which part of it, versions."""

import pytest

from tests.mcu.api.live import Api


@pytest.fixture
async def province(api: Api) -> Api:
    await api.province()
    return api


async def ids(api: Api, token: str, path: str = "/units") -> list[str]:
    reply = await api.call("GET", path, token=token, status=200)
    return [item["id"] for item in reply.json["items"]]


async def test_a_unit_comes_and_goes(api: Api) -> None:
    body = {"id": "tinh", "name": "Tỉnh  ", "level": "province"}
    made = await api.call("POST", "/units", body, status=201)
    assert made.json == {
        "id": "tinh", "name": "Tỉnh", "level": "province", "parent": None, "version": 1
    }  # fmt: skip
    assert made.headers["Location"] == "/api/v1/units/tinh"
    assert made.headers["ETag"] == '"1"'
    assert (await api.call("POST", "/units", body, status=409)).fields == ["$.id"]
    await api.call("DELETE", "/units/tinh", status=204)
    assert (await api.call("GET", "/units/tinh", status=404)).kind == "not-found"
    await api.call("DELETE", "/units/tinh", status=404)


async def test_lists_are_paged_and_hold_only_what_is_within_reach(province: Api) -> None:
    operator = await province.token("operator", unit="tinh")
    assert await ids(province, operator) == ["tinh", "xa-1", "xa-2"]
    first = await province.call("GET", "/units?limit=2", token=operator, status=200)
    cursor = first.json["next_cursor"]
    rest = await province.call("GET", f"/units?limit=2&cursor={cursor}", token=operator)
    assert [item["id"] for item in rest.json["items"]] == ["xa-2"]
    assert rest.json["next_cursor"] is None
    table = await province.call("GET", "/units.csv?limit=1", token=operator, status=200)
    assert table.rows == [
        {"id": "tinh", "name": "tinh", "level": "province", "parent": ""},
        {"id": "xa-1", "name": "xa-1", "level": "commune", "parent": "tinh"},
        {"id": "xa-2", "name": "xa-2", "level": "commune", "parent": "tinh"},
    ]
    await province.call("GET", "/units.csv?within=khac", token=operator, status=403)
    assert await ids(province, operator, "/units?within=xa-1") == ["xa-1"]
    await province.call("GET", "/units?within=khac", token=operator, status=403)


async def test_its_history_as_a_table(province: Api) -> None:
    await province.call("PATCH", "/units/xa-1", {"name": "Xã Một"}, status=200)
    table = await province.call("GET", "/units/xa-1/history.csv", status=200)
    assert [(row["name"], row["parent"], row["change"]) for row in table.rows] == [
        ("xa-1", "tinh", "changed"),
    ]  # fmt: skip
    beside = await province.token("operator", unit="xa-2")
    await province.call("GET", "/units/xa-1/history.csv", token=beside, status=403)


async def test_an_operator_of_a_commune_reaches_nothing_above_or_beside(province: Api) -> None:
    operator = await province.token("operator", unit="xa-1")
    for path in ("/units/tinh", "/units/xa-2", "/bridges/tinh-a", "/bridges/xa-2-a"):
        assert (await province.call("GET", path, token=operator, status=403)).kind == "forbidden"
    change = {"name": "Mới"}
    await province.call("PATCH", "/units/xa-1", change, token=operator, status=200)
    await province.call("PATCH", "/units/tinh", change, token=operator, status=403)
    new = {"id": "n", "name": "N", "level": "agency"}
    await province.call("POST", "/units", new, token=operator, status=403)
    below = {**new, "parent": "xa-1"}
    await province.call("POST", "/units", below, token=operator, status=201)
    await province.call("DELETE", "/units/n", token=operator, status=204)
    await province.call("DELETE", "/units/xa-1", token=operator, status=403)


async def test_a_move_needs_both_ends(province: Api) -> None:
    operator = await province.token("operator", unit="tinh")
    away = {"parent": "khac"}
    await province.call("PATCH", "/units/xa-1", away, token=operator, status=403)
    pull = {"parent": "tinh"}
    await province.call("PATCH", "/units/khac", pull, token=operator, status=403)
    within = {"parent": "xa-2"}
    moved = await province.call("PATCH", "/units/xa-1", within, token=operator, status=200)
    assert moved.json["parent"] == "xa-2"


async def test_a_move_changes_rights_at_once(province: Api) -> None:
    operator = await province.token("operator", unit="xa-2")
    await province.call("GET", "/bridges/xa-1-a", token=operator, status=403)
    await province.call("PATCH", "/units/xa-1", {"parent": "xa-2"}, status=200)
    await province.call("GET", "/bridges/xa-1-a", token=operator, status=200)


async def test_circles_unknown_parents_and_units_in_use(province: Api) -> None:
    assert (await province.call("PATCH", "/units/tinh", {"parent": "xa-1"}, status=409)).fields
    reply = await province.call("PATCH", "/units/xa-1", {"parent": "nowhere"}, status=422)
    assert reply.fields == ["$.parent"]
    reply = await province.call("DELETE", "/units/tinh", status=409)
    assert reply.json["children"] == ["xa-1", "xa-2"]
    assert (await province.call("PATCH", "/units/xa-1", {"name": None}, status=422)).fields == [
        "$.name"
    ]


async def test_if_match(province: Api) -> None:
    headers = {"If-Match": '"1"'}
    changed = await province.call(
        "PATCH", "/units/xa-1", {"name": "Hai"}, headers=headers, status=200
    )
    assert changed.headers["ETag"] == '"2"'
    stale = await province.call("PATCH", "/units/xa-1", {"name": "Ba"}, headers=headers, status=412)
    assert stale.kind == "precondition-failed"
    assert stale.headers["ETag"] == '"2"'
    for tag in ('W/"2"', "*"):
        await province.call(
            "PATCH", "/units/xa-1", {"name": "Hai"}, headers={"If-Match": tag}, status=200
        )
    bad = await province.call("PATCH", "/units/xa-1", {}, headers={"If-Match": "2"}, status=400)
    assert bad.fields == ["header.If-Match"]
    await province.call("DELETE", "/units/xa-1", headers={"If-Match": '"9"'}, status=412)
