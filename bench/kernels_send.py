"""What one packet to one leg costs: ``python -m bench.kernels_send`` prints JSON.

Ours: a rendition's packets fanned out to N legs (header, SRTP, ``sendmmsg`` with UDP GSO). Beside
it, in the same run:

* ``alone``: the same, but each leg's packets one by one instead of those of all legs together.
* ``unnumbered``: ours to peers that do not report on each packet; ``sendmmsg``: the same
  without GSO; ``sendto``: the same with one system call per packet, which is
  what runs where ``sendmmsg`` is missing.
* ``per_packet``: the loop as it was before packets were batched: header, libsrtp by cffi (which
  releases the GIL), ``socket.sendto``.
* ``baseline``: aiortc's ``RtpPacket.serialize``, ``pylibsrtp.Session.protect`` and ``sendto`` for
  each packet, as its RTCRtpSender does.

All send to a loopback socket that nobody reads. Times are CPU times of the process, so that a busy
machine disturbs them less; they depend on the machine, so the ratio is what to quote. With
``--contended`` two threads beside take the GIL in short pieces, as codec threads do, and times are
wall times: that is where giving the GIL up costs.
"""

import hashlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiortc.rtp as aiortc_rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found, unused-ignore]

from bench.command import command_line
from mcu.media import h264, mmsg
from mcu.media.batch import PacketBatch, SendtoBatch
from mcu.media.fan_out import CHUNK_PACKETS
from mcu.media.formation import Formation
from mcu.media.mmsg_batch import MmsgBatch
from mcu.media.path import SendPath
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.media.rtp import ABS_SEND_TIME_URI, MID_URI
from mcu.media.send import SendFormat, SendStream
from mcu.media.srtp import PacketBuffer, SrtpSession

PROFILES = {"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44, "AES128_CM_SHA1_80": 30}
FRAME_BYTES = {"video": 7_500, "audio": 80}  # 1.5 Mbit/s at 25 pictures/s; 32 kbit/s Opus
MID_ID, SEND_TIME_ID, NUMBER_ID = 3, 2, 4


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


Timer = Callable[[], float]
Run = Callable[[str, str, int, int, Timer], tuple[float, int]]


def _batch(way: str, sock: socket.socket) -> PacketBatch:
    calls = mmsg.system_calls()
    if way == "sendto" or calls is None:
        return SendtoBatch(sock.sendto)
    return MmsgBatch(sock, calls, segment=way != "sendmmsg")


class Alone(Formation):
    """Streams that never go together."""

    def muster(self) -> None:
        """Leave each where it is."""


def fanned_out(way: str) -> Run:
    """Our fan-out over one of the ways to send."""

    def run(kind: str, profile: str, legs: int, frames: int, timer: Timer) -> tuple[float, int]:
        sink = Sink()
        batch = _batch(way, sink.sender)
        calls: list[Callable[[float], None]] = []
        fan_out = FanOut(lambda delay, call: calls.append(call), time.perf_counter)
        codec, rate = ("h264", 90_000) if kind == "video" else ("opus", 48_000)
        rendition = Rendition(RenditionKey("video", "main", codec), rate, fan_out)
        if kind == "audio":
            rendition = Rendition(RenditionKey("audio", "total", codec), rate, fan_out)
        if way == "alone":
            rendition.formation = Alone(rendition.ring, 1)
        streams, sessions, paths = [], [], []
        for number in range(legs):
            path = SendPath(batch)
            session = _session(profile)
            sessions.append(session)
            path.handle, path.address = session.handle, sink.address
            paths.append(path)
            video = kind == "video"
            form = SendFormat(
                number + 1,
                96,
                rate,
                video,
                {MID_ID: b"1"},
                SEND_TIME_ID,
                NUMBER_ID if video and way != "unnumbered" else None,
                97 if video else None,
                legs + number + 1 if video else None,
            )
            stream = SendStream(form, path, 1, 1)
            stream.play(rendition, 0.0)
            streams.append(stream)
        data = _frame(kind)
        now = 1.0
        began = timer()
        for number in range(frames):
            now += 0.02
            rendition.append(data, number * 3600, key_frame=True, now=now)
            while calls:
                now += 0.002
                calls.pop()(now)
        took = timer() - began
        sink.close()
        dropped = sum(path.dropped for path in paths)
        if dropped:
            raise RuntimeError(f"{dropped} packets were refused; the measurement is void")
        return took, sum(stream.packets for stream in streams)

    return run


def per_packet(kind: str, profile: str, legs: int, frames: int, timer: Timer) -> tuple[float, int]:
    """One buffer, cffi, one ``sendto`` per packet: how ours began, its loop bare."""
    sink = Sink()
    memory = ffi.new("unsigned char[]", 2304)
    view, length = memoryview(ffi.buffer(memory)).cast("B"), ffi.new("int *")
    sessions = [_session(profile) for _ in range(legs)]
    handles = [ffi.cast("struct srtp_ctx_t_ *", session.handle) for session in sessions]
    block = b"\xbe\xde\x00\x02" + bytes(8)
    header = struct.Struct("!BBHLL12s")
    payloads = h264.packetise(_frame(kind)) if kind == "video" else [_frame(kind)]
    protect, sendto, address = lib.srtp_protect, sink.sender.sendto, sink.address
    packets = sequence = 0
    began = timer()
    for number in range(frames):
        for ssrc, handle in enumerate(handles, 1):
            for index, payload in enumerate(payloads, sequence):
                size = 24 + len(payload)
                header.pack_into(view, 0, 0x90, 96, index & 0xFFFF, number * 3600, ssrc, block)
                view[24:size] = payload
                length[0] = size
                if protect(handle, memory, length):
                    raise RuntimeError("refused")
                sendto(view[: length[0]], address)
                packets += 1
        sequence += len(payloads)
    took = timer() - began
    sink.close()
    return took, packets


def _session(profile: str) -> SrtpSession:
    key = os.urandom(PROFILES[profile])
    return SrtpSession(key, profile, PacketBuffer(), outbound=True)


def _frame(kind: str) -> bytes:
    return b"\0\0\0\1\x65" + b"\x5a" * FRAME_BYTES[kind]


def baseline(kind: str, profile: str, legs: int, frames: int, timer: Timer) -> tuple[float, int]:
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
    data = _frame(kind)
    payloads = h264.packetise(data) if kind == "video" else [data]
    packets = sequence = 0
    began = timer()
    for number in range(frames):
        for payload in payloads:
            sequence = (sequence + 1) & 0xFFFF
            for index, session in enumerate(sessions):
                packet = aiortc_rtp.RtpPacket(96, 0, sequence, number * 3600, index + 1, payload)
                packet.extensions.mid = "1"
                packet.extensions.abs_send_time = number & 0xFFFFFF
                sink.sender.sendto(session.protect(packet.serialize(extensions)), sink.address)
                packets += 1
    took = timer() - began
    sink.close()
    return took, packets


RUNS: dict[str, Run] = {
    "ours": fanned_out("ours"),
    "alone": fanned_out("alone"),
    "unnumbered": fanned_out("unnumbered"),
    "sendmmsg": fanned_out("sendmmsg"),
    "sendto": fanned_out("sendto"),
    "per_packet": per_packet,
    "baseline": baseline,
}


@contextmanager
def contention() -> Iterator[None]:
    """Two threads that work without the GIL for tens of microseconds and take it in between."""
    over = threading.Event()
    data = bytes(20_000)

    def work() -> None:
        while not over.is_set():
            hashlib.sha256(data).digest()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def measure(
    kind: str, profile: str, legs: int, packets: int, repeats: int, timer: Timer
) -> dict[str, object]:
    """Best of ``repeats`` runs of each, taken in turn so that all see the same machine."""
    per_frame = len(h264.packetise(_frame(kind))) if kind == "video" else 1
    frames = max(1, packets // (legs * per_frame))
    best = dict.fromkeys(RUNS, float("inf"))
    for _ in range(repeats):
        for name, run in RUNS.items():
            took, count = run(kind, profile, legs, frames, timer)
            best[name] = min(best[name], took / count * 1e6)
    ours = best["ours"]
    return {
        "kind": kind,
        "profile": profile,
        "legs": legs,
        "us_per_packet_per_leg": {name: round(one, 2) for name, one in best.items()},
        "ratio_to_ours": {name: round(one / ours, 2) for name, one in best.items()},
    }


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=145)
    parser.add_argument("--packets", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--contended", action="store_true", help="wall times beside two threads")
    parser.add_argument("--profile", choices=PROFILES, help="one profile alone")
    arguments = parser.parse_args()

    def results(timer: Timer) -> list[dict[str, object]]:
        return [
            measure(kind, profile, arguments.legs, arguments.packets, arguments.repeats, timer)
            for kind in ("video", "audio")
            for profile in ([arguments.profile] if arguments.profile else PROFILES)
        ]

    if arguments.contended:
        with contention():
            found = results(time.perf_counter)
    else:
        found = results(time.process_time)
    print(json.dumps({"chunk_packets": CHUNK_PACKETS, "results": found}, indent=2))


if __name__ == "__main__":
    main()
