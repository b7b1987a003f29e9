"""Puts an installation's units and bridges into the registry at the first start with it.

What is there already is left alone: after the first start the registry belongs to the operators.
"""

import structlog

from config.installation import Site
from config.sites import load_site
from mcu.store.errors import UnknownRecord
from mcu.store.records import Bridge, Contact, Unit
from mcu.store.store import Store

log = structlog.get_logger(__name__)


async def import_site(name_or_path: str, store: Store) -> None:
    """Add what the registry does not have yet.

    Raises:
        SiteError: the site cannot be read. StoreUnavailable.
    """
    site = load_site(name_or_path)
    standard = site.operation.standard.model_dump()
    units = 0
    for unit in _parents_first(site):
        try:
            await store.units.get(unit.id)
        except UnknownRecord:
            await store.units.create(unit)
            units += 1
    known = await store.bridges.get_many([bridge.id for bridge in site.bridges])
    missing = [bridge for bridge in site.bridges if bridge.id not in known]
    for bridge in missing:
        await store.bridges.create(
            Bridge(
                id=bridge.id,
                name=bridge.name,
                unit=bridge.unit,
                kind=bridge.kind,
                address=bridge.address,
                contact=Contact(bridge.contact.name, bridge.contact.phone),
                importance=bridge.importance,
                standard=standard,
            )
        )
    log.info("site_imported", site=site.id, units=units, bridges=len(missing))


def _parents_first(site: Site) -> list[Unit]:
    """The tree in an order in which every parent is there before its children."""
    waiting = {unit.id: unit for unit in site.units}
    ordered: list[Unit] = []
    placed: set[str | None] = {None}
    while waiting:
        ready = [unit for unit in waiting.values() if unit.parent in placed]
        for unit in ready:
            ordered.append(Unit(unit.id, unit.name, unit.level, unit.parent))
            placed.add(unit.id)
            del waiting[unit.id]
        if not ready:
            # load_site refuses cycles and unknown parents, so only a defect comes here.
            raise ValueError(f"no parent for {sorted(waiting)}")
    return ordered
