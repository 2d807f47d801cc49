"""A small plane city around one engine, driven by hand: say something, let time pass, look at the board."""

from __future__ import annotations

from typing import Any

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord
from dispatch.custody import Keeper
from dispatch.engine.engine import Engine
from dispatch.model import Engagement, Level, Order, OrderState, Rider, Route, Shift, Store
from dispatch.policies.policy import HalfhourPolicy
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.travel_spec import StraightSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from routing.travel import StraightTravel

T0 = 1_700_000_040
"""A full minute."""
SPEED = 300.0
"""Metres a minute: a hundred metres take 20 seconds."""


class World:
    """Stores and riders by coordinates (x, y metres); everything takes 60 s before and after the acts of a stop."""

    def __init__(self, **settings: Any) -> None:
        self.places = PlaceBook("plane")
        values = {
            "rules.round_mode": "beat", "rules.round_s": 60, "rules.empty_moves": False, "rules.stale_s": 0,
            "rules.lost_after_s": 0, "rules.route_ack_timeout_s": 0, "search.recipe": "insertion",
        }  # fmt: skip
        values.update({key.replace("__", "."): value for key, value in settings.items()})
        self.settings = Settings.stated(values)
        self.engine = Engine(self.places, self.settings)
        self.times = StraightTravel(self.places, {"default": SPEED})
        self.policy = HalfhourPolicy()
        self.now = T0
        self.journal: list[tuple[i.Input, tuple[e.Event, ...]]] = []
        self.answers_rounds = True
        self.offline: set[str] = set()
        """Riders whose phones have no line: they show what they showed last."""
        self.say(i.TravelChanged(at=T0, version=1, digest="plane"))

    @property
    def board(self) -> Board:
        return self.engine.board

    def say(self, item: i.Input) -> tuple[e.Event, ...]:
        """Handle one input, acknowledge every told route that a phone gets to show, and answer a round it opened."""
        events = self.engine.handle(item)
        self.journal.append((item, events))
        for event in events:
            if isinstance(event, e.RoundOpened) and self.answers_rounds:
                self.say(self.policy.answer(self.engine.freeze(), self.times))
            if isinstance(event, e.RouteRevised) and event.told and self._gets_to(event.route.rider_id):
                seen = i.RouteSeen(
                    at=self.now, rider_id=event.route.rider_id, revision=event.route.revision, happened_at=self.now
                )
                self.say(seen)
        return events

    def _gets_to(self, rider_id: str) -> bool:
        return not self.board.riders[rider_id].lost and rider_id not in self.offline

    def until(self, seconds: int) -> None:
        """Let time pass to T0 + seconds, waking the engine whenever it asks for it."""
        end = T0 + seconds
        for _ in range(10_000):
            wake_at = self.engine.wake_at()
            if wake_at is None or wake_at > end:
                break
            self.now = max(self.now, wake_at)
            self.say(i.Wake(at=self.now))
        self.now = end

    def store(self, store_id: str, x: float, y: float) -> None:
        place = self.places.add(y, x, enter_s=60, exit_s=60)
        self.say(i.StoreListed(at=self.now, store=Store(store_id, place)))

    def rider(self, rider_id: str, x: float, y: float, *, hours: float = 8, crowd: bool = False, **more: Any) -> None:
        place = self.places.add(y, x)
        engagement = Engagement.CROWD if crowd else Engagement.EMPLOYED
        self.say(i.RiderListed(at=self.now, rider=Rider(rider_id, place, engagement=engagement, **more)))
        self.say(i.ShiftPlanned(at=self.now, shift=Shift(rider_id, self.now, self.now + round(hours * 3600))))

    def order(self, order_id: str, store_id: str, x: float, y: float, *, ready_s: int = 0, **more: Any) -> None:
        place = self.places.add(y, x, enter_s=60, exit_s=60)
        more.setdefault("due_at", self.now + 1800)
        order = Order(order_id, store_id, place, self.now, self.now + ready_s, **more)
        self.say(i.OrderPlaced(at=self.now, order=order))

    def arrive(self, rider_id: str) -> None:
        """The rider reports that they are at their next stop."""
        stop = self.route(rider_id).stops[0]
        assert stop.level >= Level.TOLD
        self.say(i.StopArrived(at=self.now, rider_id=rider_id, stop_id=stop.stop_id, happened_at=self.now))

    def complete(self, rider_id: str, order_ids: tuple[str, ...] | None = None) -> None:
        """The rider reports that everything told at their stop is done."""
        stop = self.route(rider_id).stops[0]
        self.say(
            i.StopCompleted(
                at=self.now, rider_id=rider_id, stop_id=stop.stop_id, happened_at=self.now, order_ids=order_ids
            )
        )

    def fail(self, rider_id: str, reason: str) -> None:
        """The rider reports that their stop could not be done."""
        stop = self.route(rider_id).stops[0]
        self.say(
            i.StopFailed(at=self.now, rider_id=rider_id, stop_id=stop.stop_id, happened_at=self.now, reason=reason)
        )

    def route(self, rider_id: str) -> Route:
        return self.board.riders[rider_id].route

    def state(self, order_id: str) -> OrderState:
        return self.board.orders[order_id].state

    def deliver_all(self, seconds: int = 7200) -> None:
        """Riders do what they are told, arriving and acting when expected, until nothing is open or time is up."""
        end = T0 + seconds
        while self.now < end and self.board.open_orders:
            self.until(self.now - T0 + 20)
            for rider_id, record in self.board.riders.items():
                stops = record.route.stops
                if not stops or stops[0].level < Level.TOLD:
                    continue
                if record.arrived_at is None and stops[0].expected_arrive_at <= self.now:
                    self.arrive(rider_id)
                stops = record.route.stops
                ready = stops and stops[0].level == Level.AT_STOP and stops[0].expected_act_at <= self.now
                if ready and stops[0].acts and all(act.level >= Level.TOLD for act in stops[0].acts):
                    self.complete(rider_id)

    def check(self) -> None:
        """What must hold at every instant, and: folding the events gives the same board."""
        on_route: dict[str, str] = {}
        for rider_id, record in self.board.riders.items():
            asked = self.board.offers[record.offer_id].order_ids if record.offer_id is not None else ()
            sure = [stop for stop in record.route.stops if not any(act.order_id in asked for act in stop.acts)]
            told = [stop.level >= Level.TOLD for stop in sure]
            assert told == sorted(told, reverse=True), "told stops come first"
            assert len(record.route.stops) == 0 or len({id(s) for s in record.route.stops}) == len(record.route.stops)
            for order_id in {act.order_id for stop in record.route.stops for act in stop.acts}:
                assert on_route.setdefault(order_id, rider_id) == rider_id, f"{order_id} is on two routes"
                assert order_id in self.board.open_orders, f"{order_id} has ended but is on a route"
        for order_id, order in self.board.orders.items():
            assert order.planned_rider_id == on_route.get(order_id), order_id
            if order.state.is_on_board and order.pick_place is None:
                assert order.rider_id is not None
            check_custody(order)
        assert self.folded().dump() == self.board.dump()

    def folded(self) -> Board:
        """The board made from the events alone."""
        places = PlaceBook("plane")
        for first, second, enter_s, exit_s in zip(
            self.places.first, self.places.second, self.places.enter_s, self.places.exit_s, strict=True
        ):
            places.add(float(first), float(second), enter_s=int(enter_s), exit_s=int(exit_s))
        board = Board(places, self.settings)
        for item, events in self.journal:
            for event in events:
                board.apply(event)
            board.now = max(board.now, item.at)
        return board


def check_custody(record: OrderRecord) -> None:
    """A chain begins with the store, has no gaps, and ends with whoever the order's facts say has the goods."""
    chain = record.custody
    assert (chain[0].keeper, chain[0].keeper_id) == (Keeper.STORE, record.order.store_id)
    assert [part.to_at for part in chain] == [*(part.from_at for part in chain[1:]), None]
    assert all(part.from_at <= (part.to_at or part.from_at) for part in chain)
    expected = {
        OrderState.DELIVERED: (Keeper.CUSTOMER, ""),
        OrderState.RETURNED: (Keeper.STORE, record.order.store_id),
    }.get(record.state)
    if record.pick_place is not None:
        expected = (Keeper.PLACE, "")
    elif record.state.is_on_board:
        expected = (Keeper.RIDER, record.carried_by or "")
    if expected is not None:
        assert (chain[-1].keeper, chain[-1].keeper_id) == expected, (record.state, chain)


def catalogue_of(world: World, **more: Any) -> Catalogue:
    """A catalogue that names a world's places alone; `more` as a Catalogue takes it."""
    return Catalogue(
        name="day", begin_at=T0, places=world.places, stores=(), riders=(), shifts=(),
        travel=StraightSpec({"default": SPEED}), settings=world.settings, **more,
    )  # fmt: skip


def folded(world: World, catalogue: Catalogue) -> KpiFold:
    """What a world's journal comes to."""
    fold = KpiFold(catalogue)
    for item, events in world.journal:
        fold.take(item, events)
    return fold
