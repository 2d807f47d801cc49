"""Of all open orders and riders, the pair with the earliest pickup first, then the next, until nobody is left."""

from __future__ import annotations

from dispatch.policies.policy import SimplePolicy
from dispatch.policies.view import Plan, View


class Greedy(SimplePolicy):
    """Looks at all orders at once, but never back: each rider gets at most one more order a round."""

    name = "greedy"

    def decide(self, view: View) -> Plan:
        plan = view.new_plan()
        pairs = []
        for order in view.open_orders:
            for rider in view.riders:
                pickup = view.pickup_in_s(rider, order)
                if pickup is not None:
                    pairs.append((pickup, order.index, rider.index, order, rider))
        pairs.sort(key=lambda pair: pair[:3])
        given: set[int] = set()
        busy: set[int] = set()
        for _, o, r, order, rider in pairs:
            if o not in given and r not in busy:
                plan.give(rider, [order])
                given.add(o)
                busy.add(r)
        return plan
