"""Settings: file, environment, and messages that name key, reason and place."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Settings, SettingsError, known_keys, load


def write(directory: Path, text: str) -> Path:
    path = directory / "mcu.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path | None, environ: dict[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(path, environ or {})
    return {problem.key: f"{problem.origin}|{problem.reason}" for problem in caught.value.problems}


def test_defaults_are_the_documented_ones() -> None:
    settings = load(None, {})
    assert settings == Settings()
    assert (settings.http.port, settings.media.port) == (8080, 5004)
    assert (settings.media.width, settings.media.height, settings.media.fps) == (1280, 720, 25)
    assert (settings.media.lost_after_s, settings.media.left_after_s) == (5, 30)
    assert settings.cluster.nats_url == ""


def test_file_is_read_and_environment_wins(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "http: {host: '::', port: 8443}\n"
        "media:\n  public_addresses: [203.0.113.7]\n  sip_ports: 30000-30099\n"
        "data_dir: /var/lib/mcu\nlimits:\n",
    )
    settings = load(
        path,
        {
            "MCU_HTTP__PORT": "9443",
            "MCU_MEDIA__PUBLIC_ADDRESSES": "203.0.113.8, 2001:db8::8",
            "MCU_MEDIA__LEFT_AFTER_S": "45",
            "MCU_SITE": "yen-bai",
            "MCU_AUTH__BOOTSTRAP_TOKEN": "0123456789abcdef",
            "PATH": "/usr/bin",
        },
    )
    assert (settings.http.host, settings.http.port) == ("::", 9443)
    assert settings.media.public_addresses == ("203.0.113.8", "2001:db8::8")
    assert str(settings.media.sip_ports) == "30000-30099"
    assert settings.media.left_after_s == 45
    assert settings.data_dir == Path("/var/lib/mcu")
    assert settings.site == "yen-bai"
    assert settings.auth.bootstrap_token is not None
    assert settings.auth.bootstrap_token.get_secret_value() == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(settings)


def test_command_line_wins_over_environment() -> None:
    assert load(None, {"MCU_SITE": "yen-bai"}, {"site": "ha-noi"}).site == "ha-noi"


def test_lists_may_be_yaml_and_may_be_empty() -> None:
    name = "MCU_MEDIA__PUBLIC_ADDRESSES"
    assert load(None, {name: "[203.0.113.7]"}).media.public_addresses == ("203.0.113.7",)
    assert load(None, {name: ""}).media.public_addresses == ()


def test_environment_can_empty_a_value_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "http:\n  public_url: https://mcu.example.org\n")
    assert load(path, {"MCU_HTTP__PUBLIC_URL": ""}).http.public_url is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().http.port = 1  # type: ignore[misc]


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "http:\n  prt: 8080\n  port: '8080'\nport: 3\nmedia:\n  fps: true\n  width: 1281\n"
        "  public_addresses:\n    - 203.0.113.7\n    - here\n",
    )
    found = problems_of(path)
    assert found == {
        "http.prt": f"{path} line 2|unknown key; the nearest known key is http.port",
        "http.port": f"{path} line 3|must be a whole number",
        "port": f"{path} line 4|unknown key; the nearest known key is http.port",
        "media.fps": f"{path} line 6|must be a whole number",
        "media.width": f"{path} line 7|must be even, as pictures are stored with half the "
        "colour resolution",
        "media.public_addresses[1]": f"{path} line 10|must be an IPv4 or IPv6 address",
    }


@pytest.mark.parametrize(
    ("name", "text", "key", "reason"),
    [
        ("MCU_DATADIR", "x", "datadir", "unknown key; the nearest known key is data_dir"),
        ("MCU_HTTP__PORT", "many", "http.port", "must be a whole number"),
        ("MCU_HTTP__PORT", "70000", "http.port", "less than or equal to 65535"),
        ("MCU_HTTP__PORT", "", "http.port", "must be a whole number"),
        ("MCU_HTTP__PORT", "1.5", "http.port", "whole number"),
        ("MCU_HTTP__HOST", "http://x", "http.host", "without scheme"),
        ("MCU_MEDIA__HEIGHT", "450", "media.height", "multiple of 4"),
        ("MCU_HTTP__PUBLIC_URL", "mcu.example.org", "http.public_url", "https://"),
        ("MCU_HTTP__PUBLIC_URL", "https://a/b", "http.public_url", "host and port only"),
        ("MCU_HTTP__TLS_KEY", "key.pem", "http", "belong together"),
        ("MCU_MEDIA__SIP_PORTS", "200-100", "media.sip_ports", "end before it begins"),
        ("MCU_MEDIA__SIP_PORTS", "200", "media.sip_ports", "two ports"),
        ("MCU_MEDIA__LOST_AFTER_S", ".nan", "media.lost_after_s", "finite"),
        ("MCU_MEDIA__LOST_AFTER_S", "30", "media.lost_after_s", "shorter than 30 s: after so long"),
        ("MCU_MEDIA__LOST_AFTER_S", "0", "media.lost_after_s", "greater than 0"),
        ("MCU_MEDIA__LEFT_AFTER_S", "4", "media", "must not be shorter"),
        ("MCU_STORE__RETENTION_DAYS", "0", "store.retention_days", "greater than or equal to 1"),
        ("MCU_STORE__RETENTION_ROWS", "0", "store.retention_rows", "greater than or equal"),
        ("MCU_AUTH__BOOTSTRAP_TOKEN", "short", "auth.bootstrap_token", "at least 16"),
        ("MCU_AUTH__BOOTSTRAP_TOKEN", "a b" * 9, "auth.bootstrap_token", "without spaces"),
        ("MCU_LOGGING__LEVEL", "loud", "logging.level", "'info'"),
        ("MCU_HTTP", "x", "http", "is a section"),
        ("MCU_MEDIA__WIDTH__PX", "9", "media.width.px", "unknown"),
    ],
)
def test_environment_faults_name_the_variable(name: str, text: str, key: str, reason: str) -> None:
    found = problems_of(None, {name: text})
    assert key in found, found
    assert reason in found[key]


def test_secret_is_not_repeated_in_its_own_error() -> None:
    with pytest.raises(SettingsError) as caught:
        load(None, {"MCU_AUTH__BOOTSTRAP_TOKEN": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_section_with_a_plain_value(tmp_path: Path) -> None:
    path = write(tmp_path, "http: 8080\n")
    found = problems_of(path, {"MCU_HTTP__PORT": "1"})
    assert found == {"http": f"{path} line 1|is a section and holds keys, not a value"}


def test_missing_and_broken_files(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert problems_of(missing)[""].startswith(f"{missing}|cannot be read (No such file")
    broken = write(tmp_path, "http:\n  port: [1\n")
    assert problems_of(broken)[""].startswith(f"{broken} line 3|is not valid YAML")


def test_known_keys_are_leaves() -> None:
    keys = known_keys()
    assert {"http.port", "media.sip_ports", "data_dir", "site", "cluster.nats_url"} <= set(keys)
    assert "http" not in keys


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        load(None, {"MCU_MEDIA__TIME_ZONE": "Asia/Atlantis"})
    assert [problem.key for problem in caught.value.problems] == ["media.time_zone"]
    assert load(None, {"MCU_MEDIA__TIME_ZONE": "Europe/Paris"}).media.time_zone == "Europe/Paris"
