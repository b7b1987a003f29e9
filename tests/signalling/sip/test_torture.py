"""RFC 4475 and RFC 5118: what is read is read right, what is refused is refused with the reason.

Where the standard leaves a choice ("it is reasonable to reject ... elements attempting to be
liberal may"), the choice made here is in the table. What needs an agent to be decided (416, 420,
415, 483, unknown credentials, answers to nobody's request) is in ``test_torture_agent.py``.
"""

import pytest

from signalling.sip.errors import SipError
from signalling.sip.fields import read_addresses, uri_of
from signalling.sip.message import ReceivedRequest, ReceivedResponse, parse_message
from tests.signalling.sip.torture import message, names

REFUSED = {
    # name: field at fault, status, whether the error carries an answer
    "badinv01": ("Via", 400, True),
    "clerr": ("Content-Length", 400, True),
    "ncl": ("Content-Length", 400, True),
    "scalar02": ("CSeq", 400, True),
    "scalarlg": ("CSeq", 400, False),
    "quotbal": ("To", 400, True),
    "ltgtruri": ("start-line", 400, True),
    "lwsruri": ("start-line", 400, False),
    "escruri": ("start-line", 400, True),
    "regbadct": ("Contact", 400, True),
    "badaspec": ("To", 400, True),
    "baddn": ("From", 400, True),
    "badvers": ("start-line", 505, True),
    "mismatch01": ("CSeq", 400, True),
    "mismatch02": ("CSeq", 400, True),
    "bigcode": ("start-line", 400, False),
    "insuf": ("From", 400, False),
    "multi01": ("CSeq", 400, True),
    "mcl01": ("Content-Length", 400, True),
}
REFUSED_IPV6 = {"ipv6-bad": ("start-line", 400, True)}


def read(name: str, standard: str = "rfc4475") -> ReceivedRequest:
    received = parse_message(message(standard, name))
    assert isinstance(received, ReceivedRequest)
    return received


def read_response(name: str) -> ReceivedResponse:
    received = parse_message(message("rfc4475", name))
    assert isinstance(received, ReceivedResponse)
    return received


def test_all_messages_are_there() -> None:
    assert len(names("rfc4475")) == 49
    assert len(names("rfc5118")) == 12


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused(name: str) -> None:
    check_refused("rfc4475", name, REFUSED[name])


@pytest.mark.parametrize("name", sorted(REFUSED_IPV6))
def test_refused_of_ipv6(name: str) -> None:
    check_refused("rfc5118", name, REFUSED_IPV6[name])


def check_refused(standard: str, name: str, expected: tuple[str, int, bool]) -> None:
    with pytest.raises(SipError) as caught:
        parse_message(message(standard, name))
    error = caught.value
    assert (error.field, error.status, error.response is not None) == expected, str(error)
    if error.response is not None:
        assert error.response.code == error.status
        assert error.field in error.response.phrase


@pytest.mark.parametrize("name", [name for name in names("rfc4475") if name not in REFUSED])
def test_accepted(name: str) -> None:
    parse_message(message("rfc4475", name))


@pytest.mark.parametrize("name", [name for name in names("rfc5118") if name not in REFUSED_IPV6])
def test_accepted_of_ipv6(name: str) -> None:
    parse_message(message("rfc5118", name))


def test_a_short_tortuous_invite() -> None:
    request = read("wsinv")
    envelope = request.envelope
    assert request.method == "INVITE"
    assert (request.uri.user, request.uri.host) == ("vivekg", "chair-dnrc.example.com")
    assert "unknownparam" in request.uri.parameters
    assert envelope.to_tag == "1918181833n"
    assert envelope.from_address.name == 'J Rosenberg \\"'
    assert envelope.from_tag == "98asjd8"
    assert request.headers["Max-Forwards"] == "0068"
    assert envelope.cseq.sequence == 9
    assert [(via.transport, via.host) for via in envelope.vias] == [
        ("UDP", "192.0.2.2"),
        ("TCP", "spindle.example.com"),
        ("UDP", "192.168.255.111"),
    ]
    assert [via.parameters["branch"] for via in envelope.vias] == [
        "390skdjuw",
        "z9hG4bK9ikj8",
        "z9hG4bK30239",
    ]
    assert request.headers["Subject"] == ""
    assert request.headers["NewFangledHeader"] == "newfangled value continued newfangled value"
    assert request.headers["UnknownHeaderWithUnusualValue"] == ";;,,;;,;"
    (contact,) = envelope.contacts
    assert contact.name == 'Quoted string ""'
    assert contact.parameters["newparam"] == "newvalue"
    assert contact.parameters["secondparam"] is None
    assert contact.parameters["q"] == "0.33"
    assert len(request.body) == 150


def test_wide_range_of_valid_characters() -> None:
    request = read("intmeth")
    assert request.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert request.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert request.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert request.envelope.from_tag == "_token~1'+`*%!-."
    assert request.envelope.from_address.name == "token1~` token2'+_ token3*%!.-"
    assert request.envelope.to_address.name == "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f"
    assert request.envelope.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"


def test_percent_signs() -> None:
    request = read("esc01")
    assert request.uri.user == "sips:user@example.com"
    assert request.envelope.to_address.uri.user == "user"
    assert str(uri_of(request.envelope.contacts[0])) == (
        "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"
    )
    null = read("escnull")
    assert [contact.uri.user for contact in null.envelope.contacts] == ["\0", "\0\0"]
    not_escaped = read("esc02")
    assert not_escaped.method == "RE%47IST%45R"
    assert len(not_escaped.envelope.contacts) == 2
    assert not_escaped.envelope.to_address.name == "%Z%45"


def test_framing_by_content_length() -> None:
    double = read("dblreq")
    assert double.method == "REGISTER"
    assert double.body == b""
    parts = read("mpart01")
    assert len(parts.body) == 553
    assert parts.body.count(b"\0") == 2
    assert read("inv2543").body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")


def test_long_values_and_many_hops() -> None:
    request = read("longreq")
    assert len(request.envelope.vias) == 34
    assert len(request.envelope.from_tag) == 2 + 3 * 50 + 3
    assert len(request.headers.keys()) == 10


def test_what_looks_like_parameters_of_a_uri() -> None:
    user = read("semiuri").uri
    assert user.user == "user;par=u@example.net"
    assert not user.parameters
    of_field = read("cparam01").envelope.contacts[0]
    assert "unknownparam" in of_field.parameters
    assert not of_field.uri.parameters
    of_uri = read("cparam02").envelope.contacts[0]
    assert "unknownparam" in of_uri.uri.parameters
    with_headers = uri_of(read("regescrt").envelope.contacts[0])
    assert with_headers.headers == "Route=%3Csip:sip.example.com%3E"
    assert str(with_headers).endswith("?Route=%3Csip:sip.example.com%3E")


def test_reason_phrases() -> None:
    assert read_response("unreason").message.phrase.endswith("сто девяносто девять - простое")
    assert read_response("noreason").message.phrase == ""
    assert read_response("bcast").envelope.vias[1].host == "255.255.255.255"


def test_liberal_in_spaces_and_dates() -> None:
    assert str(read("lwsstart").uri) == "sip:user@example.com"
    assert str(read("trws").uri) == "sip:remote-target@example.com"
    assert read("lwsdisp").envelope.from_address.name == "caller"
    assert read("baddate").headers["Date"].endswith("EST")


def test_unknown_schemes_are_read() -> None:
    assert read("unkscm").uri.scheme == "nobodyknowsthisscheme"
    assert read("novelsc").uri.scheme == "soap.beep"
    strange = read("unksm2")
    assert uri_of(strange.envelope.to_address).scheme == "isbn"
    assert uri_of(strange.envelope.from_address).scheme == "http"


def test_a_client_of_rfc_2543() -> None:
    request = read("inv2543")
    assert request.envelope.from_tag == ""
    assert "branch" not in request.envelope.vias[0].parameters
    (route,) = read_addresses(request.headers, "Record-Route")
    assert route.uri.parameters["maddr"] == "ss1.example.com"


def test_ipv6() -> None:
    good = read("ipv6-good", "rfc5118")
    assert good.uri.host == "[2001:db8::10]"
    assert good.envelope.contacts[0].uri.host == "[2001:db8::1]"
    assert read("port-ambiguous", "rfc5118").uri.port is None
    assert read("port-unambiguous", "rfc5118").uri.port == 5070
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        via = read(name, "rfc5118").envelope.vias[0]
        assert via.parameters["received"] == "[2001:db8::9:255]"
    hops = read("mult-ip-in-header", "rfc5118").envelope.vias
    assert [via.host for via in hops] == ["[2001:db8::9:1]", "192.0.2.1", "[2001:db8::9:255]"]
    for name in ("ipv6-bug-abnf-3-colons", "ipv6-correct-abnf-2-colons"):
        assert read(name, "rfc5118").uri.host == "[2001:db8::c000:201]"
    mapped = read("ipv4-mapped-ipv6", "rfc5118").envelope.vias[0]
    assert mapped.port == 19823
