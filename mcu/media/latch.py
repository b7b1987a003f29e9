"""Where the packets of an RTP session come from: symmetric RTP (RFC 4961), latched once.

Rooms behind address translation announce addresses that they cannot be reached at, so media goes
where it comes from. Whoever could send the first packet would get the meeting, so this is decided
once and then stands, until the peer says otherwise in a new description or has long been silent.
"""

RELATCH_S = 3.0
"""A peer that was silent for so long may come from another port: a device that restarted, a
translation that was made anew."""
REPORTS_RELATCH_S = 15.0
"""The same for a port of RTCP alone, where a peer that goes on is silent for some five seconds from
report to report (RFC 3550 6.2): two of those, of which the intervals vary by half."""
PATIENCE_S = 1.0
"""Only after so long may plain RTP of another host than the announced one be taken for the peer's,
if nothing came from that one."""
TRIAL_PACKETS = 4
"""So many in a row from one address."""

Address = tuple[str, int]
Elsewhere = bool | str
"""Where a peer may be found that is not where it has announced: anywhere, nowhere, or at this host
(of its signalling)."""


def may_be_at(host: str, elsewhere: Elsewhere) -> bool:
    """Whether policy lets a peer be found at a host that it has not announced."""
    return elsewhere if isinstance(elsewhere, bool) else host == elsewhere


class Latch:
    """One direction's source address.

    Args:
        announced: in the description; None: not told.
        elsewhere: site policy lets plain RTP come from a host that was not announced, and which.
        now: when the description took effect.
        reports: it is a port of RTCP alone, where a peer is rarely heard: the announced address
            is taken whenever it is heard, and another port of its host after longer silence.

    Ask ``considers`` first, which is cheap; ``take`` once the packet was found to be authentic or,
    where nothing is signed, plausible.
    """

    __slots__ = (
        "_announced",
        "_announced_heard",
        "_elsewhere",
        "_moves",
        "_opened_at",
        "_relatch_s",
        "_reports",
        "_trial",
        "_trials",
        "_trusted",
        "heard_at",
        "locked",
    )

    def __init__(
        self,
        announced: Address | None,
        *,
        elsewhere: Elsewhere,
        now: float,
        reports: bool = False,
    ) -> None:
        self._elsewhere = elsewhere
        self._reports = reports
        self._relatch_s = REPORTS_RELATCH_S if reports else RELATCH_S
        self._trusted: str | None = None
        self.heard_at = float("-inf")
        """When a packet of ``locked`` came; kept up by the caller."""
        self.locked: Address | None = None
        self._announced: Address | None = None
        self.announce(announced, now)

    def announce(self, announced: Address | None, now: float) -> None:
        """A new description: what comes from there is latched anew."""
        self._moves = announced != self._announced
        self._announced = announced
        self._trusted = None
        self._announced_heard = False
        self._opened_at = now
        self._trial: Address | None = None
        self._trials = 0
        self.heard_at = float("-inf")

    def trust(self, host: str) -> None:
        """The peer was found to be at ``host``, by another of its streams; maybe it has moved."""
        self._trusted = host
        self.heard_at = float("-inf")

    def expects(self, host: str) -> bool:
        """Whether it is the host that was announced, trusted, or heard last."""
        if host == self._trusted:
            return True
        known = (self._announced, self.locked)
        return any(one is not None and one[0] == host for one in known)

    def considers(self, source: Address, now: float, *, signed: bool) -> bool:
        """Whether a packet from ``source`` may be the peer's at all.

        Args:
            signed: it will be authenticated, so that any host may be where the peer is.
        """
        if source == self.locked or (self._reports and source == self._announced):
            return True
        if self.locked is not None and now - self.heard_at < self._relatch_s:
            # Packets that were under way when the peer said that it moves do not hold it back.
            return self._moves and source == self._announced and now - self._opened_at < RELATCH_S
        if signed:
            return True
        if self.expects(source[0]):
            return True
        if not may_be_at(source[0], self._elsewhere) or self._announced_heard:
            return False
        return self._announced is None or now - self._opened_at >= PATIENCE_S

    def may_become(self, source: Address) -> bool:
        """Whether unsigned packets from ``source`` may be found to be the peer's by and by."""
        return self.locked is None and (
            self.expects(source[0])
            or (not self._announced_heard and may_be_at(source[0], self._elsewhere))
        )

    def take(self, source: Address, now: float, *, signed: bool) -> bool:
        """A packet that was considered is authentic or plausible; True: ``source`` is latched."""
        if not signed and not self.expects(source[0]):
            if source != self._trial:
                self._trial, self._trials = source, 0
            self._trials += 1
            if self._trials < TRIAL_PACKETS:
                return False
        if self._announced is not None and source[0] == self._announced[0]:
            self._announced_heard = True
        self.locked = source
        self.heard_at = now
        self._moves = False
        return True
