"""Who receives which rendition of which view: the best one that codec, line and encoders allow.

A rendition is opened for the first leg that needs it, and closed with the last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcu.engine.conference_video import VideoLeg
from mcu.engine.plan import ViewPlan
from mcu.engine.rendition_sharing import MAX_RENDITIONS, share
from mcu.engine.video_ladder import AUDIO_ONLY_BPS, Rung, allowed_rungs, choose_rung
from mcu.engine.view import View
from mcu.engine.view_rendition import ViewRendition
from mcu.legs.leg import StreamCodec, StreamName
from mcu.media.rendition import RenditionKey

STREAMS: tuple[StreamName, ...] = ("video", "presentation")


@dataclass(slots=True)
class _Viewer:
    """What one leg receives on one of its streams."""

    leg: VideoLeg
    stream: StreamName
    view: str
    rendition: ViewRendition | None = None
    shown: str = ""
    """The view the rendition is of: ``view``, or the one with the presentation in it."""

    @property
    def bitrate_bps(self) -> int:
        """Of what it gets now."""
        return 0 if self.rendition is None else self.rendition.key.bitrate_bps


class Viewers:
    """All that receive pictures of one conference.

    Args:
        views: those that are open, by name; read whenever somebody goes over.
        open_rendition: makes the encoding of a view that nobody has yet.
        width, height, fps, bitrate_bps: of a view and its best rendition.
    """

    def __init__(
        self,
        views: Mapping[str, View],
        open_rendition: Callable[[RenditionKey], ViewRendition],
        *,
        width: int,
        height: int,
        fps: int,
        bitrate_bps: int,
    ) -> None:
        self._views = views
        self._open_rendition = open_rendition
        self._width, self._height = width, height
        self._fps, self._bitrate_bps = fps, bitrate_bps
        self._viewers: dict[tuple[str, StreamName], _Viewer] = {}
        self._limits: dict[str, int] = {}
        self._plans: Mapping[str, ViewPlan] = {}
        self._showing: str | None = None
        self._most = MAX_RENDITIONS

    def __len__(self) -> int:
        return len(self._viewers)

    def add(self, leg: VideoLeg, stream: StreamName, view: str) -> None:
        """Let a leg receive a view on one of its streams; once the view is open, if it is not."""
        before = self._viewers.pop((leg.id, stream), None)
        if before is not None:
            self._stop(before)
        viewer = self._viewers[leg.id, stream] = _Viewer(leg, stream, view)
        self._start(viewer)

    def remove(self, leg: VideoLeg) -> None:
        """Send a leg nothing more."""
        for stream in STREAMS:
            viewer = self._viewers.pop((leg.id, stream), None)
            if viewer is not None:
                self._stop(viewer)
                leg.play(viewer.stream, None)

    def limit(self, leg_id: str, limit_bps: int | None) -> None:
        """Bound what a leg gets; ``AUDIO_ONLY_BPS`` is no picture at all, None no bound."""
        if self._limits.get(leg_id) == limit_bps:
            return
        if limit_bps is None:
            self._limits.pop(leg_id, None)
        else:
            self._limits[leg_id] = limit_bps
        for stream in STREAMS:
            viewer = self._viewers.get((leg_id, stream))
            if viewer is not None:
                self._move(viewer)

    def share(self, most: int) -> None:
        """Let legs have so many renditions of a view and codec at most."""
        if self._most == most:
            return
        self._most = most
        # The weakest first: they make room, and the best lines keep what they have.
        for viewer in sorted(self._viewers.values(), key=lambda one: one.bitrate_bps):
            self._move(viewer)

    def show(self, plans: Mapping[str, ViewPlan], showing: str | None) -> None:
        """Let all go over to the view that is theirs now; who has none gets it.

        Args:
            plans: of the views. showing: the leg whose presentation is shown.
        """
        self._plans, self._showing = plans, showing
        for viewer in self._viewers.values():
            changes = viewer.shown != self._shown(viewer)
            if viewer.rendition is None or changes or self._is_own(viewer):
                self._start(viewer)

    def ladder(self, codec: StreamCodec) -> tuple[Rung, ...]:
        """The rungs a peer with this codec can take at all, best first."""
        return allowed_rungs(
            codec,
            width=self._width,
            height=self._height,
            fps=self._fps,
            bitrate_bps=self._bitrate_bps,
        )

    def receives(self, leg_id: str) -> RenditionKey | None:
        """What a leg gets as its picture of the meeting."""
        viewer = self._viewers.get((leg_id, "video"))
        return None if viewer is None or viewer.rendition is None else viewer.rendition.key

    # Private

    def _shown(self, viewer: _Viewer) -> str:
        """The view for a viewer now: who gets no presentation sees it in the picture."""
        plan = self._plans.get(viewer.view)
        if (
            self._showing is None
            or plan is None
            or plan.with_presentation is None
            or viewer.stream != "video"
            or "presentation" in viewer.leg.outputs
        ):
            return viewer.view
        return plan.with_presentation.name

    def _is_own(self, viewer: _Viewer) -> bool:
        """Whether a viewer would get back the presentation that it sends."""
        return viewer.stream == "presentation" and viewer.leg.id == self._showing

    def _move(self, viewer: _Viewer) -> None:
        """Let a viewer go over to what its limit allows now, or to no picture at all."""
        if self._limits.get(viewer.leg.id) != AUDIO_ONLY_BPS:
            self._start(viewer)
        else:
            self._silence(viewer)

    def _start(self, viewer: _Viewer) -> None:
        """Give a viewer the rendition that its codec and line allow; made if nobody has it yet."""
        if self._is_own(viewer):
            self._silence(viewer)
            return
        shown = self._shown(viewer)
        view = self._views.get(shown)
        limit = self._limits.get(viewer.leg.id)
        if view is None or limit == AUDIO_ONLY_BPS:
            return  # the plan that names the view, or a better line, is on its way
        key = self._key(view, viewer, limit)
        rendition = view.renditions.get(key)
        if rendition is None:
            rendition = view.renditions[key] = self._open_rendition(key)
        if rendition is viewer.rendition:
            return
        self._stop(viewer)
        rendition.legs[viewer.leg.id] = viewer.leg
        viewer.rendition, viewer.shown = rendition, shown
        viewer.leg.play(viewer.stream, rendition.rendition)

    def _silence(self, viewer: _Viewer) -> None:
        if viewer.rendition is not None:
            self._stop(viewer)
            viewer.leg.play(viewer.stream, None)

    def _stop(self, viewer: _Viewer) -> None:
        rendition = viewer.rendition
        viewer.rendition = None
        if rendition is None:
            return
        rendition.legs.pop(viewer.leg.id, None)
        if not rendition.legs:
            rendition.close()
            del self._views[viewer.shown].renditions[rendition.key]

    def _key(self, view: View, viewer: _Viewer, limit_bps: int | None) -> RenditionKey:
        codec = viewer.leg.outputs[viewer.stream]
        rung = choose_rung(
            codec,
            width=self._width,
            height=self._height,
            fps=self._fps,
            bitrate_bps=self._bitrate_bps,
            limit_bps=limit_bps,
        )
        key = RenditionKey(
            "video",
            view.plan.name,
            codec.name,
            rung.width,
            rung.height,
            rung.bitrate_bps,
            single_nal=codec.single_nal,
        )
        alike = [
            one.key
            for one in view.renditions.values()
            if (one.key.codec, one.key.single_nal) == (codec.name, codec.single_nal)
            and set(one.legs) != {viewer.leg.id}
        ]
        return share(key, alike, self._most)
