"""What the faults of a drill do to whose legs: the part of the media plan that is theirs. Pure."""

from collections.abc import Collection
from dataclasses import replace

from mcu.conference.drill_model import Drill, FaultWish
from mcu.engine.plan import LegFaults, LineFault

NOTHING = LegFaults()


def leg_faults(drill: Drill, participants: Collection[str]) -> dict[str, LegFaults]:
    """What is done to each of these; those to whom nothing is done are left out.

    Faults of one participant add up: the worst of each kind counts.
    Cost: O(active faults * participants).
    """
    found: dict[str, LegFaults] = {}
    for fault in drill.active:
        for who in fault.wish.participants or participants:
            if who in participants:
                found[who] = _added(found.get(who, NOTHING), fault.wish)
    return {who: faults for who, faults in found.items() if faults != NOTHING}


def is_down(drill: Drill) -> bool:
    """Whether a restart is in effect: there is no media, and nobody may join."""
    return any(fault.wish.kind == "restart" for fault in drill.active)


def _added(faults: LegFaults, wish: FaultWish) -> LegFaults:
    line = faults.line or LineFault()
    match wish.kind:
        case "muted":
            return replace(faults, silent=True)
        case "black":
            return replace(faults, picture="black")
        case "frozen":
            return replace(faults, picture=faults.picture or "frozen")
        case "codec":
            return replace(faults, codec=True)
        case "lost":
            return replace(faults, line=replace(line, cut=True))
        case "loss":
            loss = max(line.loss_percent, wish.loss_percent)
            jitter = max(line.jitter_ms, wish.jitter_ms)
            return replace(faults, line=replace(line, loss_percent=loss, jitter_ms=jitter))
        case "overload":
            rate = wish.rate_kbps * 1000.0
            if line.rate_bps:
                rate = min(rate, line.rate_bps)
            return replace(faults, line=replace(line, rate_bps=rate))
        case "restart":
            return faults
