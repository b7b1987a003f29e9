"""What ``mcu check`` says of the section ``sip``: what would run, and what deserves a look."""

from config.settings import Settings
from config.sip_section import SipSettings
from mcu.api.services import SipServer

EVERY_ADDRESS = ("::", "0.0.0.0")  # noqa: S104 compared, not bound

_PLAIN = {
    "allowed": "plain RTP with anybody",
    "internal": "plain RTP inside sip.internal_networks only",
    "refused": "no plain RTP",
}
_GUESTS = {
    "refused": "only rooms with an account",
    "with_pin": "guests into conferences with a PIN",
    "allowed": "guests into every conference",
}


def told_host(settings: Settings, own: list[str]) -> str:
    """The name or address by which devices reach this server.

    Args:
        own: addresses of this machine; the first is taken where nothing is configured.
    """
    sip, media = settings.sip, settings.media
    listening = None if sip.host in EVERY_ADDRESS else sip.host
    named = (sip.public_host, *sip.domains, *media.public_addresses, listening, *own)
    return next((host for host in named if host), "localhost")


def sip_server(settings: Settings, own: list[str]) -> SipServer:
    """What a technician types into a device; without ports where SIP is off.

    Args:
        own: addresses of this machine.
    """
    sip = settings.sip
    ports = {"udp": sip.udp_port, "tcp": sip.tcp_port, "tls": sip.tls_port}
    if sip.host is None:
        ports = {}
    found = {transport: port for transport, port in ports.items() if port}
    return SipServer(told_host(settings, own), sip.realm, found)


def describe_sip(settings: Settings, own: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Lines of the report (subject and text), and notes.

    Args:
        own: addresses of this machine.
    """
    sip = settings.sip
    host = sip.host or ""
    ways = ", ".join(
        f"{name} {f'[{host}]' if ':' in host else host}:{port}"
        for name, port in (("UDP", sip.udp_port), ("TCP", sip.tcp_port), ("TLS", sip.tls_port))
        if port
    )
    rules = len(sip.dial_plan)
    findings = [
        ("SIP", f"{ways}, told to devices as {told_host(settings, own)}"),
        (
            "SIP rooms",
            f"sign in with {' or '.join(sip.digest_algorithms)} (realm {sip.realm}); "
            f"{_GUESTS[sip.guests]}; {_PLAIN[sip.plain_rtp]}; "
            f"media on UDP {settings.media.sip_ports}",
        ),
        (
            "dial plan",
            f"{rules} rule{'' if rules == 1 else 's'}, then a conference's number or id",
        ),
    ]
    return findings, list(_notes(sip))


def _notes(sip: SipSettings) -> list[str]:
    notes = []
    if "SHA-256" not in sip.digest_algorithms:
        notes.append("sip.digest_algorithms has MD5 alone: SHA-256 costs nothing where it is known")
    if sip.guests == "allowed":
        notes.append("sip.guests lets everybody who can send a packet here into every conference")
    if sip.plain_rtp == "allowed":
        notes.append("sip.plain_rtp lets anybody on the way of a call listen to it")
    if sip.latching == "anywhere":
        notes.append("sip.latching takes the first packet from anywhere for the room's")
    return notes
