"""How much of a fragmented MP4 is whole: what a killed process left behind that is cut off.

Reads the heads of the top-level boxes only (ISO 14496-12, 4.2), so hours are walked through in
milliseconds.
"""

from typing import BinaryIO

_HEAD = 8
_LARGE = 16


def whole_bytes(file: BinaryIO, size: int) -> int:
    """Length of the file up to the end of its last whole piece (``moof`` and its ``mdat``).

    Args:
        file: sought in freely. size: of the file, bytes.
    Returns: 0 where not even the head is there.
    """
    at = whole = 0
    began = False
    while at + _HEAD <= size:
        file.seek(at)
        head = file.read(_LARGE)
        length = int.from_bytes(head[:4], "big")
        if length == 1 and len(head) == _LARGE:
            length = int.from_bytes(head[8:16], "big")
        kind = head[4:8]
        if length < _HEAD or at + length > size or not kind.isalnum():
            break
        at += length
        if kind == b"moov":
            began, whole = True, at
        elif began and kind != b"moof":
            whole = at  # a head of a piece is nothing without its media
    return whole
