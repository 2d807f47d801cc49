"""Goods in a rider's bag that no plan has given to them: to their customer, or back to their store."""

from __future__ import annotations

from dispatch.engine.draft import Draft
from dispatch.model import Act, ActKind, Level, Stop


def bring_back(draft: Draft, order_id: str, rider_id: str) -> None:
    """Goods on board go back to their store, after the drops that were told already."""
    board = draft.board
    store_id = board.orders[order_id].order.store_id
    act = Act(order_id, ActKind.DROP, Level.TENTATIVE)
    stop = Stop("", board.stores[store_id].store.place, store_id, Level.TENTATIVE, (act,), 0, 0, 0, 0, 0)
    stops = draft.rider(rider_id).route.stops
    carried = draft.on_board_of(rider_id)
    after = 0
    for index, known in enumerate(stops):
        if known.level >= Level.TOLD or any(a.order_id in carried for a in known.acts):
            after = index + 1
    draft.set_stops(rider_id, (*stops[:after], stop, *stops[after:]))


def bring_to_customer(draft: Draft, order_id: str, rider_id: str) -> None:
    """Goods in a rider's bag get a stop at their customer's, the last one."""
    drop = Act(order_id, ActKind.DROP, Level.TENTATIVE)
    place = draft.board.orders[order_id].order.drop_place
    stop = Stop("", place, None, Level.TENTATIVE, (drop,), 0, 0, 0, 0, 0)
    draft.set_stops(rider_id, (*draft.rider(rider_id).route.stops, stop))
