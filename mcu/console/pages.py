"""Serves the operator console, the join page and what both are made of.

Everything is read once from the wheel, so that a request costs a dictionary look-up, and every
answer carries the policy that keeps foreign code out: these pages hold a session cookie.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

STATIC: Final = Path(__file__).parent / "static"

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self), "
        "fullscreen=(self), autoplay=(self), geolocation=(), usb=(), payment=()"
    ),
}

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
COMPRESSED: Final = {".css", ".html", ".js", ".svg"}

PAGES: Final = {"/": "console.html", "/join": "join.html"}
RELEASE_MARK: Final = b"@release@"
"""Stands in the pages where the release's digest goes: ``/static/@release@/…``."""

REVALIDATE: Final = "no-cache"
FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it goes over the wire.

    Args:
        body: the file's bytes; pages have their release mark filled in.
        compressed: the same with gzip, None for what is compressed already.
        etag: strong validator of ``body``, without quotes.
    """

    body: bytes
    compressed: bytes | None
    content_type: str
    etag: str


def load_assets(directory: Path = STATIC) -> tuple[str, dict[str, Asset]]:
    """Read every file below ``directory``.

    Returns:
        The release (a digest over all files, so that it changes when any of them does) and the
        assets by their path relative to ``directory``, with forward slashes.
    Raises:
        KeyError: a file has a suffix without a content type.
    """
    bodies = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    digest = hashlib.sha256()
    for name, body in bodies.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(body).digest())
    release = digest.hexdigest()[:16]
    return release, {name: _asset(name, body, release) for name, body in bodies.items()}


def add_pages(app: web.Application) -> None:
    """Add ``/``, ``/join`` and ``/static/…`` to ``app``.

    Below ``/static/{release}/`` files may be kept for good, as their address changes with their
    content; at any other address they are revalidated by ETag.
    """
    release, assets = load_assets()

    async def page(request: web.Request) -> web.Response:
        return _answer(request, assets[PAGES[request.path]], REVALIDATE)

    async def static(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        asset, caching = assets.get(name), REVALIDATE
        if asset is None:
            asked_release, _, rest = name.partition("/")
            asset = assets.get(rest)
            if asked_release == release:
                caching = FOR_GOOD
        if asset is None or name.endswith(".html"):
            raise web.HTTPNotFound(headers=SECURITY_HEADERS)
        return _answer(request, asset, caching)

    for path in PAGES:
        app.router.add_get(path, page)
    app.router.add_get("/static/{name:.+}", static)


def _asset(name: str, body: bytes, release: str) -> Asset:
    suffix = Path(name).suffix
    if suffix == ".html":
        body = body.replace(RELEASE_MARK, release.encode())
    return Asset(
        body=body,
        compressed=gzip.compress(body, mtime=0) if suffix in COMPRESSED else None,
        content_type=CONTENT_TYPES[suffix],
        etag=hashlib.sha256(body).hexdigest()[:32],
    )


def _answer(request: web.Request, asset: Asset, caching: str) -> web.Response:
    """The asset, compressed if the browser takes that, or 304 if it has it already.

    Compressed and plain bodies are different representations, so each has its own strong
    validator (RFC 9110 section 8.8.3.3).
    """
    zipped = asset.compressed if "gzip" in request.headers.get("Accept-Encoding", "") else None
    etag = f"{asset.etag}-gzip" if zipped is not None else asset.etag
    headers = {**SECURITY_HEADERS, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    known = {tag.value for tag in request.if_none_match or ()}
    if etag in known or "*" in known:
        response = web.Response(status=304, headers=headers)
    else:
        headers["Content-Type"] = asset.content_type
        if zipped is not None:
            headers["Content-Encoding"] = "gzip"
        response = web.Response(body=asset.body if zipped is None else zipped, headers=headers)
    response.etag = etag
    return response
