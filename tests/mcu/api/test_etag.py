"""If-Match: lists, weak tags, stars and nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.api.etag import content_tag, read_if_match
from mcu.api.problem import Problem


@pytest.mark.parametrize(
    ("headers", "tags"),
    [
        ([], None),
        (["*"], None),
        (['"7"'], {"7"}),
        (['W/"7"'], {"7"}),
        (['"7", W/"8" ,"a,b"'], {"7", "8", "a,b"}),
        (['"7"', '"8"'], {"7", "8"}),
        (['""'], {""}),
    ],
)
def test_tags(headers: list[str], tags: set[str] | None) -> None:
    assert read_if_match(headers) == tags


@pytest.mark.parametrize("header", ["7", '"7', 'w/"7"', '"7" "8"', '"7" x', "*, *"])
def test_what_is_no_list_of_tags(header: str) -> None:
    with pytest.raises(Problem) as caught:
        read_if_match([header])
    assert caught.value.kind == "malformed-request"
    assert caught.value.errors[0].field == "header.If-Match"


def test_more_tags_than_anybody_has_read_are_refused() -> None:
    assert read_if_match(['"1"'] * 40) == {"1"}
    with pytest.raises(Problem) as caught:
        read_if_match(['"1"'] * 41)
    assert [each.field for each in caught.value.errors] == ["header.If-Match"]


def test_a_content_keeps_its_tag_whatever_the_order_of_its_members() -> None:
    tag = content_tag({"a": 1, "b": ["Xã Vạn Ninh"]})
    assert tag == content_tag({"b": ["Xã Vạn Ninh"], "a": 1})
    assert tag != content_tag({"a": 2, "b": ["Xã Vạn Ninh"]})
    assert read_if_match([f'"{tag}"']) == {tag}


@given(st.text(max_size=40))
def test_anything_is_read_or_refused(header: str) -> None:
    kind, tags = None, None
    try:
        tags = read_if_match([header])
    except Problem as problem:
        kind = problem.kind
    assert kind in (None, "malformed-request")
    assert tags is None or all(isinstance(tag, str) for tag in tags)
