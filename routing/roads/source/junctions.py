"""What a map says of crossings: gates, and sequences of streets that must not be driven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.source.access import Access
from routing.roads.source.profiles import GateByHours, Profile
from routing.roads.source.restrictions import Ban, RawRestriction, Resolver, together
from routing.roads.streets import Streets


@dataclass(frozen=True, slots=True, eq=False)
class Junctions:
    """What one profile meets at nodes.

    `gate` int8[n]: an Access; `gate_ms` int32[n]; `gate_hours`: (node, hours, whether it is open in them alone, else
    shut in them) of gates by hours; `bans`; `turn_s`, `turn_bias`, `u_turn_s` as in the profile's table.
    """

    gate: NDArray[np.int8]
    gate_ms: NDArray[np.int32]
    bans: tuple[Ban, ...] = ()
    gate_hours: tuple[tuple[int, str, bool], ...] = ()
    turn_s: float = 0.0
    turn_bias: float = 1.0
    u_turn_s: float = 0.0


@dataclass(slots=True)
class RawJunctions:
    """Gates by number of their node, one per profile, and relations."""

    gates: dict[int, tuple[GateByHours, ...]] = field(default_factory=dict)
    restrictions: list[RawRestriction] = field(default_factory=list)


def junctions_of(
    streets: Streets, raw: RawJunctions, profiles: Sequence[Profile], *, left: bool = False
) -> tuple[list[Junctions], dict[str, Any]]:
    """What every profile meets at the nodes, and what became of the restrictions.

    `left`: traffic keeps to the left.
    """
    resolver = Resolver(streets)
    index = {int(number): k for k, number in enumerate(streets.node_id.tolist())}
    found = []
    for p, profile in enumerate(profiles):
        gate = np.zeros(streets.nodes, dtype=np.int8)
        gate_ms = np.zeros(streets.nodes, dtype=np.int32)
        hours = []
        for number, verdicts in raw.gates.items():
            if number in index:
                at, said = index[number], verdicts[p]
                gate[at] = said.verdict
                gate_ms[at] = round(said.seconds * 1000)
                hours += [(at, said.hours, said.opens)] if said.hours else []
        bans = together(b for each in raw.restrictions for b in resolver.bans(each, profile.restrictions))
        bias = 1.0 / profile.turn_bias if left else profile.turn_bias
        found.append(Junctions(gate, gate_ms, bans, tuple(hours), profile.turn_s, bias, profile.u_turn_s))
    facts = {
        "barriers_shut": {
            profile.name: int((each.gate == Access.SHUT).sum()) for profile, each in zip(profiles, found, strict=True)
        },
        "restrictions_honoured": len(resolver.honoured),
        "restrictions_skipped": resolver.skipped,
    }
    return found, facts
