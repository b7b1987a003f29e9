"""The store as one thing: open it, use its parts, close it in ``finally``."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from mcu.store.audit import Audit
from mcu.store.bridges import Bridges
from mcu.store.conferences import ConferenceRows
from mcu.store.database import Database
from mcu.store.events import Events
from mcu.store.idempotency import Idempotency
from mcu.store.incidents import Incidents
from mcu.store.leftovers import Leftovers
from mcu.store.minutes import ConferenceMinutes
from mcu.store.readiness import ReadinessRows
from mcu.store.recordings import Recordings
from mcu.store.roll_call_pictures import RollCallPictures
from mcu.store.scenarios import Scenarios
from mcu.store.secret_box import KEY_FILE_NAME, SecretBox
from mcu.store.sessions import Sessions
from mcu.store.sip_bindings import SipBindings
from mcu.store.sip_secrets import SipSecrets
from mcu.store.site_imports import SiteImports
from mcu.store.tokens import Tokens, utcnow
from mcu.store.unit_reform import UnitReform
from mcu.store.units import Units

FILE_NAME = "mcu.sqlite3"
"""The file's name under ``data_dir``."""


class Store:
    """Everything that outlives the process.

    Parts: ``units``, ``bridges``, ``tokens``, ``sessions``, ``events``, ``conferences``,
    ``audit``, ``idempotency``, ``site_imports``, ``sip_secrets``, ``sip_bindings``, ``leftovers``,
    ``scenarios``, ``unit_reform``, ``incidents``, ``readiness``, ``minutes``,
    ``recordings``.
    All raise ``StoreUnavailable`` when the file cannot be used.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = utcnow,
        key_file: Path = Path(KEY_FILE_NAME),
    ) -> None:
        self._database = database
        box = SecretBox(key_file)
        self.units = Units(database, clock)
        self.unit_reform = UnitReform(database, clock)
        self.bridges = Bridges(database)
        self.tokens = Tokens(database, clock)
        self.sessions = Sessions(database, self.tokens, clock)
        self.events = Events(database)
        self.conferences = ConferenceRows(database)
        self.audit = Audit(database)
        self.idempotency = Idempotency(database, box, clock)
        self.site_imports = SiteImports(database, clock)
        self.sip_secrets = SipSecrets(database, box, clock)
        self.sip_bindings = SipBindings(database, clock)
        self.leftovers = Leftovers(database, clock)
        self.roll_call_pictures = RollCallPictures(database)
        self.recordings = Recordings(database)
        self.scenarios = Scenarios(database, clock)
        self.incidents = Incidents(database)
        self.readiness = ReadinessRows(database)
        self.minutes = ConferenceMinutes(database)

    @classmethod
    async def open(cls, path: Path, clock: Callable[[], datetime] = utcnow) -> "Store":
        """Open (and make, and migrate) the database file ``path``.

        Args:
            path: the file itself, usually ``data_dir / FILE_NAME``.
            clock: gives the wall time, timezone-aware.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        database = await Database.open(path)
        return cls(database, clock, path.with_name(KEY_FILE_NAME))

    async def close(self) -> None:
        """Close the file; harmless when closed already."""
        await self._database.close()
