"""What is said once a rider is told an order: why them, and when it is expected from now on."""

from __future__ import annotations

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.model import ActKind, LastMetres, Level, Reason, Route


def receipt(board: Board, order_id: str, rider_id: str, last_metres: LastMetres | None, at: int) -> e.DecisionMade:
    """Why this rider, as far as the last round has said it."""
    choice = board.orders[order_id].choice
    if choice is not None and choice.rider_id != rider_id:
        choice = None
    return e.DecisionMade(
        at=at,
        decision_id=f"{order_id}@{at}",
        order_id=order_id,
        rider_id=rider_id,
        round=board.round,
        added_cost=choice.added_cost if choice else None,
        others=choice.others if choice else (),
        binding=choice.binding if choice else Reason.SERVED,
        last_metres=last_metres,
    )


def new_times(board: Board, route: Route, at: int) -> list[e.EtaChanged]:
    """Expected deliveries that have moved by more than is kept quiet since they were announced."""
    found, threshold = [], board.settings.rules.eta_changed_s
    for stop in route.stops:
        for act in stop.acts:
            if act.kind is not ActKind.DROP or act.level < Level.TOLD:
                continue
            said = board.orders[act.order_id].announced_dropoff_at
            if said is None or abs(said - stop.expected_act_at) > threshold:
                found.append(e.EtaChanged(at=at, order_id=act.order_id, expected_dropoff_at=stop.expected_act_at))
    return found
