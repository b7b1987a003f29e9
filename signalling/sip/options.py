"""OPTIONS (RFC 3261 section 11), and who we are in requests outside a dialog."""

from collections.abc import Callable

from sipmessage import Request

from signalling.sip.core import SDP, Core
from signalling.sip.errors import SipError
from signalling.sip.fields import read_address, tag_of, uri_of
from signalling.sip.uri import SipUri


def read_caller(caller: str) -> SipUri:
    """The URI in our From.

    Raises:
        SipError: it is no SIP address, or holds a tag, line ends or a list.
    """
    if not caller.isprintable():
        raise SipError("caller", "holds characters that do not belong there")
    address = read_address(caller, "caller")
    uri = uri_of(address)
    if not uri.is_sip or tag_of(address) or not caller.rstrip().endswith(">"):
        raise SipError("caller", "is not a SIP address in angle brackets")
    return uri


def options_request(
    core: Core, target: SipUri, routes: list[str], caller: str
) -> Callable[[], Request]:
    """What builds an OPTIONS, each time with a new CSeq."""
    read_caller(caller)
    tag, call_id = core.new_name(), core.new_name()
    sequence = 0

    def make() -> Request:
        nonlocal sequence
        sequence += 1
        request = Request("OPTIONS", target)
        if routes:
            request.headers.setlist("Route", list(routes))
        request.headers.set("Max-Forwards", "70")
        request.headers.set("From", f"{caller};tag={tag}")
        request.headers.set("To", f"<{target}>")
        request.headers.set("Call-ID", call_id)
        request.headers.set("CSeq", f"{sequence} OPTIONS")
        request.headers.set("Accept", SDP)
        core.describe(request)
        return request

    return make
