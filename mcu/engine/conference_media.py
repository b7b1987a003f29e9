"""The media of one conference: which leg feeds what, and which leg gets what.

It stands between the legs (one observer for all legs of the conference) and the two mixers, and
owns the bookkeeping that neither of them should have: which leg is a participant's source for a
stream, which view a leg watches, and that the active speakers reach the video side.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mcu.engine.audio import AudioMixer
from mcu.engine.audio_source import AudioSource
from mcu.engine.conference_video import ConferenceVideo
from mcu.engine.plan import MediaPlan
from mcu.engine.taps import (
    End,
    LevelObserver,
    PictureObserver,
    ReturnObserver,
    SoundObserver,
    Source,
    Wish,
)
from mcu.legs.leg import Leg, StreamCodec, StreamName
from mcu.media.frames import AudioPacket, EncodedFrame
from mcu.media.rendition import FanOut

MAIN_VIEW = "main"
UNKNOWN_CODEC = "unknown"

Streams = Mapping[StreamName, StreamCodec]


class ConferenceMedia:
    """Audio and video of one conference.

    Args:
        conference: its id.
        fan_out: sends sound to the legs.
        video: composes and sends pictures.
        max_speakers: how many are mixed at once.
    """

    def __init__(
        self,
        conference: str,
        *,
        fan_out: FanOut,
        video: ConferenceVideo,
        max_speakers: int,
    ) -> None:
        self.conference = conference
        self.plan = MediaPlan()
        self.legs: dict[str, Leg] = {}
        self.audio = AudioMixer(fan_out=fan_out, max_speakers=max_speakers)
        self.video = video
        self._feeding: dict[tuple[str, StreamName], Leg] = {}
        self._watching: dict[str, str] = {}  # leg id -> view
        self._fixed_view: dict[str, str] = {}  # leg id -> view chosen by its viewer
        self._recorders: dict[str, Leg] = {}
        self._known: dict[str, tuple[Streams, Streams]] = {}  # sources, outputs as last looked at
        self._sounds: dict[str, AudioSource] = {}

    # What the conference decides

    def apply_plan(self, plan: MediaPlan, now: float) -> None:
        """Make the media follow the plan; what did not change is left alone."""
        before, self.plan = self.plan, plan
        if plan.faults != before.faults:
            self._silence(before)
        self.audio.apply_plan(plan)
        self.video.apply_plan(plan, now)
        for leg in self.legs.values():
            self._watch(leg, now)

    # Legs come and go

    def add_leg(self, leg: Leg, now: float, view: str | None = None) -> None:
        """Feed the mixers from a connected leg and give it its mix and picture.

        Args:
            view: the view a viewer asked for; None follows the participant's plan.
        """
        self.legs[leg.id] = leg
        if view is not None:
            self._fixed_view[leg.id] = view
        if leg.participant is not None:
            for source in leg.sources:
                self._feed(leg.participant, source, leg)
        self._known[leg.id] = (leg.sources, leg.outputs)
        if "audio" in leg.outputs:
            self.audio.add_listener(leg, now)
        self._watch(leg, now)

    def leg_renegotiated(self, leg: Leg, now: float) -> None:
        """Follow what a leg sends and receives now; what did not change goes on."""
        known = self._known.get(leg.id)
        if known is None:
            return
        sources, outputs = known
        self._known[leg.id] = (leg.sources, leg.outputs)
        if outputs.get("audio") != leg.outputs.get("audio"):
            self.audio.remove_listener(leg)
            if "audio" in leg.outputs:
                self.audio.add_listener(leg, now)
        if _pictures(outputs) != _pictures(leg.outputs):
            if self._watching.pop(leg.id, None) is not None:
                self.video.remove_viewer(leg)
            self._watch(leg, now)
        if leg.participant is None:
            return
        for source in sources.keys() | leg.sources.keys():
            if sources.get(source) == leg.sources.get(source):
                continue
            feeds = self._feeding.get((leg.participant, source))
            if source in leg.sources and feeds in (None, leg):
                self._feed(leg.participant, source, leg)
            elif feeds is leg:
                self._stop_feeding(leg.participant, source)

    def remove_leg(self, leg: Leg) -> None:
        """Take a leg out. A source it no longer feeds (it was replaced) stays."""
        if self.legs.pop(leg.id, None) is None:
            return
        self._fixed_view.pop(leg.id, None)
        if "audio" in self._known.pop(leg.id)[1]:
            self.audio.remove_listener(leg)
        if self._watching.pop(leg.id, None) is not None:
            self.video.remove_viewer(leg)
        self.video.limit_viewer(leg.id, None)
        for (participant, source), feeding in list(self._feeding.items()):
            if feeding is leg:
                self._stop_feeding(participant, source)

    def add_recorder(self, recorder: Leg, view: str, now: float) -> None:
        """Let somebody receive a view and the main mix who is no leg of the meeting.

        It is a viewer of the rendition and a listener of ``total`` like any other: what others
        receive already is not encoded again, and what nobody else receives is encoded for it.
        """
        self._recorders[recorder.id] = recorder
        self.audio.add_listener(recorder, now)
        self.video.add_viewer(recorder, view, now)

    def remove_recorder(self, recorder: Leg) -> None:
        """Give it nothing more; without effect when it has gone already."""
        if self._recorders.pop(recorder.id, None) is not None:
            self.audio.remove_listener(recorder)
            self.video.remove_viewer(recorder)

    def limit_leg(self, leg: Leg, limit_bps: int | None) -> None:
        """Let a leg of this conference receive pictures of at most this rate; see there."""
        if leg.id in self.legs:
            self.video.limit_viewer(leg.id, limit_bps)

    def frame_received(self, leg: Leg, source: StreamName, frame: EncodedFrame, now: float) -> None:
        """Take one coded picture; dropped unless this leg is its participant's source."""
        participant = leg.participant
        if participant is not None and self._feeding.get((participant, source)) is leg:
            self.video.receive(participant, source, frame, now)

    # Observers: see ``mcu.engine.taps``. Each call gives back what ends it.

    def observe_sound(self, participant: str, observer: SoundObserver) -> End:
        """Hear what a participant sends, decoded also while nobody else hears it.

        It need not be here yet, and may come and go.
        """
        return self.audio.observe_sound(participant, observer)

    def observe_return(self, participant: str, observer: ReturnObserver) -> End:
        """Hear what a participant is sent, while it listens."""
        return self.audio.observe_return(participant, observer)

    def observe_picture(
        self, participant: str, observer: PictureObserver, wish: Wish = "whole"
    ) -> End:
        """See what a participant's camera sends; a hidden room is asked for thumbnails meanwhile.

        Args:
            wish: ``rows`` gives about 90 rows of each picture, which costs a tenth of the way
                from the process that decodes.
        """
        return self.video.observe(participant, observer, wish)

    def observe_levels(self, observer: LevelObserver) -> End:
        """Know how loud all are, tick by tick."""
        return self.audio.observe_levels(observer)

    def play_to(self, participant: str, source: Source) -> End:
        """Let a participant hear a source instead of its mix: a test tone, by its own encoder."""
        return self.audio.play_to(participant, source)

    def codecs(self, leg: Leg) -> dict[str, str]:
        """In which codec a leg sends each stream; ``unknown`` where it is none that was agreed."""
        faults = self.plan.faults.get(leg.participant or "")
        if faults is not None and faults.codec:
            return dict.fromkeys((str(stream) for stream in leg.sources), UNKNOWN_CODEC)
        return {stream: codec.name for stream, codec in leg.sources.items()}

    # The clocks

    def audio_tick(self, now: float) -> None:
        """Mix and send 20 ms of sound."""
        self.audio.tick(now)

    def video_tick(self, now: float, wall: datetime) -> None:
        """Compose and send one picture of each watched view."""
        self.video.set_speakers(self.audio.speakers)
        self.video.tick(now, wall)

    # What can be seen of it

    @property
    def levels(self) -> Mapping[str, float]:
        """Level of each participant, dBov."""
        return self.audio.levels

    @property
    def speakers(self) -> Sequence[str]:
        """Participants in the mix, the most prominent first."""
        return self.audio.speakers

    def visible(self) -> frozenset[str]:
        """Participants who stand in a slot of any view now."""
        return frozenset(
            participant
            for view in self.plan.views
            for participant in self.video.visible(view)
            if participant is not None
        )

    def close(self) -> None:
        """Free everything; the legs are closed by whoever owns them."""
        for leg in list(self.legs.values()):
            self.remove_leg(leg)
        for recorder in list(self._recorders.values()):
            self.remove_recorder(recorder)
        self.video.close()

    # Private

    def _feed(self, participant: str, source: StreamName, leg: Leg) -> None:
        before = self._feeding.get((participant, source))
        self._feeding[participant, source] = leg
        if source == "audio":
            if before is not None:
                before.listen(None)
            self._sounds[participant] = self.audio.add_source(participant, leg.sources[source])
            self._listen(participant, leg)
        else:
            self.video.add_source(participant, source, leg)

    def _listen(self, participant: str, leg: Leg) -> None:
        sound = self._sounds[participant]
        if _is_silent(self.plan, participant):
            # One by one: what is laid where packets wait nobody looks at.
            leg.listen(lambda packet, now: sound.receive(_silent(packet), now))
        else:
            leg.listen(sound.receive, sound.waiting)

    def _silence(self, before: MediaPlan) -> None:
        """Let rooms fall silent, or be heard again, as a drill has it."""
        for (participant, source), leg in self._feeding.items():
            if source == "audio" and _is_silent(before, participant) != _is_silent(
                self.plan, participant
            ):
                self._listen(participant, leg)

    def _stop_feeding(self, participant: str, source: StreamName) -> None:
        leg = self._feeding.pop((participant, source))
        if source == "audio":
            leg.listen(None)
            self._sounds.pop(participant, None)
            self.audio.remove_source(participant)
        else:
            self.video.remove_source(participant, source)

    def _watch(self, leg: Leg, now: float) -> None:
        """Let a leg watch the view that is its own now, if it watches at all."""
        if "video" not in leg.outputs:
            return
        view = self._fixed_view.get(leg.id)
        if view is None:
            participant = self.plan.participants.get(leg.participant or "")
            view = participant.view if participant is not None else MAIN_VIEW
        if self._watching.get(leg.id) == view:
            return
        if leg.id in self._watching:
            self.video.remove_viewer(leg)
        self._watching[leg.id] = view
        self.video.add_viewer(leg, view, now)


def _is_silent(plan: MediaPlan, participant: str) -> bool:
    faults = plan.faults.get(participant)
    return faults is not None and faults.silent


def _silent(packet: AudioPacket) -> AudioPacket:
    """As a sender says that it is silent."""
    return packet._replace(payload=b"", level_dbov=None)


def _pictures(outputs: Streams) -> dict[StreamName, StreamCodec]:
    return {name: codec for name, codec in outputs.items() if name != "audio"}
