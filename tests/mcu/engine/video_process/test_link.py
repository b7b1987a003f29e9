"""Messages over a stream: cut as it comes, whole as they arrive."""

import asyncio
import socket
from typing import Any

from mcu.engine.video_process.link import BACKLOG_BYTES, Link


class Recorder:
    """One end of a link."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.lost = asyncio.Event()
        self.link = Link(self.received.append, self.lost.set)

    async def open(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self.link, sock=sock)


async def pair() -> tuple[Recorder, Recorder]:
    ends = socket.socketpair()
    first, second = Recorder(), Recorder()
    await first.open(ends[0])
    await second.open(ends[1])
    return first, second


async def test_messages_arrive_whole_and_in_order() -> None:
    first, second = await pair()
    sent: list[Any] = [{"a": 1}, b"x" * 300_000, ("y", None), []]
    for message in sent:
        first.link.send(message)
    first.link.close()
    await asyncio.wait_for(second.lost.wait(), 10)
    assert second.received == sent
    second.link.send("nobody is there")  # no error
    first.link.close()


def test_a_message_may_come_in_any_pieces() -> None:
    import pickle

    data = b""
    for message in ("one", {"two": 2}):
        body = pickle.dumps(message)
        data += len(body).to_bytes(4, "little") + body
    for size in (1, 2, 3, 5, 7, len(data)):
        received: list[Any] = []
        link = Link(received.append, lambda: None)
        for at in range(0, len(data), size):
            link.data_received(data[at : at + size])
        assert received == ["one", {"two": 2}]


async def test_a_reader_that_stands_still_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    first = Recorder()
    await first.open(ours)
    assert not first.link.congested
    first.link.send(bytes(2 * BACKLOG_BYTES))
    assert first.link.congested
    theirs.close()
    await asyncio.wait_for(first.lost.wait(), 10)
    assert not first.link.congested
