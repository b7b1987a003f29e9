"""The one error that reading a SIP message can end in."""

from sipmessage import Response


class SipError(ValueError):
    """A message, or a part of one, that cannot be taken.

    Args:
        field: what is at fault: ``start-line``, ``body``, or a header field's name.
        detail: what is wrong with it, in words a peer can be shown.
        status: what a request is answered with (RFC 3261 section 21).

    ``response`` is that answer, ready to be sent where the request came from; None where the
    message was no request, or too broken to be answered.
    """

    def __init__(self, field: str, detail: str, status: int = 400) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail
        self.status = status
        self.response: Response | None = None
