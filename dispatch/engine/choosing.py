"""What a round has chosen for orders with alternatives, put into a decision."""

from __future__ import annotations

from dispatch import inputs as i
from dispatch.engine.draft import Draft
from dispatch.model import ActKind


def choose(draft: Draft, change: i.RouteChange, chosen: dict[str, i.Alternative]) -> None:
    """Let what a rider fetches come from where the plan has it fetched, and go where it has it brought."""
    picks = {order_id for stop in change.stops for order_id, kind in stop.acts if kind is ActKind.PICKUP}
    for order_id in sorted(picks & chosen.keys()):
        found, order = chosen[order_id], draft.order(order_id)
        if (found.store_id, found.end) != (order.store_id, order.end.name):
            source = next(one for one in order.all_sources if one.store_id == found.store_id)
            end = next(one for one in order.all_ends if one.name == found.end)
            draft.choose(order.choosing(source, end), found.instead)
