"""Both ends of a dialog agree on identity, path and order."""

import pytest
from sipmessage import Request

from signalling.sip.dialog import MAX_ROUTES, Dialog, DialogId
from signalling.sip.errors import SipError
from signalling.sip.fields import MAX_SEQUENCE
from signalling.sip.hop import Hop
from signalling.sip.message import ReceivedRequest, encode, parse_message, response_to
from tests.signalling.sip.messages import request, response

SOURCE = Hop("udp", "192.0.2.7", 5060)
CONTACT = "Contact: <sip:room@192.0.2.7:5070;ob>"


def server(*extra: str, source: Hop = SOURCE, **options: object) -> Dialog:
    invite = request("INVITE", "z9hG4bK1", *(extra or (CONTACT,)), **options)
    return Dialog.of_server(invite, "mine", 10, source)


def client(*extra: str, code: int = 200, source: Hop = SOURCE) -> Dialog:
    invite = request("INVITE").message
    return Dialog.of_client(invite, response(invite, code, *(extra or (CONTACT,))), source)


def text_of(sent: Request) -> str:
    sent.headers.set("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")
    return encode(sent).decode()


def test_of_the_callee() -> None:
    dialog = server()
    assert dialog.id == DialogId("call@192.0.2.7", "mine", "peer")
    assert dialog.remote_sequence == 1
    bye = dialog.request("BYE")
    assert str(bye.uri) == "sip:room@192.0.2.7:5070;ob"
    assert bye.headers["From"] == "<sip:mcu@192.0.2.1>;tag=mine"
    assert bye.headers["To"] == "<sip:room@192.0.2.7>;tag=peer"
    assert bye.headers["CSeq"] == "11 BYE"
    assert dialog.request("INFO").headers["CSeq"] == "12 INFO"
    assert dialog.request("ACK").headers["CSeq"] == "12 ACK"
    assert dialog.hop("udp") == Hop("udp", "192.0.2.7", 5070)


def test_of_the_caller() -> None:
    dialog = client()
    assert dialog.id == DialogId("call@192.0.2.7", "peer", "far")
    assert dialog.request("BYE").headers["CSeq"] == "2 BYE"
    assert dialog.request("BYE").headers["To"].endswith(";tag=far")


def test_both_ends_name_the_same() -> None:
    invite = request("INVITE", "z9hG4bK1", CONTACT)
    callee = Dialog.of_server(invite, "mine", 10, SOURCE)
    answer = response_to(invite, 200, "mine")
    answer.headers.set("Contact", "<sip:mcu@192.0.2.1>")
    received = parse_message(encode(answer))
    assert not isinstance(received, ReceivedRequest)
    caller = Dialog.of_client(invite.message, received, SOURCE)
    assert (caller.id.local_tag, caller.id.remote_tag) == (
        callee.id.remote_tag,
        callee.id.local_tag,
    )
    to_callee = parse_message(text_of(caller.request("INFO")).encode())
    assert isinstance(to_callee, ReceivedRequest)
    callee.take_sequence(to_callee)
    assert to_callee.envelope.to_tag == callee.id.local_tag


def test_loose_routes() -> None:
    routes = "Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com:5070;lr;transport=tcp>"
    callee = server(CONTACT, routes).request("BYE")
    assert callee.headers.getlist("Route") == [
        "<sip:p2.example.com;lr>",
        "<sip:p1.example.com:5070;lr;transport=tcp>",
    ]
    assert str(callee.uri) == "sip:room@192.0.2.7:5070;ob"
    caller = client(CONTACT, routes)
    assert caller.request("BYE").headers.getlist("Route")[0].startswith("<sip:p1")
    assert caller.hop("udp") == Hop("tcp", "p1.example.com", 5070)


def test_strict_routes() -> None:
    dialog = server(CONTACT, "Record-Route: <sip:p1.example.com?x=y>, <sip:p2.example.com;lr>")
    bye = dialog.request("BYE")
    assert str(bye.uri) == "sip:p1.example.com"
    assert bye.headers.getlist("Route") == [
        "<sip:p2.example.com;lr>",
        "<sip:room@192.0.2.7:5070;ob>",
    ]
    assert dialog.hop("udp") == Hop("udp", "p1.example.com")


def test_a_stream_is_used_again_unless_a_route_leads_elsewhere() -> None:
    stream = Hop("tcp", "198.51.100.9", 40_000, connection=3)
    assert server(source=stream).hop("udp") == stream
    routed = server(CONTACT, "Record-Route: <sip:p1.example.com;lr>", source=stream)
    assert routed.hop("udp") == Hop("udp", "p1.example.com")


def test_a_stream_that_was_opened_is_used_again_whatever_port_its_peer_names() -> None:
    stream = Hop("tls", "192.0.2.7", 5061, domain="room.example.com")
    assert (
        client("Contact: <sip:room@192.0.2.7:42228;transport=tcp>", source=stream).hop("udp")
        == stream
    )
    elsewhere = client("Contact: <sip:room@192.0.2.8;transport=tcp>", source=stream)
    assert elsewhere.hop("udp") == Hop("tcp", "192.0.2.8")
    routed = client(CONTACT, "Record-Route: <sip:p1.example.com;lr>", source=stream)
    assert routed.hop("udp") == Hop("udp", "p1.example.com")
    assert client().hop("udp") == Hop("udp", "192.0.2.7", 5070)


def test_order_of_requests() -> None:
    dialog = server()
    dialog.take_sequence(request("INFO", cseq=5))
    for sequence in (5, 4):
        with pytest.raises(SipError) as caught:
            dialog.take_sequence(request("INFO", cseq=sequence))
        assert caught.value.status == 500
    dialog.take_sequence(request("INFO", cseq=9))  # gaps are allowed


def test_the_last_sequence_number() -> None:
    dialog = server()
    dialog.local_sequence = MAX_SEQUENCE
    assert dialog.request("INFO").headers["CSeq"] == "1 INFO"


def test_targets() -> None:
    dialog = client(code=180)
    dialog.confirm(response(request("INVITE").message, 200, "Contact: <sip:other@192.0.2.8>",
                            "Record-Route: <sip:p.example.com;lr>"))  # fmt: skip
    assert str(dialog.remote_target) == "sip:other@192.0.2.8"
    assert dialog.route_set == ("<sip:p.example.com;lr>",)
    dialog.confirm(response(request("INVITE").message, 200, "Record-Route: <sip:q.example.com;lr>"))
    assert dialog.route_set == ("<sip:p.example.com;lr>",)  # set once (section 12.2)
    dialog.refresh_target(request("INVITE", "z9hG4bK1", "Contact: <tel:+84>").envelope.contacts)
    assert str(dialog.remote_target) == "sip:other@192.0.2.8"


@pytest.mark.parametrize(
    "extra",
    [
        ("X-None: 1",),
        ("Contact: <sip:a@b.com>, <sip:c@d.com>",),
        ("Contact: <tel:+84>",),
        ("Contact: *",),
        (CONTACT, "Record-Route: " + ",".join(["<sip:p;lr>"] * (MAX_ROUTES + 1))),
    ],
)
def test_dialogs_that_cannot_be(extra: tuple[str, ...]) -> None:
    with pytest.raises(SipError):
        server(*extra)
    with pytest.raises(SipError):
        client(*extra)
