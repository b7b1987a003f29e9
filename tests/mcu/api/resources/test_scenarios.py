"""Scenarios over HTTP: kept, checked, copied, imported, exported; who may do it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcu.demo import PROVINCE, ROOMS
from mcu.site_import import import_site
from tests.mcu.api.live import Api

ITEMS: list[dict[str, Any]] = [
    {"title": "Khai mạc", "duration_s": 300, "layout": "lecture", "unmuted": ["chair"]},
    {
        "id": "bao-cao", "title": "Báo cáo", "duration_s": 600, "speaker": "xa-1-a",
        "broadcast": True, "unmuted": [], "presentation": "xa-1-a",
        "polling": {"scope": "tinh", "interval_s": 8}, "message": "Xã 1 báo cáo",
        "note": "Nhắc tắt mic",
    },
]  # fmt: skip
SCENARIO: dict[str, Any] = {
    "id": "giao-ban",
    "name": "Giao ban tháng 11",
    "unit": "tinh",
    "expected": ["tinh-a", "xa-1-a"],
    "chair": "tinh-a",
    "layout": "2x2",
    "begins_at": "2026-11-21T08:00:00Z",
    "items": ITEMS,
    "duties": [
        {"role": "Trực kỹ thuật", "name": "Nguyễn Văn A", "phone": "+84 258 3822 111"},
        {"role": "Trực kỹ thuật", "name": "Lê B", "phone": "0905123456", "bridge": "xa-1-a"},
    ],
    "contingencies": [{"when": "Mất điện", "then": "Chuyển máy phát"}],
}


@pytest.fixture
async def province(api: Api) -> Api:
    await api.province()
    return api


def but(**changes: Any) -> dict[str, Any]:
    return SCENARIO | changes


async def test_a_scenario_comes_is_changed_and_goes(province: Api) -> None:
    made = await province.call("POST", "/scenarios", SCENARIO, status=201)
    assert made.headers["Location"] == "/api/v1/scenarios/giao-ban"
    assert made.headers["ETag"] == '"1"'
    assert [item["id"] for item in made.json["items"]] == ["i1", "bao-cao"]
    read = await province.call("GET", "/scenarios/giao-ban", status=200)
    assert read.json == made.json
    assert read.json["items"][1]["polling"] == {"scope": "tinh", "interval_s": 8.0}
    assert read.json["begins_at"] == "2026-11-21T08:00:00.000000Z"

    changed = await province.call(
        "PATCH", "/scenarios/giao-ban", {"name": "Giao ban"},
        headers={"If-Match": '"1"'}, status=200,
    )  # fmt: skip
    assert (changed.json["name"], changed.json["items"]) == ("Giao ban", read.json["items"])
    stale = await province.call(
        "PUT", "/scenarios/giao-ban", {"name": "X", "unit": "tinh"},
        headers={"If-Match": '"1"'}, status=412,
    )  # fmt: skip
    assert stale.kind == "precondition-failed"
    whole = await province.call(
        "PUT", "/scenarios/giao-ban", {"name": "X", "unit": "tinh"},
        headers={"If-Match": '"2"'}, status=200,
    )  # fmt: skip
    assert (whole.json["items"], whole.json["expected"]) == ([], "subtree")
    await province.call("DELETE", "/scenarios/giao-ban", headers={"If-Match": '"2"'}, status=412)
    await province.call("DELETE", "/scenarios/giao-ban", headers={"If-Match": '"3"'}, status=204)
    await province.call("GET", "/scenarios/giao-ban", status=404)


async def test_every_fault_is_named_at_once(province: Api) -> None:
    wrong = but(
        expected=["tinh-a", "xa-1-a", "nowhere", "tinh-a"],
        chair="xa-2-a",
        layout="17x17",
        items=[
            {"id": "a", "title": "Mở", "duration_s": 5, "layout": "big"},
            {"id": "a", "title": "mở", "duration_s": 600, "starts_s": 2, "speaker": "xa-2-a"},
            {"title": "Chiếu", "duration_s": 90_000, "broadcast": True, "presentation": "ghost"},
            {"title": "Hỏi", "duration_s": 60, "unmuted": ["chair", "xa-9"],
             "polling": {"scope": "nowhere", "interval_s": 0.5}},
        ],
        duties=[
            {"role": "Trực", "name": "A", "phone": "gọi tôi"},
            {"role": "trực", "name": "B", "phone": "0905123456"},
            {"role": "Trực", "name": "C", "phone": "12", "bridge": "xa-2-a"},
        ],
    )  # fmt: skip
    reply = await province.call("POST", "/scenarios", wrong, status=422)
    assert reply.fields == [
        "$.expected[2]", "$.expected[3]", "$.chair", "$.layout",
        "$.items[0].layout",
        "$.items[1].id", "$.items[1].speaker",
        "$.items[2].presentation", "$.items[2].broadcast",
        "$.items[3].unmuted[1]", "$.items[3].polling.interval_s", "$.items[3].polling.scope",
        "$.items[0].duration_s", "$.items[1].starts_s", "$.items[2].duration_s", "$.items",
        "$.duties[0].phone", "$.duties[1].role", "$.duties[2].phone", "$.duties[2].bridge",
    ]  # fmt: skip
    assert (await province.call("GET", "/scenarios", status=200)).json["items"] == []
    dry = await province.call("POST", "/scenarios:validate", wrong, status=200)
    assert not dry.json["valid"]
    assert [each["field"] for each in dry.json["errors"]] == reply.fields


async def test_a_check_keeps_nothing(province: Api) -> None:
    dry = await province.call("POST", "/scenarios:validate", SCENARIO, status=200)
    assert dry.json == {
        "valid": True, "errors": [], "items": 2, "duration_s": 900, "expected": 2,
    }  # fmt: skip
    assert (await province.call("GET", "/scenarios", status=200)).json["items"] == []
    without = await province.call("POST", "/scenarios:validate", {"unit": "tinh"}, status=422)
    assert without.fields == ["$.name"]


async def test_export_and_import_give_the_same(province: Api) -> None:
    made = await province.call("POST", "/scenarios", SCENARIO, status=201)
    file = await province.call("GET", "/scenarios/giao-ban.yaml", status=200)
    assert "Giao ban tháng 11" in file.body.decode()
    assert yaml.safe_load(file.body.decode())["items"][1]["unmuted"] == []
    await province.call("DELETE", "/scenarios/giao-ban", status=204)
    back = await province.call(
        "POST", "/scenarios:import", data=file.body.decode().encode(),
        headers={"Content-Type": "application/yaml"}, status=201,
    )  # fmt: skip
    assert back.json == {"created": ["giao-ban"]}
    again = await province.call("GET", "/scenarios/giao-ban", status=200)
    assert again.json | {"changed_at": None} == made.json | {"changed_at": None}


async def test_a_file_is_taken_whole_or_not_at_all(province: Api) -> None:
    file = """
scenarios:
  - {id: one, name: Một, unit: tinh, begins_at: 2026-11-25T08:00:00+07:00}
  - {id: two, name: Hai, unit: tinh, items: [{title: Mở, duration_s: 1}]}
"""
    headers = {"Content-Type": "application/yaml"}
    reply = await province.call(
        "POST", "/scenarios:import", data=file.encode(), headers=headers, status=422
    )
    assert reply.fields == ["$.scenarios[1].items[0].duration_s"]
    assert (await province.call("GET", "/scenarios", status=200)).json["items"] == []
    good = file.replace("duration_s: 1}", "duration_s: 60}")
    await province.call(
        "POST", "/scenarios:import", data=good.encode(), headers=headers, status=201
    )
    one = await province.call("GET", "/scenarios/one", status=200)
    assert one.json["begins_at"] == "2026-11-25T01:00:00.000000Z"
    await province.call(
        "POST", "/scenarios:import", data=good.encode(), headers=headers, status=409
    )


@pytest.mark.parametrize(
    ("file", "status"),
    [
        ("name: [", 400),
        ("name: &a x\nunit: *a", 400),
        ("name: A\nname: B\nunit: tinh", 400),
        ("items: [" + "[" * 40 + "]" * 40 + "]", 400),
        ("", 422),
        ("7", 422),
        ("scenarios: []", 422),
        ("{name: A, unit: tinh, colour: red}", 422),
        ("{name: A, unit: tinh, template: {scenario: x}}", 422),
        ("? [a, b]\n: c", 400),
    ],
)
async def test_what_is_no_scenario_is_refused(province: Api, file: str, status: int) -> None:
    await province.call(
        "POST", "/scenarios:import", data=file.encode(),
        headers={"Content-Type": "application/yaml"}, status=status,
    )  # fmt: skip


async def test_copies_of_a_scenario_and_of_a_conference(province: Api) -> None:
    await province.call("POST", "/scenarios", SCENARIO, status=201)
    copy = await province.call(
        "POST", "/scenarios",
        {"template": {"scenario": "giao-ban"}, "name": "Giao ban tháng 12", "begins_at": None},
        status=201,
    )  # fmt: skip
    assert copy.json["id"].startswith("s-")
    assert copy.json["name"] == "Giao ban tháng 12"
    assert copy.json["begins_at"] is None
    assert [item["title"] for item in copy.json["items"]] == ["Khai mạc", "Báo cáo"]
    started = await province.call("POST", "/conferences", {"scenario": "giao-ban"}, status=201)
    made = await province.call(
        "POST", "/scenarios",
        {"template": {"conference": started.json["id"]}, "id": "tu-cuoc-hop"}, status=201,
    )  # fmt: skip
    assert made.json["expected"] == ["tinh-a", "xa-1-a"]
    assert (made.json["chair"], made.json["layout"]) == ("tinh-a", "2x2")
    assert made.json["items"] == (await province.call("GET", "/scenarios/giao-ban")).json["items"]
    both = {"template": {"conference": "c", "scenario": "s"}}
    await province.call("POST", "/scenarios", both, status=422)
    none = await province.call("POST", "/scenarios", {"items": []}, status=422)
    assert none.fields == ["$.name", "$.unit"]


async def test_agenda_and_duties_as_tables(province: Api) -> None:
    await province.call("POST", "/scenarios", but(begins_at=None), status=201)
    agenda = await province.call("GET", "/scenarios/giao-ban/agenda.csv", status=200)
    lines = agenda.body.decode().removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("place,id,title,planned_start,planned_end")
    assert lines[2].startswith("2,bao-cao,Báo cáo,0:05:00,0:15:00,600,xa-1-a,")
    duties = await province.call("GET", "/scenarios/giao-ban/duties.csv", status=200)
    assert duties.body.decode().removeprefix("\ufeff").splitlines() == [
        "role,name,phone,bridge",
        "Trực kỹ thuật,Nguyễn Văn A,'+84 258 3822 111,",
        "Trực kỹ thuật,Lê B,0905123456,xa-1-a",
    ]
    failing = await province.call("GET", "/scenarios/giao-ban/contingencies.csv", status=200)
    assert failing.rows == [{"when": "Mất điện", "then": "Chuyển máy phát"}]
    first, second = agenda.rows
    assert (first["polling"], second["polling"], second["polling_s"]) == ("", "tinh", "8.0")
    await province.call("POST", "/scenarios", but(id="hop-bat-thuong", items=[]), status=201)
    listed = await province.call("GET", "/scenarios.csv?limit=1", status=200)
    assert [(row["id"], row["items"]) for row in listed.rows] == [
        ("giao-ban", "2"), ("hop-bat-thuong", "0"),
    ]  # fmt: skip


async def test_operators_reach_their_unit_and_those_below(province: Api) -> None:
    above = await province.token("operator", unit="tinh")
    below = await province.token("operator", unit="xa-1")
    beside = await province.token("operator", unit="xa-2")
    watcher = await province.token("observer", unit="tinh")
    own = {"id": "xa", "name": "Họp xã", "unit": "xa-1", "expected": ["xa-1-a"]}
    await province.call("POST", "/scenarios", own, token=below, status=201)
    await province.call("POST", "/scenarios", SCENARIO, token=below, status=403)
    await province.call("POST", "/scenarios", SCENARIO, token=above, status=201)
    for token, seen in ((above, ["giao-ban", "xa"]), (below, ["xa"]), (beside, [])):
        reply = await province.call("GET", "/scenarios", token=token, status=200)
        assert [item["id"] for item in reply.json["items"]] == seen
    await province.call("GET", "/scenarios?unit=xa-1", token=beside, status=403)
    await province.call("PATCH", "/scenarios/xa", {"name": "Y"}, token=above, status=200)
    for path in ("/scenarios/giao-ban", "/scenarios/giao-ban.yaml",
                 "/scenarios/giao-ban/agenda.csv", "/scenarios/giao-ban/duties.csv"):  # fmt: skip
        await province.call("GET", path, token=below, status=403)
        await province.call("GET", path, token=watcher, status=200)
    await province.call("DELETE", "/scenarios/xa", token=beside, status=403)
    await province.call("DELETE", "/scenarios/xa", token=watcher, status=403)
    # A room of another unit is not to be told from one that there is not.
    pulled = await province.call(
        "PATCH", "/scenarios/xa", {"expected": ["xa-2-a"]}, token=below, status=422
    )
    assert pulled.fields == ["$.expected[0]"]
    # Pushing it up to a unit above is as forbidden as making it there.
    await province.call("PATCH", "/scenarios/xa", {"unit": "tinh"}, token=below, status=403)


async def test_addresses_and_ids_do_not_collide(province: Api) -> None:
    for id_ in ("a.yaml", "a.csv", "all"):
        reply = await province.call("POST", "/scenarios", but(id=id_), status=422)
        assert reply.fields == ["$.id"]
    await province.call("POST", "/scenarios", SCENARIO, status=201)
    assert (await province.call("POST", "/scenarios", SCENARIO, status=409)).fields == ["$.id"]


async def test_a_unit_with_scenarios_is_not_deleted(province: Api) -> None:
    await province.call("POST", "/units", {"id": "so", "name": "Sở", "level": "agency"}, status=201)
    await province.call("POST", "/scenarios", {"id": "s", "name": "S", "unit": "so"}, status=201)
    reply = await province.call("DELETE", "/units/so", status=409)
    assert "scenarios s" in reply.json["detail"]
    await province.call("DELETE", "/scenarios/s", status=204)
    await province.call("DELETE", "/units/so", status=204)


MALFORMED: dict[str, Any] = {
    "id": "a.yaml",
    "unit": "nowhere",
    "expected": ["tinh-a", 7, "ghost"],
    "chair": "xa-1-a",
    "colour": "red",
    "items": [
        {"title": "Mở", "duration_s": "lâu", "layout": "big"},
        7,
        {"title": "Hỏi", "duration_s": 60, "polling": {"scope": "nowhere", "interval_s": 8}},
    ],
    "duties": [{"role": "Trực", "phone": "gọi"}],
}


async def test_form_and_rules_are_named_in_one_answer_the_same_in_both(province: Api) -> None:
    replies = [
        await province.call("POST", path, MALFORMED, status=422)
        for path in ("/scenarios", "/scenarios:validate")
    ]
    assert set(replies[0].fields) == {
        "$.id", "$.name", "$.unit", "$.colour", "$.expected[1]", "$.expected[2]", "$.chair",
        "$.items[0].duration_s", "$.items[0].layout", "$.items[1]", "$.items[2].polling.scope",
        "$.duties[0].name", "$.duties[0].phone",
    }  # fmt: skip
    assert len(replies[0].fields) == len(set(replies[0].fields))
    assert replies[0].json["errors"] == replies[1].json["errors"]


async def test_a_check_knows_ids_units_and_reach_as_keeping_does(province: Api) -> None:
    await province.call("POST", "/scenarios", SCENARIO, status=201)
    for body, fields, status in (
        (SCENARIO, ["$.id"], 409),
        (but(unit="nowhere"), ["$.unit", "$.id"], 422),
        (but(id="b.csv"), ["$.id"], 422),
        (but(id="b", unit="nowhere", expected="subtree"), ["$.unit"], 422),
    ):
        dry = await province.call("POST", "/scenarios:validate", body, status=200)
        assert (dry.json["valid"], [each["field"] for each in dry.json["errors"]]) == (
            False, fields,
        )  # fmt: skip
        assert (await province.call("POST", "/scenarios", body, status=status)).fields == fields
    below = await province.token("operator", unit="xa-1")
    for path in ("/scenarios", "/scenarios:validate"):
        await province.call("POST", path, but(id="b"), token=below, status=403)
        reply = await province.call("POST", path, {"template": {"scenario": 5}}, status=422)
        assert reply.fields[0] == "$.template.scenario"
        await province.call("POST", path, {"template": {"scenario": "none"}}, status=404)
        await province.call("POST", path, data=b"{", status=400,
                            headers={"Content-Type": "application/json"})  # fmt: skip
    copied = {"template": {"scenario": "giao-ban"}}
    dry = await province.call("POST", "/scenarios:validate", copied, status=200)
    assert (dry.json["valid"], dry.json["items"]) == (True, 2)


async def test_somebody_on_duty_needs_no_phone(province: Api) -> None:
    duties = [{"role": "Trực", "name": "A"}, {"role": "Trực", "name": "B", "bridge": "xa-1-a",
                                              "phone": None}]  # fmt: skip
    made = await province.call("POST", "/scenarios", but(duties=duties), status=201)
    assert [each["phone"] for each in made.json["duties"]] == [None, None]
    table = await province.call("GET", "/scenarios/giao-ban/duties.csv", status=200)
    assert table.body.decode().splitlines()[1:] == ["Trực,A,,", "Trực,B,,xa-1-a"]
    session = await province.call("POST", "/conferences", {"scenario": "giao-ban"}, status=201)
    agenda = await province.call("GET", f"/conferences/{session.json['id']}/agenda", status=200)
    assert agenda.json["duties"][0]["phone"] is None


DOCUMENT = Path(__file__).parents[4] / "docs/scenarios.md"


def documented() -> str:
    """The example of the document, as a reader copies it."""
    (example,) = re.findall(
        r"^```yaml\n(id: .*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(example)


async def test_the_documents_example_fits_the_preset_that_it_names(api: Api) -> None:
    assert "`mcu serve --site khanh-hoa`" in DOCUMENT.read_text()
    await import_site("khanh-hoa", api.store)
    found = await api.call(
        "POST",
        "/scenarios:validate",
        yaml.safe_load(documented()) | {"begins_at": None},
        status=200,
    )
    assert (found.json["errors"], found.json["valid"], found.json["expected"]) == ([], True, 145)
    await api.call(
        "POST", "/scenarios:import", data=documented().encode(),
        headers={"Content-Type": "application/yaml"}, status=201,
    )  # fmt: skip


async def test_the_documents_example_fits_the_demonstration_with_its_chair(api: Api) -> None:
    await api.call("POST", "/units", PROVINCE, status=201)
    for room, name, unit, _ in ROOMS:
        if unit != PROVINCE["id"]:
            commune = {"id": unit, "name": name, "level": "commune", "parent": PROVINCE["id"]}
            await api.call("POST", "/units", commune, status=201)
        bridge = {"id": room, "name": name, "unit": unit, "kind": "webrtc"}
        await api.call("POST", "/bridges", bridge, status=201)
    wanted = documented().replace("chair: khanh-hoa", "chair: trung-tam")
    assert wanted != documented()
    await api.call(
        "POST", "/scenarios:import", data=wanted.encode(),
        headers={"Content-Type": "application/yaml"}, status=201,
    )  # fmt: skip


async def test_what_is_wrong_is_told_by_code_too(province: Api) -> None:
    wrong = but(items=[{"title": "A", "duration_s": 5, "speaker": "xa-2-a"}])
    found = await province.call("POST", "/scenarios:validate", wrong, status=200)
    told = {each["field"]: (each["code"], each["params"]) for each in found.json["errors"]}
    assert told == {
        "$.items[0].duration_s": ("scenario.duration", {"shortest_s": 10, "longest_s": 86400}),
        "$.items[0].speaker": ("scenario.not-expected", {"room": "xa-2-a"}),
    }
    malformed = but(items=[{"title": "", "duration_s": "x"}])
    refused = await province.call("POST", "/scenarios:validate", malformed, status=422)
    told = {each["field"]: each["code"] for each in refused.json["errors"]}
    assert told == {"$.items[0].title": "form.missing", "$.items[0].duration_s": "form.whole"}
