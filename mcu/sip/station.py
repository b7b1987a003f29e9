"""Everything of SIP that one daemon runs, put together: ports, legs, endpoint, calls."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

import structlog

from config.problems import Problem, SettingsError
from config.settings import Settings
from mcu import tls
from mcu.conference.service import Conferences
from mcu.engine.pool import CodecPool
from mcu.legs.sip_acceptor import SipAcceptor
from mcu.media.port_pairs import PortPairs
from mcu.media.ports import UdpPorts
from mcu.media.rendition import FanOut
from mcu.rooms.rooms import Rooms
from mcu.sip.accounts import SipAccounts
from mcu.sip.calls import SipCalls
from mcu.sip.certificates import client_context, server_context
from mcu.sip.conversation import CallContext
from mcu.sip.dial_plan import DialPlan
from mcu.sip.endpoint import SipEndpoint
from mcu.sip.floors import Floors
from mcu.sip.foyer import Foyer
from mcu.sip.media_ends import MediaEnds
from mcu.sip.metrics import SipCollector
from mcu.sip.outside import OutsideCalls
from mcu.sip.pin_sounds import site_sounds
from mcu.sip.settings import EndpointSettings, SourceLimits
from mcu.sip.sight import ConferenceSight
from mcu.sip.watchers import RosterWatchers
from signalling.sip import AgentSettings, Listener
from signalling.webrtc.dtls import DtlsCertificate

GOODBYE_S: Final = 0.5
"""How long goodbyes may take to leave when the daemon stops."""

log = structlog.get_logger(__name__)


class SipMedia:
    """Ports and legs of calls; made before the rooms that they are shown to.

    Raises:
        SettingsError: ``media.sip_ports`` holds no pair.
    """

    def __init__(
        self,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        certificate: DtlsCertificate,
        clock: Callable[[], float],
    ) -> None:
        media = settings.media
        try:
            pairs = PortPairs(media.sip_ports.first, media.sip_ports.last, media.host)
        except ValueError as error:
            raise SettingsError([Problem("media.sip_ports", str(error))]) from error
        self.certificate = certificate
        self.ports = UdpPorts(loop, pairs, clock)
        self.acceptor = SipAcceptor(
            ports=self.ports,
            certificate=certificate,
            clock=clock,
            lost_after_s=media.lost_after_s,
        )

    def close(self) -> None:
        """Read no more."""
        self.ports.close()


class SipStation:
    """Calls of one daemon: ``open`` once conferences are restored, ``close`` after they are.

    Raises:
        SettingsError: a certificate or the recording cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        media: SipMedia,
        *,
        conferences: Conferences,
        rooms: Rooms,
        accounts: SipAccounts,
        fan_out: FanOut,
        clock: Callable[[], float],
    ) -> None:
        sip = settings.sip
        self._conferences = conferences
        self.calls = SipCalls(
            conferences,
            DialPlan(sip, conferences),
            accounts,
            bindings_changed=accounts.bindings_changed,
            no_answer_s=sip.no_answer_s,
            redial_s=(sip.redial_min_s, sip.redial_max_s),
            room_transfers=sip.room_transfers,
            sign_in=accounts.sign_in,
        )
        self.endpoint = SipEndpoint(
            endpoint_settings(settings),
            AgentSettings(
                (Listener("udp", "127.0.0.1", 0),),  # filled in by the endpoint
                outbound_proxy=sip.outbound_proxy,
                no_answer_s=sip.no_answer_s,
                guest_methods=frozenset() if sip.guests == "refused" else frozenset({"INVITE"}),
                max_calls=settings.limits.max_legs + 50,
            ),
            self.calls,
            verifier=accounts.verifier,
            registrar=accounts.registrar,
            watchers=RosterWatchers(conferences, self.calls.of),
            clock=clock,
        )
        floors = Floors(
            conferences,
            media.ports,
            clock=clock,
            take_over=settings.conference.presentation == "steal",
        )
        sounds = site_sounds(sip)
        loop = asyncio.get_running_loop()
        self._foyer = Foyer(sounds, fan_out, CodecPool(1, loop.call_soon_threadsafe))
        self.calls.attach(
            CallContext(
                endpoint=self.endpoint,
                acceptor=media.acceptor,
                rooms=rooms,
                ends=media_ends(settings, media),
                floors=floors,
                foyer=self._foyer,
                clock=clock,
                lost_for_s=max(0.0, settings.media.left_after_s - settings.media.lost_after_s),
            )
        )
        self._floors = floors
        self.outside = OutsideCalls(sip, tls.machine_addresses())
        accounts.on_revoked.append(self.calls.revoked)
        self.collector = SipCollector(
            self.endpoint, lambda: len(self.calls), lambda: len(accounts.registrar), floors.counts
        )
        self._sight: ConferenceSight | None = None

    async def open(self) -> None:
        """Listen, and call whom conferences expect.

        Raises:
            SettingsError: an address cannot be had.
        """
        settings = self.endpoint.settings
        try:
            await self.endpoint.open()
        except OSError as error:
            reason = f"SIP at {settings.host} cannot be opened ({error.strerror})"
            raise SettingsError([Problem("sip.host", reason)]) from error
        host = self.endpoint.listeners[0].host
        self._sight = ConferenceSight(
            self._conferences,
            f"[{host}]" if ":" in host else host,
            lambda conference, info: self.endpoint.do(
                lambda agent, now: agent.show_conference(conference, info, now)
            ),
        )
        self._sight.open()
        self._floors.open()
        self.calls.open()
        for one in self.endpoint.listeners:
            log.info("sip_listening", transport=one.transport, host=one.host, port=one.port)

    async def close(self) -> None:
        """Hang up everywhere, give that a moment to be said, and stop."""
        async with AsyncExitStack() as stack:
            stack.callback(self._foyer.close)
            stack.push_async_callback(self.endpoint.close)
            if self._sight is not None:
                self._sight.close()
            if not self.endpoint.listeners:
                return
            await self.calls.close()
            if not self.endpoint.agent.is_idle:
                await asyncio.sleep(GOODBYE_S)


def endpoint_settings(settings: Settings) -> EndpointSettings:
    """What the endpoint is told.

    Raises:
        SettingsError: a certificate cannot be used.
    """
    sip = settings.sip
    server_tls, client_tls = _tls(settings) if sip.tls_port else (None, None)
    told = (sip.public_host, *sip.domains, *settings.media.public_addresses)
    return EndpointSettings(
        sip.host or "",
        udp_port=sip.udp_port or None,
        tcp_port=sip.tcp_port or None,
        tls_port=sip.tls_port or None,
        public_host=next((host for host in told if host), None),
        addresses=tuple(_own_addresses(settings)),
        server_tls=server_tls,
        client_tls=client_tls,
        limits=SourceLimits(
            sip.messages_per_second, sip.message_burst, sip.max_connections_per_source
        ),
        max_connections=sip.max_connections,
        idle_s=sip.registration_max_s + 300.0,
    )


def media_ends(settings: Settings, media: SipMedia) -> MediaEnds:
    """Our end of all calls' media."""
    return MediaEnds(
        fingerprint=media.certificate.fingerprint,
        cname=media.acceptor.cname,
        bitrate_bps=settings.media.bitrate_bps,
        public=settings.media.public_addresses,
        own=_own_addresses(settings),
        plain_rtp=settings.sip.plain_rtp,
        internal=settings.sip.internal_networks,
        latching=settings.sip.latching,
    )


def _own_addresses(settings: Settings) -> list[str]:
    host = settings.sip.host or ""
    if host not in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
        return [host]
    found = [one for one in tls.machine_addresses() if host == "::" or ":" not in one]
    return found or ["127.0.0.1", *(["::1"] if host == "::" else [])]


def _tls(settings: Settings) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    sip = settings.sip
    found = tls.sip_certificate(settings, datetime.now(UTC))
    try:
        return (
            server_context(
                found.certificate,
                found.key,
                authorities=sip.tls_ca,
                clients=sip.tls_client_certificates,
            ),
            client_context(found.certificate, found.key, authorities=sip.tls_ca),
        )
    except (ssl.SSLError, OSError) as error:
        reason = f"certificates of SIP cannot be used ({error})"
        raise SettingsError([Problem("sip.tls_certificate", reason)]) from error
