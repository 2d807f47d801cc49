"""When orders come with what probability: said as they are placed and with their first plan, learnt from their end.

What is said changes no decision, but for the promise of an order that names none (`rules.promise_rule`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.cell_index import ZONE_RESOLUTION
from dispatch.board.records import OrderRecord
from dispatch.events import Events
from dispatch.model import ActKind, Order, OrderState
from dispatch.promise.groups import Circumstances, groups_of
from dispatch.promise.told import PLAN, QUOTE, Said
from routing.cells import parent_of

PROMISE_STEP_S = 60
"""A promise made by probability is told in whole minutes, rounded up."""


def said_of(board: Board, order: Order, basis: str, expected_at: int, now: int, load: int | None = None) -> Said:
    """What can be said at `now` of an order that is expected at `expected_at`.

    `load`: as `load_of` has found it already.
    """
    cell = int(board.places.cell[board.stores[order.store_id].store.place])
    found = Circumstances(
        basis=basis,
        load=load_of(board, now) if load is None else load,
        wait_s=board.planned_wait_s,
        into_service_s=now - board.service_began_at if board.service_began_at else 0,
        recent_ms=board.promise.recent_ms.get(basis, 0),
        lead_s=expected_at - now,
        cooking_s=order.expected_ready_at - now,
        zone=f"{parent_of(cell, ZONE_RESOLUTION):x}",
        weather=board.weather,
    )
    return board.promise.said(basis, expected_at, order.due_at, groups_of(found))


def load_of(board: Board, now: int) -> int:
    """Hundredths of an open order for each rider on duty."""
    return 100 * len(board.in_play) // max(board.duty.riders(now), 1)


def promised(
    board: Board, order: Order, expected_at: int | None, now: int, *, by_rule: bool = True
) -> tuple[Order, Said | None]:
    """The order with the promise that the rule makes it, and what is said of it on a trial insertion's word.

    `by_rule` false: its promise stands.
    """
    if expected_at is None or not board.settings.rules.promise_odds:
        return order, None
    said = said_of(board, order, QUOTE, expected_at, now)
    rule = board.settings.rules.promise_rule
    if not by_rule or rule == "fixed" or not said.calibrated:
        return order, said
    by_odds = -(-said.p90_at // PROMISE_STEP_S) * PROMISE_STEP_S
    due_at = max(by_odds, order.placed_at) if rule == "p90" else max(by_odds, order.due_at)
    made = replace(order, due_at=due_at)
    return made, said_of(board, made, QUOTE, expected_at, now)


def order_placed(board: Board, item: i.OrderPlaced) -> tuple[Order, Events]:
    """An order as it is taken, and what is said of it."""
    taken, said = promised(board, item.order, item.expected_drop_at, item.at, by_rule=item.promise_is_ours)
    return taken, (e.PromiseSaid(at=item.at, order_id=taken.order_id, said=said),) if said is not None else ()


def taught(board: Board, item: i.PromiseTaught) -> Events:
    return (e.PromiseAdopted(at=item.at, groups=item.groups, taught=item.taught, spread_ms=item.spread_ms),)


def following(board: Board, at: int, events: Sequence[e.Event]) -> Events:
    """What is said and learnt where `events`, not yet applied, plan orders for the first time, or end them."""
    if not board.settings.rules.promise_odds:
        return ()
    planned: dict[str, int] = {}
    found: list[e.Event] = []
    for event in events:
        if isinstance(event, e.RouteRevised):
            planned.update(
                (act.order_id, stop.expected_act_at)
                for stop in event.route.stops
                for act in stop.acts
                if act.kind is ActKind.DROP and not _is_planned(board.orders[act.order_id])
            )
        elif isinstance(event, e.OrderMoved | e.OutcomeCorrected) and event.state.is_final:
            found += _learnt(board, event)
    load = load_of(board, at) if planned else 0
    for order_id, expected_at in planned.items():
        said = said_of(board, board.orders[order_id].order, PLAN, expected_at, at, load)
        found.append(e.PromiseSaid(at=at, order_id=order_id, said=said))
    return tuple(found)


def _is_planned(record: OrderRecord) -> bool:
    return not record.is_waiting or any(said.basis == PLAN for said in record.said)


def _learnt(board: Board, event: e.OrderMoved | e.OutcomeCorrected) -> Events:
    """An order called off teaches nothing; one that ended without being delivered came later than anything said."""
    record = board.orders[event.order_id]
    if record.taught or not record.said or event.state is OrderState.CANCELLED:
        return ()
    delivered_at = event.happened_at if event.state is OrderState.DELIVERED else None
    lessons = tuple(
        lesson for said in record.said for lesson in board.promise.lessons(said, delivered_at, len(board.in_play))
    )
    return (e.PromiseLearned(at=event.at, order_id=event.order_id, lessons=lessons),)
