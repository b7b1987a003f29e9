"""Looking is a lease: what nobody looks at any more is no longer made."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast

from mcu.engine.engine import Engine
from mcu.engine.thumbnail import Thumbnail
from mcu.rooms.wall import LEASE_S, Walls


class Video:
    def __init__(self) -> None:
        self.watched: list[frozenset[str]] = []
        self.pictures = {"a": Thumbnail("a", b"jpeg", "d1", 1.0, 1.0)}

    def watch_wall(self, participants: Collection[str]) -> None:
        self.watched.append(frozenset(participants))

    def thumbnails(self) -> dict[str, Thumbnail]:
        return self.pictures


def walls(**conferences: Video) -> Walls:
    media: Any = {name: SimpleNamespace(video=video) for name, video in conferences.items()}
    return Walls(cast(Engine, SimpleNamespace(conferences=media)))


def test_two_who_look_are_one_wall_and_each_lease_ends_by_itself() -> None:
    video = Video()
    wall = walls(c=video)
    assert wall.look("c", ("a", "b"), 10.0) == video.pictures
    wall.look("c", ("b", "c"), 12.0)
    assert video.watched == [frozenset("ab"), frozenset("abc")]
    wall.look("c", ("a", "b"), 12.5)
    assert len(video.watched) == 2, "nothing new"
    wall.handle_timer(12.0 + LEASE_S + 0.1)
    assert video.watched[-1] == frozenset("ab")
    wall.handle_timer(12.5 + LEASE_S + 1.0)
    assert video.watched[-1] == frozenset()
    told = len(video.watched)
    wall.handle_timer(1_000.0)
    assert len(video.watched) == told


def test_conferences_that_are_not_or_no_more() -> None:
    video = Video()
    wall = walls(c=video)
    assert wall.look("gone", ("a",), 0.0) == {}
    assert wall.known("gone") == {}
    assert wall.known("c") == video.pictures
    assert video.watched == []
    wall.look("c", ("a",), 0.0)
    cast(Any, wall)._engine.conferences.clear()
    wall.handle_timer(LEASE_S + 1.0)
    assert video.watched == [frozenset("a")], "it ended with its conference"
