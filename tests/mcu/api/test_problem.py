"""Problem details (RFC 9457)."""

import json

import pytest

from mcu.api.problem import KINDS, FieldError, Kind, Problem, ProblemDocument, invalid, not_found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_answers_as_documented(kind: Kind) -> None:
    problem = Problem(
        kind, "Do this.", [FieldError("$.name", "is required")], {"Retry-After": "3"}, {"id": "x"}
    )
    response = problem.response()
    assert response.status == KINDS[kind][0]
    assert response.content_type == "application/problem+json"
    assert response.headers["Retry-After"] == "3"
    assert isinstance(response.body, bytes)
    document = ProblemDocument.model_validate_json(response.body)
    assert document.type == f"urn:mcu:problem:{kind}"
    assert document.detail == "Do this."
    assert document.errors[0].field == "$.name"
    assert json.loads(response.body)["id"] == "x"


def test_errors_are_left_out_where_there_are_none() -> None:
    assert "errors" not in not_found("bridge", "ba-ria").to_json()


def test_an_invalid_field_is_in_the_detail_too() -> None:
    assert "$.name" in invalid("$.name", "is required").detail
