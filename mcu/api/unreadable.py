"""What cannot be read as HTTP at all is refused as everything else is: by a problem document.

The parser refuses such bytes before there is a request, so no middleware sees them. The commonest
is an address with letters beyond ASCII that were not percent-encoded (RFC 3986 section 2.1), as a
script writes them that puts Vietnamese words into a query.
"""

from typing import Final

from aiohttp import hdrs, web

from mcu.api.problem import Problem

ADVICE: Final = (
    "This is no HTTP request that can be read. Percent-encode whatever in the address is not ASCII "
    "(UTF-8: Đ is %C4%90), and send it again."
)


class _Connection(web.RequestHandler):
    """One connection; the library logs the refusal, and closes the connection after it."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer where no handler has given one."""
        plain = super().handle_error(request, status, exc, message)
        if status != 400:
            return plain
        headers = {hdrs.CONNECTION: "close", "X-Content-Type-Options": "nosniff"}
        response = Problem("malformed-request", ADVICE, headers=headers).response()
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """``web.AppRunner`` whose connections refuse in our words.

    The library offers no public way to that (aio-libs/aiohttp issue 3287): the server that it
    makes is made once more, with the same parts.
    """

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
