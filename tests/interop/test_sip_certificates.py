"""Devices that have to show a certificate before they may say anything, at the real daemon."""

from pathlib import Path

import pytest

from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.free_ports import free_port
from tests.peers.meeting import meeting
from tests.peers.sip_authority import Authority
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.waiting import until_read

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(not baresip.is_installed(), reason="baresip is not installed"),
]


def phone_of(
    directory: Path, authority: Authority, place: str, room: str, secret: str, issued: Authority
) -> Baresip:
    """A telephone with a certificate of ``issued`` that checks the server's by ``authority``."""
    certificate, key = issued.issue(room, "IP:127.0.0.1")
    directory.mkdir()
    both = directory / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return Baresip(
        directory,
        f"sip:{room}@{place};transport=tls>;auth_pass={secret};regint=60;answermode=auto",
        settings=(
            f"sip_certificate {both}",
            f"sip_cafile {authority.certificate}",
            "sip_verify_server yes",
        ),
    )


async def test_who_shows_none_of_our_authority_is_not_heard(tmp_path: Path) -> None:
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    for folder in (own, foreign):
        folder.mkdir()
    authority, other = Authority(own), Authority(foreign)
    certificate, key = authority.issue("mcu", "IP:127.0.0.1")
    tls_port = free_port()
    daemon = SipDaemon(
        tmp_path / "data",
        MCU_SIP__TLS_PORT=str(tls_port),
        MCU_SIP__TLS_CERTIFICATE=str(certificate),
        MCU_SIP__TLS_KEY=str(key),
        MCU_SIP__TLS_CA=str(authority.certificate),
        MCU_SIP__TLS_CLIENT_CERTIFICATES="required",
    )
    place = f"127.0.0.1:{tls_port}"
    async with daemon, meeting(daemon, {}) as held:
        secret = await add_sip_bridge(held, "phong-ngoai")
        async with phone_of(tmp_path / "a", authority, place, "phong-ngoai", secret, other):
            await until_read(
                lambda: daemon.counted("dropped_total", cause="handshake"), lambda count: count > 0
            )
            read = await daemon.counted("messages_total", direction="received", what="REGISTER")
            assert read == 0
        secret = await add_sip_bridge(held, "phong-trong")
        async with phone_of(tmp_path / "b", authority, place, "phong-trong", secret, authority):
            await held.until_states(phong_trong="connected")
        # What was opened is the device's own connection, by which it is called too.
        opened = "connections_opened_total"
        assert await daemon.counted(opened, direction="in", transport="tls") > 0
        assert await daemon.counted(opened, direction="out", transport="tls") == 0
