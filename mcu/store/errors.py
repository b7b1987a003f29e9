"""Why the store said no. Every reason is a sentence for a user and says what to do next."""

from mcu.sentences import sentence


class StoreError(Exception):
    """Base of all errors the store raises on purpose.

    Args:
        reason: what is wrong and what to do.
        field: the field of the record at fault, dotted, or None.
    """

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class StoreUnavailable(StoreError):  # noqa: N818
    """The file cannot be read or written now (disk full, read-only, locked, damaged): HTTP 503."""


class UnknownRecord(StoreError):  # noqa: N818
    """No such record: HTTP 404."""

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__(sentence("not-known", noun=kind, id=id_), None)
        self.kind = kind
        self.id = id_


class DamagedRecord(StoreError):  # noqa: N818
    """The record is there and cannot be read; nobody but a damaged file writes such a thing."""

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__(sentence("record.damaged", noun=kind, id=id_), None)


class InvalidRecord(StoreError):  # noqa: N818
    """A field's value is not acceptable: HTTP 422 (400 for a cursor)."""


class DuplicateRecord(StoreError):  # noqa: N818
    """The id is taken: HTTP 409."""


class OtherSite(StoreError):  # noqa: N818
    """The registry holds another site already, and to have both was not asked for.

    Args:
        sites: their ids. units, bridges: how many the registry holds now.
    """

    def __init__(self, site: str, sites: tuple[str, ...], units: int, bridges: int) -> None:
        held = f"{'site' if len(sites) == 1 else 'sites'} {', '.join(sites)}"
        super().__init__(
            f"the registry already holds the {held} ({units} units and {bridges} bridges now), "
            f"and {site} would be added to it: give this installation a data_dir of its own, "
            "or say --add-site to have both in one",
            "site",
        )


class UnknownParent(StoreError):  # noqa: N818
    """A record refers to one that does not exist (parent unit, unit of a bridge): HTTP 422."""


class UnitCycle(StoreError):  # noqa: N818
    """A unit would stand under itself: HTTP 409."""


class UnitInUse(StoreError):  # noqa: N818
    """A unit with units or bridges in it cannot be deleted: HTTP 409.

    Args:
        children, bridges: ids, the first ten of each.
    """

    def __init__(self, reason: str, children: tuple[str, ...], bridges: tuple[str, ...]) -> None:
        super().__init__(reason, None)
        self.children = children
        self.bridges = bridges


class VersionConflict(StoreError):  # noqa: N818
    """Somebody changed the record meanwhile: HTTP 412. ``current`` is its version now."""

    def __init__(self, kind: str, id_: str, current: int) -> None:
        super().__init__(
            sentence("record.changed", noun=kind, id=id_, version=current),
            None,
        )
        self.current = current
