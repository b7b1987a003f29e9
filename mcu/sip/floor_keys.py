"""The keypad of a room: ``*1`` asks for the floor, ``*0`` asks no more or gives it back, ``*5``
says in a readiness check that the test tone is heard."""

from collections.abc import Callable
from typing import Final

import structlog

from mcu.conference.floor_model import EndFloor, RequestFloor, WithdrawFloorRequest
from mcu.conference.service import Conferences
from mcu.conference.state import Refused
from mcu.rooms.rooms import SYSTEM
from mcu.store.errors import StoreUnavailable

BEGIN: Final = "*"
ASK: Final = "1"
GIVE_UP: Final = "0"
HEARD: Final = "5"
log = structlog.get_logger(__name__)


class FloorKeys:
    """Collects the keys of one call.

    Args:
        wanted: told of each wish: whether the floor is asked for or given up.
        heard: told that the test tone is heard.
    """

    def __init__(
        self, wanted: Callable[[bool], None], heard: Callable[[], object] = lambda: None
    ) -> None:
        self._wanted = wanted
        self._heard = heard
        self._begun = False

    def press(self, key: str) -> None:
        """Take a key; what does not follow a star is none for the floor."""
        begun, self._begun = self._begun, key == BEGIN
        if begun and key in (ASK, GIVE_UP):
            self._wanted(key == ASK)
        elif begun and key == HEARD:
            self._heard()


async def carry_out(conferences: Conferences, conference: str, room: str, asks: bool) -> None:
    """Do what a room's keys say; a keypad is told nothing, so a refusal stands in the log."""
    commands = (
        (RequestFloor(room),) if asks else (WithdrawFloorRequest(room), EndFloor(room, "released"))
    )
    for command in commands:
        try:
            await conferences.execute(conference, command, SYSTEM)
        except (Refused, StoreUnavailable) as error:
            log.info("floor_keys_refused", participant=room, reason=error.reason)
