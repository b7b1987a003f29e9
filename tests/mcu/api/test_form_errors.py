"""Faults of form have our codes, whatever pydantic calls them."""

from datetime import datetime
from typing import Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core.core_schema import ErrorType

from mcu.api.body import parse_model
from mcu.api.form_errors import CODES, OTHER, error_message
from mcu.api.problem import Problem
from mcu.api.schemas.base import Identifier, Name
from mcu.api.schemas.scenario import ScenarioBody
from mcu.sentences import Sentence, of


class Form(BaseModel):
    """One field of each kind that forms have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name = "x"
    id: Identifier = "x"
    count: int = Field(default=1, ge=1, le=5)
    share: float = Field(default=0.5, gt=0, lt=1)
    many: list[int] = Field(default=[1], min_length=1, max_length=2)
    which: Literal["a", "b"] = "a"
    on: bool = True
    when: datetime | None = None


@pytest.mark.parametrize(
    ("sent", "code", "params"),
    [
        ('{"name": ""}', "form.missing", {}),
        ('{"name": " "}', "blank", {}),
        ('{"name": 3}', "form.text", {}),
        (f'{{"name": "{"x" * 201}"}}', "form.too-long", {"most": 200}),
        ('{"id": "a b"}', "form.id", {}),
        ('{"count": 0}', "form.least", {"least": 1}),
        ('{"count": 6}', "form.most", {"most": 5}),
        ('{"count": 1.5}', "form.whole", {}),
        ('{"share": 0}', "form.above", {"above": 0.0}),
        ('{"share": 1}', "form.below", {"below": 1.0}),
        ('{"share": "x"}', "form.number", {}),
        ('{"many": []}', "form.too-few", {"least": 1}),
        ('{"many": [1, 2, 3]}', "form.too-many", {"most": 2}),
        ('{"many": 1}', "form.list", {}),
        ('{"which": "c"}', "form.one-of", {"expected": "'a' or 'b'"}),
        ('{"on": 1}', "form.yes-no", {}),
        ('{"when": "soon"}', "form.time", {}),
        ('{"other": 1}', "unknown-field", {}),
    ],
)
def test_each_fault_has_its_code_and_bounds(sent: str, code: str, params: object) -> None:
    with pytest.raises(Problem) as refused:
        parse_model(sent.encode(), Form)
    (error,) = refused.value.errors
    assert of(error.message) == {"code": code, "params": params}
    assert error.to_json() == {
        "field": error.field, "message": str(error.message), "code": code, "params": params,
    }  # fmt: skip


def test_what_a_validator_says_keeps_its_code() -> None:
    with pytest.raises(Problem) as refused:
        parse_model(b'{"name": "x", "unit": "u", "begins_at": "2026-11-25T08:00:00"}', ScenarioBody)
    assert {of(each.message)["code"] for each in refused.value.errors} == {"time-zone"}


def test_kinds_are_those_that_pydantic_knows() -> None:
    assert set(CODES) <= set(get_args(ErrorType))


def test_a_kind_that_nobody_thought_of_has_a_code_too() -> None:
    class Odd(BaseModel):
        at: bytes = Field(max_length=1)

    with pytest.raises(ValidationError) as wrong:
        Odd(at=b"ab")
    said = error_message(wrong.value.errors()[0])
    assert isinstance(said, Sentence)
    assert said.code == OTHER
