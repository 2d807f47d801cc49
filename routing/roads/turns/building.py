"""The turn-aware graph of one profile, out of streets and what it meets at their nodes."""

from __future__ import annotations

from dataclasses import replace

from routing.roads.source.junctions import Junctions
from routing.roads.streets import SHUT, Streets
from routing.roads.turns.draft import draft_turns
from routing.roads.turns.limits import find_limits, tagged_limits
from routing.roads.turns.phases import phase_turns
from routing.roads.turns.turns import Turns


def build_turns(streets: Streets, profile: int, junctions: Junctions) -> Turns:
    """The turn-aware graph of a profile.

    U-turns are for ends of streets: where nothing else leads on.  Whatever lies behind a gate for ends only is for
    ends only too.  What cannot be left and come back to is shut.
    """
    draft, conditions = draft_turns(streets, profile, streets.drive_ms[profile] != SHUT, junctions)
    tagged = tagged_limits(streets, profile, draft, conditions)
    every = replace(draft)
    every.pick(~every.u_turn)
    limits, component = find_limits(streets, draft, tagged, conditions)
    return phase_turns(streets, draft, every, limits, component, conditions)
