"""One word for one thing: on paper, in the console and in the documents."""

import re
from itertools import chain
from pathlib import Path

from mcu.operations.deed_words import DEEDS
from mcu.operations.finding_words import CAUSES, FINDINGS, WHAT
from mcu.operations.report_words import WORDS
from mcu.operations.terms import AVOIDED, TERMS

DOCUMENT = Path(__file__).parents[3] / "docs/terms.md"


def test_no_key_has_two_terms() -> None:
    for keys in (
        [key for term in TERMS for key in term.console],
        [key for term in TERMS for key in (*term.report, *term.headings)],
    ):
        assert len(keys) == len(set(keys))


def test_the_report_says_terms() -> None:
    for term in TERMS:
        for key in (*term.report, *term.headings):
            said = WORDS["vi"][key], WORDS["en"][key]
            assert [each.casefold() for each in said] == [term.vi.casefold(), term.en.casefold()]
    assert (WORDS["vi"]["severity_major"], WORDS["vi"]["incidents"]) == ("nặng", "Hồ sơ sự cố")


def test_the_report_says_no_other_words_for_them() -> None:
    for text in WORDS["vi"].values():
        assert not [word for word in AVOIDED if word in text.casefold()], text


def test_what_was_done_and_found_is_told_in_no_other_words_either() -> None:
    told = [vietnamese for vietnamese, _ in DEEDS.values()]
    told += [*FINDINGS.values(), *WHAT.values(), *CAUSES.values()]
    for text in told:
        assert not [word for word in AVOIDED if word in text.casefold()], text


def test_words_that_are_said_instead_are_those_of_terms() -> None:
    every = " ".join(chain.from_iterable((term.vi, *WORDS["vi"].values()) for term in TERMS))
    assert all(word in every for word in AVOIDED.values())


def test_the_document_has_the_same_table() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert rows[1:] == [(term.vi, term.en) for term in TERMS]
