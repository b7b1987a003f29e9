import itertools
from dataclasses import replace

import pytest

from signalling.media.negotiated import OfferRefused
from signalling.offer_answer import (
    Agreed,
    Dtls,
    LocalMedia,
    Plain,
    Sdes,
    answer_offer,
    complete_offer,
    hold,
    make_offer,
    resume,
)
from signalling.sdp import Line, SessionDescription
from tests.signalling.offer_answer.ends_of_calls import (
    KEY,
    SESSION,
    SUITE,
    THEIRS,
    audio,
    floor,
    local_media,
    offer,
    ports,
    the_flow,
    video,
)

SOUND = {"audio": "sendrecv"}
SOUND_AND_PICTURE = {"audio": "sendrecv", "video": "sendrecv"}
MIRRORED = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


def theirs(**changes: object) -> LocalMedia:
    """The other end, with its own ports, SSRCs, keys and certificate."""
    values: dict[str, object] = {"ipv4": "198.51.100.7", "ipv6": "2001:db8:40::7"}
    values |= {"fingerprints": (THEIRS,), "session_id": 8}
    return local_media(50000, 2000, **(values | changes))


def check_both_agree(one: Agreed, other: Agreed) -> None:
    """Whatever was settled, both ends see the same thing from their side."""
    assert (one.local, one.remote) == (other.remote, other.local)
    assert len(one.flows) == len(other.flows)
    for ours, their in zip(one.flows, other.flows, strict=True):
        assert (ours.index, ours.family) == (their.index, their.family)
        assert ours.media.stream == their.media.stream
        assert MIRRORED[ours.media.direction] == their.media.direction
        assert ours.rtcp_mux == their.rtcp_mux
        for flow, peer in ((ours, their), (their, ours)):
            assert flow.remote is not None
            assert flow.remote[1] == peer.local_port
            assert flow.remote_rtcp is not None
            assert flow.remote_rtcp[1] == peer.local_port + (not flow.rtcp_mux)
            if flow.media.send_codec is not None:
                received = peer.media.receive_codecs[flow.media.send_codec.payload_type]
                assert received.name == flow.media.send_codec.name
                assert received.single_nal_units == flow.media.send_codec.single_nal_units
            assert flow.dtmf == peer.dtmf_receive
            assert flow.comfort_noise == peer.comfort_noise
            assert flow.dtmf_clock_rate == peer.dtmf_clock_rate
        names = ("nack", "pli", "fir", "remb", "tmmbr")
        assert [getattr(ours.media, n) for n in names] == [getattr(their.media, n) for n in names]
        if isinstance(ours.security, Sdes):
            assert isinstance(their.security, Sdes)
            assert ours.security.profile == their.security.profile
            assert ours.security.local_key == their.security.remote_key
            assert ours.security.remote_key == their.security.local_key
        elif isinstance(ours.security, Dtls):
            assert isinstance(their.security, Dtls)
            assert {ours.security.role, their.security.role} == {"client", "server"}
        else:
            assert their.security == Plain()


def agree(ours: LocalMedia, other: LocalMedia) -> tuple[Agreed, Agreed]:
    offered = make_offer(ours)
    answered = answer_offer(offered.local, other)
    completed = complete_offer(offered, answered.local)
    check_both_agree(completed, answered)
    return completed, answered


# --- the first offer ---------------------------------------------------------------------------


def test_the_text_of_an_offer() -> None:
    local = local_media(
        protections=("plain",), streams=SOUND_AND_PICTURE, receive_bitrate_bps=1_000_000
    )
    assert str(make_offer(local).local).split("\r\n")[:-1] == [
        "v=0",
        "o=- 7 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 40000 RTP/AVP 96 9 8 0 102 101 13",
        "c=IN IP4 192.0.2.1",
        "a=sendrecv",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 minptime=10;useinbandfec=1",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:102 telephone-event/48000",
        "a=fmtp:102 0-15",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:13 CN/8000",
        "a=ptime:20",
        "a=rtcp-mux",
        "m=video 40002 RTP/AVP 97 98 99",
        "c=IN IP4 192.0.2.1",
        "b=AS:1000",
        "b=TIAS:1000000",
        "a=sendrecv",
        "a=label:2",
        "a=content:main",
        "a=rtpmap:97 H264/90000",
        "a=rtcp-fb:97 ccm fir",
        "a=rtcp-fb:97 goog-remb",
        "a=rtcp-fb:97 nack",
        "a=rtcp-fb:97 nack pli",
        "a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e028",
        "a=rtpmap:98 H264/90000",
        "a=rtcp-fb:98 ccm fir",
        "a=rtcp-fb:98 goog-remb",
        "a=rtcp-fb:98 nack",
        "a=rtcp-fb:98 nack pli",
        "a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e028",
        "a=rtpmap:99 VP8/90000",
        "a=rtcp-fb:99 ccm fir",
        "a=rtcp-fb:99 goog-remb",
        "a=rtcp-fb:99 nack",
        "a=rtcp-fb:99 nack pli",
        "a=rtcp-mux",
    ]


def test_families() -> None:
    assert make_offer(local_media(), family="IP6").local.origin.address == "2001:db8::1"
    assert make_offer(local_media(ipv4="")).local.origin.address == "2001:db8::1"


def test_only_codecs_that_are_taken() -> None:
    local = local_media(codecs=frozenset({"pcma", "h264"}), packetization_modes=frozenset({0}))
    sections = make_offer(local).local.media
    assert sections[0].formats == ("8", "101", "13")
    assert sections[1].formats == ("98",)
    assert len(make_offer(local_media(codecs=frozenset({"opus"}))).local.media) == 1


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        ({}, {}),
        ({"protections": ("sdes",)}, {}),
        ({"protections": ("sdes", "plain")}, {"protections": ("plain",)}),
        ({"protections": ("dtls",)}, {}),
        ({"protections": ("dtls", "plain")}, {"protections": ("plain",)}),
        ({"protections": ("plain",)}, {}),
        ({"suites": (SUITE,)}, {"suites": ("AEAD_AES_256_GCM", SUITE)}),
        ({}, {"codecs": frozenset({"g722", "vp8"})}),
        ({}, {"codecs": frozenset({"pcmu", "h264"}), "packetization_modes": frozenset({0})}),
        ({"h264_level": 40}, {"h264_level": 31}),
        ({"streams": SOUND}, {}),
        ({}, {"streams": SOUND_AND_PICTURE}),
        ({"streams": {"audio": "sendonly", "video": "recvonly"}}, {}),
        ({}, {"streams": {"audio": "recvonly", "video": "inactive"}}),
        ({"feedback": frozenset({"nack pli"})}, {"feedback": frozenset({"ccm fir", "nack pli"})}),
    ],
)
def test_both_ends_agree(ours: dict[str, object], other: dict[str, object]) -> None:
    completed, _ = agree(local_media(**ours), theirs(**other))
    assert completed.flows
    assert not completed.several_codecs


def test_what_the_other_end_limits() -> None:
    completed, _ = agree(local_media(), theirs(h264_level=31, receive_bitrate_bps=512_000))
    flow = completed.flow("video")
    assert flow is not None
    assert flow.media.max_bitrate_bps == 512_000


# --- answers of others -------------------------------------------------------------------------


def completed(answer: SessionDescription, **changes: object) -> Agreed:
    return complete_offer(make_offer(local_media(**changes)), answer)


def test_the_answers_own_payload_types_are_sent_to() -> None:
    lines = ["a=rtpmap:120 opus/48000/2", "a=rtpmap:121 telephone-event/48000"]
    agreed = completed(offer(audio(*lines, pts="120 121")), streams=SOUND)
    flow = the_flow(agreed)
    assert flow.media.send_codec is not None
    assert flow.media.send_codec.payload_type == 120
    assert list(flow.media.receive_codecs) == [96]
    assert (flow.dtmf, flow.dtmf_receive) == (121, 102)


def test_several_codecs_are_settled_by_one_more_offer() -> None:
    local = local_media(streams=SOUND)
    agreed = complete_offer(make_offer(local), offer(audio(pts="0 8 9")))
    assert agreed.several_codecs
    assert the_flow(agreed).media.codec.name == "pcmu"  # the answer's first
    taken = the_flow(agreed).media.receive_codecs
    assert [(number, codec.name) for number, codec in taken.items()] == [
        (0, "pcmu"),
        (8, "pcma"),
        (9, "g722"),
    ]
    again = make_offer(local, previous=agreed)
    assert again.local.media[0].formats == ("0",)
    settled = complete_offer(again, offer(audio(pts="0")))
    assert not settled.several_codecs
    flow = the_flow(agreed)
    assert settled.flows == (
        replace(flow, media=replace(flow.media, receive_codecs={0: flow.media.codec})),
    )


def test_codecs_that_were_not_offered_do_not_count() -> None:
    local = local_media(streams=SOUND)
    agreed = answer_offer(offer(audio()), local)
    again = make_offer(local, previous=agreed)
    settled = complete_offer(again, offer(audio(pts="0 8")))
    assert the_flow(settled).media.codec.name == "pcma"
    assert not settled.several_codecs


def test_two_profiles_of_one_codec_are_one() -> None:
    section = ["m=video 4002 RTP/AVP 120 121"]
    for payload_type, profile in ((120, "42801f"), (121, "64001f")):
        section.append(f"a=rtpmap:{payload_type} H264/90000")
        section.append(f"a=fmtp:{payload_type} profile-level-id={profile};packetization-mode=1")
    agreed = completed(offer(audio(), section), streams=SOUND_AND_PICTURE)
    flow = agreed.flow("video")
    assert flow is not None
    assert list(flow.media.receive_codecs) == [97]
    assert flow.media.send_codec is not None
    assert flow.media.send_codec.payload_type == 120
    assert not agreed.several_codecs


def test_video_that_is_not_taken() -> None:
    agreed = completed(offer(audio(), video(port=0)), streams=SOUND_AND_PICTURE)
    assert [flow.media.stream for flow in agreed.flows] == ["audio"]
    assert agreed.refused == ("m-line 2 (video): switched off in the answer",)


def test_an_answer_that_leaves_sections_out() -> None:
    agreed = completed(offer(audio()), streams=SOUND_AND_PICTURE)
    assert [flow.media.stream for flow in agreed.flows] == ["audio"]


@pytest.mark.parametrize(
    ("sections", "changes", "reason"),
    [
        ([audio(port=0)], {}, "takes nothing"),
        ([], {}, "takes nothing"),
        ([audio(), audio()], {}, "more media sections"),
        ([video()], {}, "m-line 1 of the answer is video"),
        ([audio(pts="18")], {}, "none of the codecs"),
        ([audio()], {"protections": ("sdes",)}, "no keys"),
        ([audio("c=IN IP6 2001:db8::7")], {}, "family"),
        ([audio("c=IN IP4 224.0.0.1")], {}, "multicast"),
    ],
)
def test_answers_that_do_not_fit(
    sections: list[list[str]], changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(OfferRefused, match=reason):
        completed(offer(*sections), streams=SOUND, **changes)


def test_pictures_that_do_not_fit_leave_the_sound() -> None:
    other = ["m=video 4002 RTP/AVP 34"]
    agreed = completed(offer(audio(), other), streams=SOUND_AND_PICTURE)
    assert [flow.media.stream for flow in agreed.flows] == ["audio"]
    assert "none of the codecs" in agreed.refused[0]


def test_an_answer_in_another_mode_is_none() -> None:
    h264 = ["m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 packetization-mode=0"]
    changes = {"streams": SOUND_AND_PICTURE, "packetization_modes": frozenset({1})}
    agreed = completed(offer(audio(), h264), **changes)
    assert agreed.flow("video") is None


def test_hold_in_an_answer() -> None:
    agreed = completed(offer(audio("a=sendonly")), streams=SOUND)
    assert the_flow(agreed).held
    assert the_flow(agreed).media.direction == "recvonly"


def test_built_answers_with_bad_values_are_refused() -> None:
    offered = make_offer(local_media(streams=SOUND))
    broken = offer(audio()).media[0].with_lines([Line.attribute("crypto", "junk")])
    with pytest.raises(OfferRefused, match="crypto"):
        complete_offer(offered, offer().with_media([broken]))


# --- offers in a call that stands ----------------------------------------------------------------


def test_hold_and_resume_of_ours() -> None:
    ours, other = local_media(), theirs()
    agreed, answered = agree(ours, other)
    before = agreed.flows
    held = hold(ours, agreed)
    assert [m.direction for m in held.local.media] == ["sendonly"] * 3
    answered = answer_offer(held.local, other, previous=answered)
    agreed = complete_offer(held, answered.local)
    check_both_agree(agreed, answered)
    assert agreed.holding
    assert not any(flow.media.receives for flow in agreed.flows)
    assert all(flow.held for flow in answered.flows)
    assert [flow.security for flow in agreed.flows] == [flow.security for flow in before]
    back = resume(ours, agreed)
    answered = answer_offer(back.local, other, previous=answered)
    agreed = complete_offer(back, answered.local)
    check_both_agree(agreed, answered)
    assert not agreed.holding
    assert agreed.flows == before
    assert [d.local.origin.session_version for d in (held, back)] == [2, 3]


def test_an_offer_that_changes_nothing_is_the_same() -> None:
    ours, other = local_media(), theirs()
    agreed, answered = agree(ours, other)
    again = make_offer(ours, previous=agreed)
    second = answer_offer(again.local, other, previous=answered)
    settled = complete_offer(again, second.local)
    assert second.flows == answered.flows
    assert settled.flows == agreed.flows
    third = make_offer(ours, previous=settled)
    assert third.local == again.local


def test_the_answerer_may_offer_next() -> None:
    ours, other = local_media(), theirs()
    agreed, answered = agree(ours, other)
    offered = hold(other, answered)
    second = answer_offer(offered.local, ours, previous=agreed)
    settled = complete_offer(offered, second.local)
    check_both_agree(settled, second)
    assert all(flow.held for flow in second.flows)
    kept = [(flow.local_port, flow.ssrc, flow.security) for flow in agreed.flows]
    assert [(flow.local_port, flow.ssrc, flow.security) for flow in second.flows] == kept


def test_a_presentation_is_added() -> None:
    ours = local_media(floor=floor())
    other = theirs(floor=floor())
    sound_and_picture = replace(ours, streams=SOUND_AND_PICTURE)
    agreed, answered = agree(sound_and_picture, other)
    assert agreed.floor is None
    more = make_offer(ours, previous=agreed, add=("presentation",))
    assert [m.kind for m in more.local.media] == ["audio", "video", "video", "application"]
    assert more.local.media[3].attribute("floorid") == "1 mstrm:3"
    answered = answer_offer(more.local, other, previous=answered)
    after = complete_offer(more, answered.local)
    check_both_agree(after, answered)
    assert after.flows[:2] == agreed.flows
    assert after.flow("presentation") is not None
    assert after.floor is not None


def test_a_stream_is_removed_and_its_place_used_again() -> None:
    ours, other = local_media(), theirs()
    agreed, answered = agree(ours, other)
    less = make_offer(replace(ours, streams=SOUND_AND_PICTURE), previous=agreed)
    assert [bool(m.port) for m in less.local.media] == [True, True, False]
    answered = answer_offer(less.local, other, previous=answered)
    agreed = complete_offer(less, answered.local)
    check_both_agree(agreed, answered)
    assert agreed.flow("presentation") is None
    more = make_offer(ours, previous=agreed, add=("presentation",))
    assert len(more.local.media) == 3
    assert all(m.port for m in more.local.media)
    assert len(set(ports(agreed))) == 3


def test_what_the_peer_refused_is_not_offered_again_unasked() -> None:
    ours = local_media()
    agreed, _ = agree(ours, theirs(streams=SOUND))
    again = make_offer(ours, previous=agreed)
    assert [bool(m.port) for m in again.local.media] == [True, False, False]
    asked = make_offer(ours, previous=agreed, add=("video",))
    assert [bool(m.port) for m in asked.local.media] == [True, True, False]


def test_glare_leaves_the_agreement_as_it_was() -> None:
    ours, other = local_media(), theirs()
    agreed, answered = agree(ours, other)
    hold(ours, agreed)  # refused with 491, because at the same time
    theirs_first = hold(other, answered)
    second = answer_offer(theirs_first.local, ours, previous=agreed)
    assert not second.holding
    retried = hold(ours, second)
    third = answer_offer(retried.local, other, previous=complete_offer(theirs_first, second.local))
    settled = complete_offer(retried, third.local)
    check_both_agree(settled, third)
    # Each holds the other: nothing flows either way.
    assert all(flow.media.direction == "inactive" for flow in settled.flows)


def test_an_ice_peer_is_offered_ice_again() -> None:
    lines = ["a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 22]
    ours = local_media(streams=SOUND)
    agreed = answer_offer(offer(audio(*lines)), ours)
    held = hold(ours, agreed)
    assert held.local.has("ice-lite")
    assert held.local.media[0].ice_ufrag == "mcu1"
    settled = complete_offer(held, offer(audio(*lines, "a=recvonly")))
    assert the_flow(settled).ice == the_flow(agreed).ice


def test_after_everything_was_switched_off() -> None:
    ours = local_media(streams=SOUND)
    agreed = answer_offer(offer(audio()), ours)
    off = answer_offer(offer(audio(port=0)), ours, previous=agreed)
    assert [m.port for m in make_offer(ours, previous=off).local.media] == [0]
    again = make_offer(ours, previous=off, add=("audio",))
    assert [bool(m.port) for m in again.local.media] == [True]


def test_keys_differ_between_sections_and_suites() -> None:
    numbers = itertools.count(1)
    local = local_media(new_key=lambda length: bytes([next(numbers)]) * length)
    cryptos = [crypto.key_parameters for m in make_offer(local).local.media for crypto in m.cryptos]
    assert len(cryptos) == len(set(cryptos)) == 12


def test_best_effort_needs_no_second_call() -> None:
    plain_room = offer(audio())
    assert the_flow(completed(plain_room, streams=SOUND)).security == Plain()
    room_with_keys = offer(audio(f"a=crypto:3 {SUITE} {KEY}"))
    security = the_flow(completed(room_with_keys, streams=SOUND)).security
    assert isinstance(security, Sdes)
    assert security.tag == 3


def test_the_session_may_say_the_address_alone() -> None:
    flow = the_flow(completed(offer(audio(), session=SESSION), streams=SOUND))
    assert flow.remote == ("198.51.100.7", 4000)
