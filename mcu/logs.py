"""Structured logs on standard error: one line an event, secrets masked, one form for all libraries.

Code logs with ``structlog.get_logger(__name__)``; libraries that use the standard ``logging`` go
through the same processors, so that a token in their messages is masked as well.
"""

import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from config.sections import LoggingSettings

MASK = "***"

MAX_FAULT = 200
"""Characters of what is told of a request that is no HTTP."""

MAX_DEPTH = 8
"""Nesting down to which values are searched for secrets; what is deeper is not written."""

QUIET_LIBRARIES = ("aiohttp.access", "aioice", "aiortc", "asyncio", "libav", "PIL")
"""They tell of every packet or request; below a warning they speak only at level debug."""

_SECRET_NAME = re.compile(
    r"token|passw|secret|authorization|cookie|credential|ice[-_]?pwd|csrf|private|srtp_?key",
    re.IGNORECASE,
)
_SECRET_TEXTS = (
    re.compile(r"((?:bearer|digest|basic)\s+)[\w.~+/=-]+", re.IGNORECASE),
    re.compile(r"(a=ice-pwd:)\S+", re.IGNORECASE),
    re.compile(r"(a=crypto:[^\r\n]*?inline:)[^\s|]+", re.IGNORECASE),
    re.compile(r"((?:token|password|secret|csrf)[\w-]*['\"]?\s*[=:]\s*['\"]?)[^\s'\"&;,}]+", re.I),
    re.compile(r"(mcu_session(?:_[\w.-]+)?=)[^\s;]+"),
    re.compile(r"(mcu_[A-Za-z0-9-]+_)[\w-]{8,}"),  # an access token after its id
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_MULTI_LINE_KEYS = frozenset({"exception", "stack"})


class UnreadableRequests(logging.Filter):
    """What is no HTTP is the sender's fault: one line without the parser's traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a record of aiohttp's server; drops none."""
        # Here it has been loaded by whoever logs. A video process has no use for it: 0.15 s, 8 MB.
        from aiohttp.http_exceptions import HttpProcessingError

        fault = record.exc_info[1] if record.exc_info else None
        if isinstance(fault, HttpProcessingError):
            reason = " ".join((fault.message or type(fault).__name__).split())
            record.msg = f"{record.msg}: {reason[:MAX_FAULT].replace('%', '%%')}"
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def configure(settings: LoggingSettings, stream: TextIO | None = None) -> None:
    """Set up logging of the whole process; may be called again, as after a changed level.

    Args:
        settings: level and form.
        stream: where lines go; standard error where None.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    if settings.format == "json":
        last: list[Processor] = [
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    else:
        colours = stream.isatty()
        last = [
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="time"),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    quiet = logging.NOTSET if settings.level == "debug" else logging.WARNING
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(quiet)
    server = logging.getLogger("aiohttp.server")
    if not any(isinstance(one, UnreadableRequests) for one in server.filters):
        server.addFilter(UnreadableRequests())
    logging.captureWarnings(capture=True)


@contextmanager
def request_context(request_id: str | None = None) -> Iterator[str]:
    """Give every line written inside (and in tasks begun inside) the same ``request_id``."""
    name = request_id or secrets.token_hex(8)
    with structlog.contextvars.bound_contextvars(request_id=name):
        yield name


def mask_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace secrets by name of the key or by what the text looks like; keep lines single."""
    return {
        key: _masked_text(value)
        if key in _MULTI_LINE_KEYS and isinstance(value, str)
        else _masked(key, value, 0)
        for key, value in event.items()
    }


def _masked(key: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value  # counts such as tokens=3 are no secrets
    if key != "event" and _SECRET_NAME.search(key):
        return MASK
    if isinstance(value, str):
        return _CONTROL.sub(_escaped, _masked_text(value))
    if depth >= MAX_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {str(name): _masked(str(name), item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", item, depth + 1) for item in value]
    return _CONTROL.sub(_escaped, _masked_text(str(value)))


def _masked_text(text: str) -> str:
    for pattern in _SECRET_TEXTS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def _escaped(match: re.Match[str]) -> str:
    """A line break from outside must not look like a new line of the log."""
    return match.group().encode("unicode_escape").decode("ascii")
