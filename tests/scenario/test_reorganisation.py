"""The reorganisation of 2025: districts dissolved, communes merged, while conferences run.

Told over HTTP with the real store and conferences; what a dissolved unit held stays attributable.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mcu.api.live import Api, live_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Khánh Hòa as it was: a province, two districts, five communes with a room each."""
    async with live_api(tmp_path) as api:
        tree = (
            ("khanh-hoa", "Tỉnh Khánh Hòa", "province", None),
            ("dien-khanh", "Huyện Diên Khánh", "district", "khanh-hoa"),
            ("van-ninh", "Huyện Vạn Ninh", "district", "khanh-hoa"),
            ("dien-an", "Xã Diên An", "commune", "dien-khanh"),
            ("dien-toan", "Xã Diên Toàn", "commune", "dien-khanh"),
            ("dien-phu", "Xã Diên Phú", "commune", "dien-khanh"),
            ("dai-lanh", "Xã Đại Lãnh", "commune", "van-ninh"),
            ("van-tho", "Xã Vạn Thọ", "commune", "van-ninh"),
        )
        for id_, name, level, parent in tree:
            unit = {"id": id_, "name": name, "level": level, "parent": parent}
            await api.call("POST", "/units", unit, status=201)
            bridge = {"id": f"r-{id_}", "name": f"Điểm cầu {name}", "unit": id_}
            await api.call("POST", "/bridges", bridge, status=201)
        yield api


async def test_districts_are_dissolved_and_communes_merged_while_both_hold_conferences(
    api: Api,
) -> None:
    district = await api.token("operator", unit="dien-khanh")
    province = await api.token("operator", unit="khanh-hoa")
    beside = await api.token("operator", unit="van-ninh")
    await api.call(
        "POST", "/scenarios", {"id": "giao-ban-huyen", "name": "Giao ban", "unit": "dien-khanh"},
        token=district, status=201,
    )  # fmt: skip
    ended = await api.conference("r-dien-phu", unit="dien-khanh", token=district)
    await api.call("DELETE", f"/conferences/{ended}", token=district, status=204)
    running = await api.conference("r-dien-an", "r-dien-toan", unit="dien-khanh", token=district)
    room = await api.token("bridge", bridge="r-dien-an")
    leg = await api.join(running, room)

    # 1 July: three communes become one, then the district goes up in the province.
    api.clock.advance(60)
    new = {"id": "xa-dien-dien", "name": "Xã Diên Điền", "level": "commune", "parent": "dien-khanh"}
    await api.call("POST", "/units", new, status=201)
    for commune in ("dien-an", "dien-toan", "dien-phu"):
        merged = await api.call(
            "PATCH", f"/units/{commune}", {"merged_into": "xa-dien-dien"}, status=200
        )
        assert merged.json["id"] == "xa-dien-dien"
    api.clock.advance(60)
    await api.call("PATCH", "/units/dien-khanh", {"merged_into": "khanh-hoa"}, status=200)

    # The meeting goes on: nobody was cut, the province's operator steers it.
    assert api.services.legs.get(leg) is not None
    state = (await api.call("GET", f"/conferences/{running}", token=province, status=200)).json
    assert (state["state"], state["unit"]) == ("running", "dien-khanh")
    assert state["counts"]["connected"] == 1
    everybody = {"scope": "all"}
    await api.call("POST", f"/conferences/{running}/mute", everybody, token=province, status=200)
    await api.call("GET", f"/conferences/{running}", token=beside, status=403)
    # The district's own token ended with it.
    await api.call("GET", "/units", token=district, status=401)
    # The merged commune's people reach the rooms, the old units' names stay with the meeting.
    commune = await api.token("technician", unit="xa-dien-dien")
    bridge = (await api.call("GET", "/bridges/r-dien-an", token=commune, status=200)).json
    assert bridge["unit"] == "xa-dien-dien"
    people = (await api.call("GET", f"/conferences/{running}/participants")).json["items"]
    assert {each["unit"] for each in people} == {"dien-an", "dien-toan"}
    await api.call(
        "PATCH", f"/conferences/{running}/participants/r-dien-an", {"audio_muted": True},
        token=commune, status=200,
    )  # fmt: skip

    # What the district held is the province's: its scenario, and the record of what has ended.
    scenario = (await api.call("GET", "/scenarios/giao-ban-huyen", token=province)).json
    assert scenario["unit"] == "khanh-hoa"
    await api.call("DELETE", f"/conferences/{running}", token=province, status=204)
    path = "/conferences?state=ended&unit=khanh-hoa"
    found = (await api.call("GET", path, token=province, status=200)).json["items"]
    assert {each["id"]: each["unit"] for each in found} == {
        ended: "dien-khanh", running: "dien-khanh",
    }  # fmt: skip

    # The tree has two levels there, and says how it came about.
    units = (await api.call("GET", "/units", status=200)).json["items"]
    assert {each["id"]: each["parent"] for each in units} == {
        "khanh-hoa": None, "van-ninh": "khanh-hoa", "xa-dien-dien": "khanh-hoa",
        "dai-lanh": "van-ninh", "van-tho": "van-ninh",
    }  # fmt: skip
    history = (await api.call("GET", "/units/dien-an/history", token=province)).json
    assert (history["former"]["name"], history["former"]["successor"]) == (
        "Xã Diên An", "xa-dien-dien",
    )  # fmt: skip
    assert history["periods"][-1]["parent"] == "dien-khanh"
    assert history["periods"][-1]["until"] == "2026-11-21T08:01:00.000000Z"
    merged_one = (await api.call("GET", "/units/xa-dien-dien/history", token=province)).json
    assert merged_one["predecessors"] == ["dien-an", "dien-phu", "dien-toan"]
    assert [each["parent"] for each in merged_one["periods"]] == ["dien-khanh"]
    await api.call("GET", "/units/dien-khanh/history", token=beside, status=403)
    taken = await api.call("POST", "/units", new | {"id": "dien-an"}, status=409)
    assert "dissolved" in taken.json["detail"]


async def test_a_unit_is_split_and_renamed_while_it_holds_a_conference(api: Api) -> None:
    province = await api.token("operator", unit="khanh-hoa")
    running = await api.conference("r-dai-lanh", "r-van-tho", unit="van-ninh")
    await api.call("PATCH", "/units/van-ninh", {"name": "Vạn Ninh cũ"}, token=province, status=200)
    body = {
        "into": [
            {"id": "bac", "name": "Xã Bắc", "level": "commune", "units": ["dai-lanh"]},
            {"id": "nam", "name": "Xã Nam", "level": "commune", "units": ["van-tho"]},
        ],
        "dissolve": True,
    }
    left = await api.call("POST", "/units/van-ninh/split", body, token=province, status=409)
    assert left.json["bridges"] == ["r-van-ninh"]
    body["into"][1]["bridges"] = ["r-van-ninh"]  # type: ignore[index]
    made = await api.call("POST", "/units/van-ninh/split", body, token=province, status=201)
    assert [each["parent"] for each in made.json["items"]] == ["khanh-hoa", "khanh-hoa"]
    assert (await api.call("GET", "/bridges/r-van-ninh")).json["unit"] == "nam"
    await api.call("GET", f"/conferences/{running}", token=province, status=200)
    history = (await api.call("GET", "/units/van-ninh/history", token=province)).json
    assert history["former"]["parts"] == ["bac", "nam"]
    assert [each["name"] for each in history["periods"]] == ["Huyện Vạn Ninh", "Vạn Ninh cũ"]


async def test_what_cannot_be_merged_or_split(api: Api) -> None:
    district = await api.token("operator", unit="dien-khanh")
    for unit, body, token, status in (
        ("dien-khanh", {"merged_into": "dien-an"}, None, 409),
        ("dien-an", {"merged_into": "dien-an"}, None, 409),
        ("dien-an", {"merged_into": "nowhere"}, None, 422),
        ("dien-an", {"merged_into": "dien-phu", "name": "X"}, None, 422),
        ("dien-an", {"keep_tokens": True}, None, 422),
        ("dien-an", {"merged_into": "van-tho"}, district, 403),
        ("dien-khanh", {"merged_into": "khanh-hoa"}, district, 403),
        ("dien-an", {"merged_into": "dien-phu", "keep_tokens": True}, district, 403),
    ):
        extra = {} if token is None else {"token": token}
        await api.call("PATCH", f"/units/{unit}", body, status=status, **extra)
    itself = await api.call("PATCH", "/units/dien-an", {"merged_into": "dien-an"}, status=409)
    assert "cannot go up in itself" in itself.json["detail"]
    assert itself.fields == ["$.merged_into"]
    stale = {"If-Match": '"9"'}
    merge = {"merged_into": "dien-phu"}
    await api.call("PATCH", "/units/dien-an", merge, headers=stale, status=412)
    part = {"id": "moi", "name": "Mới", "level": "commune", "units": ["van-tho"]}
    wrong = await api.call("POST", "/units/dien-khanh/split", {"into": [part]}, status=422)
    assert wrong.fields == ["$.into[0].units[0]"]
    await api.call("GET", "/units/moi", status=404)  # nothing of it was done
    taken = {"into": [{"id": "van-tho", "name": "X", "level": "commune"}]}
    again = await api.call("POST", "/units/dien-khanh/split", taken, status=409)
    assert again.fields == ["$.into[0].id"]


async def test_tokens_go_along_only_where_that_is_said(api: Api) -> None:
    kept = await api.token("operator", unit="dien-an")
    lost = await api.token("operator", unit="dien-toan")
    merge = {"merged_into": "dien-phu"}
    await api.call("PATCH", "/units/dien-an", merge | {"keep_tokens": True}, status=200)
    await api.call("PATCH", "/units/dien-toan", merge, status=200)
    await api.call("GET", "/bridges/r-dien-phu", token=kept, status=200)
    await api.call("GET", "/bridges/r-dien-phu", token=lost, status=401)


async def test_a_scenario_goes_on_with_what_came_after_its_units(api: Api) -> None:
    polled = {"scope": "dien-an", "interval_s": 8}
    body = {
        "id": "giao-ban", "name": "Giao ban", "unit": "dien-khanh",
        "items": [{"title": "Báo cáo", "duration_s": 60, "polling": polled}],
    }  # fmt: skip
    await api.call("POST", "/scenarios", body, status=201)
    await api.call("PATCH", "/units/dien-an", {"merged_into": "dien-phu"}, status=200)
    await api.call("PATCH", "/units/dien-phu", {"merged_into": "dien-toan"}, status=200)
    started = await api.call("POST", "/conferences", {"scenario": "giao-ban"}, status=201)
    path = f"/conferences/{started.json['id']}"
    agenda = await api.call("GET", f"{path}/agenda", status=200)
    assert agenda.json["items"][0]["polling"]["scope"] == "dien-toan"
    # A unit as it is on the roster may be named while it runs, and what was before it.
    items = [{"title": "Báo cáo", "duration_s": 60, "polling": polled}]
    written = await api.call("PUT", f"{path}/agenda", {"items": items}, status=200)
    assert written.json["items"][0]["polling"]["scope"] == "dien-toan"
    await api.call("DELETE", path, status=204)

    parts = [{"id": each, "name": each, "level": "commune"} for each in ("bac", "nam")]
    parts[0]["bridges"] = [  # type: ignore[assignment]
        each["id"]
        for each in (await api.call("GET", "/bridges?limit=500", status=200)).json["items"]
        if each["unit"] == "dien-toan"
    ]
    split = {"into": parts, "dissolve": True}
    await api.call("POST", "/units/dien-toan/split", split, status=201)
    refused = await api.call("POST", "/conferences", {"scenario": "giao-ban"}, status=422)
    assert refused.fields == ["$.scenario.items[0].polling.scope"]
    assert "'bac', 'nam'" in refused.json["errors"][0]["message"]
    again = await api.call("POST", "/scenarios:validate", body | {"id": "b"}, status=200)
    assert [each["field"] for each in again.json["errors"]] == ["$.items[0].polling.scope"]
    gone = {"name": "Họp", "unit": "dien-toan", "bridges": []}
    refused = await api.call("POST", "/conferences", gone, status=422)
    assert "'bac', 'nam'" in refused.json["detail"]
