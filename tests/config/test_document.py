"""YAML documents: lines are known, and everything odd is one error with a place."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.document import Document, DocumentError, parse_document, read_document


def problem(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "f")
    return str(caught.value)


def test_lines_of_keys_and_items() -> None:
    document = parse_document("a: 1\nb:\n  - x\n  - {c: 2026-01-01}\n", "f")
    assert document.values == {"a": 1, "b": ["x", {"c": "2026-01-01"}]}
    assert document.lines == {
        ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4,
    }  # fmt: skip
    assert document.origin(("b", 1, "missing")) == "f line 4"
    assert document.origin(("missing",)) == "f"


def test_empty_text_is_an_empty_mapping() -> None:
    assert parse_document("# nothing\n", "f") == Document("f", {}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "f line 2: a: is given twice (first on line 1)"),
        ("a: &x [*x]\n", "f line 1: contains itself through an alias"),
        ("8080: x\n", "f line 1: has a key that is not text"),
        ("a: [1\n", "f line 2: is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "f line 2: is not valid YAML"),
        ("a: !!python/object:os.system x\n", "f line 1: is not valid YAML"),
        ("a: !!int x\n", "f: is not valid YAML"),
        ("a: \x01\n", "f: is not valid YAML: unacceptable character"),
        ("- 1\n", "f: must be a mapping"),
        ("a: " + "[" * 3000, "f: is nested too deeply"),
    ],
)
def test_faults(text: str, expected: str) -> None:
    assert problem(text).startswith(expected)


def test_a_file_that_multiplies_itself_is_stopped() -> None:
    text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert "has more than" in problem(text)


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(DocumentError, match=r"f\.yaml line 2: is not UTF-8 text"):
        read_document(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"cannot be read \(Is a directory\)"):
        read_document(tmp_path)
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(5 * 1024 * 1024)
    with pytest.raises(DocumentError, match="is larger than"):
        read_document(large)


@given(st.text(alphabet=st.sampled_from("ab: \n-[]{}&*!'\"#|>%@`?,0"), max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """The only error is DocumentError."""
    with contextlib.suppress(DocumentError):
        parse_document(text, "f")
