"""The one error that reading a session description can end in."""


class SdpError(ValueError):
    """Text that is not the SDP it claims to be.

    Args:
        message: what is wrong, in words a caller can be shown.
        line: 1-based number of the line at fault; 0 where no single line is (a value that was
            built rather than read, or a description as a whole).
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.message = message
        self.line = line
