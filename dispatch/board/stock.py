"""What is known of stores, and of their articles: counted, held, taken or freed; never less than nothing.

A store says what it has (`StockKnown`); an article of which it says nothing is there without limit.  An order holds
what it takes at the store that is chosen for it, until its goods are picked up or it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch.board.records import FOR_EVER, OrderRecord
from dispatch.board.store_demand import StoreDemand
from dispatch.model import Order, Store


@dataclass(slots=True)
class StoreRecord:
    """What is known of one store."""

    store: Store
    demand: StoreDemand = field(default_factory=StoreDemand)
    closed_until: int | None = None
    delay_s: int = 0
    delay_until: int | None = None
    """Up to when goods take longer (None: until the store says otherwise)."""
    stock: dict[str, int] = field(default_factory=dict)
    """What it has of the articles that it counts."""
    reserved: dict[str, int] = field(default_factory=dict)
    """What of that orders hold."""
    stock_version: int = 0

    def delay_at(self, now: int) -> int:
        """How much longer than estimated goods take at an instant."""
        return self.delay_s if self.delay_until is None or now < self.delay_until else 0

    def opens_from(self, at: int) -> int | None:
        """The first instant from `at` on at which it hands out goods, by its hours and its word; None: not known."""
        if self.closed_until is not None and self.closed_until > at:
            if self.closed_until >= FOR_EVER:
                return None
            at = self.closed_until
        return self.store.opens_from(at)


def lacking(store: StoreRecord, order: Order, *, holds: bool = False, promised: Mapping[str, int] | None = None) -> str:
    """Which article a store has too few of for an order, in words; empty where it has enough.

    `holds`: the order has its own reserved there.  `promised`: what else is about to be reserved.
    """
    for sku, count in order.skus:
        if sku in store.stock and not holds:
            left = store.stock[sku] - store.reserved.get(sku, 0) - (promised or {}).get(sku, 0)
            if left < count:
                return f"it has {max(0, left)} of {sku} left, {count} are needed"
    return ""


def reserve(stores: Mapping[str, StoreRecord], record: OrderRecord) -> None:
    """Hold what an order takes at the store that is chosen for it, and nowhere else."""
    free(stores, record)
    if record.order.skus:
        _add(stores[record.order.store_id].reserved, record.order, 1)
        record.reserved_at = record.order.store_id


def free(stores: Mapping[str, StoreRecord], record: OrderRecord) -> None:
    """Hold nothing for it any more."""
    if record.reserved_at is not None:
        _add(stores[record.reserved_at].reserved, record.order, -1)
        record.reserved_at = None


def take(stores: Mapping[str, StoreRecord], record: OrderRecord) -> None:
    """Its goods have left their store: what was held is gone."""
    if record.reserved_at is None:
        return
    store = stores[record.reserved_at]
    free(stores, record)
    for sku, count in record.order.skus:
        if sku in store.stock:
            store.stock[sku] = max(store.reserved.get(sku, 0), store.stock[sku] - count)


def put_back(stores: Mapping[str, StoreRecord], record: OrderRecord) -> None:
    """Its goods are at their store again."""
    store = stores[record.order.store_id]
    for sku, count in record.order.skus:
        if sku in store.stock:
            store.stock[sku] += count


def _add(reserved: dict[str, int], order: Order, sign: int) -> None:
    for sku, count in order.skus:
        left = reserved.get(sku, 0) + sign * count
        if left:
            reserved[sku] = left
        else:
            reserved.pop(sku, None)
