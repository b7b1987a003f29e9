"""What the process that makes reports is asked for; the server itself loads no typesetter."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from mcu.operations.report_tables import TableName
from mcu.operations.terms import Language

Form = Literal["document", "table", "pdf", "month", "month-pdf"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be made.

    Args:
        form: of a conference's report, ``document`` and ``table`` as JSON, or the printed one;
            ``month``, ``month-pdf``: a bridge's month, as JSON or printed.
        subject: the conference, or the bridge.
        targets: what every conference's id is put behind, to find in the audit what was done to it.
        zone: time zone, by name. year, month: of a bridge's month.
    """

    store: str
    form: Form
    subject: str
    targets: str
    zone: str
    language: Language = "vi"
    table: TableName = "rooms"
    year: int = 0
    month: int = 0

    def to_json(self) -> bytes:
        """As the process reads it."""
        return json.dumps(asdict(self)).encode()
