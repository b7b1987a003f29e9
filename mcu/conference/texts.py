"""Which texts a conference takes: NFC, no control characters, bounded."""

import re
import unicodedata

from mcu.conference.state import Refused
from mcu.disguise import disguise_in
from mcu.sentences import sentence

MAX_NAME = 200
MAX_MESSAGE = 500
MAX_REASON = 120
"""Of why a room is disconnected, which it is told."""
PIN_PATTERN = r"[0-9]{4,10}"
NUMBER_PATTERN = r"[1-9][0-9]{0,15}"
"""ASCII digits, which is what a keypad sends. Not from 0 on, which dial plans use for services."""


def checked_name(value: str, field: str) -> str:
    """Normalise a name that must not be empty.

    Raises:
        Refused: empty, too long, or with control characters.
    """
    name = checked_text(value, field, MAX_NAME)
    if not name:
        raise Refused(sentence("name.empty"), field)
    return name


def checked_text(value: str, field: str, longest: int) -> str:
    """Normalise a text; line breaks become blanks.

    Raises:
        Refused: too long, or with control characters.
    """
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if len(text) > longest:
        raise Refused(sentence("text.too-long", longest=longest), field)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Refused(sentence("text.control"), field)
    disguise = disguise_in(text)
    if disguise is not None:
        raise Refused(sentence("text.disguised", field=field, disguise=disguise), field)
    return text


def checked_pin(value: str) -> str:
    """A PIN.

    Raises:
        Refused: not 4 to 10 digits.
    """
    if not re.fullmatch(PIN_PATTERN, value):
        raise Refused(sentence("pin"), "pin")
    return value


def checked_number(value: str) -> str:
    """A conference's number.

    Raises:
        Refused: not 1 to 16 digits, or it begins with 0.
    """
    if not re.fullmatch(NUMBER_PATTERN, value):
        raise Refused(sentence("number.form"), "number")
    return value
