"""What a person sees who has opened an address at which there is nothing.

Programs get a problem; a browser that opens a page says that it takes HTML before anything else,
and gets a page with the way to the console.
"""

from typing import Final

from aiohttp import hdrs, web

_PROGRAMS: Final = ("/api/", "/whip/", "/whep/", "/static/")
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="vi">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="dark" />
    <title>404 · MCU</title>
    <link rel="icon" href="/static/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/static/css/fonts.css" />
    <link rel="stylesheet" href="/static/css/base.css" />
  </head>
  <body>
    <main class="centre">
      <div class="card narrow">
        <h1>404</h1>
        <p>Không có gì ở địa chỉ này.</p>
        <p class="quiet" lang="en">There is nothing at this address.</p>
        <p><a class="button primary" href="/">Bàn điều khiển · Console</a></p>
        <p class="quiet">Phòng họp: mở liên kết mà trung tâm điều hành đã cấp.
          <span lang="en">Rooms: open the link that the control room gave you.</span></p>
      </div>
    </main>
  </body>
</html>
"""


def is_person(request: web.Request) -> bool:
    """Whether a browser has opened this address as a page."""
    accepted = request.headers.get(hdrs.ACCEPT, "").lower()
    return (
        request.method == hdrs.METH_GET
        and not request.path.startswith(_PROGRAMS)
        and accepted.partition(",")[0].partition(";")[0].strip() == "text/html"
    )


def page() -> web.Response:
    """The page; it loads nothing but the console's style sheets."""
    return web.Response(
        status=404,
        text=_PAGE,
        content_type="text/html",
        headers={"Content-Security-Policy": _POLICY, hdrs.VARY: hdrs.ACCEPT},
    )
