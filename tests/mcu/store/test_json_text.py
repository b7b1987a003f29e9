import pytest

from mcu.store.json_text import read_object


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"tên": "Họp"}', {"tên": "Họp"}),
        ("{}", {}),
        ("[]", None),
        ("null", None),
        ("", None),
        ("{", None),
        ("[" * 100_000, None),
    ],
)
def test_an_object_or_nothing(text, found):
    assert read_object(text) == found
