"""The section of the alarms: what is watched, how closely, and from when on it is trouble."""

from typing import Annotated, Literal

from pydantic import Field

from config.sections import Section

Kind = Literal["lost", "black", "frozen", "silent", "clipping", "echo", "howl", "loss", "drift"]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class AlarmSettings(Section):
    """When rooms are in trouble, and how much work is spent on finding out."""

    enabled: bool = Field(
        True, description="Watch rooms at all; without it nothing is decoded for alarms."
    )
    off: tuple[Kind, ...] = Field((), description="Kinds that are not raised.")
    rooms_at_once: Annotated[int, Field(ge=0, le=32)] = Field(
        6,
        description="Rooms whose sound is listened to at the same time: who speaks, who is "
        "suspected of an echo, then all others in turn. 0: levels alone.",
    )
    pictures_at_once: Annotated[int, Field(ge=0, le=64)] = Field(
        6,
        description="Rooms whose pictures are looked at, five times a second, at the same time. "
        "0: none.",
    )
    turn_s: Annotated[float, Field(ge=8, le=120)] = Field(
        10.0, description="How long a room in its turn is listened to or looked at."
    )
    round_s: Annotated[float, Field(ge=60, le=3600)] = Field(
        300.0,
        description="Each room has had its turn after so long. Where the numbers above leave too "
        "few places for that, more rooms are listened to and looked at, 32 in turn at most.",
    )
    lost_after_s: Seconds = Field(0.0, description="A room is lost for so long.")
    black_after_s: Seconds = Field(
        3.0, description="Pictures are black or of one shade, or none come, for so long."
    )
    frozen_after_s: Seconds = Field(3.0, description="Pictures are found frozen for so long.")
    silent_after_s: Seconds = Field(
        10.0,
        description="Nobody speaks for so long in a room that has the floor, is called or "
        "presents.",
    )
    clipping_after_s: Seconds = Field(4.0, description="Sound is found clipped for so long.")
    echo_score: Annotated[float, Field(ge=5, le=50)] = Field(
        8.0,
        description="Likeness of what a room returns to what it was sent, in standard deviations, "
        "from which on it is an echo.",
    )
    echo_least_db: Annotated[float, Field(ge=-80, le=0)] = Field(
        -45.0, description="A fainter echo, against what was sent, is none."
    )
    howl_after_s: Seconds = Field(1.0, description="A tone holds for so long.")
    loss_percent: Annotated[float, Field(gt=0, le=100)] = Field(
        5.0, description="Packets lost on a room's line, either way, from which on it is trouble."
    )
    loss_after_s: Seconds = Field(10.0, description="... for so long.")
    drift_ppm: Annotated[float, Field(gt=0, le=100_000)] = Field(
        300.0,
        description="Drift of a room's clock against ours, in millionths, from which on it is "
        "trouble; a codec that is another one than at first always is.",
    )
