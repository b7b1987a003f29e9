"""Tables of bridges: whole or not at all, every fault with its line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.api.bridge_table import read_table, table_of
from mcu.api.csv_table import CSV_TYPE, csv_response
from mcu.api.problem import Problem
from mcu.api.schemas.base import MAX_LIST
from mcu.store.records import Bridge, Contact

YAML_TYPE = "application/yaml"
HEADER = "id,name,unit,kind,address,contact_name,contact_phone,importance,standard.screens\n"


def refused(text: str, content_type: str = CSV_TYPE) -> Problem:
    with pytest.raises(Problem) as caught:
        read_table(text, content_type)
    return caught.value


@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=60
    )
)
def test_a_table_that_was_written_is_read_as_it_was(name: str) -> None:
    room = Bridge(
        "ba-ria", name, "vung-tau", contact=Contact(phone="+84 254 3852 111"), importance=5,
        standard={"fps": 25, "dual": True, "panel": "A"},
    )  # fmt: skip
    other = Bridge("long-dien", "Long Điền", "vung-tau", "sip", "sip:a@b")
    reply = csv_response("bridges", *table_of([room, other]))
    assert isinstance(reply.body, bytes)
    first, second = (row.bridge for row in read_table(reply.body.decode(), CSV_TYPE))
    assert first.name == unicodedata.normalize("NFC", name)
    assert first.contact is not None
    assert first.contact.phone == "+84 254 3852 111"
    assert (first.importance, first.standard) == (5, {"fps": 25, "dual": True, "panel": "A"})
    assert (second.kind, second.address, second.standard) == ("sip", "sip:a@b", {})


def test_csv() -> None:
    rows = read_table(
        HEADER
        + "ba-ria,Bà Rịa,vung-tau,webrtc,,Trực,0900 000 000,5,2\n"
        + '\n"long-dien","Long Điền, thị trấn",vung-tau,sip,sip:a@b,,,,\n',
        CSV_TYPE,
    )
    assert [row.line for row in rows] == [2, 4]
    first, second = (row.bridge for row in rows)
    assert (first.name, first.importance, first.standard) == ("Bà Rịa", 5, {"screens": 2})
    assert first.contact.phone == "0900 000 000"
    assert (second.name, second.kind, second.address) == ("Long Điền, thị trấn", "sip", "sip:a@b")
    assert second.importance == 0


def test_csv_as_spreadsheets_write_it() -> None:
    rows = read_table("\ufeffid;name;unit\r\na;Một;u\r\n", CSV_TYPE)
    assert rows[0].bridge.name == "Một"


def test_yaml_list_and_mapping() -> None:
    text = "- id: a\n  name: Một\n  unit: u\n- {id: b, name: Hai, unit: u, importance: 3}\n"
    for content in (text, "bridges:\n" + text):
        rows = read_table(content, YAML_TYPE)
        assert [row.bridge.id for row in rows] == ["a", "b"]
        assert rows[1].bridge.importance == 3


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("b,Hai,u,webrtc,,,,many,", "line 3, importance"),
        ("b,,u,,,,,,", "line 3, name"),
        ("b b,Hai,u,,,,,,", "line 3, id"),
        ("b,Hai,u,fax,,,,,", "line 3, kind"),
        ("b,Hai,u,,,,call me,,", "line 3, contact.phone"),
    ],
)
def test_a_broken_row_is_named(row: str, field: str) -> None:
    problem = refused(HEADER + "a,Một,u,,,,,,\n" + row + "\n")
    assert problem.kind == "invalid-input"
    assert [error.field for error in problem.errors] == [field]


def test_all_broken_rows_are_named_at_once() -> None:
    problem = refused(HEADER + ",Một,u,,,,,,\na,Hai,,,,,,,\n")
    assert [error.field for error in problem.errors] == ["line 2, id", "line 3, unit"]


def test_a_line_with_too_few_cells_hides_no_other_fault() -> None:
    problem = refused("id,name,unit\n,Một,u\na,Hai\nb,,u\nc,Ba,u,4\n")
    assert problem.kind == "invalid-input"
    assert [error.field for error in problem.errors] == [
        "line 2, id", "line 3", "line 4, name", "line 5",
    ]  # fmt: skip
    assert problem.errors[1].message == "has 2 cells where the header has 3"


def test_a_line_that_cannot_be_read_hides_none_before_it() -> None:
    problem = refused('id,name,unit\n,Một,u\na,"Hai"x,u\n')
    assert problem.kind == "malformed-request"
    assert [error.field for error in problem.errors] == ["line 2, id", "line 3"]


def test_a_key_given_twice_hides_no_other_fault() -> None:
    problem = refused("- id: a\n  id: b\n- {id: c, name: '', unit: u}\n", YAML_TYPE)
    assert [error.field for error in problem.errors] == ["line 2", "line 3, name"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "line 1"),
        ("id,name\na,b\n", "line 1"),
        ("id,name,unit,colour\n", "line 1"),
        ("id,name,unit,id\n", "line 1"),
        ("id,name,unit\na,b\n", "line 2"),
        ('id,name,unit\na,b,u\nb,"c,u\n', "line 3"),
        ("id,name,unit\n", "line 1"),
        ("id,name,unit\na,b,u\x00\n", "line 2"),
    ],
)
def test_what_is_no_table(text: str, line: str) -> None:
    problem = refused(text)
    assert problem.errors[0].field.startswith(line), problem.errors


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- id: a\n  name: [\n", "line 3"),
        ("a: 1\n", "line 1"),
        ("42", "line 1"),
        ("", "line 1"),
        ("- id: a\n  id: b\n", "line 2"),
        ("- &x {id: a}\n- *x\n", "line 2"),
        ("- !!python/object/apply:os.system ['true']\n", "line 1"),
        ("- id: a\n  name: 'a\0b'\n", "line 1"),
        ("- 1\n", "line 1"),
        ("[" * 200_000 + "]" * 200_000, "line 1"),
        ("- id: 2026-13-45\n", "line 1"),
    ],
)
def test_what_is_no_yaml_table(text: str, line: str) -> None:
    assert refused(text, YAML_TYPE).errors[0].field.startswith(line)


def test_a_table_is_bounded() -> None:
    rows = "".join(f"a{number},b,u\n" for number in range(MAX_LIST + 1))
    assert "more than" in refused("id,name,unit\n" + rows).detail


@given(st.text(max_size=200), st.sampled_from([CSV_TYPE, YAML_TYPE]))
def test_any_text_is_read_or_refused(text: str, content_type: str) -> None:
    problem = None
    try:
        assert read_table(text, content_type)
    except Problem as raised:
        problem = raised
    assert problem is None or problem.errors
    assert problem is None or problem.kind in ("malformed-request", "invalid-input")
