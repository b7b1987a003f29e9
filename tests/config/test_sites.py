"""The five presets have the shapes their administrations report; a file that misfits is refused."""

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from config.sites import PRESETS, SiteError, load_site, preset_names

VALID = """
id: place
name: Place
counts: {province: 1, commune: 1}
units:
  - {id: top, name: Top, level: province}
  - {id: low, name: Low, level: commune, parent: top}
bridges:
  - {id: top, name: Top, unit: top}
  - {id: low, name: Low, unit: low, generated: true}
meetings:
  - {id: both, name: Both, unit: top, chair: top}
"""


def shape(name: str) -> dict[str, int]:
    site = load_site(name)
    level = {unit.id: unit.level for unit in site.units}
    return dict(Counter(level[bridge.unit] for bridge in site.bridges))


def problems_of(directory: Path, text: str) -> dict[str, str]:
    path = directory / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(str(path))
    return {problem.key: f"{problem.origin}|{problem.reason}" for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ha-noi", {"province": 1, "district": 30, "agency": 25}),
        ("khanh-hoa", {"province": 1, "district": 8, "commune": 136}),
        ("hai-phong", {"province": 2, "commune": 114}),
        ("yen-bai", {"central": 1, "province": 1, "district": 9, "commune": 173}),
        ("vung-tau", {"province": 1, "district": 1, "commune": 17, "agency": 12}),
    ],
)
def test_shape(name: str, expected: dict[str, int]) -> None:
    assert shape(name) == expected


def test_totals_of_the_public_reports() -> None:
    assert len(load_site("khanh-hoa").bridges) == 145
    assert len(load_site("hai-phong").bridges) == 116


def test_presets_are_all_there() -> None:
    assert preset_names() == ("ha-noi", "hai-phong", "khanh-hoa", "vung-tau", "yen-bai")


@pytest.mark.parametrize("name", ["ha-noi", "hai-phong", "khanh-hoa", "vung-tau", "yen-bai"])
def test_preset_is_usable(name: str) -> None:
    site = load_site(name)
    assert site.id == name
    assert site.operation.convene_within_minutes == 10
    assert site.operation.readiness_minutes_before >= 60
    bridges = {bridge.id for bridge in site.bridges}
    for meeting in site.meetings:
        invited = {bridge.id for bridge in site.bridges_of(meeting)}
        assert meeting.chair in invited
        assert len(invited) > 1
        assert invited <= bridges
    assert all(bridge.contact.phone == "" for bridge in site.bridges), "no invented numbers"
    assert {unit.id for unit in site.units} == {bridge.unit for bridge in site.bridges}


@pytest.mark.parametrize("name", ["ha-noi", "hai-phong", "khanh-hoa", "vung-tau", "yen-bai"])
def test_preset_text_is_composed_unicode(name: str) -> None:
    text = (PRESETS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text == unicodedata.normalize("NFC", text)


def test_names_are_told_apart() -> None:
    for name in preset_names():
        units = load_site(name).units
        same = Counter((unit.name, unit.parent) for unit in units)
        assert max(same.values()) == 1, name


def test_expectations_that_set_an_installation_apart() -> None:
    assert load_site("ha-noi").operation.ipv6
    assert load_site("ha-noi").operation.always_on
    assert load_site("yen-bai").operation.always_on
    assert [trunk.direction for trunk in load_site("hai-phong").trunks] == ["sideways"]
    assert [trunk.direction for trunk in load_site("vung-tau").trunks] == ["up"]


def test_meetings_invite_the_right_rooms() -> None:
    site = load_site("hai-phong")
    invited = {meeting.id: len(site.bridges_of(meeting)) for meeting in site.meetings}
    assert invited == {"toan-thanh-pho": 115, "thu-nghiem": 116, "hai-don-vi": 2}
    khanh_hoa = load_site("khanh-hoa")
    nha_trang = next(item for item in khanh_hoa.meetings if item.id == "nha-trang")
    assert len(khanh_hoa.bridges_of(nha_trang)) == 1 + 27


def test_own_file(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(VALID, encoding="utf-8")
    site = load_site(str(path))
    assert [bridge.generated for bridge in site.bridges] == [False, True]
    assert site.subtree("top") == {"top", "low"}
    assert site.subtree("low") == {"low"}


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(SiteError, match="the nearest is khanh-hoa"):
        load_site("khanhhoa")
    with pytest.raises(SiteError, match="cannot be read"):
        load_site("./nowhere.yaml")


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("parent: top", "parent: tpo", "units[1].parent", "7|no unit has the id 'tpo'"),
        ("level: province}", "level: province, parent: low}", "units[0].parent", "below itself"),
        ("level: province}", "level: agency}", "units[1].parent", "cannot stand below the agency"),
        ("level: province}", "level: commune}", "units[1].parent", "cannot stand below"),
        ("level: province}", "level: county}", "units[0].level", "6|must be 'central', 'province'"),
        ("id: low, name: Low, unit", "id: top, name: Low, unit", "bridges[1].id", "already"),
        ("{id: low, name: Low, level", "{id: top, name: Low, level", "units[1].id", "already"),
        ("unit: low", "unit: lwo", "bridges[1].unit", "no unit has"),
        ("chair: top", "chair: tpo", "meetings[0].chair", "no bridge has"),
        ("chair: top}", "chair: top, bridges: [top, x]}", "meetings[0].bridges[1]", "no bridge"),
        ("commune: 1", "commune: 2", "counts.commune", "4|says 2, but there are 1"),
        (", commune: 1", "", "counts.commune", "says 0"),
        ("id: place", "id: Place!", "id", "must be small letters and digits"),
        (
            "generated",
            "genrated",
            "bridges[1].genrated",
            "unknown key; the nearest known key is generated",
        ),
        ("name: Place", "http: {port: 1}", "name", "is missing"),
        ("name: Place", "http: {port: 1}", "http", "3|unknown key; known here: id, name,"),
        ("counts: {province: 1", "counts: {province: many", "counts.province", "a whole number"),
        ("name: Both", "name: 5", "meetings[0].name", "must be text"),
        ("- {id: top, name: Top, unit: top}", "- top", "bridges[0]", "a mapping of keys to values"),
    ],
)
def test_faults_name_the_entry(tmp_path: Path, old: str, new: str, key: str, reason: str) -> None:
    assert old in VALID
    found = problems_of(tmp_path, VALID.replace(old, new, 1))
    assert key in found, found
    assert reason in found[key]


def test_faults_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = VALID.replace("unit: low", "unit: 5").replace("level: province}", "level: county}")
    text = text.replace("chair: top", "chair: 5").replace("province: 1", "province: x")
    found = list(problems_of(tmp_path, text))
    assert found == ["counts.province", "units[0].level", "bridges[1].unit", "meetings[0].chair"]
