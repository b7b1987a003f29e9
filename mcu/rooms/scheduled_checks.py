"""Begins the readiness check of each scenario whose session is near."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from mcu.api.problem import Problem
from mcu.api.scenario_documents import read_record
from mcu.conference.scenario import Scenario
from mcu.conference.service import Conferences
from mcu.readiness.entries import entries_of
from mcu.readiness.model import MAX_ROOMS, CheckRefused
from mcu.readiness.schedule import Session, due
from mcu.readiness.service import NewCheck, ReadinessChecks
from mcu.store.errors import StoreError
from mcu.store.scenarios import ScenarioRecord
from mcu.store.store import Store

LOOK_S: Final = 15.0
BY: Final = "schedule"

log = structlog.get_logger(__name__)


class ScheduledChecks:
    """``look`` every ``LOOK_S``; a check that was begun once is not begun again.

    Args:
        before: how long before a session begins.
    """

    def __init__(
        self,
        store: Store,
        conferences: Conferences,
        checks: ReadinessChecks,
        *,
        before: timedelta,
        utcnow: Callable[[], datetime],
    ) -> None:
        self._store, self._conferences, self._checks = store, conferences, checks
        self._before, self._utcnow = before, utcnow
        self._unreadable: set[str] = set()
        """Said once of each."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("readiness_schedule_waits", reason=error.reason)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Begin what is due. Cost: a query for each 100 scenarios.

        Raises:
            StoreError.
        """
        scenarios: dict[str, Scenario] = {}
        cursor: str | None = None
        while True:
            page = await self._store.scenarios.list(cursor=cursor)
            for record in page.items:
                scenario = self._read(record)
                if scenario is not None:
                    scenarios[record.id] = scenario
            cursor = page.next_cursor
            if cursor is None:
                break
        sessions = [Session(id_, one.begins_at) for id_, one in scenarios.items()]
        for session in due(sessions, self._utcnow(), self._before):
            if session.begins_at is not None:
                await self._begin(session.scenario, scenarios[session.scenario], session.begins_at)

    def _read(self, record: ScenarioRecord) -> Scenario | None:
        """None: it cannot be read, which must not keep the others from being checked."""
        try:
            scenario = read_record(record)
        except Problem as problem:
            if record.id not in self._unreadable:
                self._unreadable.add(record.id)
                log.error("scenario_unreadable", scenario=record.id, error=problem.detail)
            return None
        self._unreadable.discard(record.id)
        return scenario

    async def _begin(self, id_: str, scenario: Scenario, begins_at: datetime) -> None:
        if await self._store.readiness.is_scheduled(id_, begins_at):
            return
        if scenario.expected is None:
            bridges = list(await self._store.bridges.of_subtree(scenario.unit))
        else:
            known = await self._store.bridges.get_many(scenario.expected)
            bridges = [known[bridge] for bridge in scenario.expected if bridge in known]
        if not bridges:
            return
        held_from = next(
            (
                state.id
                for state in self._conferences.running()
                if state.agenda is not None and state.agenda.scenario == id_
            ),
            None,
        )
        try:
            check = await self._checks.begin(
                NewCheck(
                    name=scenario.name,
                    unit=scenario.unit,
                    by=BY,
                    rooms=entries_of(bridges[:MAX_ROOMS], scenario.duties),
                    conference=held_from,
                    scenario=id_,
                    due=begins_at,
                )
            )
        except CheckRefused as refused:
            # A room is being checked for another meeting: this one's turn comes after.
            log.info("readiness_schedule_waits", scenario=id_, reason=refused.reason)
            return
        log.info("readiness_check_begun", scenario=id_, check=check.id, rooms=len(check.rooms))
