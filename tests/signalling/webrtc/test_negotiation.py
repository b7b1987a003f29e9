import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from signalling.sdp import Line, MediaSection, SessionDescription
from signalling.webrtc.negotiation import (
    EXTENSION_ABS_SEND_TIME,
    EXTENSION_AUDIO_LEVEL,
    EXTENSION_MID,
    EXTENSION_TRANSPORT_NUMBER,
    LocalSide,
    Negotiated,
    OfferRefused,
    answer_offer,
)

Vector = Callable[[str], SessionDescription]

SESSION = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-ufrag:abcd"]
SESSION += ["a=ice-pwd:" + "x" * 22, "a=fingerprint:sha-256 AB:CD", "a=setup:actpass"]
BUNDLE = "a=group:BUNDLE 0 1 2 3"


def audio(*lines: str, mid: str = "0", direction: str = "sendrecv", port: int = 9) -> list[str]:
    head = [f"m=audio {port} UDP/TLS/RTP/SAVPF 111 8", "a=rtpmap:111 opus/48000/2"]
    return [*head, f"a=mid:{mid}", f"a={direction}", "a=rtcp-mux", *lines]


def video(*lines: str, mid: str = "1", direction: str = "sendrecv", port: int = 9) -> list[str]:
    head = [f"m=video {port} UDP/TLS/RTP/SAVPF 96 97", "a=rtpmap:96 VP8/90000"]
    head += ["a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtcp-fb:96 nack"]
    return [*head, f"a=mid:{mid}", f"a={direction}", "a=rtcp-mux", *lines]


def offer(*sections: list[str], session: list[str] | None = None) -> SessionDescription:
    lines = [*SESSION, BUNDLE] if session is None else session
    return SessionDescription.parse("\n".join([*lines, *itertools.chain(*sections)]))


def ports(negotiated: Negotiated) -> list[bool]:
    return [media.port != 0 for media in negotiated.answer.media]


# --- real offers -----------------------------------------------------------------------------


def test_chromium_joins(vector: Vector, local: LocalSide) -> None:
    described = vector("chromium-join")
    negotiated = answer_offer(described, local, kind="join")
    sound, picture = negotiated.media
    assert (sound.stream, sound.codec.name, sound.codec.payload_type) == ("audio", "opus", 111)
    assert (picture.stream, picture.codec.name) == ("video", "h264")
    assert picture.codec.parameters["profile-level-id"] == "42e01f"
    assert (picture.codec.max_width, picture.codec.max_height, picture.codec.max_fps) == (
        1280,
        720,
        30,
    )
    assert sound.receives
    assert sound.sends
    assert picture.nack
    assert picture.pli
    assert picture.fir
    assert picture.remb
    assert picture.reduced_size_rtcp
    group = described.media[1].ssrc_groups[0].ssrcs
    assert picture.remote_ssrcs == group[:1]
    assert picture.remote_rtx == {group[1]: group[0]}
    assert picture.rtx == {picture.send_rtx_pt: picture.codec.payload_type}
    assert {picture.local_ssrc, picture.local_rtx_ssrc, sound.local_ssrc} == {1000, 1001, 1002}
    assert set(sound.extensions) == {
        EXTENSION_MID,
        EXTENSION_AUDIO_LEVEL,
        EXTENSION_ABS_SEND_TIME,
    }
    assert set(picture.extensions) == {
        EXTENSION_MID,
        EXTENSION_ABS_SEND_TIME,
        EXTENSION_TRANSPORT_NUMBER,
    }
    assert picture.transport_cc
    assert not sound.transport_cc
    offered = {extmap.uri: extmap.id for extmap in described.media[1].extmaps}
    assert all(offered[uri] == number for uri, number in picture.extensions.items())
    assert negotiated.dtls_role == "server"
    assert negotiated.remote_ufrag == described.media[0].ice_ufrag
    assert negotiated.remote_fingerprints == described.media[0].fingerprints


def test_chromium_presents_and_asks_for_data(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("chromium-presentation-data"), local, kind="join")
    assert [media.stream for media in negotiated.media] == ["audio", "video", "presentation"]
    presentation = negotiated.media[2]
    assert presentation.receives
    assert not presentation.sends
    assert presentation.local_ssrc is None
    assert presentation.send_codec is None
    assert presentation.send_rtx_pt is None
    assert presentation.rtx
    assert ports(negotiated) == [True, True, True, False]
    bundle = negotiated.answer.group("BUNDLE")
    assert bundle is not None
    assert bundle.mids == ("0", "1", "2")


def test_chromium_simulcast_is_answered_with_one_encoding(vector: Vector, local: LocalSide) -> None:
    described = vector("chromium-simulcast")
    assert described.media[1].has("simulcast")
    negotiated = answer_offer(described, local, kind="publish")
    answered = negotiated.answer.media[1]
    assert not answered.has("simulcast")
    assert not answered.has("rid")
    assert negotiated.media[1].receives
    assert not negotiated.media[1].sends


def test_chromium_without_h264(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("chromium-vp8-only"), local, kind="join")
    assert negotiated.media[1].codec.name == "vp8"
    assert len(negotiated.media[1].rtx) == 1


def test_chromium_views(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("chromium-view"), local, kind="view")
    assert [media.direction for media in negotiated.media] == ["sendonly", "sendonly"]
    assert all(media.remote_ssrcs == () for media in negotiated.media)


def test_chromium_with_sound_only(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("chromium-audio-only"), local, kind="join")
    assert [media.stream for media in negotiated.media] == ["audio"]


def test_firefox_joins(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("firefox-join"), local, kind="join")
    sound, picture = negotiated.media
    assert (sound.codec.name, sound.codec.payload_type) == ("opus", 109)
    assert (picture.codec.name, picture.codec.payload_type) == ("h264", 126)
    assert picture.rtx == {127: 126}
    assert picture.remote_ssrcs == (2207118344,)
    assert picture.remote_rtx == {3011957421: 2207118344}
    assert picture.extensions == {
        EXTENSION_MID: 3,
        EXTENSION_ABS_SEND_TIME: 4,
        EXTENSION_TRANSPORT_NUMBER: 7,
    }


@pytest.mark.parametrize("feedback", ["96", "*", None])
@pytest.mark.parametrize("extension", [True, False])
def test_transport_feedback_needs_its_numbers(
    local: LocalSide, feedback: str | None, extension: bool
) -> None:
    lines = [f"a=rtcp-fb:{feedback} transport-cc"] if feedback else []
    lines += [f"a=extmap:5 {EXTENSION_TRANSPORT_NUMBER}"] if extension else []
    sound_too = [one.replace("96", "111") for one in lines]
    described = offer(audio(*sound_too), video(*lines))
    negotiated = answer_offer(described, local, kind="join")
    sound, picture = negotiated.media
    both = extension and feedback is not None
    assert picture.transport_cc == both
    assert (EXTENSION_TRANSPORT_NUMBER in picture.extensions) == both
    assert not sound.transport_cc
    text = str(negotiated.answer)
    assert text.count("transport-cc") == both
    assert text.count(EXTENSION_TRANSPORT_NUMBER) == both


def test_obs_publishes(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("obs-whip"), local, kind="publish")
    assert negotiated.remote_ufrag == "q7Lm"  # from the session part
    assert [media.direction for media in negotiated.media] == ["recvonly", "recvonly"]
    assert negotiated.media[1].rtx == {}
    assert negotiated.media[1].extensions == {}


def test_gstreamer_publishes(vector: Vector, local: LocalSide) -> None:
    negotiated = answer_offer(vector("gstreamer-whip"), local, kind="publish")
    picture, sound = negotiated.media
    assert (picture.mid, picture.codec.name) == ("video0", "h264")
    assert "level-asymmetry-allowed" not in picture.codec.answer_parameters
    assert (sound.mid, sound.codec.name) == ("audio1", "opus")  # bundle-only: port 0, and taken
    assert ports(negotiated) == [True, True]


# --- directions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "offered", "answered"),
    [
        ("join", "sendrecv", "sendrecv"),
        ("join", "sendonly", "recvonly"),
        ("join", "recvonly", "sendonly"),
        ("join", "inactive", "inactive"),
        ("publish", "sendrecv", "recvonly"),
        ("publish", "sendonly", "recvonly"),
        ("publish", "recvonly", "inactive"),
        ("view", "sendrecv", "sendonly"),
        ("view", "recvonly", "sendonly"),
        ("view", "sendonly", "inactive"),
    ],
)
def test_directions(local: LocalSide, kind: str, offered: str, answered: str) -> None:
    described = offer(audio(), video(direction=offered))
    negotiated = answer_offer(described, local, kind=kind)  # type: ignore[arg-type]
    media = negotiated.media[1]
    assert negotiated.answer.media[1].direction == answered == media.direction
    assert media.sends == (answered in ("sendrecv", "sendonly"))
    assert media.receives == (answered in ("sendrecv", "recvonly"))
    assert (media.local_ssrc is not None) == media.sends
    assert (media.send_codec is not None) == media.sends


def test_direction_of_the_session_and_default(local: LocalSide) -> None:
    lines = [line for line in audio() if line != "a=sendrecv"]
    assert answer_offer(offer(lines), local, kind="join").media[0].direction == "sendrecv"
    described = offer(lines, session=[*SESSION, BUNDLE, "a=recvonly"])
    assert answer_offer(described, local, kind="join").media[0].direction == "sendonly"


def test_a_publisher_must_send_and_a_viewer_must_receive(local: LocalSide) -> None:
    with pytest.raises(OfferRefused, match="send"):
        answer_offer(offer(audio(direction="recvonly")), local, kind="publish")
    with pytest.raises(OfferRefused, match="receive"):
        answer_offer(offer(audio(direction="sendonly")), local, kind="view")


# --- what is turned down, and how ------------------------------------------------------------


def test_no_usable_codec_names_the_accepted_ones(local: LocalSide) -> None:
    lines = ["m=video 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 VP9/90000", "a=mid:0", "a=rtcp-mux"]
    with pytest.raises(OfferRefused) as caught:
        answer_offer(offer(lines), local, kind="join")
    assert "H264/90000" in caught.value.detail
    assert "opus/48000/2" in caught.value.accepted_codecs
    assert caught.value.field == "media[0]"


def test_pictures_smaller_than_any_that_is_sent_are_refused_with_the_reason(
    local: LocalSide,
) -> None:
    lines = ["m=video 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 H264/90000", "a=mid:0", "a=rtcp-mux"]
    lines += ["a=fmtp:98 packetization-mode=1"]
    with pytest.raises(OfferRefused, match="320x180 at 25 pictures a second") as caught:
        answer_offer(offer(lines), local, kind="join")
    assert "without profile-level-id it is level 1" in caught.value.detail
    assert caught.value.field == "media[0]"
    # Who only sends is not sent anything too large.
    assert answer_offer(offer(lines), local, kind="publish").media[0].codec.name == "h264"
    only_sends = [*lines, "a=sendonly"]
    assert answer_offer(offer(only_sends), local, kind="join").media[0].receives


def test_one_unusable_section_is_rejected_alone(local: LocalSide) -> None:
    unusable = ["m=video 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 VP9/90000", "a=mid:1", "a=rtcp-mux"]
    negotiated = answer_offer(offer(audio(), unusable), local, kind="join")
    rejected = negotiated.answer.media[1]
    assert (rejected.port, rejected.kind, rejected.formats) == (0, "video", ("98",))
    assert rejected.mid == "1"
    bundle = negotiated.answer.group("BUNDLE")
    assert bundle is not None
    assert bundle.mids == ("0",)


def test_order_of_sections_is_kept(local: LocalSide) -> None:
    data = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:2", "a=sctp-port:5000"]
    negotiated = answer_offer(offer(data, video(), audio()), local, kind="join")
    assert [media.kind for media in negotiated.answer.media] == ["application", "video", "audio"]
    assert ports(negotiated) == [False, True, True]
    # The transport stands with the first section that is taken.
    assert negotiated.answer.media[1].candidates == local.candidates
    assert negotiated.answer.media[2].candidates == ()


@pytest.mark.parametrize(
    "broken",
    [
        [line for line in video() if line != "a=rtcp-mux"],
        [line.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP") for line in video()],
        video(mid="7"),  # not in the BUNDLE group
        [line for line in video() if line != "a=mid:1"],
        video(mid="0"),  # the audio section's
        video(port=0),
    ],
    ids=["rtcp-mux", "protocol", "bundle", "no-mid", "same-mid", "disabled"],
)
def test_sections_that_cannot_share_the_transport(local: LocalSide, broken: list[str]) -> None:
    negotiated = answer_offer(offer(audio(), broken), local, kind="join")
    assert ports(negotiated) == [True, False]


def test_without_bundle_one_section_is_taken(local: LocalSide) -> None:
    described = offer(audio(), video(), session=SESSION)
    negotiated = answer_offer(described, local, kind="join")
    assert ports(negotiated) == [True, False]
    assert negotiated.answer.group("BUNDLE") is None


def test_a_section_without_mid_alone(local: LocalSide) -> None:
    lines = [line for line in audio() if not line.startswith("a=mid")]
    negotiated = answer_offer(offer(lines, session=SESSION), local, kind="join")
    assert negotiated.media[0].mid == ""
    assert negotiated.answer.media[0].mid is None


def test_at_most_one_sound_and_two_pictures(local: LocalSide) -> None:
    sections = [audio(), audio(mid="1"), video(mid="2"), video(mid="3"), video(mid="4")]
    described = offer(*sections, session=[*SESSION, "a=group:BUNDLE 0 1 2 3 4"])
    negotiated = answer_offer(described, local, kind="join")
    assert ports(negotiated) == [True, False, True, True, False]


def test_slides_are_the_presentation_wherever_they_stand(local: LocalSide) -> None:
    described = offer(audio(), video("a=content:slides"), video(mid="2"))
    negotiated = answer_offer(described, local, kind="join")
    assert [media.stream for media in negotiated.media] == ["audio", "presentation", "video"]
    assert negotiated.answer.media[1].content == ("slides",)


@pytest.mark.parametrize("lines", [[], ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]])
def test_nothing_to_take(local: LocalSide, lines: list[str]) -> None:
    with pytest.raises(OfferRefused, match="nothing in the offer"):
        answer_offer(offer(lines), local, kind="join")


def test_values_that_no_text_can_hold(local: LocalSide) -> None:
    media = MediaSection(lines=(Line("a", "rtcp-mux"), Line("a", "rtpmap:x")), formats=("0",))
    with pytest.raises(OfferRefused):
        answer_offer(offer().with_media([media]), local, kind="join")


# --- details ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "bps"),
    [
        ([], 0),
        (["b=AS:800"], 800_000),
        (["b=AS:800", "b=TIAS:700000"], 700_000),
        (["b=RS:100"], 0),
    ],
)
def test_bandwidth(local: LocalSide, lines: list[str], bps: int) -> None:
    section = video()
    section[1:1] = lines
    assert answer_offer(offer(section), local, kind="join").media[0].max_bitrate_bps == bps


def test_bandwidth_is_bounded_by_the_level(local: LocalSide) -> None:
    lines = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "b=AS:50000", "a=rtpmap:96 H264/90000"]
    lines += ["a=fmtp:96 packetization-mode=1;profile-level-id=42e00d", "a=mid:0", "a=rtcp-mux"]
    assert answer_offer(offer(lines), local, kind="join").media[0].max_bitrate_bps == 768_000


def test_wildcard_feedback_and_feedback_of_others(local: LocalSide) -> None:
    section = video("a=rtcp-fb:* nack pli", "a=rtcp-fb:97 goog-remb", "a=rtcp-fb:96 ccm tmmbr")
    media = answer_offer(offer(section), local, kind="join").media[0]
    assert media.pli
    assert media.nack
    assert not media.remb
    assert not media.fir


def test_no_rtx_without_nack(local: LocalSide) -> None:
    section = [line for line in video() if not line.startswith("a=rtcp-fb")]
    media = answer_offer(offer(section), local, kind="join").media[0]
    assert (media.nack, media.rtx, media.local_rtx_ssrc) == (False, {}, None)


def test_extensions(local: LocalSide) -> None:
    section = video(
        f"a=extmap:15 {EXTENSION_MID}",
        f"a=extmap:2/inactive {EXTENSION_ABS_SEND_TIME}",
        f"a=extmap:3 {EXTENSION_AUDIO_LEVEL}",
        "a=extmap:4 urn:unknown",
    )
    assert answer_offer(offer(section), local, kind="join").media[0].extensions == {}


def test_extensions_of_the_session_and_repeated_ids(local: LocalSide) -> None:
    session = [*SESSION, BUNDLE, f"a=extmap:5 {EXTENSION_MID}", f"a=extmap:6 {EXTENSION_MID}"]
    section = video(f"a=extmap:5 {EXTENSION_ABS_SEND_TIME}")
    negotiated = answer_offer(offer(section, session=session), local, kind="join")
    assert negotiated.media[0].extensions == {EXTENSION_ABS_SEND_TIME: 5, EXTENSION_MID: 6}


def test_a_mid_too_long_for_packets_is_not_sent_with_them(local: LocalSide) -> None:
    long = "x" * 17
    described = offer(
        video(f"a=extmap:5 {EXTENSION_MID}", mid=long),
        session=[*SESSION, f"a=group:BUNDLE {long}"],
    )
    negotiated = answer_offer(described, local, kind="join")
    assert negotiated.media[0].mid == long
    assert negotiated.media[0].extensions == {}


def test_ssrcs_differ_from_the_peers(local: LocalSide) -> None:
    section = audio("a=ssrc:1000 cname:peer", "a=ssrc:1001 cname:peer")
    media = answer_offer(offer(section), local, kind="join").media[0]
    assert media.local_ssrc == 1002
    assert media.remote_ssrcs == (1000, 1001)


def test_an_offer_that_leaves_no_ssrc_free(local: LocalSide) -> None:
    stuck = replace(local, new_ssrc=lambda: 1000)
    with pytest.raises(OfferRefused):
        answer_offer(offer(audio("a=ssrc:1000 cname:peer")), stuck, kind="join")


def test_repair_streams_are_no_primary_sources(local: LocalSide) -> None:
    lines = [f"a=ssrc:{ssrc} cname:p" for ssrc in (1, 2, 3, 4)]
    section = video(
        "a=ssrc-group:FID 1 2", "a=ssrc-group:FEC-FR 1 3", "a=ssrc-group:SIM 1 4", *lines
    )
    media = answer_offer(offer(section), local, kind="join").media[0]
    assert media.remote_ssrcs == (1, 4)
    assert media.remote_rtx == {2: 1}


# --- renegotiation ---------------------------------------------------------------------------


def test_renegotiation_keeps_streams_and_ssrcs(local: LocalSide) -> None:
    first = answer_offer(offer(audio(), video(), video(mid="2")), local, kind="join")
    second = answer_offer(
        offer(audio(), video(port=0), video(mid="2")), local, kind="join", previous=first
    )
    assert [media.stream for media in second.media] == ["audio", "presentation"]
    assert second.media[0].local_ssrc == first.media[0].local_ssrc
    assert second.media[1].local_ssrc == first.media[2].local_ssrc
    assert second.media[1].local_rtx_ssrc == first.media[2].local_rtx_ssrc
    assert second.answer.origin.session_version == first.answer.origin.session_version + 1
    assert second.answer.origin.session_id == first.answer.origin.session_id


def test_renegotiation_may_add_sections(local: LocalSide) -> None:
    first = answer_offer(offer(audio()), local, kind="join")
    second = answer_offer(offer(audio(), video()), local, kind="join", previous=first)
    assert len(second.media) == 2


def test_a_rejected_place_may_be_reused(local: LocalSide) -> None:
    data = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:3"]
    first = answer_offer(offer(audio(), data), local, kind="join")
    second = answer_offer(offer(audio(), video()), local, kind="join", previous=first)
    assert ports(second) == [True, True]


@pytest.mark.parametrize("sections", [[audio()], [video(), audio()], [audio(), video(mid="2")]])
def test_renegotiation_never_reorders(local: LocalSide, sections: list[list[str]]) -> None:
    first = answer_offer(offer(audio(), video()), local, kind="join")
    with pytest.raises(OfferRefused):
        answer_offer(offer(*sections), local, kind="join", previous=first)
