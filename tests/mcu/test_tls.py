"""The self-signed certificate, and what is said of the organisation's own."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config.settings import Settings, SettingsError, load
from mcu import tls

NOW = datetime.now(UTC)


def settings_for(directory: Path, **environ: str) -> Settings:
    return load(
        None,
        {"MCU_DATA_DIR": str(directory), "MCU_HTTP__HOST": "::"}
        | {f"MCU_{key}": value for key, value in environ.items()},
    )


def made(directory: Path, now: datetime = NOW, **environ: str) -> tls.Certificate:
    certificate = tls.prepare(settings_for(directory, **environ), now)
    assert certificate is not None
    return certificate


def refusal(directory: Path, certificate: Path, key: Path) -> str:
    settings = settings_for(
        directory, HTTP__TLS_CERTIFICATE=str(certificate), HTTP__TLS_KEY=str(key)
    )
    with pytest.raises(SettingsError) as caught:
        tls.ssl_context(settings)
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST."])
def test_loopback_is_served_plainly(tmp_path: Path, host: str) -> None:
    settings = settings_for(tmp_path, HTTP__HOST=host)
    assert tls.tls_kind(settings.http) == "plain"
    assert tls.ssl_context(settings) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["::", "0.0.0.0", "192.0.2.7", "mcu.example.org"])
def test_other_addresses_get_a_certificate(tmp_path: Path, host: str) -> None:
    assert tls.tls_kind(settings_for(tmp_path, HTTP__HOST=host).http) == "self-signed"


def test_names_and_key_file(tmp_path: Path) -> None:
    certificate = made(
        tmp_path,
        HTTP__HOST="mcu.example.org",
        HTTP__PUBLIC_URL="https://họp.example.org:8443",
        MEDIA__PUBLIC_ADDRESSES="203.0.113.7,2001:db8::7",
    )
    assert {
        "localhost", "127.0.0.1", "::1", "mcu.example.org", "xn--hp-68s.example.org",
        "203.0.113.7", "2001:db8::7",
    } <= set(certificate.names)  # fmt: skip
    assert certificate.key.stat().st_mode & 0o777 == 0o600
    assert certificate.key.parent.stat().st_mode & 0o777 == 0o700
    assert certificate.expires_at - NOW > timedelta(days=364)


def test_unspecified_address_is_no_name(tmp_path: Path) -> None:
    assert "::" not in made(tmp_path).names


def test_reused_on_restart(tmp_path: Path) -> None:
    assert made(tmp_path).fingerprint == made(tmp_path).fingerprint


def test_renewed_before_it_expires(tmp_path: Path) -> None:
    first = made(tmp_path)
    late = first.expires_at - tls.RENEW_BEFORE
    assert made(tmp_path, late - timedelta(minutes=1)).fingerprint == first.fingerprint
    renewed = made(tmp_path, late)
    assert renewed.fingerprint != first.fingerprint
    assert renewed.expires_at > first.expires_at


def test_made_again_for_a_new_name_but_not_for_one_less(tmp_path: Path) -> None:
    first = made(tmp_path, HTTP__PUBLIC_URL="https://a.example.org")
    assert made(tmp_path).fingerprint == first.fingerprint
    assert made(tmp_path, HTTP__PUBLIC_URL="https://b.example.org").fingerprint != first.fingerprint


def test_damaged_pair_is_made_again(tmp_path: Path) -> None:
    first = made(tmp_path)
    first.key.write_text("gone", encoding="ascii")
    assert made(tmp_path).fingerprint != first.fingerprint


def test_unwritable_directory_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(SettingsError, match=r"^data_dir: .* cannot be written"):
        tls.prepare(settings_for(tmp_path / "file"), NOW)


async def test_a_client_that_trusts_it_connects(tmp_path: Path) -> None:
    context = tls.ssl_context(settings_for(tmp_path))
    assert context is not None
    greeting = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting.set()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        trusting = ssl.create_default_context(cafile=str(tmp_path / "tls" / "certificate.pem"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        assert await reader.read() == b""
        await greeting.wait()
        writer.close()
        await writer.wait_closed()


def test_configured_pair_is_used(tmp_path: Path) -> None:
    own = made(tmp_path / "own")
    settings = settings_for(
        tmp_path / "data",
        HTTP__HOST="127.0.0.1",
        HTTP__TLS_CERTIFICATE=str(own.certificate),
        HTTP__TLS_KEY=str(own.key),
    )
    assert tls.tls_kind(settings.http) == "configured"
    assert tls.ssl_context(settings) is not None
    assert tls.configured_certificate(settings.http).fingerprint == own.fingerprint
    assert not (tmp_path / "data").exists()


def test_unusable_files_name_key_and_reason(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    missing = tmp_path / "missing.pem"
    text = tmp_path / "text.pem"
    text.write_text("not PEM", encoding="ascii")
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    assert refusal(tmp_path, missing, one.key).startswith("http.tls_certificate: ")
    assert "cannot be read (No such file" in refusal(tmp_path, one.certificate, missing)
    assert "holds no PEM certificate" in refusal(tmp_path, text, one.key)
    assert "http.tls_key: " in refusal(tmp_path, one.certificate, text)
    assert "is encrypted" in refusal(tmp_path, one.certificate, encrypted)
    assert "does not belong" in refusal(tmp_path, one.certificate, two.key)


def test_sip_has_its_own_certificate_or_that_of_http(tmp_path: Path) -> None:
    own = made(tmp_path / "own")
    files = {"SIP__TLS_CERTIFICATE": str(own.certificate), "SIP__TLS_KEY": str(own.key)}
    configured = settings_for(tmp_path / "a", **files)
    assert tls.sip_certificate(configured, NOW).certificate == own.certificate
    plain = settings_for(tmp_path / "b", HTTP__HOST="127.0.0.1")
    made_for_sip = tls.sip_certificate(plain, NOW)
    assert tls.sip_certificate(plain, NOW) == made_for_sip
    shared = settings_for(tmp_path / "c")
    assert tls.sip_certificate(shared, NOW) == tls.prepare(shared, NOW)


def test_faults_of_sip_files_name_their_keys(tmp_path: Path) -> None:
    files = {"SIP__TLS_CERTIFICATE": str(tmp_path / "x"), "SIP__TLS_KEY": str(tmp_path / "y")}
    with pytest.raises(SettingsError, match=r"sip\.tls_certificate: .* cannot be read"):
        tls.sip_certificate(settings_for(tmp_path, **files), NOW)
