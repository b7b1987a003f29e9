"""Session descriptions in messages."""

from signalling.sip.core import SDP
from signalling.sip.errors import SipError
from signalling.sip.message import ReceivedRequest, ReceivedResponse


def sdp_of(message: ReceivedRequest | ReceivedResponse) -> bytes | None:
    """The session description a message carries.

    Raises:
        SipError: status 415, it carries something else.
    """
    if not message.body:
        return None
    content_type = (message.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    encoding = (message.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise SipError("Content-Encoding", "is not understood here", 415)
    if content_type != SDP:
        raise SipError("Content-Type", "is not a session description", 415)
    return message.body
