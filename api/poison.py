"""Finding the order that no round can be planned with, so that all the others can.

The way of last resort: a copy of the board is planned without each suspect in turn, the newest first.
"""

from __future__ import annotations

import logging
from typing import Any

from dispatch.board import Board
from dispatch.snapshot import freeze
from routing.places import PlaceBook
from routing.travel import TravelTimes

log = logging.getLogger(__name__)

MOST_SUSPECTS = 30


def poison_of(state: dict[str, Any], places: PlaceBook, times: TravelTimes) -> str | None:
    """The order (of a dumped board) without which a round can be planned; None where no single one is to blame."""
    from dispatch.planner import solve_round

    board = Board.load(places, state)
    suspects = [
        (record.seq, order_id)
        for order_id, record in board.open_orders.items()
        if record.is_waiting and not record.held and record.rider_id is None
    ]
    for _, order_id in sorted(suspects, reverse=True)[:MOST_SUSPECTS]:
        board.orders[order_id].held = True
        try:
            solve_round(freeze(board), times, recipe="insertion")
        except Exception:
            board.orders[order_id].held = False
        else:
            return order_id
    log.error("rounds cannot be planned, and no single order is to blame")
    return None
