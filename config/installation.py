"""The entries of an installation: units, bridges, usual meetings, and how it is run."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.sections import Section

Level = Literal["central", "province", "district", "commune", "agency"]

RANK: Mapping[Level, int] = {"central": 0, "province": 1, "district": 2, "commune": 3}
"""A unit stands below a unit of smaller rank; agencies stand anywhere."""

LayoutName = Literal[
    "auto", "1x1", "2x2", "3x3", "4x4", "5x5", "6x6", "7x7",
    "1+5", "1+7", "1+12", "2+8", "lecture", "presenter",
]  # fmt: skip

ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Contact(Section):
    """Whom to call about a bridge; empty until the organisation fills it in."""

    name: str = ""
    phone: str = ""


class SiteUnit(Section):
    """One unit of the administration; ``generated`` marks a name that stands in for a real one."""

    id: Id
    name: Name
    level: Level
    parent: Id | None = None
    generated: bool = False


class SiteBridge(Section):
    """One meeting room; ``generated`` marks a name that stands in for a real one."""

    id: Id
    name: Name
    unit: Id
    kind: Literal["webrtc", "sip"] = "webrtc"
    address: str = ""
    contact: Contact = Contact()
    importance: Annotated[int, Field(ge=0, le=100)] = 10
    generated: bool = False


class Standard(Section):
    """What line and picture of every room must reach; rooms that fall short are to be named."""

    width: Annotated[int, Field(gt=0)] = 1280
    height: Annotated[int, Field(gt=0)] = 720
    fps: Annotated[int, Field(gt=0)] = 25
    uplink_bps: Annotated[int, Field(gt=0)] = 2_000_000
    downlink_bps: Annotated[int, Field(gt=0)] = 2_000_000
    loss_percent: Annotated[float, Field(ge=0, le=100)] = 1.0
    jitter_ms: Annotated[int, Field(ge=0)] = 30
    round_trip_ms: Annotated[int, Field(ge=0)] = 150


class Operation(Section):
    """How the installation is run."""

    readiness_minutes_before: Annotated[int, Field(ge=0)] = 60
    convene_within_minutes: Annotated[int, Field(gt=0)] = 10
    default_layout: LayoutName = "auto"
    always_on: bool = False
    ipv6: bool = False
    hotline: str = ""
    standard: Standard = Standard()


class Meeting(Section):
    """A usual meeting: whose it is, who presides, which rooms take part.

    ``bridges`` are named, or ``subtree`` (of ``unit``), or ``all`` (of the installation, also those
    of a linked administration).
    """

    id: Id
    name: Name
    unit: Id
    chair: Id
    bridges: Literal["subtree", "all"] | tuple[Id, ...] = "subtree"
    layout: LayoutName = "auto"


class Trunk(Section):
    """A line to another MCU: up to a higher level, or sideways to a neighbour."""

    id: Id
    name: Name
    unit: Id
    direction: Literal["up", "sideways"]


class Site(Section):
    """A whole installation.

    ``counts`` is what the administration says of itself: bridges by the level of their unit.
    A file whose entries differ from it is refused, so that no room gets lost in editing.
    """

    id: Id
    name: Name
    description: str = ""
    as_of: str = ""
    operation: Operation = Operation()
    counts: Mapping[Level, int]
    units: tuple[SiteUnit, ...]
    bridges: tuple[SiteBridge, ...]
    meetings: tuple[Meeting, ...] = ()
    trunks: tuple[Trunk, ...] = ()

    def subtree(self, unit: str) -> frozenset[str]:
        """Ids of a unit and of every unit below it. Cost: O(units * depth)."""
        found = {unit}
        while True:
            below = {item.id for item in self.units if item.parent in found} - found
            if not below:
                return frozenset(found)
            found |= below

    def bridges_of(self, meeting: Meeting) -> tuple[SiteBridge, ...]:
        """The bridges that take part in a meeting, in the order of the file."""
        if meeting.bridges == "all":
            return self.bridges
        if meeting.bridges == "subtree":
            units = self.subtree(meeting.unit)
            return tuple(bridge for bridge in self.bridges if bridge.unit in units)
        wanted = set(meeting.bridges)
        return tuple(bridge for bridge in self.bridges if bridge.id in wanted)
