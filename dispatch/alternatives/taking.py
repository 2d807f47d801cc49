"""Which part of a round's answer may be taken: the last of an article goes to one order alone."""

from __future__ import annotations

from collections import Counter

from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.stock import lacking
from dispatch.model import ActKind


def short_of_stock(board: Board, changes: list[i.RouteChange], chosen: dict[str, i.Alternative]) -> set[str]:
    """Riders whose change takes what an earlier one has taken: the last of an article goes to one order."""
    short: set[str] = set()
    promised: dict[str, Counter[str]] = {}
    for change in changes:
        orders = {order for stop in change.stops for order, kind in stop.acts if kind is ActKind.PICKUP}
        for order_id in sorted(orders & chosen.keys()):
            record, store_id = board.orders[order_id], chosen[order_id].store_id
            mine = promised.setdefault(store_id, Counter())
            if record.reserved_at == store_id:
                continue
            if lacking(board.stores[store_id], record.order, promised=mine):
                short.add(change.rider_id)
            mine.update(dict(record.order.skus))
    return short
