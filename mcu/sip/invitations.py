"""Calls that we have asked for: who is referred to a conference comes in by a name of its own.

The name is known to the room alone, stands for one call, and says where that leads. So the room
needs neither the dial plan nor a PIN.
"""

import asyncio
import secrets

from mcu.sip.dial_plan import Destination
from signalling.sip.errors import SipError
from signalling.sip.uri import parse_uri

PREFIX = "moved-"


class Invitation:
    """One call that is to come.

    Args:
        bridge: who calls, where it signs in; empty for a guest.
    """

    def __init__(self, bridge: str) -> None:
        self.user = f"{PREFIX}{secrets.token_hex(16)}"
        self.bridge = bridge
        loop = asyncio.get_running_loop()
        self.came: asyncio.Future[bool] = loop.create_future()
        """True once the call is there, False where it will not come."""
        self.leads_to: asyncio.Future[Destination | None] = loop.create_future()
        """Where it is let in, told by who has invited; None: nowhere."""

    def settle(self, came: bool) -> None:
        """It came, or it will not; only the first time counts."""
        if not self.came.done():
            self.came.set_result(came)

    def admit(self, destination: Destination | None) -> None:
        """Say where it leads; only the first time counts."""
        if not self.leads_to.done():
            self.leads_to.set_result(destination)


class Invitations:
    """All that are open; who makes one has to ``end`` it."""

    def __init__(self) -> None:
        self._open: dict[str, Invitation] = {}

    def invite(self, bridge: str) -> Invitation:
        """A new one."""
        made = Invitation(bridge)
        self._open[made.user] = made
        return made

    def end(self, invitation: Invitation) -> None:
        """It is not good any more."""
        self._open.pop(invitation.user, None)
        invitation.settle(False)
        invitation.admit(None)

    def take(self, target: str) -> Invitation | None:
        """The invitation that an address names, which counts once; None: it names none."""
        try:
            user = parse_uri(target).user or ""
        except SipError:
            return None
        return self._open.pop(user, None)
