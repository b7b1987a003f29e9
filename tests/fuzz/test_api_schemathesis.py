"""Whatever is sent to the API, it answers as its own document says, and never with a 5xx.

Invariants: no answer of 500 or above; status, headers, content type and body of every answer are
those of the OpenAPI document; input that breaks the document is refused, input that keeps it is
not called malformed. The event streams are left out: they have no end.
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.schemas import OpenApiSchema

from mcu.api.app import ROUTES
from mcu.api.openapi import openapi_document
from mcu.api.resources import recordings
from mcu.api.services import ApiLimits
from tests.mcu.api.live import ADMIN, live_api

EXAMPLES = 5
"""Per operation, beside those that meet each branch of what the document says of it."""
ANSWERED_WITHIN_S = 120.0
"""Not how fast it is: of a machine that does much else."""
ADDRESS_BYTES = 8_190
"""What is longer is refused before it is known for which operation it is."""
KNOWN = {
    "unit": "tinh",
    "bridge": "tinh-a",
    "participant": "tinh-a",
    "view": "main",
    "file": "docs.js",
    "token": "bootstrap",
}
"""Ids that exist, so that not every example ends at 404."""
DESTRUCTIVE = {"delete_unit", "delete_bridge", "end_conference", "remove_participant"}
"""These are tried on ids that do not exist only, so that the other operations find theirs."""
SPARED = {
    "events": "has no end",
    "events_socket": "has no end",
    "close_session": "needs a cookie; tested in test_session.py",
    "export_scenario": "other methods at its address are those of /scenarios/{scenario}",
    "revoke_token": "would revoke the token of the test",
    "wall_pictures": "has no end",
    **{route.name: "this server records nothing, and says so" for route in recordings.ROUTES},
}
OPERATIONS = [route.name for route in ROUTES if route.name not in SPARED]


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(ctx: Any, value: Any) -> bytes:
    """SDP goes as it is."""
    return str(value).encode("utf-8", "surrogatepass")


load_all_checks()
UNDECIDABLE = CHECKS.get_by_names(["positive_data_acceptance"])
"""A document cannot say which unit exists or which cursor was given."""


class LiveApi(threading.Thread):
    """The API in a loop and thread of its own, as schemathesis calls it synchronously."""

    def __init__(self, directory: Path) -> None:
        super().__init__(name="api under test")
        self._directory = directory
        self.ready = threading.Event()
        self.url = ""
        self.conference = ""
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        limits = ApiLimits(
            requests_per_second=1e6,
            request_burst=1_000_000,
            failed_sign_ins_per_minute=1e6,
            failed_sign_in_burst=1_000_000,
        )
        async with live_api(self._directory, limits=limits) as api:
            await api.province()
            self.url = api.url
            self.conference = await api.conference("tinh-a", "tinh-b")
            self.ready.set()
            await self._done.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self.join()


@pytest.fixture(scope="module")
def schema() -> OpenApiSchema:
    generation = GenerationConfig(with_security_parameters=False, database="none")
    project = ProjectConfig(generation=generation, request_timeout=ANSWERED_WITHIN_S)
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    return openapi.from_dict(openapi_document(ROUTES, "test"), config=config)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    api = LiveApi(tmp_path_factory.mktemp("api"))
    api.start()
    assert api.ready.wait(ANSWERED_WITHIN_S)
    try:
        yield api
    finally:
        api.stop()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def is_answered_as_documented(case: Any, live: LiveApi) -> None:
    operation = case.operation.definition.raw["operationId"]
    if operation not in DESTRUCTIVE:
        for name, value in {**KNOWN, "conference": live.conference}.items():
            if crc32(str(case.path_parameters.get(name)).encode()) % 4:
                case.path_parameters |= {name: value} if name in case.path_parameters else {}
    transport = {"base_url": live.url, "headers": {"Authorization": f"Bearer {ADMIN}"}}
    response = case.call(**transport)
    if len(response.request.url) - len(live.url) > ADDRESS_BYTES:
        assert response.status_code == 400
        return
    case.validate_response(
        response,
        excluded_checks=UNDECIDABLE,
        headers=transport["headers"],
        transport_kwargs=transport,
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_answers_as_documented(operation: str, schema: OpenApiSchema, live: LiveApi) -> None:
    # What ``schema.parametrize`` does; but that makes the cases of all operations while tests are
    # collected, 10 s in every process.
    check = build_operation_test(
        config=schema.config,
        operation=schema.find_operation_by_id(operation),
        test_func=is_answered_as_documented,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )
    check(live=live)
