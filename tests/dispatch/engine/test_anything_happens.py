"""Whatever happens, in whatever order: nothing is lost, nothing is on two routes, and the fold is the board."""

from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.progress import whereabouts
from dispatch.errors import Refused
from dispatch.model import Level
from dispatch.policies.policy import HalfhourPolicy
from dispatch.rounds.freeze import freeze
from dispatch.rounds.frozen_round import Frozen
from routing.travel import TravelTimes
from tests.kit.world import T0, World

STORES = [("s0", 0, 0), ("s1", 900, 0), ("s2", 0, 900)]
DOORS = [(600, 600), (700, 100), (100, 800)]
RIDERS = ["r0", "r1", "r2", "r3"]

OPERATIONS = st.sampled_from(
    [
        "order", "order", "order", "ahead", "pass", "pass", "pass", "pass", "act", "act", "act", "act", "cancel",
        "ready", "late", "fail", "log_off", "log_on", "break", "hold", "let_go", "force", "unassign", "close", "open",
        "accept", "decline",
        "wrong_rider", "old_report", "handover", "position", "pause", "resume", "change",
        "door", "door", "door", "some", "some", "join",
    ]
)  # fmt: skip


class MissesNoOrder(HalfhourPolicy):
    """Orders set aside until their release change nothing: a round over all open orders is the same round."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.board = board

    def answer(self, frozen: Frozen, travel: TravelTimes) -> i.RoundSolved:
        board = self.board
        in_play, board.in_play = board.in_play, board.open_orders
        assert pickle.dumps(freeze(board)) == pickle.dumps(frozen)
        board.in_play = in_play
        assert pickle.dumps(freeze(Board.load(board.places, board.dump()))) == pickle.dumps(frozen)
        return super().answer(frozen, travel)


class Storm:
    """A city in which `play` makes one thing happen, chosen by two numbers."""

    def __init__(self, crowd: bool, **rules: object) -> None:
        self.world = World(**rules)
        self.world.policy = MissesNoOrder(self.world.board)
        for store_id, x, y in STORES:
            self.world.store(store_id, x, y)
        for k, rider_id in enumerate(RIDERS):
            self.world.rider(rider_id, 400 * k, 300, crowd=crowd and k % 2 == 0)
        self.placed = 0

    def play(self, operation: str, a: int, b: int) -> None:
        world = self.world
        orders = list(world.board.orders)
        order_id = orders[a % len(orders)] if orders else ""
        rider_id = RIDERS[b % len(RIDERS)]
        store_id = STORES[a % len(STORES)][0]
        at = world.now
        try:
            if operation == "order":
                self.placed += 1
                world.order(f"o{self.placed}", store_id, a % 1500, b % 1500, ready_s=30 * (b % 40))
            elif operation == "door":
                self.placed += 1
                door = b % len(DOORS)
                world.order(f"o{self.placed}", store_id, *DOORS[door], ready_s=30 * (b % 40), door=f"d{door}")
            elif operation == "ahead":
                self.placed += 1
                later = {"release_at": world.now + 30 * (a % 40), "due_at": world.now + 3600}
                world.order(f"o{self.placed}", store_id, a % 1500, b % 1500, ready_s=30 * (b % 80), **later)
            elif operation == "pass":
                world.until(world.now - T0 + 10 + 60 * (a % 10))
            elif operation == "act":
                self.act(rider_id)
            elif operation == "some":
                self.some(rider_id, a)
            elif operation == "fail":
                self.at_stop_or_not(rider_id)
            elif operation == "log_off":
                world.say(i.ShiftEnded(at=at, rider_id=rider_id))
            elif operation == "log_on":
                from dispatch.model import Shift

                if world.board.riders[rider_id].shift_at(at) is None:
                    world.say(i.ShiftPlanned(at=at, shift=Shift(rider_id, at, at + 20_000)))
            elif operation == "break":
                on = world.board.riders[rider_id].on_break
                world.say((i.BreakEnded if on else i.BreakBegan)(at=at, rider_id=rider_id))
            elif operation in ("close", "open"):
                world.say((i.StoreClosed if operation == "close" else i.StoreOpened)(at=at, store_id=store_id))
            elif operation in ("accept", "decline"):
                for offer in list(world.board.offers.values())[:1]:
                    kind = i.OfferAccepted if operation == "accept" else i.OfferDeclined
                    world.say(kind(at=at, offer_id=offer.offer_id, rider_id=offer.rider_id))
            elif operation == "position":
                world.say(i.PositionsSeen(at=at, positions=(i.Position(rider_id, a % 900, b % 900, at),)))
            elif order_id:
                self.play_order(operation, order_id, rider_id, at, b)
        except Refused:
            pass

    def play_order(self, operation: str, order_id: str, rider_id: str, at: int, b: int) -> None:
        world = self.world
        said: dict[str, i.Input] = {
            "cancel": i.OrderCancelled(at=at, order_id=order_id),
            "ready": i.OrderReady(at=at, order_id=order_id, happened_at=at),
            "late": i.ReadyEstimated(at=at, order_id=order_id, expected_ready_at=at + 60 * (b % 30)),
            "hold": i.OrderHeld(at=at, order_id=order_id, held=True, reason="x"),
            "let_go": i.OrderHeld(at=at, order_id=order_id, held=False, reason="x"),
            "force": i.OrderForced(at=at, order_id=order_id, rider_id=rider_id if b % 3 else None, reason="x"),
            "unassign": i.OrderUnassigned(at=at, order_id=order_id, reason="x"),
            "wrong_rider": i.StopCompleted(
                at=at, rider_id=rider_id, stop_id="?.1", happened_at=at, order_ids=(order_id,)
            ),
            "old_report": i.StopArrived(at=at, rider_id=rider_id, stop_id=f"{rider_id}.1", happened_at=at - 30),
            "change": i.OrderChanged(
                at=at, order=_moved(world.board.orders[order_id].order, world.places.add(b % 700, 5, enter_s=60))
            ),
            "join": i.OrderChanged(
                at=at,
                order=_moved(
                    world.board.orders[order_id].order, world.places.add(*DOORS[b % 2][::-1], enter_s=60), f"d{b % 2}"
                ),
            ),
        }
        if operation == "handover" and world.board.orders[order_id].state.is_on_board:
            place = world.places.add(b % 500, 50, enter_s=60, exit_s=60) if b % 2 else None
            said["handover"] = i.HandoverOrdered(at=at, order_id=order_id, place=place, reason="x")
        if operation in said:
            world.say(said[operation])

    def act(self, rider_id: str) -> None:
        world = self.world
        record = world.board.riders[rider_id]
        stops = record.route.stops
        if not stops or stops[0].level < Level.TOLD:
            return
        if record.arrived_at is None:
            world.now = max(world.now, stops[0].expected_arrive_at)
            world.until(world.now - T0)
            if record.route.stops and record.route.stops[0].level >= Level.TOLD and record.arrived_at is None:
                world.arrive(rider_id)
        elif stops[0].acts and all(act.level >= Level.TOLD for act in stops[0].acts):
            world.complete(rider_id)

    def some(self, rider_id: str, a: int) -> None:
        """One of several at a door, or at a counter, is done."""
        stops = self.world.route(rider_id).stops
        if stops and stops[0].level >= Level.AT_STOP and stops[0].acts:
            self.world.complete(rider_id, (stops[0].acts[a % len(stops[0].acts)].order_id,))

    def at_stop_or_not(self, rider_id: str) -> None:
        stops = self.world.route(rider_id).stops
        if stops and stops[0].level >= Level.TOLD:
            self.world.fail(rider_id, "customer_absent")

    def clear_up(self) -> None:
        """Everything that stands in the way of ending goes away, and two honest riders finish the day."""
        world = self.world
        for order_id, order in list(world.board.orders.items()):
            for operation in ("let_go", "force"):
                if not order.state.is_final:
                    self.play(operation, list(world.board.orders).index(order_id), 0)
            if order.state.is_on_board and order.rider_id is not None:
                on_route = order.planned_rider_id is not None
                assert on_route, f"{order_id} is on board of {order.rider_id}, whose route does not hold it"
        for store_id, _, _ in STORES:
            world.say(i.StoreOpened(at=world.now, store_id=store_id))
        for k in range(2):
            world.rider(f"honest{k}", 100 * k, 0, hours=24)
        world.deliver_all(world.now - T0 + 30_000)


def _moved(order, place, door=""):  # type: ignore[no-untyped-def]
    import dataclasses

    return dataclasses.replace(order, drop_place=place, door=door)


def check_cells(board: Board) -> None:
    """Every rider is in the cell where their plan starts, and every open order in that of its counter."""
    divert = board.settings.rules.divert
    for rider_id, record in board.riders.items():
        place = whereabouts(record, board.now, divert=divert).place
        assert board.rider_cells.where(rider_id) == int(board.places.cell[place]), rider_id
    assert len(board.rider_cells) == len(board.riders)
    assert len(board.order_cells) == len(board.open_orders) == sum(board.order_cells.counts().values())


def check_doors(world: World) -> None:
    """Whoever stands at a door has business with that door alone, and knows it by the place of one they bring to."""
    for record in world.board.riders.values():
        for stop in record.route.stops:
            orders = [world.board.orders[act.order_id].order for act in stop.acts]
            if stop.store_id is None and orders:
                assert {order.door for order in orders} == {orders[0].door}
                assert orders[0].door or len(orders) == 1
                assert stop.place in {order.drop_place for order in orders}


STEPS = st.lists(st.tuples(OPERATIONS, st.integers(0, 2000), st.integers(0, 2000)), min_size=5, max_size=40)


@settings(deadline=None)
@given(steps=STEPS, crowd=st.booleans(), divert=st.booleans())
def test_nothing_is_lost_and_the_fold_is_the_board(
    steps: list[tuple[str, int, int]], crowd: bool, divert: bool
) -> None:
    storm = Storm(crowd, rules__divert=divert)
    for operation, a, b in steps:
        storm.play(operation, a, b)
        storm.world.check()
        check_doors(storm.world)
        check_cells(storm.world.board)
    storm.clear_up()
    storm.world.check()
    ended = {order_id: order.state for order_id, order in storm.world.board.orders.items()}
    assert all(state.is_final for state in ended.values()), ended
    _each_order_ends_once(storm.world)


def _each_order_ends_once(world: World) -> None:
    from dispatch import events as e

    ends: dict[str, int] = {}
    for _, events in world.journal:
        for event in events:
            if isinstance(event, e.OrderMoved) and event.state.is_final:
                ends[event.order_id] = ends.get(event.order_id, 0) + 1
    corrected = {order_id for order_id, order in world.board.orders.items() if order.corrected}
    for order_id, order in world.board.orders.items():
        assert ends.get(order_id, 0) == 1 or order_id in corrected, (order_id, ends.get(order_id), order.state)
