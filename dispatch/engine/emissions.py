"""Whose CO2 a way is: that of the orders on board, and of those to be fetched where it leads, in equal parts.

What is fetched may change at the counter; the plan of the arrival counts.
"""

from __future__ import annotations

from dispatch.engine.draft import Draft
from dispatch.model import ActKind, Stop
from dispatch.settings.co2 import NOTHING, rates_of

NOBODYS = ""
"""Stands for an order where a way was driven for none: an empty move."""


def emitted(draft: Draft, rider_id: str, stop: Stop) -> tuple[tuple[str, int], ...]:
    """Milligrams of CO2 of a rider's way to their first stop, by order; empty where there are none.

    Parts are equal; what does not divide falls to the first ones, in the order of the route.
    """
    rider = draft.rider(rider_id)
    rate = rates_of(draft.board.settings.rules.co2).get(rider.rider.profile, NOTHING)
    if not any(rate) or not stop.leg_m:
        return ()
    carried = draft.on_board_of(rider_id)
    acts = [act for other in rider.route.stops for act in other.acts]
    on_board = list(dict.fromkeys(act.order_id for act in acts if act.order_id in carried))
    load_units = sum(draft.order(order_id).load_units for order_id in on_board)
    mg = rate.of(stop.leg_m, load_units)
    fetched = [act.order_id for act in stop.acts if act.kind is ActKind.PICKUP]
    share = [*on_board, *(order_id for order_id in fetched if order_id not in carried)] or [NOBODYS]
    part, rest = divmod(mg, len(share))
    return tuple((order_id, part + (k < rest)) for k, order_id in enumerate(share))
