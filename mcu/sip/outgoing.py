"""A call of ours: what its answer says, and why it came to nothing."""

from collections.abc import Callable

import structlog

from mcu.sip.conversation import UNUSABLE, CallContext, Conversation
from mcu.sip.media_ends import Protections
from signalling.sip import CallAnswered, CallEnded, Hop

log = structlog.get_logger(__name__)


class OutgoingConversation(Conversation):
    """A call of ours.

    Args:
        changed: told when ``outcome`` is there.
    """

    def __init__(
        self,
        context: CallContext,
        conference: str,
        hop: Hop,
        protections: Protections,
        changed: Callable[[], None],
    ) -> None:
        super().__init__(context, conference, hop, protections)
        self.outcome: CallEnded | None = None
        """Why it came to nothing; None while it stands."""
        self._changed = changed

    def answered(self, event: CallAnswered) -> None:
        """Follow the answer; one that cannot be used ends the call."""
        try:
            self.complete(event.sdp)
        except UNUSABLE as error:
            log.info("answer_unusable", call=self.call, reason=str(error))
            self._settle(CallEnded(self.call, "not acceptable", 488))
            self.hang_up("failed")

    def over(self, event: CallEnded) -> None:
        """See ``Conversation``."""
        super().over(event)
        self._settle(event)

    def _settle(self, event: CallEnded) -> None:
        self.outcome = self.outcome or event
        self._changed()
