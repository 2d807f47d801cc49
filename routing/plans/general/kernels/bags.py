"""Which goods ride together in a timed vehicle: a count of each class on board, packed into one number.

A class has a byte of the count; what a class may not ride with is a mask over those bytes, so that a pickup is judged
by two comparisons.  Only rounds whose goods may not all ride together have these columns.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.plans.general.kernels import columns as col


@inner_kernel
def _comes_on_board(tables, request, state, here):
    """Count the request's goods on board; False where they may not ride with what is there.

    `here`: the count of what came on board at the same stop from the same store.
    """
    bag, own = col.CARRIED + tables.flag[col.DIMENSIONS], tables.request[request]
    classes = col.LOAD + tables.flag[col.DIMENSIONS]
    if state[bag] & own[classes + col.APART] != 0 or (state[bag] - here) & own[classes + col.ONE_STOP] != 0:
        return False
    state[bag] += own[classes + col.ADDS]
    return True


@inner_kernel
def _loaded_here(tables, nodes, begin, k):
    """Count of what the nodes before position `k` of a stop brought on board, of its store, and left there."""
    store = tables.request[tables.node[nodes[k], col.REQUEST], col.STORE]
    here, classes = np.int64(0), col.LOAD + tables.flag[col.DIMENSIONS]
    for before in range(begin, k):
        order = tables.request[tables.node[nodes[before], col.REQUEST]]
        if nodes[before] & 1 == 1 or order[col.KIND] == col.GHOST or order[col.STORE] != store:
            continue
        stays = True
        for after in range(before + 1, k):
            stays = stays and nodes[after] != nodes[before] + 1
        if stays:
            here += order[classes + col.ADDS]
    return here


@inner_kernel
def ride_from_the_start(tables, nodes, count, vehicle, state):
    """Write the count of what is on board before the first stop; False where goods loaded there may not ride."""
    dimensions = tables.flag[col.DIMENSIONS]
    state[col.CARRIED + dimensions] = tables.vehicle[vehicle, col.CAPACITY + 2 * dimensions]
    legal = True
    for k in range(1, count + 1):
        request = tables.node[nodes[k], col.REQUEST]
        if tables.request[request, col.KIND] != col.LOADED:
            continue
        here = np.int64(0)
        for before in range(1, k):
            order = tables.request[tables.node[nodes[before], col.REQUEST]]
            if order[col.KIND] == col.LOADED and order[col.STORE] == tables.request[request, col.STORE]:
                here += order[col.LOAD + dimensions + col.ADDS]
        legal = _comes_on_board(tables, request, state, here) and legal
    return legal


@inner_kernel
def ride_together(tables, nodes, begin, finish, state):
    """Take the acts of a stop into the count; False where goods come on board beside what they may not ride with."""
    for k in range(begin, finish):
        request = tables.node[nodes[k], col.REQUEST]
        if tables.request[request, col.KIND] == col.GHOST:
            continue
        if nodes[k] & 1 == 1:
            dimensions = tables.flag[col.DIMENSIONS]
            state[col.CARRIED + dimensions] -= tables.request[request, col.LOAD + dimensions + col.ADDS]
        elif not _comes_on_board(tables, request, state, _loaded_here(tables, nodes, begin, k)):
            return False
    return True
