"""The arrays of a round, made from records: who may do what, what it costs, what has been told."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch.board.board import Board
from dispatch.board.doors import door_of
from dispatch.board.errands import obligations
from dispatch.board.progress import closes_at, pickup_from, whereabouts
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.model import Level, Order, OrderState, Reason
from dispatch.people.apart import parted
from dispatch.people.fairness import fair_prices
from dispatch.rounds.order_prices import order_prices
from dispatch.settings.co2 import NOTHING, rates_of
from dispatch.settings.groups import Prices, Rules
from dispatch.settings.mix import ALONE, ANY, SAME_STORE, class_of, groups_of, mix_rule, stricter
from dispatch.settings.settings import Settings
from routing.problem.build import allow
from routing.problem.problem import I32, I64, INFINITE, NEVER, U64, Mix, Rows, TripRule

ALWAYS = -INFINITE


class LocalPlaces:
    """Local numbering of places: those that may be gone to first, starts after them."""

    def __init__(self) -> None:
        self.handles: list[int] = []
        self.local: dict[int, int] = {}
        self._doors: dict[str, int] = {}

    def __call__(self, handle: int) -> int:
        found = self.local.get(handle)
        if found is None:
            found = self.local[handle] = len(self.handles)
            self.handles.append(handle)
        return found

    def door(self, order: Order) -> int:
        """The place where an order is dropped: for all orders of one door that of the first."""
        if not order.door:
            return self(order.drop_place)
        found = self._doors.get(order.door)
        if found is None:
            found = self._doors[order.door] = self(order.drop_place)
        self.local.setdefault(order.drop_place, found)
        return found

    @property
    def doors(self) -> dict[int, int]:
        """Handle of a place -> that of the place by which the round knows its door, where it is another one."""
        return {handle: self.handles[k] for handle, k in self.local.items() if self.handles[k] != handle}


def is_stale(record: RiderRecord, board: Board) -> bool:
    stale_s = board.settings.rules.stale_s
    return bool(stale_s) and board.heard_at(record) + stale_s < board.now


# --- arrays ---------------------------------------------------------------------------------------------------------


def request_fields(
    board: Board, requests: list[OrderRecord], vehicle_of: dict[str, int], place: LocalPlaces
) -> dict[str, Any]:
    now, count = board.now, len(requests)
    pick = np.full(count, -1, dtype=np.int32)
    drop = np.zeros(count, dtype=np.int32)
    aboard = np.full(count, -1, dtype=np.int32)
    store = np.zeros(count, dtype=np.int32)
    load = np.zeros((count, 1), dtype=np.int32)
    placed = np.zeros(count, dtype=np.int64)
    ready = np.zeros(count, dtype=np.int64)
    window = np.full((count, 2, 1, 2), INFINITE, dtype=np.int64)
    window[..., 0] = ALWAYS
    on_board = np.full(count, INFINITE, dtype=np.int32)
    for r, record in enumerate(requests):
        order = record.order
        store_place = board.stores[order.store_id].store.place
        returning = record.state is OrderState.RETURNING
        store[r] = place(store_place if record.pick_place is None else record.pick_place)
        drop[r] = place(store_place) if returning else place.door(order)
        if record.is_waiting:
            pick[r] = store[r]
            if record.pick_place is None:
                ready[r] = pickup_from(record, board, now) - now
                closes = closes_at(record, board, now)
                if closes is not None:
                    window[r, 0, 0, 1] = min(INFINITE, closes - 1 - now)
            if order.max_on_board_s is not None:
                on_board[r] = order.max_on_board_s
        else:
            aboard[r] = vehicle_of[record.rider_id or ""]
        load[r, 0] = order.load_units
        placed[r] = order.placed_at - now
        if order.earliest_drop_at is not None and order.earliest_drop_at > now and not returning:
            window[r, 1, 0, 0] = order.earliest_drop_at - now
    prices = order_prices(board, requests, placed)
    return {
        "pick_place": pick,
        "drop_place": drop,
        "aboard_of": aboard,
        "store": store,
        "load": load,
        "act": np.zeros((count, 2), dtype=np.int32),
        "placed": _ticks(placed),
        "ready": _ticks(ready),
        "window": _ticks(window),
        "max_on_board": on_board,
        "due": _ticks(prices.due),
        "slope": prices.slope,
        "late_fixed": prices.late_fixed,
        "skip_cost": prices.skip_cost,
    }


def _ticks(instants: I64) -> I32:
    """Instants of a round as int32; raises OverflowError where one lies further off than a round can count."""
    if (np.abs(instants) > INFINITE).any():
        raise OverflowError("an instant lies further off than a round can count")
    return instants.astype(np.int32)


def work_price(board: Board) -> int:
    """The price of a rider's second, by how scarce riders are: by how long ready orders wait for them."""
    prices = board.settings.prices
    wait_s = min(board.planned_wait_s, prices.scarce_wait_s)
    scarcity = (prices.scarce_work_per_s * wait_s + prices.scarce_wait_s // 2) // prices.scarce_wait_s
    return max(0, prices.work_per_s + scarcity)


def vehicle_fields(board: Board, riders: list[RiderRecord], place: LocalPlaces, work_price: int) -> dict[str, Any]:
    now, rules, prices = board.now, board.settings.rules, board.settings.prices
    count = len(riders)
    profiles = {name: index for index, name in enumerate(board.profiles)}
    rows = []
    for record in riders:
        where = whereabouts(record, now, divert=rules.divert)
        last_pickup, end, paid_until = _limits(record, now, rules)
        on_a_trip = any(
            board.orders[act.order_id].state.is_on_board for stop in record.route.stops[:1] for act in stop.acts
        )
        rows.append(
            (
                place(where.place), where.free_at - now, last_pickup, end, paid_until,
                profiles.get(record.rider.profile, 0), record.rider.capacity_units, rules.max_trips + on_a_trip,
            )
        )  # fmt: skip
    columns = np.array(rows, dtype=np.int32).reshape(count, 8).T.copy()
    start_place, start, last_pickups, ends, paid, profile, capacity, trips = columns

    def same(value: int, dtype: type = np.int64) -> NDArray[np.generic]:
        return np.full(count, value, dtype=dtype)

    return {
        "start_place": start_place,
        "start": start,
        "end_place": same(-1, np.int32),
        "last_pickup": last_pickups,
        "end": ends,
        "paid_until": paid,
        "profile": profile,
        "capacity": capacity.reshape(count, 1),
        "max_requests": same(rules.max_batch, np.int32),
        "max_trips": trips,
        "fixed": same(0),
        "per_work": _work_prices(riders, work_price, prices.fair_work_per_s, now),
        "per_drive": same(prices.drive_per_s),
        "per_metre": _metre_prices(riders, rules, prices) if prices.co2_g else same(prices.drive_per_metre),
    }


def _work_prices(riders: list[RiderRecord], work_price: int, fair: int, now: int) -> I64:
    if not fair:
        return np.full(len(riders), work_price, dtype=np.int64)
    return fair_prices([one.brought for one in riders], [one.on_duty_s(now) for one in riders], work_price, fair)


def _metre_prices(riders: list[RiderRecord], rules: Rules, prices: Prices) -> I64:
    """The price of a metre of each rider: driven at all, and by its CO2, in whole points."""
    rates = rates_of(rules.co2)
    mg_per_km = np.array([rates.get(record.rider.profile, NOTHING).way_mg for record in riders], dtype=np.int64)
    return prices.drive_per_metre + (prices.co2_g * mg_per_km + 500_000) // 1_000_000


def _limits(record: RiderRecord, now: int, rules: Rules) -> tuple[int, int, int]:
    """Ticks until a rider's last pickup, the end of their shift, and the end of what they are paid for.

    `rules.hours` may leave less of a shift; a plan that keeps the end keeps the law, whoever plans.
    """
    shift = record.shift_at(now)
    if shift is None:
        return ALWAYS, INFINITE, 0
    works_until = record.works_until(rules.hours, now, rules.offer_s)
    lawful = INFINITE if works_until is None else works_until - now
    last_pickup = min(INFINITE, shift.last_pickup_at - now)
    if shift.end_at is None:
        return min(last_pickup, lawful), lawful, last_pickup
    end = min(INFINITE, shift.end_at - now)
    return min(last_pickup, lawful), min(end, lawful), end


def law_of_pairs(board: Board, requests: list[OrderRecord], riders: list[RiderRecord]) -> dict[str, Any]:
    """Who may carry what, and which vehicles must keep one of which requests."""
    count, vehicles = len(requests), len(riders)
    needs = np.array([record.order.needs for record in requests], dtype=np.int64).reshape(count, 1)
    provides = np.array([record.rider.provides for record in riders], dtype=np.int64).reshape(1, vehicles)
    may = (needs & ~provides) == 0
    vehicle_of = {record.rider.rider_id: v for v, record in enumerate(riders)}
    for v, record in enumerate(riders):
        if record.on_break or is_stale(record, board):
            may[:, v] = False
    for r, order in enumerate(requests):
        for rider_id in order.refused_by:
            if rider_id in vehicle_of:
                may[r, vehicle_of[rider_id]] = False
        if order.forced_rider_id is not None:
            forced = vehicle_of.get(order.forced_rider_id)
            may[r] = np.arange(vehicles) == (-1 if forced is None else forced)
        # What a rider has on their route stays lawful for them: silence and breaks bar new work only.
        for owner in (order.rider_id, order.planned_rider_id):
            refused = order.is_waiting and (owner in order.refused_by or order.forced_rider_id is not None)
            if owner in vehicle_of and not refused:
                may[r, vehicle_of[owner]] = True
    for v, rider in enumerate(riders):
        for r, order in enumerate(requests) if rider.apart else ():
            may[r, v] &= not order.is_waiting or parted(rider.apart, order.order) is None
    must_keep_ptr, keep = obligations(board, requests, riders, may)
    return {"allowed": allow(may), "must_keep_ptr": must_keep_ptr, "must_keep": keep}


def barred(requests: list[OrderRecord], riders: list[RiderRecord], allowed: U64) -> dict[str, Reason]:
    provides = [record.rider.provides for record in riders]

    def why(order: OrderRecord) -> Reason:
        if not any(order.order.needs & ~given == 0 for given in provides):
            return Reason.NEEDS
        if all(parted(rider.apart, order.order) for rider in riders):
            return Reason.APART
        return Reason.REFUSED_BY_ALL if order.refused_by else Reason.NO_RIDER_IN_REACH  # silent, or on a break

    free = {order.order.order_id for order, row in zip(requests, allowed, strict=True) if row.any()}
    barred = (order for order in requests if riders and order.order.order_id not in free)
    return {order.order.order_id: why(order) for order in barred}


def told_rows(
    board: Board, riders: list[RiderRecord], request_of: dict[str, int], place: LocalPlaces
) -> tuple[Rows, NDArray[np.int8], NDArray[np.int8]]:
    def order_of(order_id: str) -> Order:
        return board.orders[order_id].order

    stop_ptr, stop_place, stop_level = [0], [], []
    act_ptr, act_request, act_kind, act_level = [0], [], [], []
    for record in riders:
        for stop in record.route.stops:
            acts = [act for act in stop.acts if act.order_id in request_of]
            if not acts and (stop.acts or stop.level < Level.TOLD) and not (stop.level >= Level.UNDERWAY):
                continue
            at_door = bool(acts) and bool(door_of(stop, order_of))
            stop_place.append(place.door(order_of(acts[0].order_id)) if at_door else place(stop.place))
            stop_level.append(int(stop.level))
            for act in acts:
                act_request.append(request_of[act.order_id])
                act_kind.append(int(act.kind))
                act_level.append(int(act.level))
            act_ptr.append(len(act_request))
        stop_ptr.append(len(stop_place))
    rows = Rows(
        np.array(stop_ptr, dtype=np.int32),
        np.array(stop_place, dtype=np.int32),
        np.array(act_ptr, dtype=np.int32),
        np.array(act_request, dtype=np.int32),
        np.array(act_kind, dtype=np.int8),
    )
    return rows, np.array(stop_level, dtype=np.int8), np.array(act_level, dtype=np.int8)


def goods_of(board: Board, order: Order) -> str:
    """The class of an order's goods: its own, or its store's."""
    return class_of(order.goods_class, board.stores[order.store_id].store.goods_class)


def law_of_goods(board: Board, requests: list[OrderRecord]) -> dict[str, Any]:
    """Which goods may ride together: as a rule of trips where one word holds for all, else as classes and a matrix."""
    rule = mix_rule(board.settings.rules.mix)
    group, words = groups_of(rule, () if rule.everywhere else [goods_of(board, record.order) for record in requests])
    if rule.everywhere and requests:
        group, words = [0] * len(requests), [rule.everywhere]
    same_store = rule.everywhere == SAME_STORE or words == [SAME_STORE]
    # Plain numbers: numba types a tuple that holds an enum anew, field by field, at every call.
    trip_rule = int(TripRule.ONE_STORE_UNTIL_EMPTY if same_store else TripRule.ANY)
    mix = [[_MIX[stricter(a, b, alike=i == k)] for k, b in enumerate(words)] for i, a in enumerate(words)]
    if same_store or all(rule == Mix.TOGETHER for row in mix for rule in row):
        return {"trip_rule": trip_rule}
    return {"trip_rule": trip_rule, "goods": np.array(group, dtype=np.int32), "mix": np.array(mix, dtype=np.int8)}


_MIX = {ANY: Mix.TOGETHER, SAME_STORE: Mix.ONE_STOP, ALONE: Mix.APART}


def open_behind_the_first(rows: Rows, stop_level: NDArray[np.int8], rules: Rules, trip_rule: int) -> NDArray[np.int8]:
    """Levels of places as a plan that may mix stores is bound by them: told places behind the first are open again.

    Nobody drives there yet.  Held to them, a plan that changed its mind would drive to places without an errand; what
    changing costs is the price of the orders told there.
    """
    if trip_rule != TripRule.ANY or "told" in (rules.add_orders_until, rules.remove_orders_until):
        return stop_level
    behind = np.ones(len(stop_level), dtype=np.bool_)
    behind[rows.stop_ptr[:-1][np.diff(rows.stop_ptr) > 0]] = False
    return np.where(behind & (stop_level == Level.TOLD), np.int8(Level.TENTATIVE), stop_level)


def change_prices(settings: Settings) -> dict[str, I64]:
    """The operating rules as prices of changing what was told; NEVER forbids."""
    rules, prices = settings.rules, settings.prices
    add = np.zeros((6, 2), dtype=np.int64)
    take = np.zeros((6, 2), dtype=np.int64)
    take[Level.OFFERED] = NEVER
    add[Level.OFFERED, 1] = NEVER
    take[Level.TOLD, 0] = prices.change_told_place if rules.divert else NEVER
    take[Level.UNDERWAY, 0] = 3 * prices.change_told_place if rules.divert else NEVER
    take[Level.AT_STOP, 0] = NEVER
    take[Level.ON_BOARD] = NEVER
    for level in (Level.TOLD, Level.UNDERWAY, Level.AT_STOP):
        add[level, 1] = 0 if _open_at(level, rules.add_orders_until) else NEVER
        take[level, 1] = _taking(level, rules, prices)
    return {"add_price": add, "take_price": take}


def _taking(level: Level, rules: Rules, prices: Prices) -> int:
    return prices.change_told_order if _open_at(level, rules.remove_orders_until) else NEVER


def _open_at(level: Level, until: str) -> bool:
    """May orders at a stop of this level still change?"""
    return until == "pickup" or (until == "departure" and level == Level.TOLD)
