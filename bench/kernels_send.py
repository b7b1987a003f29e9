"""What one packet to one leg costs: ``python -m bench.kernels_send`` prints JSON.

Ours: a rendition's packets fanned out to N legs (header, SRTP, system call). Beside it, in the
same run, the baseline: aiortc's ``RtpPacket.serialize``, ``pylibsrtp.Session.protect`` and
``sendto`` for each packet, as its RTCRtpSender does. Both send to a loopback socket that nobody
reads. Times are CPU times of the process, so that a busy machine disturbs them less; they depend on
the machine, so the ratio is what to quote.
"""

import argparse
import json
import os
import socket
import time
from collections.abc import Callable

import aiortc.rtp as aiortc_rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from pylibsrtp import Policy, Session

from mcu.media import h264
from mcu.media.fan_out import CHUNK_PACKETS
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.media.rtp import ABS_SEND_TIME_URI, MID_URI
from mcu.media.send import SendFormat, SendPath, SendStream
from mcu.media.srtp import PacketBuffer, SrtpSession

PROFILES = {"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44, "AES128_CM_SHA1_80": 30}
FRAME_BYTES = {"video": 7_500, "audio": 80}  # 1.5 Mbit/s at 25 pictures/s; 32 kbit/s Opus
MID_ID, SEND_TIME_ID = 3, 2


class Sink:
    """A socket to send from and an address nobody reads."""

    def __init__(self) -> None:
        self.sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sender.bind(("::", 0))
        self.sender.setblocking(False)
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.receiver.bind(("127.0.0.1", 0))
        self.address = ("::ffff:127.0.0.1", self.receiver.getsockname()[1], 0, 0)

    def close(self) -> None:
        self.sender.close()
        self.receiver.close()


def ours(kind: str, profile: str, legs: int, frames: int) -> tuple[float, int]:
    """CPU seconds and packets of ``frames`` frames to ``legs`` legs."""
    sink, buffer = Sink(), PacketBuffer()
    calls: list[Callable[[float], None]] = []
    fan_out = FanOut(lambda delay, call: calls.append(call), time.perf_counter)
    codec, rate = ("h264", 90_000) if kind == "video" else ("opus", 48_000)
    rendition = Rendition(RenditionKey("video", "main", codec), rate, fan_out)
    if kind == "audio":
        rendition = Rendition(RenditionKey("audio", "total", codec), rate, fan_out)
    streams = []
    sessions = []
    for number in range(legs):
        path = SendPath(buffer, sink.sender.sendto)
        session = SrtpSession(os.urandom(PROFILES[profile]), profile, buffer, outbound=True)
        sessions.append(session)
        path.handle, path.address = session.handle, sink.address
        form = SendFormat(number + 1, 96, rate, kind == "video", {MID_ID: b"1"}, SEND_TIME_ID)
        stream = SendStream(form, path, 1, 1)
        stream.play(rendition, 0.0)
        streams.append(stream)
    data = b"\0\0\0\1\x65" + b"\x5a" * FRAME_BYTES[kind]
    now = 1.0
    began = time.process_time()
    for number in range(frames):
        now += 0.02
        rendition.append(data, number * 3600, key_frame=True, now=now)
        while calls:
            now += 0.002
            calls.pop()(now)
    took = time.process_time() - began
    sink.close()
    dropped = sum(stream._path.dropped for stream in streams)
    if dropped:
        raise RuntimeError(f"{dropped} packets were refused; the measurement is void")
    return took, sum(stream.packets for stream in streams)


def baseline(kind: str, profile: str, legs: int, frames: int) -> tuple[float, int]:
    """The same with aiortc's packet and pylibsrtp's session."""
    sink = Sink()
    parameters = RTCRtpParameters()
    for number, uri in ((MID_ID, MID_URI), (SEND_TIME_ID, ABS_SEND_TIME_URI)):
        parameters.headerExtensions.append(RTCRtpHeaderExtensionParameters(id=number, uri=uri))
    extensions = aiortc_rtp.HeaderExtensionsMap()
    extensions.configure(parameters)
    sessions = []
    for _ in range(legs):
        policy = Policy(
            key=os.urandom(PROFILES[profile]),
            ssrc_type=Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=getattr(Policy, f"SRTP_PROFILE_{profile}"),
        )
        policy.window_size = 1024
        sessions.append(Session(policy))
    data = b"\0\0\0\1\x65" + b"\x5a" * FRAME_BYTES[kind]
    payloads = h264.packetise(data) if kind == "video" else [data]
    packets = sequence = 0
    began = time.process_time()
    for number in range(frames):
        for payload in payloads:
            sequence = (sequence + 1) & 0xFFFF
            for index, session in enumerate(sessions):
                packet = aiortc_rtp.RtpPacket(96, 0, sequence, number * 3600, index + 1, payload)
                packet.extensions.mid = "1"
                packet.extensions.abs_send_time = number & 0xFFFFFF
                sink.sender.sendto(session.protect(packet.serialize(extensions)), sink.address)
                packets += 1
    took = time.process_time() - began
    sink.close()
    return took, packets


def system_call(size: int, packets: int) -> float:
    """CPU seconds of ``packets`` bare sends: what no Python can save."""
    sink = Sink()
    data = bytes(size)
    began = time.process_time()
    for _ in range(packets):
        sink.sender.sendto(data, sink.address)
    took = time.process_time() - began
    sink.close()
    return took


def measure(kind: str, profile: str, legs: int, packets: int, repeats: int) -> dict[str, object]:
    """Best of ``repeats`` runs of each, taken in turn so that both see the same machine."""
    per_frame = len(h264.packetise(b"\0\0\0\1\x65" + b"\x5a" * FRAME_BYTES[kind]))
    frames = max(1, packets // (legs * (per_frame if kind == "video" else 1)))
    best = {"ours": float("inf"), "baseline": float("inf"), "sendto": float("inf")}
    for _ in range(repeats):
        for name, run in (("ours", ours), ("baseline", baseline)):
            took, count = run(kind, profile, legs, frames)
            best[name] = min(best[name], took / count * 1e6)
        size = 1170 if kind == "video" else 120
        best["sendto"] = min(best["sendto"], system_call(size, packets) / packets * 1e6)
    return {
        "kind": kind,
        "profile": profile,
        "legs": legs,
        "us_per_packet_per_leg": round(best["ours"], 2),
        "of_which_sendto_us": round(best["sendto"], 2),
        "baseline_us": round(best["baseline"], 2),
        "ratio": round(best["baseline"] / best["ours"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--legs", type=int, default=145)
    parser.add_argument("--packets", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    results = [
        measure(kind, profile, arguments.legs, arguments.packets, arguments.repeats)
        for kind in ("video", "audio")
        for profile in PROFILES
    ]
    print(json.dumps({"chunk_packets": CHUNK_PACKETS, "results": results}, indent=2))


if __name__ == "__main__":
    main()
