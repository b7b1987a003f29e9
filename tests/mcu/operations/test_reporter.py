"""The server's side of reports: what it loads, and what it hands on."""

import subprocess
import sys
from pathlib import Path

import pytest

from mcu.operations.reporter import Reporter, ReportFailed


def test_the_server_loads_no_typesetter() -> None:
    code = "import mcu.daemon, sys; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_what_cannot_be_made_is_logged_and_the_next_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = Reporter(tmp_path / "data" / "mcu.sqlite3", "UTC", "/c/")
    for _ in range(2):
        with pytest.raises(ReportFailed, match="log says why"):
            await reporter.make("document", "nobody")
    assert capsys.readouterr().out.count("nobody") >= 2


async def test_secrets_of_the_settings_are_not_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interpreter is stood in for by a script that tells its environment."""
    teller = tmp_path / "teller"
    teller.write_text("#!/bin/sh\nenv\n")
    teller.chmod(0o700)
    monkeypatch.setenv("MCU_AUTH__BOOTSTRAP_TOKEN", "a-secret-of-ours")
    monkeypatch.setattr("mcu.operations.reporter.sys.executable", str(teller))
    told = await Reporter(tmp_path / "x", "UTC", "/c/").make("document", "hop")
    assert b"PYTHONPATH=" in told
    assert b"MCU_" not in told
    assert b"a-secret-of-ours" not in told
