from dataclasses import replace

import pytest

from signalling.media.negotiated import OfferRefused
from signalling.offer_answer import Agreed, Ice, Plain, Sdes, answer_offer, complete_offer, hold
from signalling.sdp import Line, MediaSection, SdpError, SessionDescription
from tests.signalling.offer_answer.ends_of_calls import (
    KEY,
    OTHER_KEY,
    SESSION,
    SUITE,
    audio,
    local_media,
    offer,
    our,
    ports,
    the_flow,
    video,
)

CRYPTO = f"a=crypto:1 {SUITE} {KEY}"
SESSION_6 = tuple(line.replace("IP4 198.51.100.7", "IP6 2001:db8:40::7") for line in SESSION)
ICE = ("a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 22)
CANDIDATE = "a=candidate:1 1 UDP 2130706431 198.51.100.7 4000 typ host"


# --- the whole ---------------------------------------------------------------------------------


def test_the_text_of_an_answer() -> None:
    described = offer(
        audio("a=rtpmap:101 telephone-event/8000", "a=ptime:20", pts="0 8 101 13"),
        video("a=content:main", "a=label:11", "a=rtcp-fb:* nack pli", "a=rtcp-fb:* ccm tmmbr"),
    )
    agreed = answer_offer(described, local_media(receive_bitrate_bps=2_000_000))
    assert str(agreed.local).split("\r\n")[:-1] == [
        "v=0",
        "o=- 7 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 40000 RTP/AVP 8 101 13",
        "c=IN IP4 192.0.2.1",
        "a=sendrecv",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:13 CN/8000",
        "a=ptime:20",
        "m=video 40002 RTP/AVP 97",
        "c=IN IP4 192.0.2.1",
        "b=AS:2000",
        "b=TIAS:2000000",
        "a=sendrecv",
        "a=label:11",
        "a=content:main",
        "a=rtpmap:97 H264/90000",
        "a=rtcp-fb:97 nack pli",
        "a=fmtp:97 packetization-mode=1;profile-level-id=42e01f;max-mbps=245760;max-fs=8192;"
        "max-br=20000",
    ]


def test_what_a_flow_says() -> None:
    flow = the_flow(answer_offer(offer(audio(pts="9 8 13")), local_media()))
    assert (flow.index, flow.family, flow.local_port) == (0, "IP4", 40000)
    assert flow.remote == ("198.51.100.7", 4000)
    assert flow.remote_rtcp == ("198.51.100.7", 4001)
    assert not flow.rtcp_mux
    assert flow.security == Plain()
    assert (flow.media.codec.name, flow.media.codec.clock_rate) == ("g722", 8000)
    assert flow.media.local_ssrc == flow.ssrc == 1000
    assert (flow.dtmf, flow.comfort_noise, flow.ptime_ms) == (None, 13, 20)
    assert flow.ice is None
    assert not flow.held


def test_static_payload_types_need_no_rtpmap() -> None:
    for pts, name in (("0", "pcmu"), ("8", "pcma"), ("9", "g722"), ("18 0", "pcmu")):
        flow = the_flow(answer_offer(offer(audio(pts=pts)), local_media()))
        assert flow.media.codec.name == name


def test_the_offers_payload_types_are_ours_too() -> None:
    lines = ["a=rtpmap:120 opus/48000/2", "a=rtpmap:110 telephone-event/48000"]
    flow = the_flow(answer_offer(offer(audio(*lines, pts="120 110")), local_media()))
    assert flow.media.send_codec is not None
    assert flow.media.send_codec.payload_type == 120
    assert list(flow.media.receive_codecs) == [120]
    assert (flow.dtmf, flow.dtmf_receive, flow.dtmf_clock_rate) == (110, 110, 48000)


def test_sections_that_are_not_taken_keep_their_place() -> None:
    described = offer(
        ["m=text 5000 RTP/AVP 98", "a=rtpmap:98 t140/1000"],
        audio(),
        ["m=application 5002 RTP/AVP 100", "a=rtpmap:100 H224/4800"],
        ["m=image 5004 udptl t38"],
        video(port=0),
        video(port=4008),
        audio(port=4010),
    )
    agreed = answer_offer(described, local_media())
    assert ports(agreed) == [0, 40000, 0, 0, 0, 40002, 0]
    assert [m.kind for m in agreed.local.media] == [m.kind for m in described.media]
    assert [m.formats for m in agreed.local.media][2:4] == [("100",), ("t38",)]
    assert [text.partition(":")[0] for text in agreed.refused] == [
        "m-line 1 (text)",
        "m-line 3 (application)",
        "m-line 4 (image)",
        "m-line 5 (video)",
        "m-line 7 (audio)",
    ]


# --- addresses ---------------------------------------------------------------------------------


def test_the_answer_is_in_the_family_of_the_offer() -> None:
    agreed = answer_offer(offer(audio(), session=SESSION_6), local_media())
    assert the_flow(agreed).family == "IP6"
    assert the_flow(agreed).remote == ("2001:db8:40::7", 4000)
    assert our(agreed).connection is not None
    assert str(our(agreed).connection) == "IN IP6 2001:db8::1"
    assert agreed.local.origin.family == "IP6"


def test_each_section_in_its_own() -> None:
    agreed = answer_offer(offer(audio(), video("c=IN IP6 2001:db8:40::7")), local_media())
    assert [flow.family for flow in agreed.flows] == ["IP4", "IP6"]


def test_alternative_addresses_are_left_alone() -> None:
    agreed = answer_offer(offer(audio("a=altc:1 IP6 2001:db8::9 4000")), local_media())
    assert the_flow(agreed).family == "IP4"
    assert not our(agreed).has("altc")


def test_a_family_that_is_not_here() -> None:
    with pytest.raises(OfferRefused, match="no IP6 address here"):
        answer_offer(offer(audio(), session=SESSION_6), local_media(ipv6=""))


def test_one_port_for_control() -> None:
    agreed = answer_offer(offer(audio("a=rtcp-mux", "a=rtcp:4000")), local_media())
    assert the_flow(agreed).rtcp_mux
    assert the_flow(agreed).remote_rtcp == ("198.51.100.7", 4000)
    assert our(agreed).has("rtcp-mux")


# --- directions and hold -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "answered", "held"),
    [
        ("sendrecv", "sendrecv", False),
        ("sendonly", "recvonly", True),
        ("recvonly", "sendonly", False),
        ("inactive", "inactive", True),
    ],
)
def test_directions(offered: str, answered: str, held: bool) -> None:
    for described in (
        offer(audio(f"a={offered}")),
        offer(audio(), session=(*SESSION, f"a={offered}")),
    ):
        agreed = answer_offer(described, local_media())
        flow = the_flow(agreed)
        assert our(agreed).direction == flow.media.direction == answered
        assert flow.held == held
        assert flow.media.local_ssrc == (flow.ssrc if flow.media.sends else None)


@pytest.mark.parametrize(
    ("ours", "answered"),
    [("recvonly", "recvonly"), ("sendonly", "sendonly"), ("inactive", "inactive")],
)
def test_our_own_wish_bounds_the_direction(ours: str, answered: str) -> None:
    agreed = answer_offer(offer(audio()), local_media(streams={"audio": ours}))
    assert our(agreed).direction == answered


def test_hold_with_zeros_stops_what_we_send() -> None:
    local = local_media()
    first = answer_offer(offer(audio()), local)
    held = answer_offer(offer(audio("c=IN IP4 0.0.0.0")), local, previous=first)
    flow = the_flow(held)
    assert flow.held
    assert not flow.media.sends
    assert flow.media.send_codec is None
    assert (flow.remote, flow.remote_rtcp) == (None, None)
    assert our(held).direction == "sendrecv"  # RFC 2543 knew no other
    resumed = answer_offer(offer(audio()), local, previous=held)
    assert resumed.flows == first.flows


def test_resuming_changes_nothing_but_the_hold() -> None:
    local = local_media()
    sdes = audio(CRYPTO, protocol="RTP/SAVP")
    first = answer_offer(offer(sdes, video()), local)
    held = answer_offer(offer([*sdes, "a=sendonly"], video("a=inactive")), local, previous=first)
    assert [flow.held for flow in held.flows] == [True, True]
    assert [flow.media.direction for flow in held.flows] == ["recvonly", "inactive"]
    assert [flow.ssrc for flow in held.flows] == [flow.ssrc for flow in first.flows]
    resumed = answer_offer(offer(sdes, video()), local, previous=held)
    assert resumed.flows == first.flows
    assert resumed.local.origin.session_version == 3


def test_our_hold_stays_when_the_peer_offers_again() -> None:
    local = local_media()
    first = answer_offer(offer(audio()), local)
    offered = hold(local, first)
    held = complete_offer(offered, offer(audio("a=recvonly")))
    again = answer_offer(offer(audio()), local, previous=held)
    assert again.holding
    assert our(again).direction == "sendonly"
    assert not the_flow(again).media.receives


# --- offers in a call that stands --------------------------------------------------------------


def test_the_same_offer_again_is_the_same_answer() -> None:
    local = local_media()
    described = offer(audio(CRYPTO, protocol="RTP/SAVP"), video())
    first = answer_offer(described, local)
    assert answer_offer(described, local, previous=first) == first


def test_a_codec_change_keeps_port_and_ssrc() -> None:
    local = local_media()
    first = answer_offer(offer(audio(pts="9")), local)
    second = answer_offer(offer(audio(pts="0")), local, previous=first)
    before, after = the_flow(first), the_flow(second)
    assert (before.media.codec.name, after.media.codec.name) == ("g722", "pcmu")
    assert (before.local_port, before.ssrc) == (after.local_port, after.ssrc)
    assert second.local.origin.session_version == 2


def test_video_added_removed_and_back() -> None:
    local = local_media()
    alone = answer_offer(offer(audio()), local)
    both = answer_offer(offer(audio(), video()), local, previous=alone)
    assert [flow.media.stream for flow in both.flows] == ["audio", "video"]
    assert both.flows[0] == alone.flows[0]
    without = answer_offer(offer(audio(), video(port=0)), local, previous=both)
    assert without.flows == alone.flows
    assert ports(without) == [40000, 0]
    back = answer_offer(offer(audio(), video()), local, previous=without)
    assert back.flows[1].media.stream == "video"
    assert [a.local.origin.session_version for a in (alone, both, without, back)] == [1, 2, 3, 4]


def test_everything_switched_off() -> None:
    local = local_media()
    first = answer_offer(offer(audio()), local)
    off = answer_offer(offer(audio(port=0)), local, previous=first)
    assert off.flows == ()
    assert ports(off) == [0]
    with pytest.raises(OfferRefused, match="switched off"):
        answer_offer(offer(audio(port=0)), local)


def test_fewer_sections_than_before_are_refused() -> None:
    local = local_media()
    first = answer_offer(offer(audio(), video()), local)
    with pytest.raises(OfferRefused, match="fewer media sections"):
        answer_offer(offer(audio()), local, previous=first)


def test_a_refused_offer_leaves_the_call_as_it_was() -> None:
    local = local_media()
    first = answer_offer(offer(audio()), local)
    with pytest.raises(OfferRefused):
        answer_offer(offer(audio(pts="18")), local, previous=first)
    assert answer_offer(offer(audio()), local, previous=first) == first


def test_another_address_family_takes_another_port() -> None:
    local = local_media()
    first = answer_offer(offer(audio()), local)
    moved = answer_offer(offer(audio(), session=SESSION_6), local, previous=first)
    assert (the_flow(moved).family, the_flow(moved).local_port) == ("IP6", 40002)


def test_a_section_may_change_its_kind() -> None:
    local = local_media()
    first = answer_offer(offer(audio(), video()), local)
    second = answer_offer(offer(audio(), audio(port=4002)), local, previous=first)
    assert ports(second) == [40000, 0]
    third = answer_offer(offer(video(), audio()), local, previous=first)
    assert [flow.media.stream for flow in third.flows] == ["video", "audio"]


def test_another_key_of_the_peer_changes_only_what_we_receive_with() -> None:
    local = local_media()
    first = answer_offer(offer(audio(CRYPTO, protocol="RTP/SAVP")), local)
    other = f"a=crypto:1 {SUITE} {OTHER_KEY}"
    second = answer_offer(offer(audio(other, protocol="RTP/SAVP")), local, previous=first)
    before, after = the_flow(first).security, the_flow(second).security
    assert isinstance(before, Sdes)
    assert isinstance(after, Sdes)
    assert before.local_key == after.local_key
    assert before.remote_key != after.remote_key
    assert second.local == first.local


# --- which section carries what ----------------------------------------------------------------


def test_main_and_slides() -> None:
    slides, main = video("a=content:slides"), video("a=content:main", port=4006)
    agreed = answer_offer(offer(audio(), slides, main), local_media())
    assert [flow.media.stream for flow in agreed.flows] == ["audio", "presentation", "video"]
    assert [media.content for media in agreed.local.media] == [(), ("slides",), ("main",)]


def test_a_second_video_without_a_word_is_the_presentation() -> None:
    agreed = answer_offer(offer(video(), video(port=4006)), local_media())
    assert [flow.media.stream for flow in agreed.flows] == ["video", "presentation"]


@pytest.mark.parametrize("content", ["alt", "speaker", "sl", "main,alt"])
def test_other_contents_are_main_video(content: str) -> None:
    agreed = answer_offer(offer(video(f"a=content:{content}")), local_media())
    assert the_flow(agreed).media.stream == "video"


def test_streams_stay_with_their_section() -> None:
    local = local_media()
    first = answer_offer(offer(video("a=content:slides"), video(port=4006)), local)
    second = answer_offer(offer(video(), video(port=4006)), local, previous=first)
    streams = [flow.media.stream for flow in second.flows]
    assert streams == [flow.media.stream for flow in first.flows] == ["presentation", "video"]


@pytest.mark.parametrize("protected_first", [True, False])
def test_of_a_section_offered_twice_the_protected_one_is_taken(protected_first: bool) -> None:
    sections = [
        audio(CRYPTO, protocol="RTP/SAVP"),
        video(CRYPTO, protocol="RTP/SAVP"),
        audio(port=4100),
        video(port=4102),
    ]
    if not protected_first:
        sections = sections[2:] + sections[:2]
    agreed = answer_offer(offer(*sections), local_media())
    taken = [0, 1] if protected_first else [2, 3]
    assert [flow.index for flow in agreed.flows] == taken
    assert all(isinstance(flow.security, Sdes) for flow in agreed.flows)
    assert sum("already" in text for text in agreed.refused) == 2


def test_the_plain_one_is_taken_where_the_protected_one_cannot_be() -> None:
    sections = [audio(protocol="RTP/SAVP"), audio(port=4100)]
    agreed = answer_offer(offer(*sections), local_media())
    assert the_flow(agreed).index == 1


def test_streams_that_are_not_wanted() -> None:
    described = offer(audio(), video(), video("a=content:slides", port=4006))
    agreed = answer_offer(described, local_media(streams={"audio": "sendrecv"}))
    assert ports(agreed) == [40000, 0, 0]
    assert "no video is taken" in agreed.refused[0]
    assert "no presentation is taken" in agreed.refused[1]


# --- protection --------------------------------------------------------------------------------


def test_best_effort_is_answered_with_a_key_in_the_offers_profile() -> None:
    agreed = answer_offer(offer(audio(CRYPTO)), local_media())
    assert our(agreed).protocol == "RTP/AVP"
    (crypto,) = our(agreed).cryptos
    assert (crypto.tag, crypto.suite) == (1, SUITE)


def test_capabilities_of_rfc_5939_are_left_alone() -> None:
    lines = ["a=tcap:1 RTP/SAVP", f"a=acap:1 crypto:1 {SUITE} {KEY}", "a=pcfg:1 t=1 a=1"]
    agreed = answer_offer(offer(audio(*lines)), local_media())
    assert the_flow(agreed).security == Plain()
    assert not our(agreed).has("acfg")


def test_a_site_that_forbids_plain_rtp_says_so() -> None:
    local = local_media(protections=("sdes", "dtls"))
    with pytest.raises(OfferRefused, match="unprotected, which this site does not allow") as error:
        answer_offer(offer(audio(), video()), local)
    assert error.value.field == "media[0]"
    agreed = answer_offer(offer(audio(CRYPTO), video()), local)
    assert ports(agreed) == [40000, 0]


# --- ICE ---------------------------------------------------------------------------------------


def test_ice_is_answered_lite() -> None:
    agreed = answer_offer(offer(audio(*ICE, CANDIDATE)), local_media())
    assert the_flow(agreed).ice == Ice("abcd", "x" * 22)
    assert agreed.local.has("ice-lite")
    assert (our(agreed).ice_ufrag, our(agreed).ice_pwd) == ("mcu1", "p" * 24)
    found = [(one.component, one.address, one.port) for one in our(agreed).candidates]
    assert found == [(1, "192.0.2.1", 40000), (2, "192.0.2.1", 40001)]


def test_a_default_that_is_not_known_yet_is_no_hold() -> None:
    lines = [*ICE, "a=ice-options:trickle", "c=IN IP4 0.0.0.0"]
    flow = the_flow(answer_offer(offer(audio(*lines, port=9)), local_media()))
    assert flow.ice is not None
    assert not flow.held
    assert flow.media.sends
    assert flow.remote is None


def test_an_address_changed_on_the_way_ends_ice() -> None:
    moved = CANDIDATE.replace("198.51.100.7", "10.0.0.7")
    agreed = answer_offer(offer(audio(*ICE, moved)), local_media())
    assert the_flow(agreed).ice is None
    assert our(agreed).has("ice-mismatch")
    assert our(agreed).ice_ufrag is None
    assert the_flow(agreed).remote == ("198.51.100.7", 4000)


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        ([*ICE], {"ice": None}),
        (["a=ice-ufrag:abcd"], {}),
        (["a=ice-ufrag:ab", ICE[1]], {}),
        ([*ICE, "a=ice-lite"], {}),
    ],
)
def test_without_ice(lines: list[str], changes: dict[str, object]) -> None:
    session = (*SESSION, *(line for line in lines if line == "a=ice-lite"))
    agreed = answer_offer(offer(audio(*lines), session=session), local_media(**changes))
    assert the_flow(agreed).ice is None
    assert not agreed.local.has("ice-lite")
    assert not our(agreed).candidates


# --- refusals ----------------------------------------------------------------------------------


def test_nothing_can_be_used() -> None:
    with pytest.raises(OfferRefused) as error:
        answer_offer(offer(audio(pts="18"), ["m=text 5000 RTP/AVP 98"]), local_media())
    assert "m-line 1 (audio): no audio codec of it is accepted" in error.value.detail
    assert "m-line 2 (text)" in error.value.detail
    assert error.value.field == "media[0]"


def test_no_section_at_all() -> None:
    with pytest.raises(OfferRefused, match="no media section"):
        answer_offer(offer(), local_media())


def test_long_lists_of_reasons_are_cut() -> None:
    with pytest.raises(OfferRefused) as error:
        answer_offer(offer(*[audio(pts="18")] * 60), local_media())
    assert len(error.value.detail) < 1000


def test_a_thousand_sections_are_refused_when_they_are_read() -> None:
    with pytest.raises(SdpError, match="media sections"):
        offer(*[audio()] * 1000)


def test_built_offers_with_bad_values_are_refused() -> None:
    section = MediaSection((Line("a", "rtpmap:nonsense"),), "audio", 4000, "RTP/AVP", ("8",))
    described = offer().with_media([section])
    with pytest.raises(OfferRefused, match="rtpmap"):
        answer_offer(described, local_media())


def test_ssrcs_the_peer_announces_are_not_ours() -> None:
    described = offer(audio("a=ssrc:1000 cname:x", "a=ssrc:1001 cname:x"))
    agreed = answer_offer(described, local_media())
    assert the_flow(agreed).ssrc == 1002
    assert the_flow(agreed).media.remote_ssrcs == (1000, 1001)


def test_the_time_of_the_offer_is_answered() -> None:
    session = (*SESSION[:4], "t=3034423619 3042462419")
    agreed: Agreed = answer_offer(offer(audio(), session=session), local_media())
    assert agreed.local.field("t") == "3034423619 3042462419"


def test_agreements_are_values() -> None:
    first = answer_offer(offer(audio()), local_media())
    assert first == answer_offer(offer(audio()), local_media())
    assert first != replace(first, holding=True)
    assert isinstance(first.local, SessionDescription)
