"""What a replayed city is told as an order is placed: a trial insertion, like a quote of the live service."""

from __future__ import annotations

import dataclasses

from dispatch.board.board import Board
from dispatch.fees.marginal import added_by, fee_of
from dispatch.inputs import OrderPlaced
from dispatch.rounds.solve import solve_round
from dispatch.rounds.trial import frozen_with, outcome
from routing.travel import TravelTimes


def quoted(item: OrderPlaced, board: Board, times: TravelTimes, *, says_when: bool, by_rule: bool) -> OrderPlaced:
    """The order with what one insertion into the plans of now makes of it: its fee, where there is a tariff.

    `says_when`: and when it is delivered; its promise is ours with `by_rule`.  Reads the board and changes nothing.
    What the engine will refuse is not tried.
    """
    order = item.order
    if order.store_id not in board.stores or order.order_id in board.orders:
        return item
    places = board.places
    stop_s = (int(places.enter_s[order.drop_place]), int(places.exit_s[order.drop_place]))
    frozen = frozen_with(board, order, times, item.at, stop_s)
    answer = solve_round(frozen, times, recipe="insertion")
    if board.settings.rules.tariff:
        added = added_by(frozen, answer, order.order_id, times)
        item = dataclasses.replace(item, fee=fee_of(board, order, times, item.at, added))
    if not says_when:
        return item
    found = outcome(answer, order.order_id)
    return dataclasses.replace(item, expected_drop_at=found.dropoff_at, promise_is_ours=by_rule)
