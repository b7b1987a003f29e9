"""What is pinned to the picture, where and how long; and what the engine draws of it. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from mcu.conference.events import Event
from mcu.conference.overlay_model import (
    MAX_OVERLAY_TEXT,
    MAX_OVERLAYS,
    NoteOverlayOver,
    Overlay,
    OverlayCommand,
    OverlayPinned,
    OverlayRemoved,
    PinOverlay,
)
from mcu.conference.state import ConferenceState, Refused
from mcu.conference.texts import checked_text
from mcu.engine.plan import OverlayPlan
from mcu.sentences import sentence

MAX_DURATION_S: Final = 86_400.0
DRILL_TEXT: Final = "DIỄN TẬP"
"""In the picture of a drill, so that nobody takes it for a meeting."""


def decide_overlays(
    state: ConferenceState, command: OverlayCommand | NoteOverlayOver, now: datetime
) -> list[Event]:
    """Decide a command, or that the time of some is over.

    Raises:
        Refused: no text, an unknown view, too many, a time that cannot be, an unknown number.
    """
    if isinstance(command, NoteOverlayOver):
        over = [one for one in state.overlays if one.until is not None and one.until <= now]
        return [OverlayRemoved(one.number, "over") for one in over]
    if isinstance(command, PinOverlay):
        return _pin(state, command, now)
    if all(one.number != command.number for one in state.overlays):
        if 0 < command.number <= state.overlays_pinned:
            return []  # somebody was faster, or its time was over
        raise Refused(sentence("overlay.unknown", number=command.number), "number")
    return [OverlayRemoved(command.number, "removed")]


def overlay_plans(state: ConferenceState, view: str) -> tuple[OverlayPlan, ...]:
    """What is drawn on a view now, in the order in which it was pinned."""
    return tuple(_plans(state, view))


def _pin(state: ConferenceState, command: PinOverlay, now: datetime) -> list[Event]:
    text = checked_text(command.text, "text", MAX_OVERLAY_TEXT)
    if command.kind == "text" and not text:
        raise Refused(sentence("overlay.empty"), "text")
    if command.kind == "floor" and text:
        raise Refused(sentence("overlay.floor-text"), "text")
    if command.view is not None and command.view not in state.views:
        known = ", ".join(state.views)
        raise Refused(sentence("view.unknown", view=command.view, known=known), "view")
    until = None
    if command.duration_s is not None:
        if not 0 < command.duration_s <= MAX_DURATION_S:
            raise Refused(
                sentence("overlay.time", longest_s=MAX_DURATION_S),
                "duration_s",
            )
        until = now + timedelta(seconds=command.duration_s)
    for one in state.overlays:
        same = (one.kind, one.text, one.position, one.view, one.until)
        if same == (command.kind, text, command.position, command.view, until):
            return []
        overlap = one.view is None or command.view is None or one.view == command.view
        if one.kind == command.kind == "floor" and overlap:
            raise Refused(sentence("overlay.floor-there"))
    if len(state.overlays) >= MAX_OVERLAYS:
        raise Refused(sentence("overlay.too-many", most=MAX_OVERLAYS))
    number = state.overlays_pinned + 1
    pinned = Overlay(number, command.kind, text, command.position, command.view, until, now)
    return [OverlayPinned(pinned)]


def _plans(state: ConferenceState, view: str) -> Iterator[OverlayPlan]:
    if state.drill is not None:
        yield OverlayPlan("top-left", DRILL_TEXT)
    for one in state.overlays:
        if one.view not in (None, view):
            continue
        if one.kind == "text":
            yield OverlayPlan(one.position, one.text)
            continue
        holder = state.floor.holder
        who = None if holder is None else state.participants.get(holder.participant)
        if holder is None or who is None or (holder.until is None and holder.left_s is None):
            continue  # nobody has it, or nobody's time is limited
        yield OverlayPlan(one.position, who.label, holder.until, holder.left_s)
