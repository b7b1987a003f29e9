"""Session descriptions (RFC 8866), read within bounds; WebRTC and SIP share this model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from signalling.sdp.errors import SdpError
from signalling.sdp.fields import Origin
from signalling.sdp.section import Line, MediaSection, Section
from signalling.sdp.sources import Group

MAX_CHARACTERS = 200_000
MAX_LINES = 5_000
MAX_LINE_CHARACTERS = 8_192
MAX_MEDIA_SECTIONS = 64


@dataclass(frozen=True, slots=True)
class SessionDescription(Section):
    """A whole description: session lines, then media sections."""

    media: tuple[MediaSection, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "SessionDescription":
        """Read a description.

        Args:
            text: lines ended by CRLF or LF; at most ``MAX_CHARACTERS``.
        Raises:
            SdpError: not SDP, a known line with an impossible value, or beyond a bound.
        """
        session, media = _read_sections(text)
        for index, line in enumerate(session):
            if (line.type == "v") != (index == 0) or (index == 0 and line.value != "0"):
                raise SdpError("a description begins with one v=0", index + 1)
        for required in "vos":
            if not any(line.type == required for line in session):
                raise SdpError(f"no {required}= line")
        return cls(session, media)

    def __str__(self) -> str:
        head = "".join(f"{line}\r\n" for line in self.lines)
        return head + "".join(map(str, self.media))

    @property
    def origin(self) -> Origin:
        """``o=``; raises SdpError on a built description that has none."""
        return Origin.parse(self.field("o") or "")

    @property
    def groups(self) -> tuple[Group, ...]:
        """All ``a=group``."""
        return self._all("group", Group.parse)

    def group(self, semantics: str) -> Group | None:
        """The first group of these semantics (``BUNDLE``)."""
        return next((group for group in self.groups if group.semantics == semantics), None)

    def with_media(self, media: Sequence[MediaSection]) -> "SessionDescription":
        """The same session with other media sections."""
        return replace(self, media=tuple(media))


def _read_sections(text: str) -> tuple[tuple[Line, ...], tuple[MediaSection, ...]]:
    """Cut text into the lines before the first ``m=`` and the media sections; raises SdpError."""
    if len(text) > MAX_CHARACTERS:
        raise SdpError(f"longer than {MAX_CHARACTERS} characters")
    texts = text.rstrip("\r\n").split("\n")
    if len(texts) > MAX_LINES:
        raise SdpError(f"more than {MAX_LINES} lines")
    session: list[Line] = []
    media: list[tuple[MediaSection, list[Line]]] = []
    for index, line_text in enumerate(texts, start=1):
        try:
            _read_line(line_text.removesuffix("\r"), session, media)
        except SdpError as error:
            raise SdpError(error.message, index) from None
    return tuple(session), tuple(section.with_lines(lines) for section, lines in media)


def _read_line(
    text: str, session: list[Line], media: list[tuple[MediaSection, list[Line]]]
) -> None:
    if len(text) > MAX_LINE_CHARACTERS:
        raise SdpError(f"longer than {MAX_LINE_CHARACTERS} characters")
    line = Line.parse(text)
    if line.type == "m":
        if len(media) == MAX_MEDIA_SECTIONS:
            raise SdpError(f"more than {MAX_MEDIA_SECTIONS} media sections")
        media.append((MediaSection.parse_media(line.value), []))
        return
    if media and line.type in "vost":
        raise SdpError(f"{line.type}= belongs to the session, not to a media section")
    line.check()
    (media[-1][1] if media else session).append(line)
