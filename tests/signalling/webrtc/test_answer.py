from collections.abc import Callable

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from signalling.sdp import SessionDescription
from signalling.webrtc.negotiation import LocalSide, answer_offer

Vector = Callable[[str], SessionDescription]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("chromium-join", "join"),
        ("chromium-view", "view"),
        ("chromium-simulcast", "publish"),
        ("chromium-presentation-data", "join"),
        ("firefox-join", "join"),
        ("obs-whip", "publish"),
        ("gstreamer-whip", "publish"),
    ],
)
def test_answers_are_descriptions(vector: Vector, local: LocalSide, name: str, kind: str) -> None:
    offer = vector(name)
    answer = answer_offer(offer, local, kind=kind).answer  # type: ignore[arg-type]
    assert SessionDescription.parse(str(answer)) == answer
    assert [(m.kind, m.mid, m.protocol) for m in answer.media] == [
        (m.kind, m.mid, m.protocol) for m in offer.media
    ]
    for offered, answered in zip(offer.media, answer.media, strict=True):
        assert set(answered.formats) <= set(offered.formats)
        assert {e.id for e in answered.extmaps} <= {e.id for e in offered.extmaps}


def test_the_text_of_an_answer(local: LocalSide) -> None:
    offer = SessionDescription.parse(
        "\n".join(
            [
                "v=0",
                "o=- 1 1 IN IP4 127.0.0.1",
                "s=-",
                "t=0 0",
                "a=group:BUNDLE a v",
                "a=extmap-allow-mixed",
                "a=ice-ufrag:abcd",
                "a=ice-pwd:" + "x" * 22,
                "a=fingerprint:sha-256 AB:CD",
                "a=setup:actpass",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                "a=mid:a",
                "a=rtcp-mux",
                "a=rtpmap:111 opus/48000/2",
                "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on",
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
                "a=mid:v",
                "a=rtcp-mux",
                "a=rtcp-rsize",
                "a=rtpmap:96 H264/90000",
                "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 transport-cc",
                "a=rtpmap:97 rtx/90000",
                "a=fmtp:97 apt=96",
            ]
        )
    )
    fingerprint = f"a=fingerprint:{local.fingerprints[0]}"
    assert str(answer_offer(offer, local, kind="join").answer).splitlines() == [
        "v=0",
        "o=- 4611686018427387904 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE a v",
        "a=ice-lite",
        "a=ice-options:ice2",
        "a=extmap-allow-mixed",
        "a=msid-semantic:WMS *",
        "m=audio 5004 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 192.0.2.1",
        "a=candidate:465535 1 udp 2130706431 192.0.2.1 5004 typ host",
        "a=candidate:665534 1 udp 2130706175 2001:db8::1 5004 typ host",
        "a=end-of-candidates",
        "a=ice-ufrag:mcu1",
        "a=ice-pwd:pppppppppppppppppppppppp",
        fingerprint,
        "a=setup:passive",
        "a=mid:a",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=sendrecv",
        "a=msid:conference conference-audio",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=ssrc:1000 cname:clock-1",
        "a=ssrc:1000 msid:conference conference-audio",
        "m=video 5004 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 192.0.2.1",
        "a=ice-ufrag:mcu1",
        "a=ice-pwd:pppppppppppppppppppppppp",
        fingerprint,
        "a=setup:passive",
        "a=mid:v",
        "a=sendrecv",
        "a=msid:conference conference-video",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:96 H264/90000",
        "a=rtcp-fb:96 nack",
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=ssrc-group:FID 1001 1002",
        "a=ssrc:1001 cname:clock-1",
        "a=ssrc:1001 msid:conference conference-video",
        "a=ssrc:1002 cname:clock-1",
        "a=ssrc:1002 msid:conference conference-video",
    ]


def test_a_passive_peer_is_called(vector: Vector, local: LocalSide) -> None:
    text = str(vector("chromium-join")).replace("a=setup:actpass", "a=setup:passive")
    negotiated = answer_offer(SessionDescription.parse(text), local, kind="join")
    assert negotiated.dtls_role == "client"
    assert {media.setup for media in negotiated.answer.media} == {"active"}


async def test_aiortc_understands_the_answer(local: LocalSide) -> None:
    peer = RTCPeerConnection()
    try:
        peer.addTransceiver("audio")
        peer.addTransceiver("video")
        await peer.setLocalDescription(await peer.createOffer())
        text = peer.localDescription.sdp
        offer = SessionDescription.parse(text)
        assert str(offer) == text
        negotiated = answer_offer(offer, local, kind="join")
        assert [media.codec.name for media in negotiated.media] == ["opus", "h264"]
        await peer.setRemoteDescription(RTCSessionDescription(str(negotiated.answer), "answer"))
        assert [t.currentDirection for t in peer.getTransceivers()] == ["sendrecv", "sendrecv"]
        assert peer.signalingState == "stable"
    finally:
        await peer.close()
