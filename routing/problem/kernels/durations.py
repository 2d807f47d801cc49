"""How late a vehicle may set off and still end its route as soon as it can; it has no breaks and no reloads."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.problem.kernels.breaks import last_in, leg_of


@inner_kernel
def _latest_instant(problem, rows, stop, by):
    """The latest tick up to `by` at which every act of the stop may happen."""
    at, moved = by, True
    while moved:
        moved = False
        for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
            within = last_in(problem.window[rows.act_request[a], rows.act_kind[a]], at)
            if within < at:
                at, moved = within, within >= 0
    return at


@inner_kernel
def latest_start(problem, travel, rows, vehicle, end):
    """The latest tick at which a lawful route may be begun that ends at `end`: nothing is waited for in vain."""
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    leg, _ = leg_of(problem, travel, rows, vehicle, last)
    by = np.int64(end - leg)
    for back in range(last - first):
        stop = last - 1 - back
        place, begin, finish = rows.stop_place[stop], rows.act_ptr[stop], rows.act_ptr[stop + 1]
        leg, drive = leg_of(problem, travel, rows, vehicle, stop)
        if finish > begin:
            by -= problem.exit[place] + leg - drive
            for a in range(begin, finish):
                by -= problem.act[rows.act_request[a], rows.act_kind[a]]
            by = _latest_instant(problem, rows, stop, by) - problem.enter[place] - drive
        else:
            by -= leg
    return by
