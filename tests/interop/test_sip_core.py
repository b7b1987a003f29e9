"""The SIP core by itself: it loads nothing else, and the telephone of its page takes calls."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import child, sipp

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sip-core.md"
CALLS = 3
WHAT_IS_LOADED = """
import json, sys
before = set(sys.modules)
import signalling.sip
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_it_loads_the_standard_library_and_sipmessage_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHAT_IS_LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded: list[str] = json.loads(done.stdout)
    ours = {name for name in loaded if name.startswith("signalling.")}
    assert ours
    assert all(name.startswith("signalling.sip") for name in ours)
    roots = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert roots == {"signalling", "sipmessage"}


@pytest.mark.skipif(not sipp.is_installed(), reason="SIPp is not installed")
async def test_the_telephone_of_the_page_is_called(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    program = tmp_path / "telephone.py"
    program.write_text(found[1], encoding="utf-8")
    process = await child.start(
        sys.executable, str(program), cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().strip()
            target = address.partition("@")[2]
            await sipp.run(tmp_path / "sipp", "uac", target, calls=CALLS)
            said = [(await process.stdout.readline()).decode().strip() for _ in range(2 * CALLS)]
    finally:
        if process.returncode is None:
            process.terminate()
        _, errors = await process.communicate()
    assert sum(line.startswith("sip:sipp@127.0.0.1") for line in said) == CALLS, said
    assert said.count("over: hung up") == CALLS
    assert errors == b""
