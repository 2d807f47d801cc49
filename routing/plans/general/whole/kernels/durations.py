"""How long a route lasts at least, from setting off as late as ends it no later; such routes have no breaks.

position      0 ---- 1 ---- 2 ---- 3 ---- end        forward: as soon as can be, to the end
              0 <--- 1 <--- 2 <--- 3 <--- end        backward: as late as ends there, to the start
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.plans.general.kernels import columns as col
from routing.problem.kernels.breaks import first_in, last_in


@inner_kernel
def _node_at(nodes, first, last, added, i, k, position):
    """Node at a position of a row with `added` more: none, `first` in gap i, or that and `last` in gap k."""
    if added > 0 and position == i + 1:
        return np.int64(first)
    if added == 2 and position == k + 2:
        return np.int64(last)
    if added > 0 and position > i + 1:
        position -= 2 if added == 2 and position > k + 2 else 1
    return np.int64(nodes[position])


@inner_kernel
def _leg_of(tables, own, here, there):
    """(ticks, ticks of driving) between two places."""
    if here == there:
        return np.int64(0), np.int64(0)
    legs = tables.legs[:, own[col.PROFILE]]
    ticks = np.int64(legs[0, here, there])
    return ticks, np.int64(legs[2, here, there]) if legs.shape[0] > 2 else ticks


@inner_kernel
def least_duration(tables, routes, vehicle, first, last, added, i, k):
    """Ticks that a lawful route lasts at least, with `added` more nodes in gaps i and k (see `_node_at`)."""
    nodes, own = routes.row[vehicle, col.NODE], tables.vehicle[vehicle]
    count = np.int64(routes.size[vehicle]) + added
    here, now = own[col.START_PLACE], own[col.START]
    for position in range(1, count + 1):
        node = _node_at(nodes, first, last, added, i, k, np.int64(position))
        stop = tables.node[node]
        leg, drive = _leg_of(tables, own, here, np.int64(stop[col.PLACE]))
        now = max(now + drive + stop[col.ENTER], np.int64(stop[col.OPEN]))
        now = first_in(tables.window[stop[col.REQUEST], node & 1], now) + leg - drive + stop[col.STAY]
        here = np.int64(stop[col.PLACE])
    end = now + _leg_of(tables, own, here, own[col.END_PLACE])[0]
    by = now
    for back in range(count):
        node = _node_at(nodes, first, last, added, i, k, count - back)
        here = own[col.START_PLACE]
        if back < count - 1:
            here = np.int64(tables.node[_node_at(nodes, first, last, added, i, k, count - back - 1), col.PLACE])
        stop = tables.node[node]
        leg, drive = _leg_of(tables, own, here, np.int64(stop[col.PLACE]))
        by = last_in(tables.window[stop[col.REQUEST], node & 1], by - stop[col.STAY] - (leg - drive))
        by -= stop[col.ENTER] + drive
    return end - by
