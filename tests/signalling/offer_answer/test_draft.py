from dataclasses import replace

from signalling.media.codecs import Codec
from signalling.offer_answer import Ice
from signalling.offer_answer.draft import Draft, refused
from signalling.sdp import Line, MediaSection, SessionDescription

OPUS = Codec("opus", 96, 48000, 2, {}, {"minptime": "10"})
PCMA = Codec("pcma", 8, 8000, 1)
SOUND = Draft("audio", "RTP/AVP", "IP4", "192.0.2.1", 4000, "sendrecv", (OPUS, PCMA), ())


def test_everything_at_once() -> None:
    draft = replace(
        SOUND,
        security=(Line.attribute("crypto", "1 X inline:A"),),
        rtx={97: 96},
        events={48000: 102, 8000: 101},
        comfort_noise=13,
        feedback=("nack pli",),
        extensions={"urn:a": 1},
        rtcp_mux=True,
        reduced_size_rtcp=True,
        mid="a",
        label="11",
        content="main",
        ptime_ms=20,
        bitrate_bps=64_500,
        direction="inactive",
    )
    assert str(draft.write()).split("\r\n")[:-1] == [
        "m=audio 4000 RTP/AVP 96 8 97 102 101 13",
        "c=IN IP4 192.0.2.1",
        "b=AS:65",
        "b=TIAS:64500",
        "a=inactive",
        "a=mid:a",
        "a=label:11",
        "a=content:main",
        "a=rtpmap:96 opus/48000/2",
        "a=rtcp-fb:96 nack pli",
        "a=fmtp:96 minptime=10",
        "a=rtpmap:8 PCMA/8000",
        "a=rtcp-fb:8 nack pli",
        "a=rtpmap:97 rtx/48000",
        "a=fmtp:97 apt=96",
        "a=rtpmap:102 telephone-event/48000",
        "a=fmtp:102 0-15",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:13 CN/8000",
        "a=ptime:20",
        "a=extmap:1 urn:a",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=crypto:1 X inline:A",
    ]


def test_ice_names_a_candidate_for_each_port() -> None:
    draft = replace(SOUND, ice=Ice("mcu1", "p" * 24))
    section = draft.write()
    assert [(one.component, one.port) for one in section.candidates] == [(1, 4000), (2, 4001)]
    assert section.candidates[0].priority > section.candidates[1].priority
    assert section.has("end-of-candidates")
    muxed = replace(draft, rtcp_mux=True).write()
    assert [(one.component, one.port) for one in muxed.candidates] == [(1, 4000)]


def test_a_mismatch_is_told() -> None:
    assert replace(SOUND, ice_mismatch=True).write().has("ice-mismatch")


def test_what_is_written_is_read_again() -> None:
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
    section = SOUND.write()
    assert SessionDescription.parse(head + str(section)).media == (section,)


def test_refused_sections_keep_their_place() -> None:
    offered = MediaSection((Line.attribute("mid", "b"),), "text", 5000, "RTP/AVP", ("98", "99"))
    assert str(refused(offered)) == "m=text 0 RTP/AVP 98 99\r\na=mid:b\r\n"
