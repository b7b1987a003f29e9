"""The command line: exit codes, sentences instead of tracebacks, tokens beside a running daemon."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcu.__main__ import DONE, FAILED, UNUSABLE, main
from mcu.store.store import FILE_NAME, Store

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MCU_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MCU_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MCU_HTTP__PORT", "0")
    monkeypatch.setenv("MCU_MEDIA__PORT", "0")


def test_check_prints_what_would_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--site", "khanh-hoa"]) == DONE
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "http://127.0.0.1:0" in captured.out
    assert "145 bridges (1 province, 8 district, 136 commune)" in captured.out
    assert "Opus, G.722, PCMA, PCMU, H.264, VP8" in captured.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "--site", "khanhhoa"], "site: no preset is called 'khanhhoa'"),
        (["check", "--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
        (["serve", "--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
        (["chek"], 'Unknown command "chek"'),
        (["serve", "--port", "1"], "--port"),
        (["token", "create"], "--role"),
        (["token", "create", "--role", "boss"], 'Invalid value "boss" for --role'),
        (["token", "create", "--role", "operator", "--unit", "x"], "unit: No unit 'x' is known"),
        (["token", "create", "--role", "bridge"], "bridge: "),
        (["token", "create", "--role", "admin", "--days", "0"], "--days"),
        (["token", "create", "--role", "admin", "--days", "99999999999"], "Must be <= 36500"),
        (["token", "list"], "data_dir: "),
        (["token", "revoke", "abc"], "data_dir: "),
        (
            ["bridge", "--server", "http://127.0.0.1:1"],
            "--token: is missing; give it, or set MCU_TOKEN in the environment",
        ),
        (["bridge"], "--server: is missing; give it, or set MCU_SERVER in the environment"),
        (["bridge", "--server", "http://x", "--token", "t", "--count", "0"], "--count"),
        (["bridge", "--server", "x:8080", "--token", "t"], "--server: must begin with https://"),
        (
            ["bridge", "--server", "http://x", "--token", "t", "--video", "/nothing.mp4"],
            "--video: '/nothing.mp4' is neither test nor a file",
        ),
        (
            ["bridge", "--server", "http://x", "--token", "t", "--audio", "song"],
            "--audio: 'song' is neither tone nor speech nor a file",
        ),
    ],
)
def test_unusable_arguments(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == UNUSABLE
    captured = capsys.readouterr()
    assert captured.err.startswith("mcu: ")
    assert expected in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("command", ["serve", "check", "demo", "bridge"])
def test_unusable_environment(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MCU_HTTP__PRT", "1")
    arguments = ["--server", "http://x", "--token", "t"] if command == "bridge" else []
    assert main([command, *arguments]) == UNUSABLE
    expected = "mcu: environment MCU_HTTP__PRT: http.prt: unknown key; the nearest known key is"
    assert capsys.readouterr().err.startswith(expected)


def test_serve_refuses_what_this_version_has_not_got(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MCU_CLUSTER__NATS_URL", "nats://127.0.0.1:4222")
    assert main(["serve"]) == UNUSABLE
    captured = capsys.readouterr().err
    assert "mcu: cluster.nats_url: " in captured


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == DONE
    assert main([]) == DONE
    for command in ("serve", "demo", "bridge", "check", "token", "sip"):
        assert command in capsys.readouterr().out or main([command, "--help"]) == DONE
    assert main(["--version"]) == DONE


def test_token_life(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "--role", "admin", "--name", "x", "--days", "3"]) == DONE
    captured = capsys.readouterr()
    text = captured.out.strip()
    assert text.startswith("mcu_")
    assert text not in captured.err, "the secret goes to standard output alone"
    _, identifier, secret = text.split("_", 2)

    assert main(["token", "list", "--json"]) == DONE
    listed = capsys.readouterr().out
    assert secret not in listed
    (token,) = json.loads(listed)
    assert (token["id"], token["role"], token["name"], token["state"]) == (
        identifier, "admin", "x", "good",
    )  # fmt: skip
    assert token["expires_at"].endswith("Z")

    assert main(["token", "revoke", identifier]) == DONE
    assert main(["token", "list"]) == DONE
    assert "revoked" in capsys.readouterr().out
    assert main(["token", "revoke", "unknown"]) == UNUSABLE
    assert "mcu: No token 'unknown' is known." in capsys.readouterr().err


def test_the_key_of_sip_secrets_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sip", "rotate-key"]) == UNUSABLE
    assert "data_dir" in capsys.readouterr().err
    assert main(["token", "create", "--role", "admin"]) == DONE
    assert main(["sip", "rotate-key"]) == DONE
    assert "0 secret(s)" in capsys.readouterr().err


async def test_tokens_work_beside_an_open_store(tmp_path: Path) -> None:
    """What a running daemon sees of the command line's work."""
    directory = tmp_path / "data"
    directory.mkdir()
    store = await Store.open(directory / FILE_NAME)
    try:
        made = _run_mcu("token", "create", "--role", "admin")
        assert made.returncode == DONE, made.stderr
        token = await store.tokens.authenticate(made.stdout.strip())
        assert token is not None
        revoked = _run_mcu("token", "revoke", token.id)
        assert revoked.returncode == DONE, revoked.stderr
        assert await store.tokens.authenticate(made.stdout.strip()) is None
    finally:
        await store.close()


def test_store_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / FILE_NAME).write_bytes(b"not a database, but long enough to look at" * 50)
    assert main(["token", "list"]) == FAILED
    captured = capsys.readouterr()
    assert captured.err.startswith("mcu: ")
    assert "Traceback" not in captured.err


def test_data_dir_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("", encoding="ascii")
    assert main(["check"]) == UNUSABLE
    assert "mcu: data_dir: " in capsys.readouterr().err
    assert main(["token", "create", "--role", "admin"]) == UNUSABLE
    complaint = capsys.readouterr().err
    assert "mcu: data_dir: " in complaint
    assert "File exists" in complaint


def test_unexpected_error_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("mcu.check.survey", broken)
    assert main(["check"]) == FAILED
    captured = capsys.readouterr().err
    assert "mcu: unexpected error: ZeroDivisionError: by zero" in captured
    assert "Traceback" not in captured
    monkeypatch.setenv("MCU_LOGGING__LEVEL", "debug")
    assert main(["check"]) == FAILED
    assert "Traceback" in capsys.readouterr().err, "who asks for the details gets them"


def test_module_runs_as_a_program() -> None:
    done = _run_mcu("check")
    assert done.returncode == DONE, done.stderr
    assert _run_mcu("nothing").returncode == UNUSABLE


def _run_mcu(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcu", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
