"""Regret insertion: first what would be dearest to put off (Potvin and Rousseau 1993)."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.kernels import columns as col
from routing.plans.kernels.moves import best_in, insert, may_serve


@inner_kernel
def _price_column(tables, routes, work, vehicle, pending, count, price, gap):
    """Price every pending request in one vehicle."""
    for k in range(count):
        request = pending[k]
        price[k, vehicle] = tables.request[request, col.SKIP]
        if not may_serve(tables, request, vehicle):
            continue
        work.counter[col.INSERTIONS] += 1
        cost, pick, drop = best_in(tables, routes, request, vehicle, tables.request[request, col.SKIP], work)
        if pick >= 0:
            price[k, vehicle] = cost
            gap[k, vehicle, 0], gap[k, vehicle, 1] = pick, drop


@inner_kernel
def _choose(tables, pending, count, price, degree, nearest):
    """Index of the pending request with the greatest regret and its cheapest vehicle, (-1, -1) where nothing fits."""
    chosen, where, most = -1, -1, np.int64(-1)
    cheapest = np.int64(0)
    for k in range(count):
        skip = tables.request[pending[k], col.SKIP]
        for place in range(degree):
            nearest[place] = skip
        best = -1
        for vehicle in range(price.shape[1]):
            cost = price[k, vehicle]
            if cost < nearest[degree - 1]:
                if cost < nearest[0]:
                    best = vehicle
                place = degree - 1
                while place > 0 and nearest[place - 1] > cost:
                    nearest[place] = nearest[place - 1]
                    place -= 1
                nearest[place] = cost
        if best < 0:
            continue
        regret = np.int64(0)
        for place in range(1, degree):
            regret += nearest[place] - nearest[0]
        if regret > most or (regret == most and nearest[0] < cheapest):
            chosen, where, most, cheapest = k, best, regret, nearest[0]
    return chosen, where


@lean_kernel
def insert_by_regret(tables, routes, work, degree, price, gap, nearest):
    """Insert absent requests, the one with the greatest `degree`-regret first.

    `price[A, V]`, `gap[A, V, 2]`, `nearest[degree]`: scratch.
    """
    pending, count = work.list[:, col.ORDER], routes.missing[0]
    for k in range(count):
        pending[k] = routes.absent[k]
    for vehicle in range(len(routes.size)):
        _price_column(tables, routes, work, vehicle, pending, count, price, gap)
    while count > 0:
        k, vehicle = _choose(tables, pending, count, price, degree, nearest)
        if k < 0:
            break
        insert(tables, routes, pending[k], vehicle, gap[k, vehicle, 0], gap[k, vehicle, 1], work)
        count -= 1
        pending[k] = pending[count]
        for other in range(price.shape[1]):
            price[k, other] = price[count, other]
            gap[k, other, 0], gap[k, other, 1] = gap[count, other, 0], gap[count, other, 1]
        _price_column(tables, routes, work, vehicle, pending, count, price, gap)
    routes.missing[0] = count
    for k in range(count):
        routes.absent[k] = pending[k]
