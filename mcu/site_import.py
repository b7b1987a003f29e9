"""Puts an installation's units and bridges into the registry at the first start with it.

From then on the registry belongs to the operators: the same site is not looked at again, so what
they delete, merge or move stays as they left it.
"""

import structlog

from config.sites import load_site
from mcu.store.records import Bridge, Contact, Unit
from mcu.store.store import Store

log = structlog.get_logger(__name__)

ADVICE = "the registry is the operators': add units and bridges with POST /units and /bridges"


async def import_site(name_or_path: str, store: Store, *, beside: bool = False) -> None:
    """Take the site in unless that was done before; ids that are taken are left alone.

    Args:
        beside: also where the registry holds another site.
    Raises:
        SiteError: the site cannot be read. OtherSite: see ``beside``. InvalidRecord,
        StoreUnavailable. Nothing was added then.
    """
    site = load_site(name_or_path)
    standard = site.operation.standard.model_dump()
    done = await store.site_imports.take_in(
        site.id,
        [Unit(unit.id, unit.name, unit.level, unit.parent) for unit in site.units],
        [
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
            for bridge in site.bridges
        ],
        beside=beside,
    )
    if done.before is not None:
        log.info(
            "site_import_skipped", site=site.id, imported_at=done.before.isoformat(), advice=ADVICE
        )
    else:
        log.info("site_imported", site=site.id, units=done.units, bridges=done.bridges)
