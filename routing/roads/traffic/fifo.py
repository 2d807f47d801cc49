"""How far a traffic table is from first in, first out.

A round's times are those of the slot at its start, so a rider who leaves in a slot's last second can be overtaken by
one who leaves a second later: by as much as the next slot's time is shorter.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from routing.roads.traffic.traffic import TrafficTable

SAMPLE = 256
"""Nodes between which slots are compared unless others are given."""


def some_nodes(count: int) -> NDArray[np.int32]:
    """Nodes spread over a city of `count`, int32[k]."""
    return np.unique(np.linspace(0, count - 1, SAMPLE).astype(np.int32))


def largest_decrease_s(table: TrafficTable, ms_at: Callable[[int], NDArray[np.int32]]) -> float:
    """The largest decrease of a travel time from a slot to the next, in seconds; `ms_at(at)`: times of an instant."""
    worst = 0
    for slot, following in table.neighbours():
        if table.rules[slot] != table.rules[following]:
            before, after = (ms_at(table.begin_of(each)).astype(np.int64) for each in (slot, following))
            worst = max(worst, int((before - after).max()))
    return worst / 1000.0
