"""A site is taken in once; afterwards the registry belongs to the operators."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.problems import SiteError
from config.sites import load_site
from mcu.site_import import import_site
from mcu.store.errors import OtherSite
from mcu.store.migrations import MIGRATIONS
from mcu.store.records import Bridge, Unit
from mcu.store.store import Store

SITE = "khanh-hoa"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "mcu.sqlite3")
    try:
        yield opened
    finally:
        await opened.close()


async def counts(store: Store) -> tuple[int, int]:
    rows = await store._database.rows(
        "SELECT (SELECT count(*) FROM units), (SELECT count(*) FROM bridges)"
    )
    return rows[0][0], rows[0][1]


async def test_units_and_bridges_are_as_the_site_says(store: Store) -> None:
    await import_site(SITE, store)
    site = load_site(SITE)
    assert await counts(store) == (len(site.units), len(site.bridges))
    for unit in site.units:
        kept = await store.units.get(unit.id)
        assert (kept.name, kept.level, kept.parent) == (unit.name, unit.level, unit.parent)
    bridge = await store.bridges.get(site.bridges[0].id)
    assert (bridge.name, bridge.unit) == (site.bridges[0].name, site.bridges[0].unit)
    assert bridge.standard == site.operation.standard.model_dump()


async def test_what_operators_deleted_stays_deleted(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    await import_site(SITE, store)
    site = load_site(SITE)
    parents = {unit.parent for unit in site.units}
    leaf = next(unit.id for unit in site.units if unit.id not in parents)
    for bridge in site.bridges:
        if bridge.unit == leaf:
            await store.bridges.delete(bridge.id)
    await store.units.delete(leaf)
    before = await counts(store)
    assert before < (len(site.units), len(site.bridges))
    await import_site(SITE, store)
    assert await counts(store) == before
    said = capsys.readouterr().out
    assert said.count("site_imported") == 1
    assert said.count("site_import_skipped") == 1
    assert "POST /units" in said


async def test_it_is_one_transaction(store: Store) -> None:
    said: list[str] = []
    await store._database._writer.set_trace_callback(said.append)
    await import_site(SITE, store)
    await store._database._writer.set_trace_callback(None)  # type: ignore[arg-type]
    assert said.count("COMMIT") == 1


async def test_nothing_is_kept_of_an_import_that_fails(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcu.store.bridges.INSERT", "INSERT INTO nowhere VALUES (?)")
    with pytest.raises(Exception, match="nowhere"):
        await import_site(SITE, store)
    assert await counts(store) == (0, 0)
    monkeypatch.undo()
    await import_site(SITE, store)
    assert (await counts(store))[0] == len(load_site(SITE).units)


async def test_ids_that_are_taken_are_left_alone(store: Store) -> None:
    site = load_site(SITE)
    root = next(unit for unit in site.units if unit.parent is None)
    await store.units.create(Unit(root.id, "Của chúng tôi", root.level))
    await store.bridges.create(Bridge(site.bridges[0].id, "Phòng họp cũ", root.id))
    await import_site(SITE, store)
    assert (await store.units.get(root.id)).name == "Của chúng tôi"
    assert (await store.bridges.get(site.bridges[0].id)).name == "Phòng họp cũ"
    assert await counts(store) == (len(site.units), len(site.bridges))


async def test_another_site_is_taken_in_only_when_that_is_said(store: Store) -> None:
    await import_site("vung-tau", store)
    units, bridges = await counts(store)
    with pytest.raises(OtherSite) as caught:
        await import_site(SITE, store)
    assert f"holds the site vung-tau ({units} units and {bridges} bridges" in caught.value.reason
    assert "--add-site" in caught.value.reason
    assert await counts(store) == (units, bridges)
    await import_site("vung-tau", store)
    await import_site(SITE, store, beside=True)
    both = await counts(store)
    assert both > (units, bridges)
    for site in ("vung-tau", SITE):
        await import_site(site, store)
    assert await counts(store) == both


async def test_a_registry_from_before_imports_were_recorded_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mcu.sqlite3"
    plain = sqlite3.connect(path)
    plain.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1;")
    plain.execute("INSERT INTO units VALUES ('tinh', 'Tỉnh', 'province', NULL, 1)")
    plain.commit()
    plain.close()
    store = await Store.open(path)
    try:
        await import_site(SITE, store)
        assert await counts(store) == (1, 0)
    finally:
        await store.close()


SITE_WITH_CODECS = """
id: nho
name: Nhỏ
counts: {province: 2}
units: [{id: tinh, name: Tỉnh, level: province}]
bridges:
  - {id: a, name: A, unit: tinh, kind: sip, address: "codec@10.0.0.7"}
  - {id: b, name: B, unit: tinh, kind: sip, address: "sip:codec@10.0.0.8:99999"}
"""


async def test_only_rooms_of_kind_sip_have_an_address(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "nho.yaml"
    path.write_text(SITE_WITH_CODECS.replace("kind: sip", "kind: webrtc", 1))
    with pytest.raises(SiteError) as caught:
        await import_site(str(path), store)
    first, _ = caught.value.problems
    assert first.key == "bridges[0].address"
    assert "kind" in first.reason


async def test_addresses_that_cannot_be_called_are_said_before_anything_is_taken_in(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "nho.yaml"
    path.write_text(SITE_WITH_CODECS)
    with pytest.raises(SiteError) as caught:
        await import_site(str(path), store)
    (problem,) = caught.value.problems
    assert problem.key == "bridges[1].address"
    assert "the port '99999' is none" in problem.reason
    assert await counts(store) == (0, 0)
    path.write_text(SITE_WITH_CODECS.replace("99999", "5062"))
    await import_site(str(path), store)
    assert (await store.bridges.get("a")).address == "sip:codec@10.0.0.7"
    # What was taken in is the operators': the file is not judged again.
    path.write_text(SITE_WITH_CODECS)
    await import_site(str(path), store)
