"""Which ids and texts the registry takes."""

import re
import unicodedata

from mcu.disguise import disguise_in
from mcu.sentences import sentence
from mcu.store.errors import InvalidRecord

ID_PATTERN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
"""1 to 64 letters, digits, ``.``, ``_``, ``-``; fit for a URL's path and a SIP user part."""

RESERVED_IDS = frozenset({"all", "chair", "main", "auto", "subtree", "bootstrap"})
"""Words that mean something where ids may stand."""

GUEST_PREFIX = "guest-"
MAX_NAME = 200


def read_id(value: str, field: str = "id") -> str:
    """Check an id.

    Raises:
        InvalidRecord: not of the pattern, or a word that is taken.
    """
    if not ID_PATTERN.fullmatch(value):
        raise InvalidRecord(
            sentence("id.form"),
            field,
        )
    if value in RESERVED_IDS or value.startswith(GUEST_PREFIX):
        raise InvalidRecord(sentence("id.reserved", id=value), field)
    return value


def read_name(value: str, field: str = "name") -> str:
    """Check and normalise (NFC, no outer blanks) a name.

    Raises:
        InvalidRecord: empty, too long, or with control characters.
    """
    name = unicodedata.normalize("NFC", value).strip()
    if not name:
        raise InvalidRecord(sentence("name.needed"), field)
    return read_text(name, field, MAX_NAME)


def read_text(value: str, field: str, longest: int) -> str:
    """Check and normalise a text that may be empty.

    Raises:
        InvalidRecord: too long, or with control characters.
    """
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > longest:
        raise InvalidRecord(sentence("text.longest", longest=longest), field)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidRecord(sentence("text.control"), field)
    disguise = disguise_in(text)
    if disguise is not None:
        raise InvalidRecord(sentence("text.disguised", field=field, disguise=disguise), field)
    return text
