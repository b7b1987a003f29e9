from dataclasses import replace

import pytest

from signalling.offer_answer import Agreed, answer_offer, complete_offer, make_offer
from signalling.offer_answer.floor import floor_protocol, slides_labels
from signalling.sdp import MediaSection, SessionDescription
from tests.signalling.offer_answer.ends_of_calls import (
    OURS,
    THEIRS,
    audio,
    floor,
    local_media,
    offer,
    video,
)

SLIDES = video("a=content:slides", "a=label:12", port=4004)


def bfcp(*lines: str, protocol: str = "UDP/BFCP", port: int = 5000) -> list[str]:
    return [f"m=application {port} {protocol} *", *lines]


def answered(
    *lines: str, protocol: str = "UDP/BFCP", port: int = 5000, **changes: object
) -> Agreed:
    local = local_media(floor=floor(**changes))
    return answer_offer(offer(audio(), SLIDES, bfcp(*lines, protocol=protocol, port=port)), local)


def section(agreed: Agreed) -> MediaSection:
    return agreed.local.media[2]


def test_we_are_the_server() -> None:
    agreed = answered("a=floorctrl:c-only", "a=setup:actpass", "a=connection:new")
    found = agreed.floor
    assert found is not None
    assert (found.role, found.protocol, found.opens) == ("server", "UDP/BFCP", False)
    assert (found.local_port, found.remote) == (50000, ("198.51.100.7", 5000))
    assert (found.conference_id, found.user_id, found.floor_id) == (77, 5, 1)
    assert found.labels == ("12",)
    assert str(section(agreed)).split("\r\n")[:-1] == [
        "m=application 50000 UDP/BFCP *",
        "c=IN IP4 192.0.2.1",
        "a=floorctrl:s-only",
        "a=confid:77",
        "a=userid:5",
        "a=floorid:1 mstrm:12",
        "a=setup:passive",
        "a=connection:new",
    ]


@pytest.mark.parametrize("roles", ["a=x", "a=floorctrl:c-s", "a=floorctrl:s-only c-only"])
def test_we_are_the_server_wherever_we_can(roles: str) -> None:
    agreed = answered(roles)
    assert agreed.floor is not None
    assert agreed.floor.role == "server"
    assert section(agreed).floorctrl == ("s-only",)


def test_a_peer_that_is_the_server_is_followed() -> None:
    lines = ["a=floorctrl:s-only", "a=confid:4294967295", "a=userid:9", "a=floorid:3 mstrm:12 13"]
    agreed = answered(*lines)
    found = agreed.floor
    assert found is not None
    assert (found.role, found.conference_id, found.user_id) == ("client", 4294967295, 9)
    assert (found.floor_id, found.labels) == (3, ("12", "13"))
    assert section(agreed).floorctrl == ("c-only",)
    assert not section(agreed).has("confid")


@pytest.mark.parametrize(
    "lines",
    [
        ["a=floorctrl:s-only", "a=userid:9", "a=floorid:3"],
        ["a=floorctrl:s-only", "a=confid:4294967296", "a=userid:9", "a=floorid:3"],
        ["a=floorctrl:s-only", "a=confid:1", "a=userid:65536", "a=floorid:3"],
        ["a=floorctrl:s-only", "a=confid:1", "a=userid:9"],
        ["a=floorctrl:s-only", "a=confid:1", "a=userid:9", "a=floorid:x"],
        ["a=floorctrl:other"],
        ["a=setup:holdconn"],
    ],
)
def test_what_cannot_be_followed_is_refused_by_port_0(lines: list[str]) -> None:
    agreed = answered(*lines)
    assert agreed.floor is None
    assert section(agreed).port == 0
    assert section(agreed).protocol == "UDP/BFCP"
    assert agreed.refused[0].startswith("m-line 3 (application): ")


@pytest.mark.parametrize(
    ("setup", "port", "opens", "written"),
    [
        ("actpass", 50001, False, "passive"),
        ("active", 50001, False, "passive"),
        ("passive", 9, True, "active"),
    ],
)
def test_who_opens_the_connection(setup: str, port: int, opens: bool, written: str) -> None:
    agreed = answered(f"a=setup:{setup}", protocol="TCP/BFCP")
    assert agreed.floor is not None
    assert (agreed.floor.local_port, agreed.floor.opens) == (port, opens)
    assert section(agreed).setup == written
    assert section(agreed).attribute("connection") == "new"


def test_a_peer_that_opens_names_no_port() -> None:
    agreed = answered("a=setup:active", protocol="TCP/BFCP", port=9)
    assert agreed.floor is not None
    assert agreed.floor.remote is None


@pytest.mark.parametrize("protocol", ["UDP/TLS/BFCP", "TCP/TLS/BFCP"])
def test_with_certificates(protocol: str) -> None:
    lines = [f"a=fingerprint:{THEIRS}", "a=setup:actpass"]
    agreed = answered(*lines, protocol=protocol, protocols=(protocol,))
    assert agreed.floor is not None
    assert agreed.floor.fingerprints == (THEIRS,)
    assert section(agreed).fingerprints == (OURS,)
    assert section(agreed).setup == "passive"
    without = answered(lines[1], protocol=protocol, protocols=(protocol,))
    assert without.floor is None
    assert "certificate" in without.refused[0]


def test_protocols_that_are_not_done_here() -> None:
    assert answered(protocol="TCP/BFCP", protocols=("UDP/BFCP",)).floor is None
    described = offer(audio(), bfcp())
    assert answer_offer(described, local_media()).floor is None


def test_the_first_of_several_is_taken() -> None:
    described = offer(
        audio(), bfcp(port=0), bfcp("a=setup:actpass", protocol="TCP/BFCP"), bfcp(port=5002)
    )
    agreed = answer_offer(described, local_media(floor=floor()))
    assert [media.port for media in agreed.local.media] == [40000, 0, 50001, 0]
    assert agreed.floor is not None
    assert agreed.floor.index == 2


def test_a_presentation_without_label_is_given_one() -> None:
    described = offer(audio(), video("a=content:slides"), bfcp())
    agreed = answer_offer(described, local_media(floor=floor()))
    assert agreed.floor is not None
    assert agreed.floor.labels == ("2",)
    assert agreed.local.media[1].label == "2"


def test_labels_tell_which_section_is_the_presentation() -> None:
    named = bfcp("a=floorid:1 m-stream:3", "a=floorid:2 mstrm:4 5", "a=floorid:junk mstrm:6")
    described = offer(audio(), video("a=label:3"), video("a=label:2", port=4006), named)
    assert slides_labels(described) == {"3", "4", "5"}
    agreed = answer_offer(described, local_media(floor=floor()))
    assert [flow.media.stream for flow in agreed.flows] == ["audio", "presentation", "video"]


def test_the_same_offer_again_keeps_the_connection() -> None:
    local = local_media(floor=floor())
    first = answer_offer(
        offer(audio(), SLIDES, bfcp("a=setup:actpass", "a=connection:new", protocol="TCP/BFCP")),
        local,
    )
    again = offer(
        audio(), SLIDES, bfcp("a=setup:actpass", "a=connection:existing", protocol="TCP/BFCP")
    )
    second = answer_offer(again, replace(local, floor=floor(port=lambda _: 1)), previous=first)
    assert second.floor == first.floor
    assert section(second).attribute("connection") == "existing"


def test_offered_and_taken() -> None:
    ours = local_media(floor=floor(protocols=("TCP/BFCP", "UDP/BFCP")))
    theirs = local_media(50000, 2000, floor=floor(conference_id=1, user_id=1))
    offered = make_offer(ours)
    written = offered.local.media[3]
    assert (written.protocol, written.setup) == ("TCP/BFCP", "passive")
    assert written.attribute("floorid") == "1 mstrm:3"
    answer = answer_offer(offered.local, theirs)
    agreed = complete_offer(offered, answer.local)
    assert agreed.floor is not None
    assert answer.floor is not None
    assert (agreed.floor.role, answer.floor.role) == ("server", "client")
    assert (agreed.floor.opens, answer.floor.opens) == (False, True)
    assert agreed.floor.remote is None  # it comes from a port of the peer's choice
    assert answer.floor.remote == ("192.0.2.1", 50001)
    for name in ("conference_id", "user_id", "floor_id", "labels"):
        assert getattr(agreed.floor, name) == getattr(answer.floor, name)
    held = make_offer(ours, previous=agreed, holding=True)
    assert held.local.media[3].attribute("connection") == "existing"


def test_offered_and_refused() -> None:
    offered = make_offer(local_media(floor=floor()))
    answer = answer_offer(offered.local, local_media(50000, 2000)).local
    agreed = complete_offer(offered, answer)
    assert agreed.floor is None
    assert "m-line 4 (application): switched off in the answer" in agreed.refused
    again = make_offer(local_media(floor=floor()), previous=agreed, holding=True)
    assert again.local.media[3].port == 0


@pytest.mark.parametrize(
    ("lines", "protocol", "reason"),
    [
        (["a=floorctrl:s-only"], "UDP/BFCP", "both sides"),
        ([], "TCP/BFCP", "was offered"),
        (["c=IN IP6 2001:db8::9"], "UDP/BFCP", "family"),
    ],
)
def test_answers_that_do_not_fit(lines: list[str], protocol: str, reason: str) -> None:
    offered = make_offer(local_media(floor=floor(), streams={"audio": "sendrecv"}))
    assert offered.floor is None
    offered = make_offer(local_media(floor=floor()))
    answer = offer(
        audio(),
        video(port=0),
        video(port=0),
        bfcp(*lines, protocol=protocol),
    )
    agreed = complete_offer(offered, answer)
    assert agreed.floor is None
    assert any(reason in text for text in agreed.refused)


def test_offered_with_certificates() -> None:
    tls = floor(protocols=("TCP/TLS/BFCP",))
    offered = make_offer(local_media(floor=tls))
    other = local_media(50000, 2000, floor=tls, fingerprints=(THEIRS,))
    answer = answer_offer(offered.local, other)
    agreed = complete_offer(offered, answer.local)
    assert agreed.floor is not None
    assert answer.floor is not None
    assert agreed.floor.fingerprints == (THEIRS,)
    assert answer.floor.fingerprints == (OURS,)
    lines = [line for line in str(answer.local).splitlines() if "fingerprint" not in line]
    without = complete_offer(offered, SessionDescription.parse("\n".join(lines)))
    assert without.floor is None
    assert any("no usable a=fingerprint" in text for text in without.refused)


@pytest.mark.parametrize(
    ("line", "protocol"),
    [
        ("m=application 5000 UDP/BFCP *", "UDP/BFCP"),
        ("m=application 5000 tcp/tls/bfcp *", "TCP/TLS/BFCP"),
        ("m=application 5000 RTP/AVP 100", None),
        ("m=audio 5000 UDP/BFCP *", None),
    ],
)
def test_what_is_floor_control(line: str, protocol: str | None) -> None:
    assert floor_protocol(offer([line]).media[0]) == protocol
