"""Offer and answer with baresip, both ways: what it sends then is what was agreed.

baresip's packets come to sockets of the test: their payload type, and under SDES their
authentication by the key of its description, under DTLS its first flight.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from mcu.media.srtp import PacketBuffer, SrtpSession
from signalling.offer_answer import (
    Agreed,
    Dtls,
    Flow,
    Ice,
    LocalMedia,
    Offered,
    OfferRefused,
    Plain,
    Sdes,
    answer_offer,
    complete_offer,
    hold,
    make_offer,
    resume,
)
from signalling.sdp import Fingerprint, SessionDescription
from signalling.sip import CallAnswered, CallEnded, CallReceived, Event, MediaAnswered, MediaOffered
from signalling.webrtc.dtls import is_dtls
from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.sip_wire import Room, UdpPeer, endpoint, port_of, udp_peer

pytestmark = [
    pytest.mark.skipif(not baresip.is_installed(), reason="baresip is not installed"),
]

MODULES = (*baresip.AUDIO, "vp8", "fakevideo", "srtp", "dtls_srtp", "ice")
SETTINGS = ("video_source fakevideo,nil", "video_display fakevideo,nil", "video_size 320x180")
OURS = Fingerprint("sha-256", ":".join(["AB"] * 32))
KINDS = [
    pytest.param("", ("plain",), Plain, id="plain"),
    pytest.param(";mediaenc=srtp", ("sdes", "plain"), Sdes, id="best effort"),
    pytest.param(";mediaenc=srtp-mand", ("sdes",), Sdes, id="sdes"),
    pytest.param(";mediaenc=srtp-mandf", ("sdes", "dtls"), Sdes, id="sdes with feedback"),
    pytest.param(";mediaenc=dtls_srtp", ("dtls",), Dtls, id="dtls"),
]


class End(Room):
    """Our end: answers and completes by what is tested here."""

    def __init__(self, local: LocalMedia) -> None:
        super().__init__()
        self.local = local
        self.agreed: Agreed | None = None
        self.offered: Offered | None = None

    def __call__(self, event: Event, now: float) -> None:
        if isinstance(event, CallReceived | MediaOffered) and event.sdp is not None:
            self.agreed = answer_offer(read(event.sdp), self.local, previous=self.agreed)
            self.answer = str(self.agreed.local).encode()
        elif isinstance(event, CallAnswered | MediaAnswered):
            assert self.offered is not None
            self.agreed = complete_offer(self.offered, read(event.sdp))
        super().__call__(event, now)


def read(sdp: bytes) -> SessionDescription:
    return SessionDescription.parse(sdp.decode())


@asynccontextmanager
async def media_sockets(**changes: object) -> AsyncIterator[tuple[LocalMedia, dict[int, UdpPeer]]]:
    """Our end with a socket for each section, and those sockets by index."""
    async with AsyncExitStack() as stack:
        peers = {index: await stack.enter_async_context(udp_peer()) for index in range(3)}
        ssrcs = iter(range(1000, 2000))
        values: dict[str, object] = {
            "port": lambda index, family: peers[index].port,
            "session_id": 7,
            "cname": "clock",
            "new_ssrc": lambda: next(ssrcs),
            "ipv4": "127.0.0.1",
            "fingerprints": (OURS,),
            "ice": Ice("mcu1", "p" * 24),
            "streams": {"audio": "sendrecv", "video": "sendrecv"},
        }
        yield LocalMedia(**(values | changes)), peers  # type: ignore[arg-type]


async def first_packet(flow: Flow, peer: UdpPeer) -> bytes:
    """The next RTP packet or DTLS record from the peer, opened where keys are known."""
    opening = None
    if isinstance(flow.security, Sdes):
        buffer = PacketBuffer()
        key, profile = flow.security.remote_key, flow.security.profile
        opening = SrtpSession(key, profile, buffer, outbound=False)
    while True:
        data, source = await peer.received.get()
        is_rtcp = len(data) > 1 and 192 <= data[1] <= 223
        if is_rtcp or (not is_dtls(data) and data[0] >> 6 != 2):
            continue
        if flow.ice is None:
            assert source == flow.remote
        if opening is None:
            return data
        length = opening.unprotect(data)
        return bytes(buffer.view[:length])


async def check_what_comes(agreed: Agreed, peers: dict[int, UdpPeer], security: type) -> None:
    for flow in agreed.flows:
        assert type(flow.security) is security
        packet = await first_packet(flow, peers[flow.index])
        if isinstance(flow.security, Dtls):
            assert is_dtls(packet)
        else:
            assert packet[1] & 0x7F in flow.media.receive_codecs


@pytest.mark.parametrize(("account", "protections", "security"), KINDS)
async def test_baresip_calls(
    tmp_path: Path, account: str, protections: tuple[str, ...], security: type
) -> None:
    async with media_sockets(protections=protections) as (local, peers):
        end = End(local)
        async with endpoint(room=end) as found:
            place = f"127.0.0.1:{port_of(found, 'udp')}"
            phone = Baresip(
                tmp_path / "phone",
                f"sip:room@{place}>;regint=0{account}",
                modules=MODULES,
                settings=SETTINGS,
            )
            async with phone:
                await phone.do("dial", f"sip:hn01@{place}")
                await phone.until("CALL_ESTABLISHED")
                assert end.agreed is not None
                assert end.agreed.flows[0].media.codec.name == "opus"
                assert [flow.media.stream for flow in end.agreed.flows] == ["audio", "video"]
                await check_what_comes(end.agreed, peers, security)


@pytest.mark.parametrize(("account", "protections", "security"), KINDS)
async def test_baresip_is_called(
    tmp_path: Path, account: str, protections: tuple[str, ...], security: type
) -> None:
    early = account.endswith("mandf")  # with which baresip insists on it
    async with media_sockets(protections=protections, early_feedback=early) as (local, peers):
        end = End(local)
        async with endpoint(room=end) as found:
            phone = Baresip(
                tmp_path / "phone",
                f"sip:room@127.0.0.1>;regint=0;answermode=auto{account}",
                modules=MODULES,
                settings=SETTINGS,
            )
            async with phone:
                end.offered = make_offer(local)
                sdp = str(end.offered.local).encode()
                found.call(f"sip:room@127.0.0.1:{phone.port}", sdp, caller="<sip:mcu@127.0.0.1>")
                await end.until(
                    lambda events: any(isinstance(e, CallAnswered | CallEnded) for e in events)
                )
                assert end.agreed is not None, end.events
                assert end.agreed.flow("audio") is not None
                await check_what_comes(end.agreed, peers, security)


async def test_what_this_site_forbids_is_refused(tmp_path: Path) -> None:
    async with media_sockets(protections=("sdes",)) as (local, _):
        refused: list[str] = []

        class Strict(End):
            def __call__(self, event: Event, now: float) -> None:
                try:
                    super().__call__(event, now)
                except OfferRefused as error:
                    refused.append(str(error))
                    assert self.endpoint is not None
                    assert isinstance(event, CallReceived)
                    self.endpoint.agent.reject(event.call, 488, now)

        async with endpoint(room=Strict(local)) as found:
            place = f"127.0.0.1:{port_of(found, 'udp')}"
            phone = Baresip(tmp_path / "phone", f"sip:room@{place}>;regint=0", modules=MODULES)
            async with phone:
                await phone.do("dial", f"sip:hn01@{place}")
                closed = await phone.until("CALL_CLOSED")
                assert closed["param"].startswith("488")
        assert "unprotected, which this site does not allow: SDES is required" in refused[0]


async def test_hold_and_resume_both_ways(tmp_path: Path) -> None:
    async with media_sockets(protections=("sdes",)) as (local, peers):
        end = End(local)
        async with endpoint(room=end) as found:
            place = f"127.0.0.1:{port_of(found, 'udp')}"
            account = f"sip:room@{place}>;regint=0;mediaenc=srtp-mand"
            phone = Baresip(tmp_path / "phone", account, modules=MODULES, settings=SETTINGS)
            async with phone:
                await phone.do("dial", f"sip:hn01@{place}")
                await phone.until("CALL_ESTABLISHED")
                assert end.agreed is not None
                before = end.agreed
                (received,) = (e for e in end.events if isinstance(e, CallReceived))

                await phone.do("hold")
                await end.until(lambda events: any(isinstance(e, MediaOffered) for e in events))
                assert [flow.held for flow in end.agreed.flows] == [True, True]
                assert not any(flow.media.sends for flow in end.agreed.flows)
                seen = len(end.events)
                await phone.do("resume")
                await end.until(
                    lambda events: any(isinstance(e, MediaOffered) for e in events[seen:])
                )
                assert [f.security for f in end.agreed.flows] == [f.security for f in before.flows]
                assert all(flow.media.direction == "sendrecv" for flow in end.agreed.flows)

                for offered, direction in ((hold, "sendonly"), (resume, "sendrecv")):
                    seen = len(end.events)
                    end.offered = offered(local, end.agreed)
                    sdp = str(end.offered.local).encode()
                    found.do(
                        lambda agent, now, sdp=sdp: agent.change_media(received.call, sdp, now)
                    )
                    await end.until(
                        lambda events, seen=seen: any(
                            isinstance(e, MediaAnswered) for e in events[seen:]
                        )
                    )
                    assert end.agreed.flows[0].media.direction == direction
                for peer in peers.values():
                    while not peer.received.empty():
                        peer.received.get_nowait()
                sound = end.agreed.flows[0]
                assert await asyncio.wait_for(first_packet(sound, peers[0]), 30)
