"""Each order at once to the rider who can pick it up first."""

from __future__ import annotations

from dispatch.policies.policy import SimplePolicy
from dispatch.policies.view import Plan, View


class Nearest(SimplePolicy):
    """First come, first served: what a dispatcher does who looks at one order at a time."""

    name = "nearest"

    def decide(self, view: View) -> Plan:
        plan = view.new_plan()
        busy: set[int] = set()
        for order in view.open_orders:
            found = []
            for rider in view.riders:
                pickup = None if rider.index in busy else view.pickup_in_s(rider, order)
                if pickup is not None:
                    found.append((pickup, rider.index, rider))
            if found:
                rider = min(found)[2]
                plan.give(rider, [order])
                busy.add(rider.index)
        return plan
