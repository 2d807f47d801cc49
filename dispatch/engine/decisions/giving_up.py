"""An order that nobody can take ends by a stated time, with a reason, and its end is announced before."""

from __future__ import annotations

from collections.abc import Iterable

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord
from dispatch.engine.draft import Draft
from dispatch.lifecycle import Trigger

MOST_NOTICE_S = 600
"""The end of an order is announced so long before, or half of `rules.give_up_s` where that is less."""


def ends_at(order: OrderRecord, board: Board) -> int | None:
    """When an order that nobody has taken ends; None where it does not, for somebody has it, or keeps it back."""
    give_up_s = board.settings.rules.give_up_s
    if not give_up_s or order.held or not order.is_on_no_route:
        return None
    limit = _limit(order, give_up_s)
    return limit if order.gives_up_at is None else max(order.gives_up_at, limit)


def rings_at(order: OrderRecord, board: Board) -> int | None:
    """When something is to be said or done of it next."""
    at = ends_at(order, board)
    return at if at is None or order.gives_up_at == at else at - _notice_s(board)


def look(board: Board, order_ids: Iterable[str], at: int) -> tuple[e.Event, ...]:
    """What becomes of orders whose time has come at `at`: announced first, ended then."""
    draft = Draft(board, at)
    for order_id in order_ids:
        record = board.orders[order_id]
        end = ends_at(record, board)
        if end is None:
            continue
        if record.gives_up_at == end <= at:
            draft.move(order_id, Trigger.GIVEN_UP, at, reason=_why(record))
        elif record.gives_up_at != end and end - _notice_s(board) <= at:
            said = max(end, at + _notice_s(board))
            draft.events.append(e.OrderGivingUp(at=at, order_id=order_id, ends_at=said, reason=_why(record)))
    return draft.finish()


def _limit(order: OrderRecord, give_up_s: int) -> int:
    return max(order.order.due_at, order.order.release_at or 0) + give_up_s


def _notice_s(board: Board) -> int:
    return min(MOST_NOTICE_S, board.settings.rules.give_up_s // 2)


def _why(order: OrderRecord) -> str:
    """In one word: nobody took it, and what stood in the way last."""
    return "no_rider" if order.reason is None else f"no_rider:{order.reason.name}"
