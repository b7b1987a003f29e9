"""JPEG pictures of what is seen now, out of the running media."""

from mcu.engine.engine import Engine


class RoomPictures:
    """The API's ``Pictures``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def view_picture(self, conference: str, view: str) -> bytes | None:
        """The composed picture; None when there is none."""
        media = self._engine.conferences.get(conference)
        return None if media is None else await media.video.picture(view)

    async def participant_picture(self, conference: str, participant: str) -> bytes | None:
        """What a participant sends; None when it sends nothing."""
        media = self._engine.conferences.get(conference)
        return None if media is None else await media.video.participant_picture(participant)
