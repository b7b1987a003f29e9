"""What the parts below raise, as problems."""

import pytest
from aiohttp import web

from mcu.api.errors import MAX_IMPORT_ERRORS, body_path, problem_of
from mcu.api.problem import Problem
from mcu.api.services import NoCapacity
from mcu.conference.state import Refused, UnknownConference
from mcu.store import errors
from mcu.store.bridges import ImportRefused, RowError
from signalling.media.negotiated import OfferRefused
from signalling.sdp import SdpError


@pytest.mark.parametrize(
    ("error", "status", "fields"),
    [
        (UnknownConference("c"), 404, []),
        (Refused("No.", None), 409, []),
        (Refused("No.", "slots.3.participant"), 422, ["$.slots[3].participant"]),
        (errors.UnknownRecord("unit", "a"), 404, []),
        (errors.InvalidRecord("No.", "contact.name"), 422, ["$.contact.name"]),
        (errors.InvalidRecord("No.", "cursor"), 422, ["query.cursor"]),
        (errors.UnknownParent("No.", "parent"), 422, ["$.parent"]),
        (errors.DuplicateRecord("No.", "id"), 409, ["$.id"]),
        (errors.UnitCycle("No.", "parent"), 409, ["$.parent"]),
        (errors.UnitInUse("No.", ("a",), ()), 409, []),
        (errors.VersionConflict("unit", "a", 3), 412, []),
        (errors.StoreUnavailable("No."), 503, []),
        (ImportRefused([RowError(7, "unit", "No.")]), 422, ["line 7, unit"]),
        (ImportRefused([RowError(7, None, "No.")]), 422, ["line 7"]),
        (NoCapacity("Full.", 3), 503, []),
        (SdpError("No.", 4), 400, []),
        (OfferRefused("No.", "media[1]"), 422, ["media[1]"]),
        (OfferRefused("No."), 422, ["offer"]),
        (web.HTTPNotFound(), 404, []),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), 405, []),
        (web.HTTPRequestEntityTooLarge(1, 2), 413, []),
        (web.HTTPBadRequest(), 400, []),
    ],
)
def test_expected_errors(error: Exception, status: int, fields: list[str]) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert problem.status == status
    assert [found.field for found in problem.errors] == fields
    assert problem.detail


def test_problems_are_themselves_and_surprises_are_none() -> None:
    problem = Problem("conflict", "No.")
    assert problem_of(problem) is problem
    assert problem_of(ZeroDivisionError()) is None


def test_an_import_answers_no_more_than_it_must() -> None:
    problem = problem_of(ImportRefused([RowError(line, "id", "No.") for line in range(5000)]))
    assert problem is not None
    assert len(problem.errors) == MAX_IMPORT_ERRORS


def test_paths() -> None:
    assert body_path(None) == "$"
    assert body_path("name") == "$.name"
    assert body_path("scope.12") == "$.scope[12]"
    assert body_path("slots[2].speaker") == "$.slots[2].speaker"
    assert body_path("limit") == "query.limit"
