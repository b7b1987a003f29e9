"""The OpenAPI document and a page that shows it, from files of our own."""

import gzip
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from mcu.api.call import Call
from mcu.api.problem import not_found
from mcu.api.route import BASE, JSON_TYPE, Answer, Route
from mcu.api.security import DOCS_POLICY

TAG: Final = "documentation"
STATIC: Final = Path(__file__).parent.parent / "static"
_FILES: Final = {
    "docs.html": ("docs.html", "text/html"),
    "docs.js": ("docs.js", "text/javascript"),
    "swagger-ui.css": ("vendor/swagger-ui/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("vendor/swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    "favicon-32x32.png": ("vendor/swagger-ui/favicon-32x32.png", "image/png"),
    "LICENSE": ("vendor/swagger-ui/LICENSE", "text/plain"),
}


async def openapi(call: Call) -> web.Response:
    """The OpenAPI document."""
    return _compressible(call.request, call.api.document, JSON_TYPE)


async def docs_page(call: Call) -> web.Response:
    """The page."""
    return _file(call, "docs.html")


async def docs_file(call: Call) -> web.Response:
    """One of the page's files."""
    return _file(call, call.path("file"))


def _file(call: Call, name: str) -> web.Response:
    if name not in _FILES:
        raise not_found("file", name)
    path, content_type = _FILES[name]
    # A few hundred kilobytes, read from the page cache, on a page that hardly anybody opens.
    body = (STATIC / path).read_bytes()
    response = _compressible(call.request, body, content_type)
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    response.headers[hdrs.CACHE_CONTROL] = "no-cache"
    return response


def _compressible(request: web.Request, body: bytes, content_type: str) -> web.Response:
    headers = {hdrs.VARY: "Accept-Encoding"}
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        body = gzip.compress(body, compresslevel=1)
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    charset = None if content_type in (JSON_TYPE, "image/png") else "utf-8"
    return web.Response(body=body, content_type=content_type, charset=charset, headers=headers)


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/openapi.json", "openapi", openapi,
        "This document", TAG, None, (Answer(200, "OpenAPI 3.1", media_type=JSON_TYPE),),
    ),
    Route(
        "GET", f"{BASE}/docs", "docs_page", docs_page,
        "This document as a page", TAG, None, (Answer(200, "the page", media_type="text/html"),),
    ),
    Route(
        "GET", f"{BASE}/docs/{{file}}", "docs_file", docs_file,
        "A file of the page", TAG, None,
        (Answer(200, "the file", media_type="*/*"),),
    ),
)  # fmt: skip
