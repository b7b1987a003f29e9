"""How loaded the machine is, for those who run it."""

from dataclasses import asdict
from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Route
from mcu.api.schemas.load import Load

TAG: Final = "operation"


async def load(call: Call) -> web.Response:
    """As of the last second."""
    return json_response(Load.model_validate(asdict(call.services.load.status())))


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/load", "load", load,
        "How loaded the server is, and what it does about it", TAG, Action.READ_METRICS,
        (Answer(200, "the load", Load),),
    ),
)  # fmt: skip
