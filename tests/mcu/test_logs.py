"""Log lines: form, request ids, libraries routed through, secrets masked."""

import asyncio
import io
import json
import logging
from typing import Any, Literal

import pytest
import structlog
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from config.sections import LoggingSettings
from mcu import logs

pytestmark = pytest.mark.usefixtures("restored_logging")


def started(
    form: Literal["json", "console"] = "json",
    level: Literal["debug", "info", "warning", "error"] = "info",
) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(LoggingSettings(format=form, level=level), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_line_has_time_level_logger_and_values() -> None:
    stream = started()
    structlog.get_logger("mcu.test").info("leg joined", leg="l1", name="Xã Ái Quốc", legs=3)
    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "leg joined", "leg": "l1", "name": "Xã Ái Quốc", "legs": 3,
        "level": "info", "logger": "mcu.test",
    }  # fmt: skip


def test_standard_logging_goes_the_same_way() -> None:
    stream = started()
    logging.getLogger("aiohttp.server").error("token=%s failed", "abcdef")
    (line,) = lines(stream)
    assert line["event"] == "token=*** failed"
    assert (line["level"], line["logger"]) == ("error", "aiohttp.server")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX%s: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /%s HTTP/9.9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_a_request_that_is_no_http_leaves_one_line_and_no_traceback(
    request_bytes: bytes,
) -> None:
    stream = started()
    logs.configure(LoggingSettings(format="json", level="info"), stream)  # as after SIGHUP
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(request_bytes)
        assert b" 400 " in await reader.readline()
        writer.close()
    finally:
        await runner.cleanup()
    (line,) = lines(stream)
    assert (line["level"], line["logger"]) == ("warning", "aiohttp.server")
    assert line["event"].startswith("Error handling request from 127.0.0.1: ")
    assert "exception" not in line


def test_faults_of_our_own_keep_their_traceback() -> None:
    stream = started()
    try:
        raise ValueError("ours")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "a")
    (line,) = lines(stream)
    assert line["level"] == "error"
    assert "Traceback" in line["exception"]


def test_chatty_libraries_speak_only_at_debug() -> None:
    stream = started()
    logging.getLogger("aioice.ice").info("check")
    assert stream.getvalue() == ""
    stream = started(level="debug")
    logging.getLogger("aioice.ice").info("check")
    assert "check" in stream.getvalue()


def test_level_can_be_changed_while_running() -> None:
    log = structlog.get_logger("mcu.test")
    stream = started(level="error")
    log.info("unheard")
    assert stream.getvalue() == ""
    stream = started(level="info")
    log.info("heard")
    assert "heard" in stream.getvalue()


def test_request_id_is_on_every_line_inside() -> None:
    stream = started()
    with logs.request_context() as request_id:
        structlog.get_logger().info("inside")
        logging.getLogger("library").warning("inside too")
    structlog.get_logger().info("outside")
    first, second, third = lines(stream)
    assert first["request_id"] == second["request_id"] == request_id
    assert "request_id" not in third


def test_exceptions_are_written_without_secrets() -> None:
    stream = started()
    try:
        raise ValueError("Bearer abc.def refused")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "ValueError" in line["exception"]
    assert "abc.def" not in line["exception"]


@pytest.mark.parametrize(
    "values",
    [
        {"token": "hunter2"},
        {"bootstrap_token": "hunter2"},
        {"Authorization": "hunter2"},
        {"ice_pwd": "hunter2"},
        {"headers": {"Cookie": "hunter2", "Host": "x"}},
        {"deep": [{"password": "hunter2"}]},
        {"note": "Authorization: Bearer hunter2"},
        {"note": 'Digest hunter2, realm="x"'},
        {"url": "https://mcu/join#token=hunter2"},
        {"sdp": "v=0\r\na=ice-pwd:hunter2\r\n"},
        {"sdp": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:hunter2|2^20"},
        {"cookie_line": "mcu_session=hunter2; Path=/"},
        {"text": "a=x mcu_session=hunter2; Path=/"},
        {"text": "mcu_session_xa-1.a=hunter2; mcu_session_b=hunter2"},
        {"text": "{'password': 'hunter2'}"},
        {"text": "presented mcu_4f2a_hunter2hunter2 to us"},
        {"raw": b"token=hunter2"},
    ],
)
def test_secrets_are_masked(values: dict[str, Any]) -> None:
    for form in ("json", "console"):
        stream = started(form)
        structlog.get_logger().info("event", **values)
        assert "hunter2" not in stream.getvalue()
        assert logs.MASK in stream.getvalue()


def test_counts_of_tokens_are_no_secret() -> None:
    stream = started()
    structlog.get_logger().info("listed", tokens=3)
    assert lines(stream)[0]["tokens"] == 3


def test_line_breaks_from_outside_stay_in_one_line() -> None:
    for form in ("json", "console"):
        stream = started(form)
        structlog.get_logger().info("joined", name="x\n2026-01-01 [error] forged\u2028y\x1b[2J")
        assert len(stream.getvalue().splitlines()) == 1
        assert "\x1b[2J" not in stream.getvalue()


def test_endless_values_end() -> None:
    stream = started()
    endless: list[Any] = []
    endless.append(endless)
    structlog.get_logger().info("event", value=endless)
    assert "..." in stream.getvalue()


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=10),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text() | st.binary(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_masking_never_fails_and_never_adds_lines(values: dict[str, Any]) -> None:
    masked = logs.mask_secrets(None, "info", {**values, "event": "e"})
    assert set(masked) == {*values, "event"}
    for key, value in masked.items():
        if isinstance(value, str) and key not in ("exception", "stack"):
            assert "\n" not in value
