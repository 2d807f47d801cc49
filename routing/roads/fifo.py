"""How far a traffic table is from first in, first out.

A round's times are those of the slot at its start, so a rider who leaves in a slot's last second can be overtaken by
one who leaves a second later: by as much as the next slot's time is shorter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from routing.roads.network import RoadNetwork

SAMPLE = 256
"""Nodes between which slots are compared unless others are given."""


def fifo_violation_s(network: RoadNetwork, profile: str, nodes: NDArray[np.int32] | None = None) -> float:
    """The largest decrease of a travel time from a slot to the next, in seconds, over all pairs of `nodes`."""
    table = network.state.conditions.table
    if table is None:
        return 0.0
    if nodes is None:
        nodes = np.unique(np.linspace(0, network.streets.nodes - 1, SAMPLE).astype(np.int32))

    def times(slot: int) -> NDArray[np.int64]:
        at = table.starts_at + slot * table.slot_s
        return network.travel_ms(nodes, nodes, profile=profile, at=at).astype(np.int64)

    worst = 0
    for slot, following in table.neighbours():
        if table.rules[slot] != table.rules[following]:
            worst = max(worst, int((times(slot) - times(following)).max()))
    return worst / 1000.0
