"""The pages over HTTP: what is served, what protects it, what a browser may keep."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from mcu.console.pages import CONTENT_SECURITY_POLICY, STATIC, add_pages, load_assets

Client = TestClient[web.Request, web.Application]

PAGES = ("/", "/join")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    add_pages(app)
    async with TestClient(TestServer(app), auto_decompress=True) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_refers_only_to_files_that_are_served(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 200
    assert response.content_type == "text/html"
    addresses = re.findall(r'(?:src|href)="([^"]+)"', await response.text())
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/static/")
        assert (await client.get(address)).status == 200, address


@pytest.mark.parametrize("path", [*PAGES, "/static/css/base.css", "/static/js/console/main.js"])
async def test_everything_carries_the_strict_policy(client: Client, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = dict(
        directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' blob: data:"
    assert policy["media-src"] == "'self' blob:"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "microphone=(self)" in headers["Permissions-Policy"]


def test_the_policy_lets_nothing_inline_or_foreign_in() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("page", ["console.html", "join.html"])
def test_the_pages_hold_nothing_that_the_policy_forbids(page: str) -> None:
    html = (STATIC / page).read_text()
    assert "style=" not in html
    assert not re.search(r"\son\w+=", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)


async def test_a_file_of_this_release_may_be_kept_for_good(client: Client) -> None:
    release, _ = load_assets()
    response = await client.get(f"/static/{release}/css/base.css")
    assert "immutable" in response.headers["Cache-Control"]
    for path in ("/static/css/base.css", "/static/0123456789abcdef/css/base.css", "/"):
        response = await client.get(path)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-cache"


async def test_what_the_browser_has_already_is_not_sent_again(client: Client) -> None:
    first = await client.get("/static/css/base.css")
    etag = first.headers["ETag"]
    again = await client.get("/static/css/base.css", headers={"If-None-Match": etag})
    assert again.status == 304
    assert again.headers["ETag"] == etag
    assert await again.read() == b""
    assert "Content-Security-Policy" in again.headers
    other = await client.get("/static/css/base.css", headers={"If-None-Match": '"old"'})
    assert other.status == 200


async def test_compressed_and_plain_have_validators_of_their_own(client: Client) -> None:
    plain = await client.get("/static/css/base.css", headers={"Accept-Encoding": "identity"})
    zipped = await client.get("/static/css/base.css", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert plain.headers["ETag"] != zipped.headers["ETag"]
    assert await plain.read() == await zipped.read() == (STATIC / "css/base.css").read_bytes()
    assert plain.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path",
    ["/static/none.js", "/static/../pages.py", "/static/..%2fpages.py", "/static/console.html"],
)
async def test_nothing_else_is_there(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_licences_stand_beside_what_is_vendored(client: Client) -> None:
    for name in ("vendor/LICENSE-preact.txt", "vendor/LICENSE-htm.txt",
                 "vendor/LICENSE-signals.txt", "fonts/OFL.txt"):  # fmt: skip
        response = await client.get(f"/static/{name}")
        assert response.status == 200
        assert response.content_type == "text/plain"


def test_modules_import_only_files_that_are_there_and_nothing_foreign() -> None:
    modules = list(STATIC.rglob("*.js"))
    assert len(modules) > 30
    for module in modules:
        text = module.read_text()
        for target in re.findall(r'(?:import|from)\s*"([^"]+)"', text):
            assert target.startswith("."), f"{module}: {target}"
            assert (module.parent / target).is_file(), f"{module}: {target}"
        assert not re.search(r"https?://(?!\$\{|www\.w3\.org/)", text), module
        assert "sourceMappingURL" not in text


def test_the_release_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    first, _ = load_assets(tmp_path)
    (tmp_path / "a.css").write_text("b")
    second, _ = load_assets(tmp_path)
    assert first != second
