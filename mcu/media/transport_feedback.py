"""Transport-wide feedback: when each packet of a leg arrived, whatever stream it is of.

draft-holmer-rmcat-transport-wide-cc-extensions-01: the sender numbers all its packets in a header
extension, the receiver reports arrival times by these numbers. Pure: values to bytes and back.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

FMT = 15
"""Of transport layer feedback (RTPFB)."""
TICK_S = 0.000250
"""Arrival times are in these; a reference time is in 256 of them (64 ms)."""
TICKS_PER_REFERENCE = 256
REFERENCE_CYCLE = 1 << 24
CLOCK_CYCLE = REFERENCE_CYCLE * TICKS_PER_REFERENCE
"""Arrival times as they are read wrap here (12 days)."""
MAX_STATUSES = 1024
"""Four seconds of HD; more in one packet are a peer's fault, and a few bytes can say them."""
MAX_WRITTEN_BYTES = 1000

_HEAD = struct.Struct("!HHLL")  # sender and media follow it
_FCI = struct.Struct("!HHL")
UNTIMED = -1
"""As an arrival: it came, when is not told."""
_LOST, _SMALL, _LARGE, _UNTIMED = 0, 1, 2, 3
_LONGEST_RUN = 0x1FFF
_ONE_BIT, _TWO_BITS = 14, 7  # symbols in a vector
_PADDING = 0x20


class TransportFeedback(NamedTuple):
    """One feedback packet.

    Args:
        ssrc, media_ssrc: of the reporter, and of any stream of the transport.
        base: number of the first packet reported on (16 bits).
        report: number of this feedback packet (8 bits), so that a lost one is noticed.
        arrivals: for ``base`` and those that follow: ticks modulo CLOCK_CYCLE, or
            UNTIMED; None: did not come.
    """

    ssrc: int
    media_ssrc: int
    base: int
    report: int
    arrivals: Sequence[int | None]


def read(body: bytes) -> TransportFeedback:
    """Read a feedback packet without its RTCP header and padding.

    Raises:
        ValueError: truncated, or too many statuses.
    """
    if len(body) < 18:
        raise ValueError("truncated transport feedback")
    ssrc, media_ssrc = struct.unpack_from("!LL", body)
    base, statuses, reference = _FCI.unpack_from(body, 8)
    if not 0 < statuses <= MAX_STATUSES:
        raise ValueError("number of statuses")
    ticks = (reference >> 8) * TICKS_PER_REFERENCE
    if body[16] << 8 | body[17] == _SMALL << 13 | statuses:  # all came in time, as nearly always
        last = 18 + statuses
        if last > len(body):
            raise ValueError("arrival times are missing")
        come = list(accumulate(body[18:last], initial=ticks))
        del come[0]
        if come[-1] < CLOCK_CYCLE:
            return TransportFeedback(ssrc, media_ssrc, base, reference & 0xFF, come)
    symbols, at = _read_symbols(body, 16, statuses)
    arrivals: list[int | None] = []
    end = len(body)
    for symbol in symbols:
        if symbol == _LOST:
            arrivals.append(None)
            continue
        if symbol == _UNTIMED:
            arrivals.append(UNTIMED)
            continue
        if symbol == _SMALL and at < end:
            ticks += body[at]
            at += 1
        elif symbol == _LARGE and at + 1 < end:
            large = body[at] << 8 | body[at + 1]
            ticks += large - 0x10000 if large & 0x8000 else large
            at += 2
        else:
            raise ValueError("arrival times are missing")
        arrivals.append(ticks % CLOCK_CYCLE)
    return TransportFeedback(ssrc, media_ssrc, base, reference & 0xFF, arrivals)


def _read_symbols(body: bytes, at: int, statuses: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    while len(symbols) < statuses:
        if at + 2 > len(body):
            raise ValueError("statuses are missing")
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13] * min(chunk & _LONGEST_RUN, statuses - len(symbols))
            if not chunk & _LONGEST_RUN:
                raise ValueError("an empty run")
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    del symbols[statuses:]
    return symbols, at


def write(
    ssrc: int, media_ssrc: int, base: int, report: int, arrivals: Sequence[int | None]
) -> tuple[bytes, int]:
    """Write one RTCP packet for as many of the arrivals as it can hold.

    Args:
        arrivals: ticks, not wrapped; at least one is not None. Others as in the value above.
    Returns: the packet, and how many of ``arrivals`` are in it; the rest goes into the next.
    Cost: about 0.3 us a status.
    """
    first = next(one for one in arrivals if one is not None)
    reference = first // TICKS_PER_REFERENCE
    before = reference * TICKS_PER_REFERENCE
    deltas = bytearray()
    symbols: list[int] = []
    for arrival in arrivals:
        if arrival is None:
            symbols.append(_LOST)
            continue
        delta = arrival - before
        if 0 <= delta <= 0xFF:
            symbols.append(_SMALL)
            deltas.append(delta)
        elif -0x8000 <= delta <= 0x7FFF:
            symbols.append(_LARGE)
            deltas += (delta & 0xFFFF).to_bytes(2, "big")
        else:
            break
        before = arrival
        if len(deltas) + len(symbols) // 3 >= MAX_WRITTEN_BYTES or len(symbols) == MAX_STATUSES:
            break
    chunks = b"".join(chunk.to_bytes(2, "big") for chunk in _chunks(symbols))
    fci = _FCI.pack(
        base & 0xFFFF, len(symbols), (reference % REFERENCE_CYCLE) << 8 | (report & 0xFF)
    )
    body = fci + chunks + deltas
    first_byte = 0x80 | FMT
    if len(body) % 4:
        padding = 4 - len(body) % 4
        body += bytes(padding - 1) + bytes((padding,))
        first_byte |= _PADDING
    head = _HEAD.pack(first_byte << 8 | 205, len(body) // 4 + 2, ssrc, media_ssrc)
    return head + body, len(symbols)


def _chunks(symbols: list[int]) -> list[int]:
    """Statuses as runs where they are alike, as vectors where they are not."""
    chunks: list[int] = []
    at, end = 0, len(symbols)
    while at < end:
        symbol = symbols[at]
        run = 1
        while run < _LONGEST_RUN and at + run < end and symbols[at + run] == symbol:
            run += 1
        vector = symbols[at : at + _ONE_BIT]
        bits = _ONE_BIT if max(vector) <= _SMALL else _TWO_BITS
        if run >= bits or at + run == end:
            chunks.append(symbol << 13 | run)
            at += run
            continue
        chunk, width = (0x8000, 1) if bits == _ONE_BIT else (0xC000, 2)
        for place, one in enumerate(vector[:bits]):
            chunk |= one << (bits - 1 - place) * width
        chunks.append(chunk)
        at += bits
    return chunks
