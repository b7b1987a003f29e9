"""Requests in the words of messages: what FLOOR-REQUEST-INFORMATION says of one.

A group has 255 bytes at most, so texts are cut: names first of all are to be read by people.
"""

from signalling.bfcp.board import SERVER_USER, Request
from signalling.bfcp.information import RequestInformation, Standing, User

MAX_NAME_BYTES = 48
MAX_REASON_BYTES = 32
MAX_INFORMATION_BYTES = 20
"""With these, names of two users and eight floors, a group stays within its 255 bytes."""


def cut(words: str | None, limit: int) -> str | None:
    """A text of at most so many bytes of UTF-8, whole characters."""
    if words is None:
        return None
    return words.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def user_of(user: int, name: str | None) -> User:
    """A participant, as others are shown it."""
    return User(user, cut(name, MAX_NAME_BYTES))


def describe(request: Request, name: str | None, asker: str | None) -> RequestInformation:
    """A request as every message tells it.

    Args:
        name: of the participant it is for. asker: of who asked for it.
    """
    if request.user == SERVER_USER:
        name, reason = request.reason, None
    else:
        reason = cut(request.reason, MAX_REASON_BYTES)
    by_other = request.requested_by != request.user
    floors = tuple(
        Standing(floor, request.status, request.queue_position) for floor in request.floors
    )
    return RequestInformation(
        request.id,
        floors,
        Standing(request.id, request.status, request.queue_position, reason),
        user_of(request.user, name),
        user_of(request.requested_by, asker) if by_other else None,
        request.priority,
        cut(request.information, MAX_INFORMATION_BYTES),
    )
