"""The configuration page says what the models say."""

from pathlib import Path

from config.document import parse_document
from config.reference import markdown
from config.settings import known_keys, load

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_page_is_up_to_date() -> None:
    message = "run: python -m config.reference > docs/configuration.md"
    assert PAGE.read_text(encoding="utf-8") == markdown(), message


def test_every_key_is_described() -> None:
    page = markdown()
    for key, field in known_keys().items():
        assert f"| `{key}` |" in page
        assert field.description, key


def test_example_of_the_page_is_valid(tmp_path: Path) -> None:
    example = markdown().split("```yaml\n")[1].split("```")[0]
    assert parse_document(example, "example").values["site"] == "khanh-hoa"
    path = tmp_path / "mcu.yaml"
    path.write_text(example, encoding="utf-8")
    assert load(path, {}).http.port == 443
