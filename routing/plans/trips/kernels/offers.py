"""What vehicles would pay for a request, the rest of the plan fixed."""

from __future__ import annotations

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout
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

NEVER = layout.NEVER


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
    facts, near, near_at = day.facts, day.near, day.near_at
    request, last = facts.request, offers.shape[1] - 1
    group, ready = request[r, layout.GROUP], request[r, layout.READY]
    tried = 0
    for c in range(near.shape[1]):
        act_at = near_at[group, c]
        pick_at = act_at if act_at > ready else ready
        if act_at >= layout.FAR or door_price(request, r, pick_at + request[r, layout.DIRECT]) >= offers[i, last, 1]:
            break
        v = near[group, c]
        if v != own and fits(request, facts.vehicle, day.allowed, v, r):
            change, more, front = price_changes(facts, day.before, plan, v, r)
            price, k, _, places = best_in(facts, plan, v, r, change, more, front, offers[i, last, 1])
            tried += places
            if k >= 0:
                note_offer(offers, i, v, price)
    return tried


@lean_kernel
def write_offers(day, plan, requests, added, best):
    """For each request its own added price and the best other offers; gives back the places tried.

    added: int64[n] and best: int64[n, ., 2] of (vehicle, price), all NEVER before.  The plan is left as it was.
    """
    spare = len(day.facts.vehicle)
    tried = 0
    for i in range(len(requests)):
        r = requests[i]
        v = plan.where[r]
        if v >= 0:
            copy_row(plan, v, spare)
            take_out(plan, r)
            if time_row(day, plan, v, 0):
                change = change_price(day.facts.request, day.before, r, v)
                added[i] = plan.chain[spare, layout.TOTAL] - plan.chain[v, layout.TOTAL] + change
        tried += collect_offers(day, plan, r, v, best, i)
        if v >= 0:
            copy_row(plan, spare, v)
            plan.where[r] = v
    return tried
