"""Patterns of the dial plan: what they fit, and which are refused."""

import pytest
from pydantic import ValidationError

from config.dial_rule import DialRule, filled


@pytest.mark.parametrize(
    ("pattern", "dialled", "found"),
    [
        ("{number}", "1001", {"number": "1001"}),
        ("{number}", "c-1001", None),
        ("9{number}", "91001", {"number": "1001"}),
        ("9{number}", "9", None),
        ("{number}*{pin}", "1001*4711", {"number": "1001", "pin": "4711"}),
        ("{number}*{pin}", "1001*471", None),
        ("{conference}", "c-9f.x", {"conference": "c-9f.x"}),
        ("{conference}", "-x", None),
        ("giao-ban", "giao-ban", {}),
        ("giao.ban", "giao-ban", None),
        ("{any}", "mọi thứ", {"any": "mọi thứ"}),
        ("{any}", "x" * 200, None),
        ("goi-{bridge}-nay", "goi-ba-ria-nay", {"bridge": "ba-ria"}),
    ],
)
def test_match(pattern: str, dialled: str, found: dict[str, str] | None) -> None:
    assert DialRule(pattern=pattern, own=True).match(dialled) == found


def test_filled() -> None:
    assert filled("c-{number}-{number}", {"number": "7"}) == "c-7-7"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"pattern": "{room}", "own": True}, "no other placeholders"),
        ({"pattern": "{number", "own": True}, "no other placeholders"),
        ({"pattern": "{number}{number}", "own": True}, "all different"),
        ({"pattern": "{number}{pin}{any}{bridge}", "own": True}, "at most 3"),
        ({"pattern": "a@b", "own": True}, "before the @"),
        ({"pattern": "", "own": True}, "at least 1 character"),
        ({"pattern": "1"}, "exactly one of"),
        ({"pattern": "1", "own": True, "refuse": True}, "exactly one of"),
        ({"pattern": "1", "own": False}, "True"),
        ({"pattern": "1", "conference": "{number}"}, "out of the pattern '1'"),
        ({"pattern": "{pin}", "conference": "{pin}"}, "than none"),
        ({"pattern": "1", "conference": ""}, "must not be empty"),
        ({"pattern": "1", "confrence": "c"}, "not permitted"),
    ],
)
def test_refused(rule: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        DialRule.model_validate(rule)
