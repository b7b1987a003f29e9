"""Messages of RFC 4475 and RFC 5118 as bytes, from their typed form."""

import re
from pathlib import Path

VECTORS = Path(__file__).parents[2] / "vectors" / "sip"

_REPEAT = re.compile(r"<repeat count=(\d+)>(.*?)</repeat>")
_HEX = re.compile(r"<hex>([0-9A-F]*)</hex>")


def names(standard: str) -> list[str]:
    return sorted(path.stem for path in (VECTORS / standard).glob("*.sip"))


def message(standard: str, name: str) -> bytes:
    """One message as on the wire: CRLF, and what the marks of RFC 4475 section 2 stand for."""
    text = (VECTORS / standard / f"{name}.sip").read_text(encoding="utf-8")
    text = _REPEAT.sub(lambda match: match[2] * int(match[1]), text)
    parts = _HEX.split(text)
    return b"".join(
        bytes.fromhex(part) if at % 2 else part.encode().replace(b"\n", b"\r\n")
        for at, part in enumerate(parts)
    )
