"""Tables that a spreadsheet opens, with what a room called itself in them."""

import csv
import io
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcu.api.csv_table import BYTE_ORDER_MARK, csv_response, every, wants_csv
from mcu.store.records import Page


def asked(path: str, accept: str | None) -> Any:
    headers = {} if accept is None else {"Accept": accept}
    return cast("Any", SimpleNamespace(request=SimpleNamespace(path=path, headers=headers)))


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("/a", None, False),
        ("/a", "*/*", False),
        ("/a", "text/csv", True),
        ("/a", "text/csv; charset=utf-8", True),
        ("/a", "text/csv, application/json", False),
        ("/a", "text/csv, */*", False),
        ("/a.csv", None, True),
        ("/a.csv", "application/json", True),
    ],
)
def test_when_it_is_asked_for(path: str, accept: str | None, expected: bool) -> None:
    assert wants_csv(asked(path, accept)) is expected


def test_what_it_holds() -> None:
    reply = csv_response("bảng", ("a", "b"), [(1, 'xã "Đông", 2'), (None, "=1+1"), (-3, "-3")])
    assert isinstance(reply.body, bytes)
    text = reply.body.decode()
    assert text.startswith(BYTE_ORDER_MARK)
    rows = list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert rows == [["a", "b"], ["1", 'xã "Đông", 2'], ["", "'=1+1"], ["-3", "'-3"]]
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"


async def test_all_pages_of_a_list_up_to_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {None: Page((1, 2), "b"), "b": Page((3, 4), "c"), "c": Page((5,), None)}
    asked: list[str | None] = []

    async def read(cursor: str | None) -> Page[int]:
        asked.append(cursor)
        return pages[cursor]

    assert await every(read) == [1, 2, 3, 4, 5]
    assert asked == [None, "b", "c"]
    monkeypatch.setattr("mcu.api.csv_table.MAX_ROWS", 3)
    asked.clear()
    assert await every(read) == [1, 2, 3]
    assert asked == [None, "b"]
