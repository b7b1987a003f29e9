"""Commands of operators as requests give them: what changes, who did it and the answer are one.

The answer is made of the state as the command leaves it, before that is written: so the events,
the audit's row and the answer kept for an Idempotency-Key are one transaction, and the caller is
answered once it is committed.
"""

from collections.abc import Callable, Sequence

from aiohttp import web

from mcu.api.call import Call
from mcu.conference.commands import Command, StartConference
from mcu.conference.state import ConferenceState
from mcu.store.commits import Write

Answering = Callable[[ConferenceState], web.Response]
"""The answer to a command, from the state as it leaves it; raising refuses the command."""

Besides = Callable[[ConferenceState], Sequence[Write]]
"""What else is written with a command that changes something, from the state as it leaves it."""

Version = Callable[[ConferenceState], int | str]
"""What If-Match is compared with: a version, or the tag of a content."""


class _Answer:
    """The answer, once it is known, and what is written along with it."""

    def __init__(self, call: Call, answering: Answering, besides: Besides | None = None) -> None:
        self._besides = besides
        self.response: web.Response | None = None
        self._call = call
        self._answering = answering

    def also(self, after: ConferenceState) -> Sequence[Write]:
        """``Also`` of the command."""
        call = self._call
        self.response = response = self._answering(after)
        store = call.services.store
        writes = [store.audit.row(call.audit_row(response.status))]
        if self._besides is not None:
            writes += self._besides(after)
        if call.key is not None:
            writes.append(
                call.api.replays.keep(
                    call.who.token.id, call.key, response, secret=call.route.secret
                )
            )
        return writes


async def order(
    call: Call,
    conference: str,
    command: Command,
    answering: Answering,
    version: Version,
    besides: Besides | None = None,
) -> web.Response:
    """Carry out a command under If-Match.

    Args:
        version: of what the request changes.

    Raises:
        Problem: precondition-failed. Refused, UnknownConference, StoreUnavailable: nothing changed.
    """
    conferences = call.services.conferences
    answer = _Answer(call, answering, besides)
    before: ConferenceState | None = None

    def only_if(state: ConferenceState) -> None:
        nonlocal before
        before = state
        call.if_tag(str(version(state)))

    await conferences.execute(conference, command, call.actor, only_if=only_if, also=answer.also)
    if answer.response is not None:
        call.kept = True
        return answer.response
    # Nothing was to be changed.
    if before is None:
        before = await conferences.read(conference)
        only_if(before)
    return answering(before)


async def start(call: Call, command: StartConference, answering: Answering) -> web.Response:
    """Start a conference.

    Raises:
        Refused, StoreUnavailable: nothing was started.
    """
    answer = _Answer(call, answering)
    state = await call.services.conferences.start(command, call.actor, also=answer.also)
    call.kept = answer.response is not None
    return answer.response if answer.response is not None else answering(state)
