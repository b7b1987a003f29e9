"""Every refusal that an operator may meet has a code, and what is filled in under each."""

import ast
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mcu
from mcu.sentence_table import SENTENCES
from mcu.sentences import of, sentence

MCU = Path(mcu.__file__).parent
ROOMS = ("api", "conference", "operations", "readiness", "rooms", "store", "watch")

MESSAGES = {
    "CheckRefused": 0, "DuplicateRecord": 0, "Fault": 1, "FieldError": 1, "InvalidRecord": 0,
    "NoCapacity": 0, "OutsideRefused": 0, "Problem": 1, "Refused": 0, "ReportFailed": 0,
    "RowError": 2, "StoreUnavailable": 0, "UnitCycle": 0, "UnknownParent": 0, "ValueError": 0,
    "conflict": 0, "forbidden": 0, "invalid": 1,
}  # fmt: skip
"""What refuses → which of its arguments is the sentence."""

OF_PROGRAMS = {
    "malformed-request", "csrf", "method-not-allowed", "unsupported-media-type", "not-acceptable",
    "upgrade-required", "precondition-required", "idempotency-key-reused", "offer-refused",
}  # fmt: skip
"""Kinds that only a faulty program meets: the console has words for the kind as a whole."""

OTHERWISE_KNOWN = {
    "There is nothing at this address; see /api/v1/openapi.json.",  # words of not-found
    "Less must be sent at once.",  # of too-large
    "ICE has been restarted in between; use the ETag of the latest answer.",  # pages send "*"
    "must be a number", "is too long", "is not a list of entity tags",  # headers pages do not send
    "must be 1 to 200 visible ASCII characters", "belongs to another request",
    "The store cannot be made at",  # before there is a server
    "The bootstrap token needs",
    "Correct and send again:", ": ",  # name the entries, each of which has its code
}  # fmt: skip


def calls(*packages: str) -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call of something by its name, in these packages or, without any, in all."""
    folders = [MCU / name for name in packages] or [MCU]
    for path in sorted(each for folder in folders for each in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield path, node, node.func.id


def literal(node: ast.expr) -> str | None:
    """The text of a literal, of an f-string what stands in it; None: it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [literal(each) for each in node.values if isinstance(each, ast.Constant)]
        return "".join(each or "" for each in parts)
    return None


def named_in(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_a_sentence_is_a_text_with_its_code_and_values() -> None:
    said = sentence("polling.time", shortest_s=2.0, longest_s=3600.0)
    assert said == "Polling stays 2 to 3600 seconds with each room."
    assert of(said) == {"code": "polling.time", "params": {"shortest_s": 2.0, "longest_s": 3600.0}}
    assert of("Polling stays") == {}


def test_values_are_what_json_can_hold() -> None:
    at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    said = sentence("convening.running", by="", since=at)
    assert said.params == {"by": "", "since": "2026-11-22T08:00:00+00:00"}
    assert "since 08:00:00 UTC" in said
    assert sentence("call.host", host=ValueError("a")).params == {"host": "a"}


def test_every_code_that_is_said_is_in_the_table_with_all_that_is_filled_in() -> None:
    said = set()
    for path, call, name in calls():
        if name != "sentence":
            continue
        code = literal(call.args[0]) if isinstance(call.args[0], ast.Constant) else None
        if code is None:
            assert path.name in ("base.py", "sentences.py"), path  # of a regular expression
            continue
        given = {each.arg for each in call.keywords}
        assert named_in(SENTENCES[code]) <= given, f"{path}:{call.lineno} {code}"
        said.add(code)
    shapes = {str(literal(call.args[1])) for _, call, name in calls("api") if name == "shape"}
    assert said | shapes == set(SENTENCES)


@pytest.mark.parametrize("package", ROOMS)
def test_whatever_an_operator_is_refused_with_has_a_code(package: str) -> None:
    without = []
    for path, call, name in calls(package):
        at = MESSAGES.get(name)
        if at is None or len(call.args) <= at:
            continue
        if name == "ValueError" and "api" not in path.parts:
            continue  # faults of the program, but in the API, where validators say so
        said = literal(call.args[at])
        kind = literal(call.args[0]) if name == "Problem" else None
        if said is None or kind in OF_PROGRAMS or path.name == "rate_limit.py":
            continue
        if not any(said.startswith(each) for each in OTHERWISE_KNOWN):
            without.append(f"{path.relative_to(MCU)}:{call.lineno} {said[:60]}")
    assert without == []


def test_codes_have_one_form() -> None:
    allowed = set(string.ascii_lowercase + ".-")
    assert [code for code in SENTENCES if set(code) - allowed] == []
