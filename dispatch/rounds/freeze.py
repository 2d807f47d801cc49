"""Board -> Problem: the open part of the board as arrays.

`freeze` is a pure function of the board at the moment a round opens; it names places by handle and holds no travel
times.  `dispatch.rounds.changes` is the way back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dispatch import inputs as i
from dispatch.alternatives.pairs import open_pairs, present, why_not
from dispatch.board.board import Board
from dispatch.board.errands import present_rows
from dispatch.board.progress import is_shut
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.board.stock import StoreRecord
from dispatch.board.store_demand import NOTICE_BINS
from dispatch.model import ActKind, Level, Reason
from dispatch.rounds.frozen_round import Frozen, IdMap, Outlook
from dispatch.rounds.problem_arrays import (
    LocalPlaces,
    barred,
    change_prices,
    is_stale,
    law_of_goods,
    law_of_pairs,
    open_behind_the_first,
    request_fields,
    told_rows,
    vehicle_fields,
    work_price,
)
from dispatch.settings.tiers import counted_due_at
from routing.problem.problem import I32, I64, INFINITE, Problem

ALONG_CELLS_FROM = 2_000
"""Places of a round from which on their order matters: a block of ticks no longer fits into a processor's caches."""


def freeze(board: Board) -> Frozen:
    """The open part of the board as the arrays of a round, at `board.now`."""
    now, settings = board.now, board.settings
    riders = [record for record in sorted(board.riders.values(), key=lambda r: r.seq) if takes_part(record, board)]
    vehicle_of = {record.rider.rider_id: v for v, record in enumerate(riders)}
    requests, left_out, over = _requests(board, vehicle_of)
    place = LocalPlaces()
    requests, choice, pair_price, ways = alternatives_of(board, requests, now)
    request_of = present_rows(board, requests)
    fields = request_fields(board, requests, vehicle_of, place)
    rows, stop_level, act_level = told_rows(board, riders, request_of, place)
    outlook_stores = list(board.stores.values()) if settings.rules.empty_moves else []
    store_place = [place(record.store.place) for record in outlook_stores]
    destinations = len(place.handles)
    fields |= vehicle_fields(board, riders, place, work_price(board))
    fields |= law_of_pairs(board, requests, riders)
    fields |= change_prices(settings)
    fields |= law_of_goods(board, requests)
    if (choice >= 0).any():
        fields["choice"] = choice
        fields["pair_price"] = np.repeat(pair_price[:, None], len(riders), axis=1)
    handles = np.array(place.handles, dtype=np.int32)
    problem = Problem(
        tick_us=1_000_000,
        place=handles,
        enter=board.places.enter_s[handles],
        exit=board.places.exit_s[handles],
        before=rows,
        stop_level=open_behind_the_first(rows, stop_level, settings.rules, fields["trip_rule"]),
        act_level=act_level,
        **fields,
    )
    memory_s = settings.reposition.memory_s
    outlook = Outlook(
        np.array(store_place, dtype=np.int32),
        np.array([record.demand.faded(now, memory_s) for record in outlook_stores]),
        np.array([record.demand.notice for record in outlook_stores], dtype=np.int32).reshape(-1, NOTICE_BINS),
        np.array([_is_movable(record, board) for record in riders], dtype=np.bool_),
        np.array([_closes_in(record, now) for record in outlook_stores], dtype=np.int32),
        now - max((record.demand.at for record in outlook_stores), default=now),
    )
    ids = IdMap(
        tuple(vehicle_of),
        tuple(record.route.revision for record in riders),
        tuple(record.order.order_id for record in requests),
        {place.local[s.store.place]: k for k, s in board.stores.items() if s.store.place in place.local},
        tuple(record.route.stops for record in riders),
        left_out,
        barred(requests, riders, fields["allowed"]),
        place.doors,
        ways,
        request_of,
    )
    frozen = Frozen(board.round, now, problem, destinations, ids, outlook, settings, over)
    return frozen if len(handles) < ALONG_CELLS_FROM else frozen.numbered_along(board.places.cell[handles])


# --- who and what takes part ----------------------------------------------------------------------------------------


def takes_part(record: RiderRecord, board: Board) -> bool:
    """Usable within the horizon, or holding orders that must find another rider if they cannot fetch them."""
    now, rules = board.now, board.settings.rules
    if record.lost or record.parked or record.offer_id is not None:
        return False
    free_by = now + rules.horizon_s
    last_told = next((stop for stop in reversed(record.route.stops) if stop.level >= Level.TOLD), None)
    if last_told is not None and last_told.expected_leave_at > free_by:
        return False
    shift = record.shift_at(now)
    is_on_duty = shift is not None and shift.start_at <= free_by and shift.last_pickup_at >= now
    if is_on_duty and not record.on_break and (record.rests_until(now) or now) <= free_by:
        return True
    return any(act.kind is ActKind.PICKUP for stop in record.route.stops for act in stop.acts)


def _is_movable(record: RiderRecord, board: Board) -> bool:
    """Idle, and their turn: empty moves are considered for each rider once in `reposition.every_s`."""
    if not record.has_nothing_to_do or record.on_break or record.free_at > board.now or is_stale(record, board):
        return False
    if record.rests_until(board.now) is not None:
        return False
    shift = record.shift_at(board.now)
    if shift is None or not shift.start_at <= board.now <= shift.last_pickup_at:
        return False
    round_s = board.settings.rules.round_s
    return (board.now - record.seq * round_s) % board.settings.reposition.every_s < round_s


def _closes_in(record: StoreRecord, now: int) -> int:
    """Ticks for which a store is open still, 0 where it is not."""
    if record.opens_from(now) != now:
        return 0
    closes = record.store.closes_from(now)
    return INFINITE if closes is None else min(INFINITE, closes - now)


class _Chosen(NamedTuple):
    """The orders of a round, in the order of their acceptance, and what is said of the others."""

    requests: list[OrderRecord]
    left_out: tuple[i.OrderReason, ...]
    over: int


def _requests(board: Board, vehicle_of: dict[str, int]) -> _Chosen:
    """What is carried or planned already, and of the rest as many as a round may plan: those due first."""
    chosen: list[OrderRecord] = []
    fresh: list[OrderRecord] = []
    left_out: list[i.OrderReason] = []
    any_paused = any(zone.paused for zone in board.zones.values())
    for record in board.in_play.values():
        if not record.is_waiting:
            if record.rider_id in vehicle_of:
                chosen.append(record)
            continue
        planned_for = record.planned_rider_id
        if planned_for is not None and planned_for not in vehicle_of:
            continue
        reason = _left_out(record, board, any_paused)
        if reason is not None:
            left_out.append(i.OrderReason(record.order.order_id, reason))
        elif planned_for is not None or record.rider_id is not None:
            chosen.append(record)
        else:
            fresh.append(record)
    waiting = len(fresh) + sum(record.is_waiting for record in chosen)
    over = max(0, waiting - board.settings.rules.max_open_orders)
    room = len(fresh) - over
    if board.most_new_orders is not None:
        room = min(room, board.most_new_orders)
    if room < len(fresh):
        tiers = board.settings.rules.tiers
        fresh.sort(key=lambda one: (counted_due_at(tiers, one.order.tier, one.order.due_at), one.seq))
        left_out += (i.OrderReason(record.order.order_id, Reason.BUDGET) for record in fresh[max(0, room) :])
        fresh = fresh[: max(0, room)]
    # What is known already would only make rounds and journals long.
    news = [said for said in left_out if said.reason is not board.orders[said.order_id].reason]
    news.sort(key=lambda said: board.orders[said.order_id].seq)
    return _Chosen(sorted(chosen + fresh, key=lambda record: record.seq), tuple(news), over)


def _has_another_source(record: OrderRecord, board: Board) -> bool:
    """Whether a store that is open may still be chosen for it."""
    if not record.source_is_open:
        return False
    others = (one for one in record.order.all_sources if one.store_id != record.order.store_id)
    return any(not why_not(board, record, source, board.now) for source in others)


def alternatives_of(
    board: Board, orders: list[OrderRecord], now: int
) -> tuple[list[OrderRecord], I32, I64, dict[int, tuple[str, str]]]:
    """The orders with a row for each pair of source and end that is open, the present one first.

    With them the number of the choice of each row (-1: it has one row), its price beyond the cheapest of its choice,
    and store and end of the rows of choices.
    """
    rows: list[OrderRecord] = []
    choice: list[int] = []
    price: list[int] = []
    ways: dict[int, tuple[str, str]] = {}
    for number, record in enumerate(orders):
        pairs = open_pairs(board, record, now) if record.order.has_alternatives else []
        if pairs in ([], [present(record.order)]):
            rows.append(record)
            choice.append(-1)
            price.append(0)
            continue
        least = min(pair.price for pair in pairs)
        for pair in pairs:
            ways[len(rows)] = pair.source.store_id, pair.end.name
            rows.append(record if pair == present(record.order) else record.as_if(record.order.choosing(*pair)))
            choice.append(number if len(pairs) > 1 else -1)
            price.append(pair.price - least)
    return rows, np.array(choice, dtype=np.int32), np.array(price, dtype=np.int64), ways


def _left_out(record: OrderRecord, board: Board, any_paused: bool) -> Reason | None:
    if record.held:
        return Reason.HELD
    if record.parked:
        return Reason.PARKED
    if record.order.release_at is not None and record.order.release_at > board.now:
        return Reason.KEPT
    if record.rider_id is not None:
        return None
    if record.pick_place is None and is_shut(record, board, board.now) and not _has_another_source(record, board):
        return Reason.STORE_CLOSED
    if any_paused and board.paused_zone_of(record.order.drop_place) is not None:
        return Reason.ZONE
    return None
