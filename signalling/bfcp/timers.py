"""T1 and T2, and the estimate that T1 follows from (RFC 8855 section 8.3, RFC 6298)."""

T1_S = 0.5
"""First wait for an answer over an unreliable transport; doubled with each repetition."""
MAX_T1_S = 1.25
"""T1 follows the round trip up to here, so that the last repetition (7 * T1) comes before T2."""
REPETITIONS = 3
"""After the last one an answer is waited for once more; then the peer counts as gone."""
T2_S = 10.0
"""How long an answer is kept for repeated requests: (T1 * 2^4) * 1.25."""

_GAIN = 1 / 8
_VARIATION_GAIN = 1 / 4


class RoundTrip:
    """Estimates the round trip from requests that were answered without repetition (Karn)."""

    def __init__(self) -> None:
        self._smoothed: float | None = None
        self._variation = 0.0

    def measured(self, seconds: float) -> None:
        """Take one measurement (RFC 6298 section 2)."""
        if self._smoothed is None:
            self._smoothed, self._variation = seconds, seconds / 2
            return
        deviation = abs(self._smoothed - seconds)
        self._variation += _VARIATION_GAIN * (deviation - self._variation)
        self._smoothed += _GAIN * (seconds - self._smoothed)

    @property
    def t1_s(self) -> float:
        """T1 of the next transaction."""
        if self._smoothed is None:
            return T1_S
        return min(max(self._smoothed + 4 * self._variation, T1_S), MAX_T1_S)
