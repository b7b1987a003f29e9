"""From the registry to the roster: which bridges are meant, and what the roster must know."""

from collections.abc import Callable, Sequence

from mcu.conference.commands import StartConference
from mcu.conference.scenario_units import unknown_unit
from mcu.conference.state import Refused, RosterEntry
from mcu.sentences import sentence
from mcu.store.records import Bridge
from mcu.store.store import Store


class Invitations:
    """Reads the registry; three queries at most, whatever the number of bridges."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def for_start(self, command: StartConference) -> Sequence[RosterEntry]:
        """The roster that a conference starts with.

        Raises:
            Refused: unknown unit or bridge. StoreUnavailable.
        """
        if not await self._store.units.subtree(command.unit):
            successors = await self._store.units.successors((command.unit,))
            raise Refused(unknown_unit(command.unit, successors), "unit")
        if command.bridges == "subtree":
            return await self._entries(await self._store.bridges.of_subtree(command.unit))
        return await self._named(command.bridges, lambda index: f"bridges.{index}")

    async def for_bridge(self, bridge: str) -> RosterEntry:
        """One bridge's entry.

        Raises:
            Refused: unknown bridge. StoreUnavailable.
        """
        return (await self._named((bridge,), lambda _: "bridge"))[0]

    async def for_guest(
        self, id_: str, name: str, unit: str, importance: int, address: str | None = None
    ) -> RosterEntry:
        """A guest's entry; mutes by unit count it to ``unit``.

        Raises:
            StoreUnavailable.
        """
        path = (await self._store.units.paths((unit,))).get(unit, (unit,))
        return RosterEntry(id_, name, None, unit, path, importance, address)

    async def _named(
        self, ids: Sequence[str], field: Callable[[int], str]
    ) -> Sequence[RosterEntry]:
        known = await self._store.bridges.get_many(ids)
        for index, id_ in enumerate(ids):
            if id_ not in known:
                raise Refused(sentence("unknown-room", room=id_), field(index))
        return await self._entries([known[id_] for id_ in ids])

    async def _entries(self, bridges: Sequence[Bridge]) -> Sequence[RosterEntry]:
        paths = await self._store.units.paths({bridge.unit for bridge in bridges})
        return [
            RosterEntry(
                id=bridge.id,
                name=bridge.name,
                bridge=bridge.id,
                unit=bridge.unit,
                unit_path=paths.get(bridge.unit, (bridge.unit,)),
                importance=bridge.importance,
            )
            for bridge in bridges
        ]
