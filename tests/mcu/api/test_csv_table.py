"""Tables that a spreadsheet opens, with what a room called itself in them."""

import csv
import io
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcu.api.csv_table import BYTE_ORDER_MARK, csv_response, wants_csv


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
