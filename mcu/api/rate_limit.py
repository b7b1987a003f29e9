"""Token buckets by key, bounded in number: requests per token, failed sign-ins per address."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MAX_KEYS: Final = 10_000
"""Buckets kept; the least recently used is forgotten first, which only ever forgives."""


@dataclass(slots=True)
class _Bucket:
    level: float
    updated: float


class RateLimiter:
    """Lets ``burst`` through at once per key, then ``rate_per_s``.

    Args:
        rate_per_s: refill. burst: size of the bucket, at least 1.
    Cost: O(1) per request, O(MAX_KEYS) memory.
    """

    def __init__(self, rate_per_s: float, burst: int, max_keys: int = MAX_KEYS) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError("rate_per_s must be positive and burst at least 1")
        self._rate = rate_per_s
        self._burst = burst
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, now: float) -> int | None:
        """Take one; None when it may go on, else the whole seconds to wait (Retry-After)."""
        bucket = self._refilled(key, now)
        if bucket.level < 1:
            return max(1, math.ceil((1 - bucket.level) / self._rate))
        bucket.level -= 1
        return None

    def _refilled(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        elapsed = max(0.0, now - bucket.updated)
        bucket.level = min(self._burst, bucket.level + elapsed * self._rate)
        bucket.updated = now
        return bucket
