"""Whether a peer is there: by when something authenticated was last heard from it."""

from typing import Literal

HANDSHAKE_TIMEOUT_S = 15.0
CONSENT_S = 30.0
"""How long what was heard of a peer allows sending to it (RFC 7675 section 5.1). A lite agent
makes no checks; anything that only the peer can have signed shows as well that it is there."""

Finding = Literal["alive", "lost", "expired", "gone", "failed"]


class Liveness:
    """Silence → lost → consent expired → gone; a handshake that does not end → failed.

    Args:
        accepted_at: when the offer was answered.
        lost_after_s: silence after which a peer counts as lost; at most ``CONSENT_S``.
        left_after_s: further silence after which it is gone.
    """

    __slots__ = (
        "_accepted_at",
        "_left_after_s",
        "_lost_after_s",
        "connected",
        "expired",
        "heard_at",
        "lost",
    )

    def __init__(self, accepted_at: float, lost_after_s: float, left_after_s: float) -> None:
        self._accepted_at = accepted_at
        self._lost_after_s = min(lost_after_s, CONSENT_S)
        self._left_after_s = left_after_s
        self.connected = False
        self.heard_at = accepted_at
        self.lost = False
        self.expired = False

    def check(self, now: float) -> Finding:
        """What silence means by now; the caller keeps the states."""
        if not self.connected:
            return "failed" if now - self._accepted_at >= HANDSHAKE_TIMEOUT_S else "alive"
        silent_s = now - self.heard_at
        if silent_s >= self._lost_after_s + self._left_after_s:
            return "gone"
        if silent_s >= CONSENT_S:
            return "expired"
        return "lost" if silent_s >= self._lost_after_s else "alive"

    def next_timer(self) -> float:
        """When ``check`` may say something new, if nothing is heard until then."""
        if not self.connected:
            return self._accepted_at + HANDSHAKE_TIMEOUT_S
        lost_at = self.heard_at + self._lost_after_s
        if not self.lost:
            return lost_at
        gone_at = lost_at + self._left_after_s
        return gone_at if self.expired else min(gone_at, self.heard_at + CONSENT_S)
