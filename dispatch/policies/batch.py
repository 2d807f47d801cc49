"""Every two minutes: bundle the open orders of each store, then assign bundles to riders at the least total cost.

The textbook rolling horizon: what is open now is solved exactly, what comes later is not thought of.
"""

from __future__ import annotations

import numpy as np

from dispatch.policies.policy import SimplePolicy
from dispatch.policies.view import FreeRider, OpenOrder, Plan, View
from routing.plans.ortools.assignment import share_out

MOST_IN_A_BUNDLE = 3
WAITING_PRICE = 3_600
"""Seconds charged for leaving an order to the next round: more than any rider in reach costs."""

Bundle = list[OpenOrder]


class Batch(SimplePolicy):
    """Assignment of same-store bundles every two minutes."""

    name = "batch"
    settings = {"rules.round_mode": "beat", "rules.round_s": 120}  # noqa: RUF012

    def decide(self, view: View) -> Plan:
        plan = view.new_plan()
        bundles = bundled(view)
        riders = view.riders
        which, who, price = [], [], []
        for b, bundle in enumerate(bundles):
            for r, rider in enumerate(riders):
                cost = delay_s(view, rider, bundle)
                if cost is not None:
                    which.append(b)
                    who.append(r)
                    price.append(cost)
        chosen = share_out(
            np.array(which, dtype=np.int32),
            np.array(who, dtype=np.int32),
            np.array(price, dtype=np.int64),
            np.array([WAITING_PRICE * len(bundle) for bundle in bundles], dtype=np.int64),
            len(riders),
        )
        for bundle, r in zip(bundles, chosen.tolist(), strict=True):
            if r >= 0:
                plan.give(riders[r], bundle)
        return plan


def bundled(view: View) -> list[Bundle]:
    """The open orders by store, oldest first, in bundles that are ready within five minutes of each other."""
    by_store: dict[int, list[Bundle]] = {}
    most = min(MOST_IN_A_BUNDLE, view.frozen.settings.rules.max_batch)
    for order in sorted(view.open_orders, key=lambda order: (order.ready_in_s, order.index)):
        bundles = by_store.setdefault(order.pickup, [])
        last = bundles[-1] if bundles else []
        crowded = len(view.open_orders) > len(view.idle_riders)
        if crowded and last and len(last) < most and order.ready_in_s - max(0, last[0].ready_in_s) <= 300:
            last.append(order)
        else:
            bundles.append([order])
    for bundles in by_store.values():
        for bundle in bundles:
            bundle[:] = by_nearest_drop(view, bundle)
    return [bundle for bundles in by_store.values() for bundle in bundles]


def by_nearest_drop(view: View, bundle: Bundle) -> Bundle:
    """The bundle in the sequence of always the nearest next door."""
    left, place, sequence = list(bundle), bundle[0].pickup, []
    while left:
        nearest = min(left, key=lambda order: (view.seconds(place, order.drop), order.index))
        left.remove(nearest)
        sequence.append(nearest)
        place = nearest.drop
    return sequence


def delay_s(view: View, rider: FreeRider, bundle: Bundle) -> int | None:
    """Sum over the bundle's orders of seconds from now to the door, None where this rider cannot take them all."""
    pickups = [view.pickup_in_s(rider, order) for order in bundle]
    if any(pickup is None for pickup in pickups):
        return None
    if sum(int(view.problem.load[order.index, 0]) for order in bundle) > int(view.problem.capacity[rider.index, 0]):
        return None
    at, place, total = max(pickup for pickup in pickups if pickup is not None), bundle[0].pickup, 0
    for order in bundle:
        at += int(view.problem.exit[place]) + view.seconds(place, order.drop, rider)
        at += int(view.problem.enter[order.drop])
        total += at - max(0, order.ready_in_s)
        place = order.drop
    return total
