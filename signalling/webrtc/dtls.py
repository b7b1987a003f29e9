"""DTLS-SRTP keys (RFC 5764) without I/O: records and ``now`` in, records, events and a timer out.

OpenSSL does the protocol on memory buffers. What is added here is datagrams instead of a
stream, the check of the peer's fingerprint, typed events instead of exceptions, and
retransmission that also works on a clock that is handed in (OpenSSL reads the machine's).
"""

import functools
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from OpenSSL import SSL

from signalling.sdp import Fingerprint
from signalling.webrtc.certificate import DtlsCertificate, matches

__all__ = [
    "Closed",
    "Connected",
    "DtlsCertificate",
    "DtlsEndpoint",
    "DtlsEvent",
    "Failed",
    "SrtpKeys",
    "SrtpProfile",
    "is_dtls",
]

MTU_BYTES = 1_172
"""Largest datagram we make: with IPv4's and UDP's headers it passes an MTU of 1,200."""
MAX_DATAGRAM_BYTES = 16_384
HANDSHAKE_TIMEOUT_S = 30.0
FIRST_RETRANSMISSION_S = 0.4
"""RFC 9147 section 5.8.2 lets it be short where, as behind ICE, the path is known to work."""
MAX_RETRANSMISSION_S = 4.0
REPEAT_LAST_FLIGHT_S = 0.05
"""At most this often is the last flight repeated to a peer that has not got it."""

_DTLS_1_2 = 0xFEFD
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
_RECORD_HEADER = struct.Struct("!BHHHLH")
_HANDSHAKE, _CHANGE_CIPHER_SPEC = 22, 20


@dataclass(frozen=True, slots=True)
class SrtpProfile:
    """A protection profile: its names here and in OpenSSL, and lengths in bytes."""

    name: str
    openssl_name: bytes
    key_bytes: int
    salt_bytes: int


AEAD_AES_128_GCM = SrtpProfile("AEAD_AES_128_GCM", b"SRTP_AEAD_AES_128_GCM", 16, 12)
AEAD_AES_256_GCM = SrtpProfile("AEAD_AES_256_GCM", b"SRTP_AEAD_AES_256_GCM", 32, 12)
AES128_CM_SHA1_80 = SrtpProfile("AES128_CM_SHA1_80", b"SRTP_AES128_CM_SHA1_80", 16, 14)
PROFILES = (AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80)
"""In order of preference: 128-bit GCM is the cheapest a packet."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Keying material: master key followed by master salt, for what we send and receive."""

    profile: SrtpProfile
    local_key: bytes = field(repr=False)
    remote_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connected:
    """The handshake is done and the peer is who its description says."""

    keys: SrtpKeys


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer said goodbye (close_notify)."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No keys will come: ``handshake``, ``fingerprint``, ``profile`` or ``timeout``."""

    reason: Literal["handshake", "fingerprint", "profile", "timeout"]
    detail: str = ""


DtlsEvent = Connected | Closed | Failed
_State = Literal["handshake", "connected", "closed", "failed"]


def is_dtls(data: bytes) -> bool:
    """Whether a datagram is DTLS by its first byte (RFC 7983)."""
    return len(data) > 0 and 20 <= data[0] <= 63


class DtlsEndpoint:
    """One end of a DTLS-SRTP association.

    Args:
        role: ``client`` sends the first flight when it is started; ``server`` waits for it.
        certificate: ours. remote_fingerprints: of the certificates the peer may show.

    ``start`` it, feed ``receive_datagram`` and ``handle_timer``; after each, send what
    ``datagrams_to_send`` gives, in order. A server may also be left to start with the first
    datagram, so that its time limit counts from there. Nothing that a datagram holds makes a
    call raise. ``dropped`` counts datagrams that were no DTLS, came too late, or after the
    handshake meant nothing.
    """

    def __init__(
        self,
        role: Literal["client", "server"],
        certificate: DtlsCertificate,
        remote_fingerprints: tuple[Fingerprint, ...],
    ) -> None:
        self.role = role
        self.dropped = 0
        self._remote_fingerprints = remote_fingerprints
        self._state: _State = "handshake"
        self._out: deque[bytes] = deque(maxlen=256)
        self._flight: list[bytes] = []
        self._flight_at = float("-inf")
        self._interval = FIRST_RETRANSMISSION_S
        self._timer: float | None = None
        self._deadline: float | None = None
        self._ssl = SSL.Connection(_context(certificate), None)
        self._ssl.set_ciphertext_mtu(MTU_BYTES)
        if role == "server":
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()

    @property
    def state(self) -> _State:
        """Where the association stands."""
        return self._state

    def start(self, now: float) -> list[DtlsEvent]:
        """Begin: a client sends its first flight; the handshake's time limit starts. Once only."""
        if self._deadline is not None:
            return []
        self._deadline = now + HANDSHAKE_TIMEOUT_S
        return self._shake_hands(now)

    def receive_datagram(self, data: bytes, now: float) -> list[DtlsEvent]:
        """Take one datagram that ``is_dtls``; returns what follows from it."""
        if (
            self._state in ("closed", "failed")
            or not is_dtls(data)
            or len(data) > MAX_DATAGRAM_BYTES
        ):
            self.dropped += 1
            return []
        if self._deadline is None:
            self._deadline = now + HANDSHAKE_TIMEOUT_S
        self._ssl.bio_write(data)
        if self._state == "handshake":
            return self._shake_hands(now)
        return self._read(data, now)

    def datagrams_to_send(self, now: float) -> list[bytes]:
        """Take the datagrams that wait, each at most ``MTU_BYTES``."""
        datagrams = list(self._out)
        self._out.clear()
        return datagrams

    def next_timer(self) -> float | None:
        """When ``handle_timer`` wants to be called; None while there is nothing to wait for."""
        if self._state != "handshake":
            return None
        times = [at for at in (self._timer, self._deadline) if at is not None]
        return min(times, default=None)

    def handle_timer(self, now: float) -> list[DtlsEvent]:
        """Retransmit what is unanswered; give up after ``HANDSHAKE_TIMEOUT_S``."""
        if self._state != "handshake" or self._deadline is None:
            return []
        if now >= self._deadline:
            return self._fail("timeout")
        if self._timer is None or now < self._timer:
            return []
        self._interval = min(self._interval * 2, MAX_RETRANSMISSION_S)
        self._timer = now + self._interval
        return self._retransmit(now)

    def close(self, now: float) -> None:
        """Say goodbye; idempotent. The close_notify waits in ``datagrams_to_send``."""
        if self._state == "connected":
            self._say_goodbye(now)
        self._state = "closed"

    def _shake_hands(self, now: float) -> list[DtlsEvent]:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._collect(now)
            return []
        except SSL.Error as error:
            self._collect(now)  # the alert
            return self._fail("handshake", _reason(error))
        self._collect(now)
        return self._finish(now)

    def _finish(self, now: float) -> list[DtlsEvent]:
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or not matches(certificate, self._remote_fingerprints):
            return self._reject("fingerprint", now)
        name = self._ssl.get_selected_srtp_profile()
        profile = next((known for known in PROFILES if known.openssl_name == name), None)
        if profile is None:
            return self._reject("profile", now)
        self._state = "connected"
        self._timer = None
        return [Connected(self._export(profile))]

    def _export(self, profile: SrtpProfile) -> SrtpKeys:
        """RFC 5764 section 4.2: both keys, then both salts, the client's first."""
        key, salt = profile.key_bytes, profile.salt_bytes
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        salts = material[2 * key :]
        client = material[:key] + salts[:salt]
        server = material[key : 2 * key] + salts[salt:]
        if self.role == "server":
            return SrtpKeys(profile, server, client)
        return SrtpKeys(profile, client, server)

    def _read(self, data: bytes, now: float) -> list[DtlsEvent]:
        """After the handshake: close_notify, or a peer that repeats its last flight."""
        understood = False
        try:
            while True:
                self._ssl.recv(MAX_DATAGRAM_BYTES)  # application data has no use here
                understood = True
        except SSL.ZeroReturnError:
            self._collect(now)
            self._state = "closed"
            return [Closed()]
        except SSL.WantReadError:
            pass
        except SSL.Error:
            if self._ssl.get_shutdown() & SSL.RECEIVED_SHUTDOWN:  # a fatal alert, authentic
                self._state = "closed"
                return [Closed()]
            # Keys are exported and media goes on; garbage must not end it.
            self.dropped += 1
            return []
        understood = self._collect(now) or understood
        # RFC 6347 section 4.2.4: who sent the last flight repeats it to a peer that still asks.
        # Without resumption that is the server; if both did, they would never stop.
        if not understood and self.role == "server":
            understood = data[0] in (_HANDSHAKE, _CHANGE_CIPHER_SPEC) and self._repeat_flight(now)
        if not understood:  # OpenSSL passes over what is not authentic without a word
            self.dropped += 1
        return []

    def _retransmit(self, now: float) -> list[DtlsEvent]:
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error as error:
            return self._fail("timeout", _reason(error))
        if not self._collect(now):
            # By the machine's clock it is not time yet. The same records again are what a
            # network that duplicates would deliver, so a peer takes those it has not got.
            self._repeat_flight(now)
        return []

    def _repeat_flight(self, now: float) -> bool:
        """Send the last flight again; False when that was done a moment ago."""
        if now - self._flight_at < REPEAT_LAST_FLIGHT_S:
            return False
        self._flight_at = now
        self._out.extend(self._flight)
        return True

    def _collect(self, now: float) -> bool:
        """Move what OpenSSL wrote into datagrams; True if there was anything."""
        written = bytearray()
        try:
            while True:
                written += self._ssl.bio_read(65_536)
        except SSL.WantReadError:
            pass
        if not written:
            return False
        datagrams = _pack(bytes(written))
        self._out.extend(datagrams)
        if self._state == "handshake":
            self._flight = datagrams
            self._flight_at = now
            self._timer = now + self._interval
        return True

    def _reject(self, reason: Literal["fingerprint", "profile"], now: float) -> list[DtlsEvent]:
        """End an association that OpenSSL takes for good, and tell the peer."""
        self._say_goodbye(now)
        return self._fail(reason)

    def _say_goodbye(self, now: float) -> None:
        try:
            self._ssl.shutdown()
        except SSL.Error:
            self.dropped += 1
        self._collect(now)

    def _fail(
        self,
        reason: Literal["handshake", "fingerprint", "profile", "timeout"],
        detail: str = "",
    ) -> list[DtlsEvent]:
        self._state = "failed"
        self._timer = None
        return [Failed(reason, detail)]


@functools.lru_cache(maxsize=16)
def _context(certificate: DtlsCertificate) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_max_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    # Certificates are self-signed: any is taken here, its fingerprint is compared afterwards.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_arguments: True)
    context.use_certificate(certificate.certificate)
    context.use_privatekey(certificate.key)
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(b":".join(profile.openssl_name for profile in PROFILES))
    return context


def _pack(written: bytes) -> list[bytes]:
    """Put records into as few datagrams as ``MTU_BYTES`` allows; a record is never split."""
    datagrams: list[bytes] = []
    current = b""
    position = 0
    while position + _RECORD_HEADER.size <= len(written):
        length = _RECORD_HEADER.size + _RECORD_HEADER.unpack_from(written, position)[-1]
        record = written[position : position + length]
        position += length
        if current and len(current) + len(record) > MTU_BYTES:
            datagrams.append(current)
            current = b""
        current += record
    if current:
        datagrams.append(current)
    return datagrams


def _reason(error: SSL.Error) -> str:
    """OpenSSL's own words for what went wrong, the first of them."""
    details = error.args[0] if error.args else []
    return str(details[0][-1]) if isinstance(details, list) and details else ""
