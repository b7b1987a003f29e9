"""The conference event package's document (RFC 4575): who is in a conference, and with what.

Documents are full, or hold only what changed since the version before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

CONTENT_TYPE = "application/conference-info+xml"

EndpointStatus = Literal[
    "pending", "dialing-out", "dialing-in", "alerting", "on-hold", "connected", "disconnected"
]
MediaStatus = Literal["recvonly", "sendonly", "sendrecv", "inactive"]
DocumentState = Literal["full", "partial"]


@dataclass(frozen=True, slots=True)
class UserMedia:
    """One stream of a user.

    Args:
        identifier: names it within the user. kind: ``audio``, ``video``. label: of RFC 4574.
    """

    identifier: str
    kind: str
    status: MediaStatus = "sendrecv"
    label: str = ""


@dataclass(frozen=True, slots=True)
class ConferenceUser:
    """One participant.

    Args:
        entity: its URI; unique in the conference.
    """

    entity: str
    name: str = ""
    status: EndpointStatus = "connected"
    media: tuple[UserMedia, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConferenceInfo:
    """What subscribers of a conference see.

    Args:
        entity: URI of the conference.
    """

    entity: str
    subject: str = ""
    users: tuple[ConferenceUser, ...] = ()
    is_active: bool = True
    is_locked: bool = False


def full_document(info: ConferenceInfo, version: int) -> bytes:
    """All of a conference; ``version`` counts the documents of one subscription from 0."""
    users = "".join(_user(user, "full") for user in info.users)
    return _document(info, version, "full", users)


def partial_document(before: ConferenceInfo, after: ConferenceInfo, version: int) -> bytes:
    """What is different from the document before (section 4.6)."""
    known = {user.entity: user for user in before.users}
    present = {user.entity for user in after.users}
    changed = [_user(user, "full") for user in after.users if known.get(user.entity) != user]
    gone = [_deleted(entity) for entity in known if entity not in present]
    return _document(after, version, "partial", "".join((*changed, *gone)))


def _document(info: ConferenceInfo, version: int, state: DocumentState, users: str) -> bytes:
    subject = f"<subject>{_text(info.subject)}</subject>" if info.subject else ""
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<conference-info xmlns="urn:ietf:params:xml:ns:conference-info"'
        f' entity="{_text(info.entity)}" state="{state}" version="{version}">'
        f"<conference-description>{subject}</conference-description>"
        f"<conference-state><user-count>{len(info.users)}</user-count>"
        f"<active>{_flag(info.is_active)}</active><locked>{_flag(info.is_locked)}</locked>"
        f'</conference-state><users state="{state}">{users}</users></conference-info>\n'
    )
    return document.encode()


def _user(user: ConferenceUser, state: str) -> str:
    entity = _text(user.entity)
    name = f"<display-text>{_text(user.name)}</display-text>" if user.name else ""
    entries = "".join(f"<entry>{_text(role)}</entry>" for role in user.roles)
    roles = f"<roles>{entries}</roles>" if entries else ""
    return (
        f'<user entity="{entity}" state="{state}">{name}{roles}'
        f'<endpoint entity="{entity}"><status>{user.status}</status>{_media(user.media)}'
        "</endpoint></user>"
    )


def _deleted(entity: str) -> str:
    return f'<user entity="{_text(entity)}" state="deleted"/>'


def _media(streams: Sequence[UserMedia]) -> str:
    return "".join(
        f'<media id="{_text(stream.identifier)}"><type>{_text(stream.kind)}</type>'
        + (f"<label>{_text(stream.label)}</label>" if stream.label else "")
        + f"<status>{stream.status}</status></media>"
        for stream in streams
    )


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _text(value: str) -> str:
    """Text for XML 1.0, which has no place for most control characters."""
    allowed = "".join(
        character
        for character in value
        if character in "\t\n\r" or (character >= " " and character not in "\ufffe\uffff")
    )
    return escape(allowed.encode("utf-8", "replace").decode())
