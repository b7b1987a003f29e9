"""Both languages say everything, and the pages ask for nothing that neither says."""

import json
import re
import unicodedata
from pathlib import Path
from typing import get_args

import pytest

from mcu.api.app import ROUTES
from mcu.api.form_errors import CODES as FORM_CODES
from mcu.api.form_errors import OTHER
from mcu.api.problem import KINDS, Kind
from mcu.api.schemas.base import Presence
from mcu.api.schemas.conference import CallFailure, Grade
from mcu.api.schemas.sip import NoWayCause
from mcu.conference.alarm_model import AlarmKind, Severity
from mcu.conference.drill_model import FaultKind
from mcu.console.pages import STATIC
from mcu.operations.terms import AVOIDED, TERMS
from mcu.readiness.assessment import COMPARED, Topic
from mcu.readiness.model import Phase
from mcu.readiness.wording import REASONS
from mcu.sentence_table import SENTENCES
from mixer.video.layout import LAYOUTS
from signalling.sip.sign_in import SignInFault

SCRIPTS = STATIC / "js"
PACKAGE = STATIC.parents[1]
SAME_IN_BOTH = {"join.camera"}
"""Words that Vietnamese has taken over."""


def module_data(path: Path) -> dict[str, object]:
    """The object of a module that holds data only, written as JSON."""
    text = path.read_text()
    data: dict[str, object] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return data


def texts(language: str) -> dict[str, str]:
    """All that the pages say in a language; no text stands in two files."""
    said: dict[str, str] = {}
    for name in (language, f"{language}-refusals"):
        found = module_data(SCRIPTS / f"strings/{name}.js")
        assert not said.keys() & found.keys()
        said |= {key: str(text) for key, text in found.items()}
    return said


@pytest.fixture
def english() -> dict[str, str]:
    return texts("en")


@pytest.fixture
def vietnamese() -> dict[str, str]:
    return texts("vi")


def test_both_languages_have_the_same_texts(
    english: dict[str, str], vietnamese: dict[str, str]
) -> None:
    singular = {key for key in english if key.endswith(".one")}
    assert set(english) - singular == set(vietnamese)
    for key in singular:
        assert key.removesuffix(".one") in english


def test_both_languages_fill_in_the_same_values(
    english: dict[str, str], vietnamese: dict[str, str]
) -> None:
    for key, text in vietnamese.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", english[key])), (
            key
        )


def test_nothing_is_left_untranslated(english: dict[str, str], vietnamese: dict[str, str]) -> None:
    same = {key for key, text in vietnamese.items() if text == english[key]}
    assert same == SAME_IN_BOTH


def test_no_text_is_empty_or_decomposed(
    english: dict[str, str], vietnamese: dict[str, str]
) -> None:
    for text in [*english.values(), *vietnamese.values()]:
        assert text.strip()
        assert unicodedata.is_normalized("NFC", text)


def test_every_text_that_a_page_asks_for_is_there(english: dict[str, str]) -> None:
    for module in SCRIPTS.rglob("*.js"):
        text = module.read_text()
        for key in re.findall(r'\bt\(\s*"([^"]+)"', text):
            assert key in english, f"{module.name}: {key}"
        for pair in re.findall(r'\bt\([^()"]*\?\s*"([^"]+)"\s*:\s*"([^"]+)"', text):
            assert set(pair) <= set(english), f"{module.name}: {pair}"


def test_every_value_of_the_interface_has_a_name(english: dict[str, str]) -> None:
    for state in Presence.__args__:
        assert f"state.{state}" in english
    for grade in Grade.__args__:
        assert f"grade.{grade}" in english
    for failure in CallFailure.__args__:
        assert f"call.{failure}" in english
    for cause in get_args(NoWayCause):
        assert f"sip.way.{cause}" in english
    for fault in get_args(SignInFault):
        assert f"sip.refused.{fault}" in english


def test_every_finding_of_a_readiness_check_is_said_as_the_server_says_it(
    english: dict[str, str],
) -> None:
    said = {
        key.removeprefix("readiness.f."): text
        for key, text in english.items()
        if key.startswith("readiness.f.")
    }
    assert said == dict(REASONS)
    for topic in get_args(Topic):
        assert f"readiness.topic.{topic}" in english
    for phase in get_args(Phase):
        assert f"readiness.phase.{phase}" in english
    for name in COMPARED:
        assert f"readiness.what.{name}" in english


def test_terms_are_those_that_are_printed(
    english: dict[str, str], vietnamese: dict[str, str]
) -> None:
    for term in TERMS:
        for key in term.console:
            assert vietnamese[key].casefold() == term.vi.casefold(), key
            assert english[key].casefold() == term.en.casefold(), key
    for key, text in vietnamese.items():
        assert not [word for word in AVOIDED if word in text.casefold()], key


def test_every_alarm_fault_and_severity_has_its_term() -> None:
    said = {key for term in TERMS for key in term.console}
    for kinds, prefix in ((AlarmKind, "alarm"), (Severity, "severity"), (FaultKind, "drill.kind")):
        assert {f"{prefix}.{kind}" for kind in get_args(kinds)} <= said


def test_titles_made_of_alarms_are_known_by_every_kind() -> None:
    text = (SCRIPTS / "console/alarms.js").read_text()
    kinds = re.search(r"const KINDS = new Set\(\[(.*?)\]\)", text, re.DOTALL)
    assert kinds is not None
    assert set(re.findall(r'"(\w+)"', kinds[1])) == set(get_args(AlarmKind))


OF_NO_KIND = {"unreachable", "page", "400", "500"}
"""Without an answer of the server, or with one that is no problem document."""


def test_every_refusal_says_what_to_do_in_both_languages(
    english: dict[str, str], vietnamese: dict[str, str]
) -> None:
    for texts in (english, vietnamese):
        told = {key.removeprefix("error.") for key in texts if key.startswith("error.")}
        assert told == set(KINDS) | OF_NO_KIND


CODES_OF_REFUSALS = set(SENTENCES) | set(FORM_CODES.values()) | {OTHER}


def test_every_code_of_a_refusal_has_words_in_both_languages(
    english: dict[str, str], vietnamese: dict[str, str]
) -> None:
    for texts in (english, vietnamese):
        told = {key.removeprefix("refusal.") for key in texts if key.startswith("refusal.")}
        assert told == CODES_OF_REFUSALS


def test_the_words_of_a_refusal_ask_for_nothing_that_is_not_sent(english: dict[str, str]) -> None:
    bounds = {"least", "most", "above", "below", "expected"}
    sent = dict.fromkeys(FORM_CODES.values(), bounds)
    for code, template in SENTENCES.items():
        sent[code] = set(re.findall(r"(?<!\{)\{(\w+)", template)) | GIVEN_BESIDES.get(code, set())
    for code in CODES_OF_REFUSALS - {OTHER}:
        asked = set(re.findall(r"\{(\w+)\}", english[f"refusal.{code}"]))
        assert asked <= sent[code], code


GIVEN_BESIDES = {"unit.in-use": {"ids"}}
"""What is sent beside that which the server's own sentence shows."""


def test_what_is_not_found_has_a_name_in_both_languages(english: dict[str, str]) -> None:
    sources = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    pattern = r'(?:not_found|UnknownRecord|VersionConflict|DamagedRecord)\(\s*"([^"]+)"'
    nouns = set(re.findall(pattern, sources))
    nouns |= {name for route in ROUTES for name in re.findall(r"\{(\w+)", route.path)}
    assert len(nouns) > 20
    missing = {noun for noun in nouns if f"noun.{noun}" not in english}
    assert missing == set()


def test_the_servers_words_never_stand_in_place_of_the_pages() -> None:
    # The server speaks English only; what it says stands below the page's own words.
    showing = [module for module in SCRIPTS.rglob("*.js") if "server-words" in module.read_text()]
    assert len(showing) >= 3
    for module in showing:
        text = module.read_text()
        assert not re.search(r"detail \|\| [\w.]*advice", text), module.name
        assert re.search(r"\badvice\b", text), module.name


def test_every_kind_of_refusal_is_in_the_table() -> None:
    assert set(get_args(Kind)) == set(KINDS)


def test_the_drawn_layouts_are_those_that_are_composed() -> None:
    table = module_data(SCRIPTS / "shared/layout-table.js")
    assert set(table) == set(LAYOUTS)
    for name, layout in LAYOUTS.items():
        drawn = table[name]
        assert isinstance(drawn, list)
        assert len(drawn) == len(layout.slots)
        for place, slot in zip(drawn, layout.slots, strict=True):
            assert place == pytest.approx(slot, abs=1e-5), name
