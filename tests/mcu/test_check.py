"""What ``mcu check`` says of addresses, certificates, directories and codecs."""

import os
import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.problems import SettingsError
from config.settings import Settings, load
from mcu import check, tls
from mcu.data_lock import DataLock
from mcu.site_import import import_site
from mcu.store.store import FILE_NAME, Store

NOW = datetime.now(UTC)


def settings_for(directory: Path, **environ: str) -> Settings:
    return load(
        None,
        {"MCU_DATA_DIR": str(directory), "MCU_HTTP__PORT": "0", "MCU_MEDIA__PORT": "0"}
        | {f"MCU_{key}": value for key, value in environ.items()},
    )


def keys(report: check.Report) -> set[str]:
    return {problem.key for problem in report.problems}


def finding(report: check.Report, subject: str) -> str:
    return next(item.text for item in report.findings if item.subject == subject)


def test_defaults_are_fit_to_run(tmp_path: Path) -> None:
    report = check.survey(settings_for(tmp_path / "data"))
    assert report.problems == []
    assert finding(report, "TLS").startswith("none")
    assert finding(report, "data").endswith("made at the start")
    assert not (tmp_path / "data").exists(), "checking changes nothing"


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_port_in_use(tmp_path: Path, kind: socket.SocketKind) -> None:
    section = "http" if kind == socket.SOCK_STREAM else "media"
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = str(other.getsockname()[1])
        environ = {f"{section.upper()}__PORT": port, f"{section.upper()}__HOST": "127.0.0.1"}
        report = check.survey(settings_for(tmp_path, **environ))
    (problem,) = report.problems
    assert problem.key == f"{section}.port"
    assert "in use" in problem.reason


def test_ports_of_the_daemon_that_runs_here_are_no_fault(tmp_path: Path) -> None:
    with ExitStack() as taken:
        environ = {}
        for section, kind in (("HTTP", socket.SOCK_STREAM), ("MEDIA", socket.SOCK_DGRAM)):
            other = taken.enter_context(socket.socket(socket.AF_INET, kind))
            other.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                other.listen()
            environ |= {f"{section}__PORT": str(other.getsockname()[1])}
            environ |= {f"{section}__HOST": "127.0.0.1"}
        settings = settings_for(tmp_path, **environ)
        assert keys(check.survey(settings)) == {"http.port", "media.port"}
        with pytest.raises(SettingsError) as caught:
            check.refuse_busy_ports(settings)
        assert "(MCU_HTTP__PORT)" in str(caught.value)
        assert "(MCU_MEDIA__PORT)" in str(caught.value)
        with DataLock(tmp_path):
            report = check.survey(settings)
        assert report.problems == []
        assert f"process {os.getpid()}" in finding(report, "running")
        assert [note.partition(" ")[0] for note in report.notes] == ["http.port", "media.port"]
    check.refuse_busy_ports(settings)


def test_addresses_that_are_not_ours(tmp_path: Path) -> None:
    report = check.survey(
        settings_for(tmp_path, HTTP__HOST="name.invalid", MEDIA__HOST="192.0.2.200")
    )
    assert {"http.host", "media.host"} <= keys(report)


def test_addresses_told_to_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "machine_addresses", lambda: ["192.0.2.7", "2001:db8::7"])

    def told(**environ: str) -> str:
        report = check.survey(settings_for(tmp_path, **environ))
        return finding(report, "media").partition("told to rooms as ")[2]

    assert told() == "192.0.2.7, 2001:db8::7, 127.0.0.1, ::1 (found)"
    assert told(HTTP__HOST="::") == "192.0.2.7, 2001:db8::7 (found)"
    assert told(HTTP__HOST="::", MEDIA__HOST="0.0.0.0") == "192.0.2.7 (found)"
    assert told(MEDIA__HOST="127.0.0.1") == "127.0.0.1 (found)"
    assert told(MEDIA__PUBLIC_ADDRESSES="203.0.113.7") == "203.0.113.7"
    monkeypatch.setattr(tls, "machine_addresses", list)
    notes = check.survey(settings_for(tmp_path, HTTP__HOST="::")).notes
    assert any("no address that rooms could reach" in note for note in notes)


def test_public_address_without_https_is_noted(tmp_path: Path) -> None:
    report = check.survey(settings_for(tmp_path, HTTP__PUBLIC_URL="http://mcu.example.org"))
    assert report.problems == []
    assert any("http.public_url is not https" in note for note in report.notes)


def test_self_signed_says_how_to_install_the_own_one(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, HTTP__HOST="::")
    report = check.survey(settings, NOW)
    assert "made at the start" in finding(report, "TLS")
    assert any("http.tls_certificate" in line and "http.tls_key" in line for line in report.lines())
    certificate = tls.prepare(settings, NOW)
    assert certificate is not None
    assert certificate.fingerprint in finding(check.survey(settings, NOW), "TLS")


def test_configured_certificate_and_its_end(tmp_path: Path) -> None:
    own = tls.prepare(settings_for(tmp_path, HTTP__HOST="::"), NOW)
    assert own is not None
    settings = settings_for(
        tmp_path, HTTP__TLS_CERTIFICATE=str(own.certificate), HTTP__TLS_KEY=str(own.key)
    )
    assert "localhost" in finding(check.survey(settings, NOW), "TLS")
    soon = check.survey(settings, own.expires_at - timedelta(days=5, hours=1))
    assert any("expires in 5 days" in note for note in soon.notes)
    assert keys(check.survey(settings, own.expires_at)) == {"http.tls_certificate"}


def test_certificate_that_is_missing(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, HTTP__TLS_CERTIFICATE="/no.pem", HTTP__TLS_KEY="/no.key")
    assert keys(check.survey(settings)) == {"http.tls_certificate"}


def test_data_dir_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_arguments: False)  # root may write anywhere
    assert keys(check.survey(settings_for(tmp_path))) == {"data_dir"}


def test_missing_libopus_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixer.codecs.opus.LIBOPUS_AVAILABLE", False)
    report = check.survey(settings_for(tmp_path))
    assert any("libopus0" in note for note in report.notes)
    assert report.problems == []


def test_missing_encoder_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "VIDEO_ENCODERS", (("H.264", "libnothing"),))
    report = check.survey(settings_for(tmp_path))
    assert ["H.264 (libnothing)" in problem.reason for problem in report.problems] == [True]


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path,
        SIP__TLS_CA="nowhere",
        SIP__HOST="127.0.0.1",
        CLUSTER__NATS_URL="nats://x",
        SITE="nowhere",
        HTTP__HOST="::1",
    )
    assert {"sip.tls_ca", "cluster.nats_url", "site"} <= keys(check.survey(settings))


def test_a_damaged_store_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, but long enough to look at" * 50)
    (problem,) = check.survey(settings_for(tmp_path, SITE="khanh-hoa")).problems
    assert problem.key == "data_dir"
    assert "damaged" in problem.reason


async def test_another_site_than_the_registry_holds_is_a_problem(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / FILE_NAME)
    try:
        await import_site("vung-tau", store)
    finally:
        await store.close()
    same = check.survey(settings_for(tmp_path, SITE="vung-tau"))
    assert finding(same, "registry").endswith("of vung-tau")
    assert same.problems == []
    (problem,) = check.survey(settings_for(tmp_path, SITE="khanh-hoa")).problems
    assert problem.key == "site"
    assert problem.reason.startswith("the registry already holds the site vung-tau")


def test_an_address_in_a_site_that_cannot_be_called_is_a_problem(tmp_path: Path) -> None:
    site = tmp_path / "nho.yaml"
    site.write_text(
        "id: nho\nname: Nhỏ\ncounts: {province: 1}\n"
        "units: [{id: tinh, name: Tỉnh, level: province}]\n"
        'bridges: [{id: a, name: A, unit: tinh, kind: sip, address: "sip:a@[::1"}]\n'
    )
    (problem,) = check.survey(settings_for(tmp_path, SITE=str(site))).problems
    assert problem.key == "bridges[0].address"
    assert "is not closed" in problem.reason


def test_what_would_run_of_sip(tmp_path: Path) -> None:
    assert finding(check.survey(settings_for(tmp_path)), "SIP").startswith("none")
    sip = {"SIP__HOST": "127.0.0.1", "SIP__TCP_PORT": "0", "SIP__TLS_PORT": "0"}
    settings = settings_for(
        tmp_path,
        SIP__DOMAINS="mcu.example.org",
        SIP__GUESTS="allowed",
        SIP__UDP_PORT="40960",
        **sip,
    )
    report = check.survey(settings)
    assert finding(report, "SIP") == "UDP 127.0.0.1:40960, told to devices as mcu.example.org"
    assert "SHA-256 or MD5 (realm mcu)" in finding(report, "SIP rooms")
    assert finding(report, "dial plan").startswith("0 rules")
    assert any(note.startswith("sip.guests") for note in report.notes)


@pytest.mark.parametrize(("kind", "key"), [("UDP", "udp_port"), ("TCP", "tcp_port")])
def test_sip_port_in_use(tmp_path: Path, kind: str, key: str) -> None:
    of_socket = socket.SOCK_DGRAM if kind == "UDP" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, of_socket) as other:
        other.bind(("127.0.0.1", 0))
        if kind == "TCP":
            other.listen()
        ports = {"SIP__UDP_PORT": "0", "SIP__TCP_PORT": "0", "SIP__TLS_PORT": "0"}
        ports[f"SIP__{kind}_PORT"] = str(other.getsockname()[1])
        report = check.survey(settings_for(tmp_path, SIP__HOST="127.0.0.1", **ports))
    assert f"sip.{key}" in keys(report)


def test_files_of_sip_are_looked_at(tmp_path: Path) -> None:
    nothing = tmp_path / "ca.pem"
    nothing.write_text("no certificate")
    found = check.survey(settings_for(tmp_path, SIP__HOST="127.0.0.1", SIP__TLS_CA=str(nothing)))
    assert "sip.tls_ca" in keys(found)
    files = {"SIP__TLS_CERTIFICATE": str(nothing), "SIP__TLS_KEY": str(nothing)}
    found = check.survey(settings_for(tmp_path, SIP__HOST="127.0.0.1", **files))
    assert "sip.tls_certificate" in keys(found)
    files = {"SIP__PIN_RECORDING": str(nothing)}
    found = check.survey(settings_for(tmp_path, SIP__HOST="127.0.0.1", **files))
    assert "sip.pin_recording" in keys(found)
