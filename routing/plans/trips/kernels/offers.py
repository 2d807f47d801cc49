"""What vehicles would pay for a request, the rest of the plan fixed."""

from __future__ import annotations

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout as col
from routing.plans.trips.kernels.places import (
    best_in,
    change_price,
    copy_row,
    fits,
    price_changes,
    take_out,
    time_row,
)
from routing.plans.trips.kernels.timeline import door_price

NEVER = col.NEVER


@inner_kernel
def note_offer(offers, i, v, price):
    """Keep (v, price) in the sorted offers of row i if it is among the best; the first of equals stays in front."""
    last = offers.shape[1] - 1
    if price >= offers[i, last, 1]:
        return
    k = last
    while k > 0 and offers[i, k - 1, 1] > price:
        offers[i, k, 0], offers[i, k, 1] = offers[i, k - 1, 0], offers[i, k - 1, 1]
        k -= 1
    offers[i, k, 0], offers[i, k, 1] = v, price


@inner_kernel
def collect_offers(day, plan, r, own, offers, i):
    """Fill row i of `offers` with the cheapest other vehicles for request r, which is on no row now; places tried."""
    request, vehicle, near, near_at = day.request, day.vehicle, day.near, day.near_at
    group, ready = request[r, col.GROUP], request[r, col.READY]
    last = offers.shape[1] - 1
    tried = 0
    for c in range(near.shape[1]):
        act_at = near_at[group, c]
        pick_at = act_at if act_at > ready else ready
        if act_at >= col.FAR or door_price(request, r, pick_at + request[r, col.DIRECT]) >= offers[i, last, 1]:
            break
        v = near[group, c]
        if v != own and fits(request, vehicle, day.allowed, v, r):
            change, more, front = price_changes(
                request, vehicle, plan.orders, day.told_ptr, day.told, day.change, plan.trip, plan.chain, v, r
            )
            price, k, _, places = best_in(
                request, vehicle, day.legs, day.window, plan.orders, plan.trip, plan.chain, v, r, change, more, front,
                offers[i, last, 1],
            )  # fmt: skip
            tried += places
            if k >= 0:
                note_offer(offers, i, v, price)
    return tried


@lean_kernel
def write_offers(day, plan, requests, added, best):
    """For each request its own added price and the best other offers; gives back the places tried.

    added: int64[n] and best: int64[n, ., 2] of (vehicle, price), all NEVER before.  The plan is left as it was.
    """
    spare = len(day.vehicle)
    tried = 0
    for i in range(len(requests)):
        r = requests[i]
        v = plan.where[r]
        if v >= 0:
            copy_row(plan, v, spare)
            take_out(plan, r)
            if time_row(day, plan, v, 0):
                change = change_price(day.request, day.told_ptr, day.told, day.change, r, v)
                added[i] = plan.chain[spare, col.TOTAL] - plan.chain[v, col.TOTAL] + change
        tried += collect_offers(day, plan, r, v, best, i)
        if v >= 0:
            copy_row(plan, spare, v)
            plan.where[r] = v
    return tried
