"""What a video process is made of; how it works is seen in ``tests/mcu/engine/video_process``."""

import subprocess
import sys


def test_it_loads_no_web_server_and_no_store() -> None:
    seen = "import sys, mcu.video_worker; print({'aiohttp', 'aiosqlite'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
