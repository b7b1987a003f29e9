"""The one error that reading or writing BFCP can end in."""

from signalling.bfcp.registry import ErrorCode


class BfcpError(ValueError):
    """A message, or a part of one, that cannot be taken.

    Args:
        field: what is at fault: ``header.version``, ``FLOOR-ID``, ``REQUEST-STATUS.length``, ...
        detail: what is wrong with it, in words a peer can be shown.
        code: what a server answers a request with (RFC 8855 section 13.8).
        details: bytes that go with the code (unknown mandatory attributes).
    """

    def __init__(
        self,
        field: str,
        detail: str,
        code: ErrorCode = ErrorCode.UNPARSABLE,
        details: bytes = b"",
    ) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail
        self.code = code
        self.details = details
