"""What riders report of goods: fetched, handed over, not handed over.

Goods are where they were reported last, whatever was asked for meanwhile: a cancellation makes no bag empty.  Whoever
fetched them last has them, and only they can hand them over.
"""

from __future__ import annotations

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.shown_routes import ShownStop
from dispatch.engine.carrying import bring_back, bring_to_customer
from dispatch.engine.draft import Draft
from dispatch.engine.reports.happened import as_seen
from dispatch.inputs import StopCompleted, StopFailed
from dispatch.lifecycle import CORRECTABLE, Trigger
from dispatch.model import ActKind, OrderState, Stop

Report = StopCompleted | StopFailed


def contradict(draft: Draft, item: Report, about: str) -> None:
    """Note that a report does not fit what we knew."""
    draft.events.append(e.ReportContradicted(at=item.at, rider_id=item.rider_id, stop_id=item.stop_id, about=about))


def is_pickup(board: Board, stop: ShownStop | None, order_id: str) -> bool:
    """Whether completing `stop` means that an order was fetched there, and not handed over."""
    kind = stop.kind_of(order_id) if stop is not None else None
    if kind is not None:
        return kind is ActKind.PICKUP
    record = board.orders[order_id]
    return record.pick_place is not None or (not record.state.is_on_board and record.picked_up_at is None)


def is_return(board: Board, stop: ShownStop | None, order_id: str, happened_at: int) -> bool:
    """Whether completing `stop` means that an order's goods are back at their store, and not at their customer's."""
    if stop is not None and stop.kind_of(order_id) is ActKind.DROP:
        return stop.store_id is not None
    record = board.orders[order_id]
    return record.state is OrderState.RETURNING and happened_at > record.state_at


def named(item: Report, stop: ShownStop | None) -> tuple[str, ...]:
    """The orders that a report is about: those it names, or all that its rider was shown at the stop."""
    if item.order_ids is not None:
        return tuple(dict.fromkeys(item.order_ids))
    return tuple(order_id for order_id, _ in stop.acts) if stop is not None else ()


def given_to_customers(board: Board, item: StopCompleted) -> tuple[str, ...]:
    """The orders in a rider's bag that, as they report, their customers have now: what a proof may be asked for."""
    stop = as_seen(board.riders[item.rider_id], item)
    return tuple(
        order_id
        for order_id in named(item, stop)
        if order_id in board.orders
        and board.orders[order_id].carried_by == item.rider_id
        and not is_pickup(board, stop, order_id)
        and not is_return(board, stop, order_id, item.happened_at)
    )


def still_to_bring(draft: Draft, stop: Stop, said: set[str]) -> bool:
    """Whether goods for this door are in the bag of whom it was told, and nothing has been `said` of them yet."""
    return stop.store_id is None and any(
        act.order_id not in said and draft.state(act.order_id).is_on_board for act in stop.acts
    )


def fetched(draft: Draft, order_id: str, item: StopCompleted, *, shown: bool, here: bool) -> bool:
    """Goods are with this rider, whoever was meant to fetch them; False where that is no news.

    `shown`: their phone had asked them to.  `here`: at the first stop of their route, where they still were to.
    """
    record, state = draft.board.orders[order_id], draft.state(order_id)
    in_a_bag = state.is_on_board and record.pick_place is None
    if record.carried_by == item.rider_id and (in_a_bag or state.is_final):
        return False
    if in_a_bag:
        contradict(draft, item, f"order {order_id} is in the bag of {draft.owner(order_id)}, reported picked_up")
        return False
    if state.is_final and not (_correct(draft, order_id, Trigger.PICKED_UP, item, at_any_time=shown)):
        return False
    if not state.is_final:
        draft.move(order_id, Trigger.PICKED_UP, item.happened_at, rider_id=item.rider_id)
    if not here or draft.state(order_id) is OrderState.RETURNING:
        draft.drop_order(order_id)
        _take_along(draft, order_id, item.rider_id)
    return True


def _take_along(draft: Draft, order_id: str, rider_id: str) -> None:
    """Goods that no plan had given to this rider: to their customer, or back to their store."""
    if draft.state(order_id) is OrderState.RETURNING:
        bring_back(draft, order_id, rider_id)
    else:
        bring_to_customer(draft, order_id, rider_id)


def handed_over(draft: Draft, order_id: str, item: StopCompleted, stop: ShownStop | None, *, here: bool) -> bool:
    """Goods have left this rider's bag, at the door or (a return) at their store; False where that is no news."""
    record, state = draft.board.orders[order_id], draft.state(order_id)
    if record.carried_by != item.rider_id:
        contradict(draft, item, f"order {order_id} is not in this rider's bag")
        return False
    returned = is_return(draft.board, stop, order_id, item.happened_at)
    trigger = Trigger.RETURNED if returned else Trigger.DELIVERED
    happened_at = max(item.happened_at, record.picked_up_at or 0)
    is_news = draft.move(order_id, trigger, happened_at, rider_id=item.rider_id) or _correct(
        draft, order_id, trigger, item, at_any_time=state is OrderState.RETURNING
    )
    if is_news and not here:
        draft.drop_order(order_id)
    return is_news


def not_handed_over(draft: Draft, order_id: str, item: StopFailed) -> bool:
    """This rider did not get goods that they were to fetch; False where those are no longer theirs, or in their bag."""
    if draft.owner(order_id) != item.rider_id or not draft.board.orders[order_id].is_waiting:
        return False
    draft.without(item.rider_id, lambda act: act.order_id == order_id)
    draft.move(order_id, Trigger.NOT_HANDED_OVER, item.happened_at, reason=item.reason)
    draft.events.append(
        e.RiderRefused(at=item.at, order_id=order_id, rider_id=item.rider_id, reason=f"reported:{item.reason}")
    )
    return True


def not_delivered(draft: Draft, order_id: str, item: StopFailed) -> bool:
    """Nobody took goods from this rider: they go back to their store; False where they are not in the bag."""
    record = draft.board.orders[order_id]
    if record.carried_by != item.rider_id or record.pick_place is not None:
        return False
    happened_at = max(item.happened_at, record.picked_up_at or 0)
    if not draft.move(order_id, Trigger.NOT_DELIVERED, happened_at, rider_id=item.rider_id, reason=item.reason):
        return False
    draft.without(item.rider_id, lambda act: act.order_id == order_id)
    bring_back(draft, order_id, item.rider_id)
    return True


def _correct(draft: Draft, order_id: str, trigger: Trigger, item: StopCompleted, *, at_any_time: bool) -> bool:
    """Let a state give way to a fact: one that came before it, or (`at_any_time`) one that it could not prevent."""
    record = draft.board.orders[order_id]
    after = CORRECTABLE.get((draft.state(order_id), trigger))
    if after is None or not (at_any_time or item.happened_at <= record.state_at):
        contradict(draft, item, f"order {order_id} is {draft.state(order_id).value}, reported {trigger.value}")
        return False
    draft.correct(order_id, after, max(item.happened_at, record.picked_up_at or 0), item.rider_id)
    return True
