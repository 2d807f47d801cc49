"""Which pairs of source and end an order has still, and why the others are none of them.

A source is open until its store is told to prepare, an end until the goods leave the source.  What is open is looked
at anew in every round; what the board holds is the choice of the last one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dispatch.board.board import Board
from dispatch.board.progress import OPEN_AHEAD_S, is_sent_for, prepared_in, start_preparing_at
from dispatch.board.records import OrderRecord
from dispatch.board.stock import StoreRecord, lacking
from dispatch.events import SourceTold
from dispatch.inputs import Alternative
from dispatch.model import ActKind, End, EndKind, Level, Order, OrderState, Route, Source
from routing.cells import METRES_PER_DEGREE

MOST_PAIRS = 16
"""Pairs of one order in a round: the present one, and those that could be done soonest as the crow flies."""

M_PER_S = 5
"""What a straight metre counts for beside seconds of preparing and points, where pairs are too many."""


class Pair(NamedTuple):
    """One way of serving an order."""

    source: Source
    end: End

    @property
    def price(self) -> int:
        """Points for choosing it."""
        return self.source.price + self.end.price


def present(order: Order) -> Pair:
    """The pair that is chosen now."""
    return Pair(order.source, order.end)


def makes_sense(pair: Pair) -> bool:
    """False where goods would be carried from a counter to itself."""
    return pair.end.kind is not EndKind.COUNTER or pair.end.store_id != pair.source.store_id


def all_pairs(order: Order) -> list[Pair]:
    """Every pair that makes sense, sources in their order, of each its ends in theirs."""
    pairs = [Pair(source, end) for source in order.all_sources for end in order.all_ends]
    return [pair for pair in pairs if makes_sense(pair)]


def why_not(board: Board, record: OrderRecord, source: Source, now: int) -> str:
    """Why a source cannot be chosen now, in words; empty where it can."""
    barred = dict(record.sources_barred)
    if source.store_id in barred:
        return barred[source.store_id]
    store = board.stores[source.store_id]
    shut = why_shut(store, now + prepared_in(source, board, now), now)
    return shut or lacking(store, record.order, holds=record.reserved_at == source.store_id)


def why_shut(store: StoreRecord, ready_at: int, now: int) -> str:
    """Why a store hands out nothing now or at `ready_at`, and will not soon; empty where it does."""
    for at in (now, ready_at):
        opens = store.opens_from(at)
        if opens is None:
            return "it is closed and nobody knows until when"
        if opens > at and opens > now + OPEN_AHEAD_S:
            return f"it opens in {(opens - now) // 60} minutes only"
    return ""


def open_pairs(board: Board, record: OrderRecord, now: int) -> list[Pair]:
    """The pairs of a round, the present one first unless its store is closed and another one is open."""
    order, chosen = record.order, present(record.order)
    if not order.has_alternatives or not record.is_waiting or record.pick_place is not None:
        return [chosen]
    sources = [chosen.source]
    if record.source_is_open:
        others = (one for one in order.all_sources if one != chosen.source)
        usable = [one for one in others if not why_not(board, record, one, now)]
        keeps = not usable or is_sent_for(record, board) or not why_not(board, record, chosen.source, now)
        sources = [chosen.source, *usable] if keeps else usable
    ends = [end for end in order.all_ends if order.asked_end in ("", end.name)]
    paused = {end: board.paused_zone_of(end.place) is not None for end in ends}
    pairs = [
        pair
        for pair in (Pair(source, end) for source in sources for end in ends)
        if pair != chosen and makes_sense(pair) and not paused[pair.end]
    ]
    if len(pairs) >= MOST_PAIRS:
        pairs = _soonest(board, pairs)
    return [chosen, *pairs] if chosen.source in sources or not pairs else pairs


def _soonest(board: Board, pairs: Sequence[Pair]) -> list[Pair]:
    """The best by preparing, the straight way and the price, in their order."""
    per_s = max(1, board.settings.prices.door_per_s)

    def count(pair: Pair) -> float:
        way_s = straight_m(board, board.stores[pair.source.store_id].store.place, pair.end.place) / M_PER_S
        return pair.source.prepare_s + way_s + pair.price / per_s

    kept = sorted(range(len(pairs)), key=lambda k: (count(pairs[k]), k))[: MOST_PAIRS - 1]
    return [pairs[k] for k in sorted(kept)]


def straight_m(board: Board, here: int, there: int) -> float:
    """Metres between two places in a straight line, near enough to compare ways of one city."""
    places = board.places
    first = float(places.first[here]), float(places.first[there])
    second = float(places.second[here]), float(places.second[there])
    if places.frame == "plane":
        return math.hypot(first[0] - first[1], second[0] - second[1])
    across = math.cos(math.radians(sum(first) / 2))
    return METRES_PER_DEGREE * math.hypot(first[0] - first[1], (second[0] - second[1]) * across)


def none_can_be(board: Board, order: Order, now: int) -> dict[str, str]:
    """Of an order none of whose sources can be, each store with its reason; empty where one can.

    A single store that is closed is waited for, as ever; one that has too little is not.
    """
    stores = board.stores
    if not order.sources:
        lack = lacking(stores[order.store_id], order)
        return {order.store_id: lack} if lack else {}
    record = OrderRecord(order, 0, OrderState.CREATED, now, order.expected_ready_at)
    found = {source.store_id: why_not(board, record, source, now) for source in order.sources}
    return found if all(found.values()) else {}


def at_first(board: Board, order: Order, now: int) -> Order:
    """A new order with the first of its sources and ends that can be, by what preparing takes and what they cost."""
    if not order.has_alternatives:
        return order
    record = OrderRecord(order, 0, OrderState.CREATED, now, order.expected_ready_at)
    pairs = [pair for pair in all_pairs(order) if not why_not(board, record, pair.source, now)]
    per_s = max(1, board.settings.prices.door_per_s)
    best = min(pairs, key=lambda pair: pair.source.prepare_s * per_s + pair.price, default=present(order))
    return order.choosing(best.source, best.end)


def still_open(board: Board, found: Alternative) -> bool:
    """Whether what a round chose for an order may still be taken: nobody has acted and nothing has closed since."""
    record = board.open_orders.get(found.order_id)
    if record is None or not record.is_waiting:
        return False
    if (found.store_id, found.end) == (record.order.store_id, record.order.end.name):
        return True
    return any(
        (pair.source.store_id, pair.end.name) == (found.store_id, found.end)
        for pair in open_pairs(board, record, board.now)
    )


def to_prepare(board: Board, routes: Iterable[Route], at: int, chosen: Mapping[str, OrderRecord]) -> list[SourceTold]:
    """Stores that must be told now: at their latest start, or because a rider is told to come.

    `chosen`: orders for which another alternative is about to be chosen.
    """
    lead = board.settings.rules.commit_lead_s
    found: list[SourceTold] = []
    for route in routes:
        for stop in route.stops:
            for act in stop.acts:
                record = chosen.get(act.order_id) or board.orders[act.order_id]
                if act.kind is not ActKind.PICKUP or not record.source_is_open:
                    continue
                by_rider = act.level >= Level.TOLD
                if by_rider or start_preparing_at(record, stop, board) - lead <= at:
                    found.append(_told(record, at, "rider_told" if by_rider else "latest_start"))
    return found


def _told(record: OrderRecord, at: int, why: str) -> SourceTold:
    order, latest = record.order, record.alternative
    known = latest is not None and (latest.store_id, latest.end) == (order.store_id, order.end.name)
    return SourceTold(
        at=at, order_id=order.order_id, store_id=order.store_id, expected_ready_at=at + order.source.prepare_s,
        why=why, instead=latest.instead if latest is not None and known else (),
    )  # fmt: skip
