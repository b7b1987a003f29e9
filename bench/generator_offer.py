"""The offer of a leg of the load generator."""

import secrets

from mcu.media import rtp

AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE = 111, 102
LEVEL_ID, SEND_TIME_ID, MID_ID = 1, 2, 3


def write_offer(name: str, transport: str, audio_ssrc: int, video_ssrc: int | None) -> str:
    """Opus and, unless ``video_ssrc`` is None, H.264 constrained baseline, both directions.

    Args:
        name: the CNAME. transport: lines of ICE and DTLS, for each section.
    """
    send_time = f"a=extmap:{SEND_TIME_ID} {rtp.ABS_SEND_TIME_URI}\r\n"
    extensions = f"{send_time}a=extmap:{MID_ID} {rtp.MID_URI}\r\n"
    lines = (
        f"v=0\r\no=- {secrets.randbits(31)} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        f"a=group:BUNDLE 0{'' if video_ssrc is None else ' 1'}\r\n"
        f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO_PAYLOAD_TYPE}\r\nc=IN IP4 0.0.0.0\r\n"
        f"{transport}a=mid:0\r\na=sendrecv\r\n{extensions}"
        f"a=extmap:{LEVEL_ID} {rtp.AUDIO_LEVEL_URI}\r\n"
        f"a=rtpmap:{AUDIO_PAYLOAD_TYPE} opus/48000/2\r\n"
        f"a=fmtp:{AUDIO_PAYLOAD_TYPE} minptime=10;useinbandfec=1\r\n"
        f"a=ssrc:{audio_ssrc} cname:{name}\r\n"
    )
    if video_ssrc is not None:
        lines += (
            f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO_PAYLOAD_TYPE}\r\nc=IN IP4 0.0.0.0\r\n"
            f"{transport}a=mid:1\r\na=sendrecv\r\n{extensions}"
            f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} H264/90000\r\n"
            f"a=fmtp:{VIDEO_PAYLOAD_TYPE} level-asymmetry-allowed=1;packetization-mode=1;"
            f"profile-level-id=42e01f\r\n"
            f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} nack\r\n"
            f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} nack pli\r\n"
            f"a=ssrc:{video_ssrc} cname:{name}\r\n"
        )
    return lines
