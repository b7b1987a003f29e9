"""``mcu serve`` as a process: it starts, is told things by signals, and ends with an exit code."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mcu.__main__ import DONE, UNUSABLE


def environment(directory: Path, **settings: str) -> dict[str, str]:
    outside = {key: value for key, value in os.environ.items() if not key.startswith("MCU_")}
    return {
        **outside,
        "MCU_DATA_DIR": str(directory / "data"),
        "MCU_HTTP__PORT": "0",
        "MCU_MEDIA__PORT": "0",
        "MCU_LOGGING__FORMAT": "json",
        **{f"MCU_{key}": value for key, value in settings.items()},
    }


class Serving:
    """A daemon as a process, and what it wrote to its log so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []

    def read_log(self, until: str | None = None) -> None:
        """Read up to an event, or to the end of the process."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == until:
                return
        assert until is None, f"it ended before {until}: {self.log}"

    def ended(self) -> int:
        self.read_log()
        return self.process.wait(60)


@contextmanager
def serving(directory: Path, *arguments: str, **settings: str) -> Iterator[Serving]:
    """A daemon that listens; killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mcu", "serve", *arguments],
        env=environment(directory, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            daemon = Serving(process)
            daemon.read_log("listening")
            yield daemon
        finally:
            process.kill()


def test_serves_until_terminated(tmp_path: Path) -> None:
    with serving(tmp_path, "--site", "khanh-hoa") as daemon:
        daemon.process.terminate()
        assert daemon.ended() == DONE
        assert daemon.process.stdout is not None
        assert "administrator's token, shown this once: mcu_" in daemon.process.stdout.read()
    imported = next(line for line in daemon.log if line["event"] == "site_imported")
    assert (imported["units"], imported["bridges"]) == (145, 145)


def test_broken_settings_on_reload_change_nothing(tmp_path: Path) -> None:
    config = tmp_path / "mcu.yaml"
    config.write_text("logging: {format: json}\n", encoding="utf-8")
    with serving(tmp_path, "--config", str(config)) as daemon:
        config.write_text("logging: {levl: info}\n", encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.read_log("reload_refused")
        assert "logging.levl: unknown key" in daemon.log[-1]["problem"]
        config.write_text("logging: {level: debug}\n", encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.read_log("reloaded")
        daemon.process.send_signal(signal.SIGINT)
        assert daemon.ended() == DONE


def test_secrets_stay_out_of_log_and_output(tmp_path: Path) -> None:
    secret = "a-secret-for-this-test-only"
    settings = {"AUTH__BOOTSTRAP_TOKEN": secret, "LOGGING__LEVEL": "debug", "HTTP__HOST": "::1"}
    with serving(tmp_path, **settings) as daemon:
        daemon.process.terminate()
        assert daemon.ended() == DONE
        assert daemon.process.stdout is not None
        assert secret not in daemon.process.stdout.read()
    assert secret not in str(daemon.log)


def test_another_address_is_served_with_a_certificate(tmp_path: Path) -> None:
    with serving(tmp_path, HTTP__HOST="::") as daemon:
        advice = next(line for line in daemon.log if line["event"] == "self_signed_certificate")
        assert "http.tls_certificate" in advice["advice"]
        assert daemon.log[-1]["url"].startswith("https://")
        assert (tmp_path / "data" / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_port_in_use_names_the_key(tmp_path: Path, kind: socket.SocketKind) -> None:
    section = "http" if kind == socket.SOCK_STREAM else "media"
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        settings = {
            f"{section.upper()}__PORT": str(other.getsockname()[1]),
            f"{section.upper()}__HOST": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "mcu", "serve"],
            env=environment(tmp_path, **settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == UNUSABLE, done.stderr
    assert f"mcu: {section}.port: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_one_on_the_same_data_names_the_first(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        second = _refused(tmp_path)
        assert second.returncode == UNUSABLE
        (line,) = second.stderr.splitlines()
        assert line.startswith("mcu: data_dir: ")
        assert f"in use by another mcu (process {first.process.pid})" in line
        made = subprocess.run(
            [sys.executable, "-m", "mcu", "token", "create", "--role", "admin"],
            env=environment(tmp_path),
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert made.returncode == DONE
        first.process.kill()
        first.process.wait()
    with serving(tmp_path) as next_one:
        next_one.process.terminate()
        assert next_one.ended() == DONE


def test_another_site_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, "--site", "vung-tau") as first:
        first.process.terminate()
        assert first.ended() == DONE
    done = _refused(tmp_path, "--site", "khanh-hoa")
    assert done.returncode == UNUSABLE
    assert done.stderr.splitlines()[-1].startswith(
        "mcu: site: the registry already holds the site vung-tau ("
    )
    with serving(tmp_path, "--site", "khanh-hoa", "--add-site") as both:
        both.process.terminate()
        assert both.ended() == DONE
        assert both.process.stdout is not None
        assert both.process.stdout.read().startswith("console: http://127.0.0.1:")


def test_data_that_cannot_be_kept_is_said_of_its_key(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="ascii")
    done = _refused(tmp_path)
    assert done.returncode == UNUSABLE
    expected = f"mcu: data_dir: {tmp_path / 'data'} cannot be used (File exists)"
    assert done.stderr.strip() == expected


def _refused(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcu", "serve", *arguments],
        env=environment(directory),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
