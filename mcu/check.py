"""What ``mcu check`` finds: what would run with these settings, and what stands in the way."""

import errno
import os
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from config.installation import Site
from config.problems import ConfigurationError, Problem, SettingsError
from config.settings import Settings
from config.sip_section import SipSettings
from config.sites import load_site
from mcu import data_lock, tls
from mcu.sip.certificates import client_context
from mcu.sip.pin_sounds import site_sounds
from mcu.sip.survey import describe_sip
from mcu.site_import import room_addresses
from mcu.store.errors import OtherSite, StoreUnavailable
from mcu.store.inspection import Inspection, inspect
from mcu.store.store import FILE_NAME

EXPIRY_NOTICE_DAYS = 30

AUDIO_CODECS = ("Opus", "G.722", "PCMA", "PCMU")
VIDEO_ENCODERS = (("H.264", "libx264"), ("VP8", "libvpx"))


class PortInUse(Problem):
    """A port that somebody has bound."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    text: str


@dataclass(slots=True)
class Report:
    """What would run (``findings``), what deserves a look (``notes``), what is wrong."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as text, one subject a line."""
        width = max((len(finding.subject) for finding in self.findings), default=0) + 2
        return [
            *(f"{finding.subject:<{width}}{finding.text}" for finding in self.findings),
            *(f"{'note':<{width}}{note}" for note in self.notes),
        ]


def refuse_unavailable(settings: Settings) -> None:
    """Refuse settings of what this version has not got, rather than ignore them.

    Raises:
        SettingsError: names each such key.
    """
    problems = []
    if settings.cluster.nats_url:
        reason = "this version runs on a single machine; leave it empty"
        problems.append(Problem("cluster.nats_url", reason))
    if problems:
        raise SettingsError(problems)


def refuse_busy_ports(settings: Settings) -> None:
    """Refuse ports and addresses that cannot be had, all at once and before anything is made.

    Raises:
        SettingsError: names each such key, and the variable that changes it.
    """
    problems = [
        *_bind_problems("tcp", "http", settings.http.host, settings.http.port),
        *_bind_problems("udp", "media", settings.media.host, settings.media.port),
        *_sip_ports(settings.sip),
    ]
    if problems:
        raise SettingsError(problems)


def survey(settings: Settings, now: datetime | None = None) -> Report:
    """Look at everything that ``mcu serve`` would use; changes nothing."""
    report = Report()
    steps: tuple[Callable[[Report, Settings], None], ...] = (
        _check_available,
        _check_http,
        lambda report, settings: _check_tls(report, settings, now or datetime.now(UTC)),
        _check_media,
        lambda report, settings: _check_sip(report, settings, now or datetime.now(UTC)),
        _check_codecs,
        _check_data,
        _check_site,
    )
    for step in steps:
        try:
            step(report, settings)
        except ConfigurationError as error:
            report.problems += error.problems
    _excuse_own_daemon(report, settings)
    return report


def _excuse_own_daemon(report: Report, settings: Settings) -> None:
    """What the daemon of this very ``data_dir`` holds is free again when it is restarted."""
    running = data_lock.holder(settings.data_dir)
    if running is None:
        return
    report.findings.append(Finding("running", f"{running} serves this data_dir now"))
    for problem in [one for one in report.problems if isinstance(one, PortInUse)]:
        report.problems.remove(problem)
        report.notes.append(f"{problem.key} is in use, by that process it seems")


def _check_available(_report: Report, settings: Settings) -> None:
    refuse_unavailable(settings)


def _check_http(report: Report, settings: Settings) -> None:
    http = settings.http
    scheme = "http" if tls.tls_kind(http) == "plain" else "https"
    url = f"{scheme}://{_bracketed(http.host)}:{http.port}"
    public = f", told to rooms as {http.public_url}" if http.public_url else ""
    report.findings.append(Finding("console and API", url + public))
    if http.public_url is not None and http.public_url.startswith("http://"):
        report.notes.append(
            "http.public_url is not https: browsers give camera and microphone to https only, "
            "except on this machine itself"
        )
    report.problems += _bind_problems("tcp", "http", http.host, http.port)


def _check_tls(report: Report, settings: Settings, now: datetime) -> None:
    kind = tls.tls_kind(settings.http)
    if kind == "plain":
        report.findings.append(Finding("TLS", "none, as only this machine can connect"))
        return
    if kind == "configured":
        certificate = tls.configured_certificate(settings.http)
        names = ", ".join(certificate.names) or "no names"
        text = f"{certificate.certificate} for {names}, until {certificate.expires_at:%Y-%m-%d}"
        report.findings.append(Finding("TLS", text))
        left = (certificate.expires_at - now).days
        if certificate.expires_at <= now:
            reason = f"{certificate.certificate} expired on {certificate.expires_at:%Y-%m-%d}"
            report.problems.append(Problem("http.tls_certificate", reason))
        elif left < EXPIRY_NOTICE_DAYS:
            report.notes.append(f"http.tls_certificate expires in {left} days")
        return
    kept = tls.kept_certificate(settings, now)
    if kept is None:
        report.findings.append(Finding("TLS", "self-signed certificate, made at the start"))
    else:
        text = f"self-signed certificate, until {kept.expires_at:%Y-%m-%d}, SHA-256 "
        report.findings.append(Finding("TLS", text + kept.fingerprint))
    report.notes.append(tls.ADVICE)


def _check_media(report: Report, settings: Settings) -> None:
    media = settings.media
    told = ", ".join(media.public_addresses) or f"{', '.join(_own_addresses(settings))} (found)"
    text = f"UDP {_bracketed(media.host)}:{media.port}, told to rooms as {told}"
    report.findings.append(Finding("media", text))
    picture = f"{media.width}x{media.height}, {media.fps} a second, {media.bitrate_bps} bit/s"
    report.findings.append(Finding("picture", picture))
    if not media.public_addresses and not _own_addresses(settings):
        report.notes.append("this machine has no address that rooms could reach")
    report.problems += _bind_problems("udp", "media", media.host, media.port)


def _check_sip(report: Report, settings: Settings, now: datetime) -> None:
    sip = settings.sip
    if sip.host is None:
        report.findings.append(Finding("SIP", "none, as sip.host is empty"))
        return
    findings, notes = describe_sip(settings, _own_addresses(settings))
    report.findings += [Finding(subject, text) for subject, text in findings]
    report.notes += notes
    report.problems += _sip_ports(sip)
    try:
        site_sounds(sip)
    except SettingsError as error:
        report.problems += error.problems
    if sip.tls_port:
        _check_authorities(report, sip)
        if sip.tls_certificate is not None:
            certificate = tls.sip_certificate(settings, now)
            if certificate.expires_at <= now:
                reason = f"{certificate.certificate} expired on {certificate.expires_at:%Y-%m-%d}"
                report.problems.append(Problem("sip.tls_certificate", reason))


def _check_authorities(report: Report, sip: SipSettings) -> None:
    try:
        client_context(authorities=sip.tls_ca)
    except (ssl.SSLError, OSError) as error:
        reason = f"{sip.tls_ca} cannot be used ({error.strerror or 'it holds no PEM certificate'})"
        report.problems.append(Problem("sip.tls_ca", reason))


def _sip_ports(sip: SipSettings) -> list[Problem]:
    if sip.host is None:
        return []
    ports: tuple[tuple[Literal["udp", "tcp"], str, int], ...] = (
        ("udp", "udp_port", sip.udp_port),
        ("tcp", "tcp_port", sip.tcp_port),
        ("tcp", "tls_port", sip.tls_port),
    )
    return [
        problem
        for protocol, key, port in ports
        if port
        for problem in _bind_problems(protocol, "sip", sip.host, port, key)
    ]


def _own_addresses(settings: Settings) -> list[str]:
    """What answers name where nothing is configured."""
    host = settings.media.host
    if host not in ("::", "0.0.0.0"):  # noqa: S104  # compared, not bound
        return [host]
    found = tls.machine_addresses()
    if tls.is_loopback(settings.http.host):
        found += ["127.0.0.1", "::1"]  # whoever reaches the API is on this machine
    return [address for address in found if host == "::" or ":" not in address]


def _check_codecs(report: Report, _settings: Settings) -> None:
    import av.codec

    from mixer.codecs.opus import LIBOPUS_AVAILABLE

    missing = []
    video = []
    for name, encoder in VIDEO_ENCODERS:
        try:
            av.codec.Codec(encoder, "w")
        except ValueError:
            missing.append(f"{name} ({encoder})")
        else:
            video.append(name)
    report.findings.append(Finding("codecs", ", ".join([*AUDIO_CODECS, *video])))
    if missing:
        reason = f"the installed PyAV cannot encode {', '.join(missing)}; install it from its wheel"
        report.problems.append(Problem("", reason))
    if not LIBOPUS_AVAILABLE:
        report.notes.append(
            "libopus is not installed: lost audio is faded instead of repaired; "
            "on Debian: apt-get install libopus0"
        )


def _check_data(report: Report, settings: Settings) -> None:
    directory = settings.data_dir
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    state = "" if existing == directory else ", made at the start"
    report.findings.append(Finding("data", f"{directory.absolute()}{state}"))
    if not existing.is_dir():
        report.problems.append(Problem("data_dir", f"{existing} is not a directory"))
    elif not os.access(existing, os.W_OK | os.X_OK):
        report.problems.append(Problem("data_dir", f"{existing} cannot be written by this user"))
    found = _look_into_store(settings)
    if found is not None:
        held = f" of {', '.join(found.sites)}" if found.sites else ""
        text = f"{found.units} units and {found.bridges} bridges{held}"
        report.findings.append(Finding("registry", text))


def _look_into_store(settings: Settings) -> Inspection | None:
    """What the store holds; None where there is none yet.

    Raises:
        SettingsError: it is damaged or cannot be read.
    """
    try:
        return inspect(settings.data_dir / FILE_NAME)
    except StoreUnavailable as error:
        raise SettingsError([Problem("data_dir", error.reason)]) from error
    except OSError:
        return None  # what is wrong with the directory is said of the directory


def _check_site(report: Report, settings: Settings) -> None:
    if settings.site is None:
        report.findings.append(Finding("site", "none; the registry holds what was put into it"))
        return
    site = load_site(settings.site)
    report.findings.append(Finding("site", describe_site(site)))
    try:
        found = _look_into_store(settings)
    except SettingsError:
        return  # said with the directory
    if found is None or not found.units:
        room_addresses(site.bridges)
    elif found.sites and site.id not in found.sites:
        refusal = OtherSite(site.id, found.sites, found.units, found.bridges)
        report.problems.append(Problem("site", refusal.reason))


def describe_site(site: Site) -> str:
    """Count what an installation has: ``Khánh Hòa: 145 units, 145 bridges (1 province, ...)``."""
    level = {unit.id: unit.level for unit in site.units}
    counts = Counter(level[bridge.unit] for bridge in site.bridges)
    parts = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{site.name}: {len(site.units)} units, {len(site.bridges)} bridges ({parts})"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bind_problems(
    protocol: Literal["tcp", "udp"], section: str, host: str, port: int, key: str = "port"
) -> list[Problem]:
    """Try to bind, and let go again at once."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=kind, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        return [Problem(f"{section}.host", f"{host} is not a name or address that can be found")]
    try:
        with socket.socket(family, kind) as probe:
            if protocol == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = (
                f"{port} is in use by another program, or by an mcu that runs already: end that "
                f"one, or choose another port (MCU_{section.upper()}__{key.upper()})"
            )
            return [PortInUse(f"{section}.{key}", reason)]
        if error.errno in (errno.EACCES, errno.EPERM):
            reason = f"{port} may not be used by this user (ports below 1024 need a privilege)"
            return [Problem(f"{section}.{key}", reason)]
        if error.errno == errno.EADDRNOTAVAIL:
            return [Problem(f"{section}.host", f"{host} is not an address of this machine")]
        return [Problem(f"{section}.host", f"{host} cannot be used ({error.strerror})")]
    return []
