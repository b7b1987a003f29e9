"""What legs share of time: one mapping to NTP time for all sender reports, and when they report.

Receivers align audio and video of one CNAME by that mapping (RFC 3550 6.4.1), so there is one per
process.
"""

from dataclasses import dataclass
from math import ceil

_NTP_EPOCH_BEFORE_UNIX_S = 2_208_988_800


@dataclass(frozen=True, slots=True)
class NtpClock:
    """Monotonic seconds → 64-bit NTP timestamps.

    Args:
        unix_s: wall time at the moment ``monotonic_s``. Later steps of the wall clock are
            ignored on purpose: reports must never jump.
    """

    unix_s: float
    monotonic_s: float

    def ntp(self, now: float) -> int:
        """64-bit NTP timestamp (32.32 fixed point) of the monotonic time ``now``."""
        seconds = self.unix_s + (now - self.monotonic_s) + _NTP_EPOCH_BEFORE_UNIX_S
        return int(seconds * 4294967296.0) & 0xFFFFFFFFFFFFFFFF

    def middle(self, now: float) -> int:
        """Middle 32 bits, the unit of LSR and DLSR (1/65536 s)."""
        return self.ntp(now) >> 16 & 0xFFFFFFFF


class Moments:
    """Regular moments, at which what is not urgent is done for many in one go.

    Args:
        interval_s: from one to the next. start: one of them, monotonic seconds.
    """

    __slots__ = ("interval_s", "start")

    def __init__(self, interval_s: float = 0.02, start: float = 0.0) -> None:
        self.interval_s = interval_s
        self.start = start

    def after(self, at: float) -> float:
        """The first that is not before ``at``."""
        return self.start + ceil((at - self.start) / self.interval_s) * self.interval_s
