"""Puts an installation's units and bridges into the registry at the first start with it.

From then on the registry belongs to the operators: the same site is not looked at again, so what
they delete, merge or move stays as they left it.
"""

from collections.abc import Sequence

import structlog

from config.installation import SiteBridge
from config.problems import Problem, SiteError
from config.sites import load_site
from mcu.sentences import sentence
from mcu.store.records import Bridge, Contact, Unit
from mcu.store.store import Store
from signalling.sip.errors import SipError
from signalling.sip.typed_address import typed_address

log = structlog.get_logger(__name__)

ADVICE = "the registry is the operators': add units and bridges with POST /units and /bridges"


async def import_site(name_or_path: str, store: Store, *, beside: bool = False) -> None:
    """Take the site in unless that was done before; ids that are taken are left alone.

    Args:
        beside: also where the registry holds another site.
    Raises:
        SiteError: the site cannot be read; or it is new, and rooms have addresses that cannot be
        called. OtherSite: see ``beside``. InvalidRecord, StoreUnavailable. Nothing was added then.
    """
    site = load_site(name_or_path)
    before = await store.site_imports.taken_in_at(site.id)
    if before is not None:
        log.info("site_import_skipped", site=site.id, imported_at=before.isoformat(), advice=ADVICE)
        return
    standard = site.operation.standard.model_dump()
    addresses = room_addresses(site.bridges)
    done = await store.site_imports.take_in(
        site.id,
        [Unit(unit.id, unit.name, unit.level, unit.parent) for unit in site.units],
        [
            Bridge(
                id=bridge.id,
                name=bridge.name,
                unit=bridge.unit,
                kind=bridge.kind,
                address=addresses[bridge.id],
                contact=Contact(bridge.contact.name, bridge.contact.phone),
                importance=bridge.importance,
                standard=standard,
            )
            for bridge in site.bridges
        ],
        beside=beside,
    )
    log.info("site_imported", site=site.id, units=done.units, bridges=done.bridges)


def room_addresses(bridges: Sequence[SiteBridge]) -> dict[str, str]:
    """Addresses by bridge, those of kind sip as they are called.

    Raises:
        SiteError: with all that cannot be called.
    """
    found, problems = {}, []
    for place, bridge in enumerate(bridges):
        found[bridge.id] = bridge.address
        if bridge.address and bridge.kind != "sip":
            problems.append(Problem(f"bridges[{place}].address", sentence("address.without-sip")))
        elif bridge.address:
            try:
                found[bridge.id] = str(typed_address(bridge.address))
            except SipError as error:
                problems.append(Problem(f"bridges[{place}].address", error.detail))
    if problems:
        raise SiteError(problems)
    return found
