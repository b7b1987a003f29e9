"""The offer of a leg of the load generator."""

import secrets

from mcu.media import rtp

AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE, RTX_PAYLOAD_TYPE = 111, 102, 103
LEVEL_ID, SEND_TIME_ID, MID_ID, NUMBER_ID = 1, 2, 3, 4


def write_offer(
    name: str, transport: str, audio_ssrc: int, video_ssrc: int | None, *, reports: bool = False
) -> str:
    """Opus and, unless ``video_ssrc`` is None, H.264 constrained baseline, both directions.

    Args:
        name: the CNAME. transport: lines of ICE and DTLS, for each section.
        reports: offer the feedback that browsers offer: transport-wide, on sound too, repetitions
            under an SSRC of their own, REMB and FIR, and packets of feedback alone (RFC 5506).
    """
    send_time = f"a=extmap:{SEND_TIME_ID} {rtp.ABS_SEND_TIME_URI}\r\n"
    extensions = f"{send_time}a=extmap:{MID_ID} {rtp.MID_URI}\r\n"
    transport_cc = ""
    if reports:
        extensions += f"a=extmap:{NUMBER_ID} {rtp.TRANSPORT_NUMBER_URI}\r\n"
        transport += "a=rtcp-rsize\r\n"
        transport_cc = f"a=rtcp-fb:{AUDIO_PAYLOAD_TYPE} transport-cc\r\n"
    lines = (
        f"v=0\r\no=- {secrets.randbits(31)} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        f"a=group:BUNDLE 0{'' if video_ssrc is None else ' 1'}\r\n"
        f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO_PAYLOAD_TYPE}\r\nc=IN IP4 0.0.0.0\r\n"
        f"{transport}a=mid:0\r\na=sendrecv\r\n{extensions}"
        f"a=extmap:{LEVEL_ID} {rtp.AUDIO_LEVEL_URI}\r\n"
        f"a=rtpmap:{AUDIO_PAYLOAD_TYPE} opus/48000/2\r\n"
        f"a=fmtp:{AUDIO_PAYLOAD_TYPE} minptime=10;useinbandfec=1\r\n{transport_cc}"
        f"a=ssrc:{audio_ssrc} cname:{name}\r\n"
    )
    if video_ssrc is not None:
        formats = f"{VIDEO_PAYLOAD_TYPE} {RTX_PAYLOAD_TYPE}" if reports else f"{VIDEO_PAYLOAD_TYPE}"
        lines += (
            f"m=video 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\n"
            f"{transport}a=mid:1\r\na=sendrecv\r\n{extensions}"
            f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} H264/90000\r\n"
            f"a=fmtp:{VIDEO_PAYLOAD_TYPE} level-asymmetry-allowed=1;packetization-mode=1;"
            f"profile-level-id=42e01f\r\n"
            f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} nack\r\n"
            f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} nack pli\r\n"
        )
        if reports:
            lines += _feedback_of_browsers(video_ssrc)
        lines += f"a=ssrc:{video_ssrc} cname:{name}\r\n"
        if reports:
            lines += f"a=ssrc:{_rtx_ssrc(video_ssrc)} cname:{name}\r\n"
    return lines


def _feedback_of_browsers(video_ssrc: int) -> str:
    kinds = ("goog-remb", "transport-cc", "ccm fir")
    return (
        "".join(f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} {kind}\r\n" for kind in kinds)
        + f"a=rtpmap:{RTX_PAYLOAD_TYPE} rtx/90000\r\n"
        f"a=fmtp:{RTX_PAYLOAD_TYPE} apt={VIDEO_PAYLOAD_TYPE}\r\n"
        f"a=ssrc-group:FID {video_ssrc} {_rtx_ssrc(video_ssrc)}\r\n"
    )


def _rtx_ssrc(video_ssrc: int) -> int:
    return video_ssrc ^ 1
