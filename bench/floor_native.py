"""``bench/floor.c`` compiled, bound to the libraries this process has loaded, and run.

The functions handed to it are those the daemon itself calls: libsrtp inside pylibsrtp, the system's
libopus, libavcodec and libswscale as PyAV brought them.
"""

import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from opuslib_next import api as opus_api
from opuslib_next import constants
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found, unused-ignore]

from bench.figures import VoidRunError
from bench.media import CodedPictures, CodedSound
from mcu.media.payload import MAX_PAYLOAD_BYTES
from mcu.media.rtp import pack_extensions
from mcu.media.srtp import PacketBuffer, SrtpSession
from mixer.codecs import h264, opus

SOURCE = Path(__file__).with_name("floor.c")
PROFILE, KEY_BYTES = "AEAD_AES_128_GCM", 28
"""What the daemon and the generator agree on."""
VIEW = (1280, 720)
PICTURE = (640, 360)
FPS = 25
BITRATE_BPS = 1_500_000
COLUMNS = 4
STEP_S = 0.02
INSTALL = "apt install gcc libc6-dev"


class _Coded(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_char_p),
        ("ends", ctypes.POINTER(ctypes.c_int32)),
        ("last", ctypes.c_char_p),
        ("units", ctypes.c_int32),
    )


class _Load(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in (
            "legs", "speakers", "senders", "steps", "warm_up_steps", "source_width",
            "source_height", "width", "height", "columns", "payload_bytes", "opus_application",
            "opus_settings",
        )),
        ("opus_controls", ctypes.POINTER(ctypes.c_int32)),
        ("encoder_options", ctypes.POINTER(ctypes.c_char_p)),
        ("decoder_options", ctypes.POINTER(ctypes.c_char_p)),
        ("outbound", ctypes.POINTER(ctypes.c_void_p)),
        ("inbound", ctypes.POINTER(ctypes.c_void_p)),
        ("peers", ctypes.POINTER(ctypes.c_void_p)),
        ("sounds", ctypes.POINTER(_Coded)),
        ("pictures", ctypes.POINTER(_Coded)),
        ("extension", ctypes.c_char_p),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
    )  # fmt: skip


_SECONDS = ("receive_s", "audio_s", "video_decode_s", "video_encode_s", "send_s")
_COUNTS = (
    "received", "sent_audio", "sent_video", "sent_bytes", "delivered", "decoded", "encoded",
)  # fmt: skip


class _Result(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_double) for name in _SECONDS),
        *((name, ctypes.c_int64) for name in _COUNTS),
        ("error", ctypes.c_char * 200),
    )


@dataclass(frozen=True, slots=True)
class Floor:
    """What one run of the loop took.

    Args:
        cores: CPU seconds of the loop's thread per second of the meeting.
        stages: the same, by stage (``receive``, ``audio``, ``video_decode``, …).
        packets_per_leg: video packets a second that each leg was sent.
    """

    cores: float
    stages: dict[str, float]
    packets_per_leg: float


def run(
    sounds: Sequence[CodedSound | None],
    pictures: Sequence[CodedPictures],
    *,
    speakers: int,
    seconds: float,
    warm_up_s: float = 2.0,
) -> Floor:
    """The work of a meeting, done alone; takes about as long as its work, on one thread.

    Args:
        sounds: what each leg sends, None: nothing; the first ``speakers`` are heard.
        pictures: what the first legs send; none: no video at all.
        seconds: of the meeting that are counted, after ``warm_up_s``.
    Raises:
        VoidRunError: there is no C compiler, or a packet or picture went missing.
    """
    native = library()
    legs = len(sounds)
    # Kept until the run is over: the loop holds their addresses.
    sessions = [_sessions() for _ in range(legs)]
    coded_sounds = (_Coded * legs)(*(_coded_sound(sound) for sound in sounds))
    coded_pictures = (_Coded * max(1, len(pictures)))(*map(_coded_pictures, pictures))
    controls, names = _opus_controls(), _names(native)
    steps = round(seconds / STEP_S)
    load = _Load(
        legs=legs,
        speakers=speakers,
        senders=len(pictures),
        steps=steps,
        warm_up_steps=round(warm_up_s / STEP_S),
        source_width=PICTURE[0],
        source_height=PICTURE[1],
        width=VIEW[0],
        height=VIEW[1],
        columns=COLUMNS,
        payload_bytes=MAX_PAYLOAD_BYTES,
        opus_application=constants.APPLICATION_VOIP,
        opus_settings=len(controls) // 2,
        opus_controls=(ctypes.c_int32 * len(controls))(*controls),
        encoder_options=_pairs(
            {
                "b": str(BITRATE_BPS),
                "time_base": f"1/{FPS}",
                "video_size": f"{VIEW[0]}x{VIEW[1]}",
                "pixel_format": "yuv420p",
                "threads": "1",
                **h264.encoder_options(*VIEW, FPS, BITRATE_BPS),
            }
        ),
        decoder_options=_pairs({"threads": "1", "flags": "low_delay"}),
        outbound=_handles(one[0] for one in sessions),
        inbound=_handles(one[1] for one in sessions),
        peers=_handles(one[2] for one in sessions),
        sounds=coded_sounds,
        pictures=coded_pictures,
        extension=pack_extensions({2: bytes(3), 3: b"1"}).ljust(12, b"\0"),
        functions=_functions(names),
    )
    result = _Result()
    if native.floor_run(ctypes.byref(load), ctypes.byref(result)):
        raise VoidRunError(f"the floor's loop stopped: {result.error.decode()}")
    _nothing_missing(result, sounds, pictures, steps)
    meeting_s = steps * STEP_S
    stages = {name.removesuffix("_s"): getattr(result, name) / meeting_s for name in _SECONDS}
    return Floor(sum(stages.values()), stages, result.sent_video / legs / meeting_s)


def _nothing_missing(
    result: _Result,
    sounds: Sequence[CodedSound | None],
    pictures: Sequence[CodedPictures],
    steps: int,
) -> None:
    senders = sum(sound is not None for sound in sounds)
    expected = {
        "sent_audio": len(sounds) * steps,
        "delivered": result.sent_audio + result.sent_video,
        "decoded": len(pictures) * (steps // 2),
        "encoded": steps // 2 if pictures else 0,
    }
    if result.received < senders * steps:
        raise VoidRunError(f"the floor's loop received {result.received}: datagrams were lost")
    for name, value in expected.items():
        if getattr(result, name) != value:
            raise VoidRunError(f"the floor's loop {name} {getattr(result, name)}, not {value}")


@cache
def library() -> ctypes.CDLL:
    """The compiled loop.

    Raises:
        VoidRunError: no compiler, or it failed.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise VoidRunError(f"no C compiler for bench/floor.c; install one ({INSTALL})")
    with TemporaryDirectory() as folder:
        target = Path(folder) / "floor.so"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(target), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise VoidRunError(f"bench/floor.c does not compile ({INSTALL}): {done.stderr[:400]}")
        return ctypes.CDLL(str(target))


def _names(native: ctypes.CDLL) -> list[str]:
    """The functions the loop wants, in its order."""
    table = (ctypes.c_char_p * 100).in_dll(native, "FUNCTIONS")
    return [name.decode() for name in itertools.takewhile(lambda one: one is not None, table)]


def _functions(names: Sequence[str]) -> "ctypes.Array[ctypes.c_void_p]":
    libraries = _loaded("libavcodec", "libavutil", "libswscale")
    addresses = []
    for name in names:
        if name.startswith("srtp_"):
            addresses.append(int(ffi.cast("uintptr_t", ffi.addressof(lib, name))))
            continue
        among = [opus_api.libopus] if name.startswith("opus_") else libraries
        function = next((getattr(one, name) for one in among if hasattr(one, name)), None)
        if function is None:
            raise VoidRunError(f"the libraries of this installation have no {name}")
        addresses.append(ctypes.cast(function, ctypes.c_void_p).value or 0)
    return (ctypes.c_void_p * len(addresses))(*addresses)


def _loaded(*names: str) -> list[ctypes.CDLL]:
    """Libraries this process has loaded, which are PyAV's, wherever it keeps them."""
    av.CodecContext.create("h264", "r")  # loads them, if nothing has yet
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if len(line.split()) > 5}
    found = [path for path in sorted(paths) if Path(path).name.startswith(names)]
    if len(found) < len(names):
        raise VoidRunError(f"PyAV's shared libraries were not found, only {found}")
    return [ctypes.CDLL(path) for path in found]


def _sessions() -> tuple[SrtpSession, SrtpSession, SrtpSession]:
    """Ours outbound, ours inbound, the room's outbound."""
    ours, theirs, buffer = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES), PacketBuffer()
    return (
        SrtpSession(ours, PROFILE, buffer, outbound=True),
        SrtpSession(theirs, PROFILE, buffer, outbound=False),
        SrtpSession(theirs, PROFILE, buffer, outbound=True),
    )


def _handles(sessions: Iterable[SrtpSession]) -> "ctypes.Array[ctypes.c_void_p]":
    handles = [session.handle for session in sessions]
    return (ctypes.c_void_p * len(handles))(*handles)


def _coded(units: Sequence[bytes], last: Sequence[bool]) -> _Coded:
    ends = list(itertools.accumulate(map(len, units)))
    return _Coded(b"".join(units), (ctypes.c_int32 * len(ends))(*ends), bytes(last), len(units))


def _coded_sound(sound: CodedSound | None) -> _Coded:
    packets = () if sound is None else sound.packets
    return _coded(packets, [True] * len(packets))


def _coded_pictures(pictures: CodedPictures) -> _Coded:
    payloads = [one for picture in pictures.payloads for one in picture]
    last = [n == len(picture) - 1 for picture in pictures.payloads for n in range(len(picture))]
    return _coded(payloads, last)


def _opus_controls() -> list[int]:
    """Requests and values of an encoder as ``mixer.codecs.opus`` sets it up."""
    return [
        constants.SET_BITRATE_REQUEST, opus.DEFAULT_BITRATE_BPS,
        constants.SET_COMPLEXITY_REQUEST, opus.DEFAULT_COMPLEXITY,
        constants.SET_INBAND_FEC_REQUEST, 1,
        constants.SET_SIGNAL_REQUEST, constants.SIGNAL_VOICE,
        constants.SET_PACKET_LOSS_PERC_REQUEST, round(opus.DEFAULT_EXPECTED_LOSS * 100),
    ]  # fmt: skip


def _pairs(options: dict[str, str]) -> "ctypes.Array[ctypes.c_char_p]":
    flat = [text.encode() for pair in options.items() for text in pair]
    return (ctypes.c_char_p * (len(flat) + 1))(*flat, None)
