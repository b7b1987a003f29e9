from pathlib import Path
from typing import Any

import pytest

from bench.figures import VoidRunError
from bench.janus_server import configuration, janus, joining, media_port


def test_nothing_but_the_bridge_and_the_socket_is_loaded() -> None:
    files = configuration(Path("/run/bench"))
    main = files["janus.jcfg"]
    assert "libjanus_videoroom.so" in main
    assert "libjanus_http.so" in main
    assert "libjanus_audiobridge.so" not in main
    assert "libjanus_pfunix.so" not in main
    assert 'path = "/run/bench/janus.sock"' in files["janus.transport.pfunix.jcfg"]
    assert "allow_rtp_participants = true" in files["janus.plugin.audiobridge.jcfg"]


def test_a_room_joins_as_a_plain_participant() -> None:
    body = joining(7, 5004)
    assert (body["request"], body["codec"], body["id"]) == ("join", "opus", 7)
    assert body["rtp"]["ip"] == "127.0.0.1"
    assert body["rtp"]["port"] == 5004


def answer(data: dict[str, Any]) -> dict[str, Any]:
    return {"janus": "event", "plugindata": {"plugin": "janus.plugin.audiobridge", "data": data}}


def test_the_answer_says_where_to_send() -> None:
    joined = {"audiobridge": "joined", "room": 1, "rtp": {"ip": "127.0.0.1", "port": 20_002}}
    assert media_port(answer(joined)) == 20_002


@pytest.mark.parametrize(
    "data",
    [
        {"audiobridge": "event", "error_code": 485, "error": "No such room"},
        {"audiobridge": "joined", "room": 1},
        {},
    ],
)
def test_a_refusal_makes_the_run_void(data: dict[str, Any]) -> None:
    with pytest.raises(VoidRunError, match="let nobody in"):
        media_port(answer(data))


async def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(VoidRunError, match="apt-get install janus"):
        async with janus():
            pass
