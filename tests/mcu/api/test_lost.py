"""A person who is lost gets a page, a program a problem."""

import re

import pytest

from mcu.console.pages import STATIC
from tests.mcu.api.live import Api

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


async def test_a_browser_gets_a_page_with_the_way_to_the_console(api: Api) -> None:
    reply = await api.call("GET", "//nonsense", token=None, headers={"Accept": BROWSER}, status=404)
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["Vary"] == "Accept"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    text = reply.body.decode()
    assert 'href="/"' in text
    assert "nonsense" not in text
    loaded = re.findall(r'href="/static/([^"]+)"', text)
    assert len(loaded) == 3
    assert all((STATIC / name).is_file() for name in loaded)


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("//nonsense", "*/*"),
        ("//nonsense", "application/json"),
        ("//nonsense", "application/json, text/html"),
        ("//api/v1/nonsense", BROWSER),
        ("//whep/nonsense/more", BROWSER),
    ],
)
async def test_a_program_gets_a_problem(api: Api, path: str, accept: str) -> None:
    reply = await api.call("GET", path, token=None, headers={"Accept": accept}, status=404)
    assert reply.kind == "not-found"
