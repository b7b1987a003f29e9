"""The document and its page, from files of our own."""

import re

import pytest

from tests.mcu.api.live import Api


async def test_the_page_loads_nothing_from_elsewhere(api: Api) -> None:
    page = await api.call("GET", "/docs", token=None, status=200)
    text = page.body.decode()
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    links = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert links
    for link in links:
        assert link.startswith("/api/v1/docs/")
        await api.call("GET", link.removeprefix("/api/v1"), token=None, status=200)
    assert not re.search(r"<script>|\son\w+=|\sstyle=", text)


@pytest.mark.parametrize("name", ["LICENSE", "swagger-ui.css", "docs.js"])
async def test_files(api: Api, name: str) -> None:
    reply = await api.call("GET", f"/docs/{name}", token=None, status=200)
    assert reply.body
    plain = await api.call(
        "GET", f"/docs/{name}", token=None, headers={"Accept-Encoding": "identity"}, status=200
    )
    assert plain.body == reply.body
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("name", ["..%2Fapp.py", "VERSION.x", "%2e%2e%2fdocs.html"])
async def test_nothing_else_is_served(api: Api, name: str) -> None:
    await api.call("GET", f"/docs/{name}", token=None, status=404)
