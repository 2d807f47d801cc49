"""Working copies for one decision: routes as they will be, and the events that follow from the difference.

A decision reads the Board and changes nothing.  It edits routes in a Draft; `finish` commits what is due, compares with
what was, and writes the events: which phones must hear, which orders are told, changed hands or are nobody's again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from dispatch import events as e
from dispatch.alternatives.pairs import to_prepare
from dispatch.board.board import Board
from dispatch.board.commitment import accepted, committed
from dispatch.board.doors import at_its_door
from dispatch.board.progress import retimed
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.engine.offered import gap_of, offer_of
from dispatch.engine.route_parts import drops_of, plan_part, shown_part, told_pickups
from dispatch.engine.telling import new_times, receipt
from dispatch.lifecycle import Trigger, next_state
from dispatch.model import Act, ActKind, LastMetres, Level, Order, OrderState, Route, Stop


class Draft:
    """Edits of one decision at instant `at`."""

    def __init__(self, board: Board, at: int) -> None:
        self.board = board
        self.at = at
        self.events: list[e.Event] = []
        self._riders: dict[str, RiderRecord] = {}
        self._held: dict[str, RiderRecord] = {}
        """Riders as the board will hold them after the events written so far, where those change their route."""
        self._states: dict[str, tuple[OrderState, str | None]] = {}
        self._fetched: set[str] = set()
        self._revised: dict[str, Order] = {}
        self._chosen: dict[str, OrderRecord] = {}

    # --- reading ------------------------------------------------------------------------------------------------

    def rider(self, rider_id: str) -> RiderRecord:
        """A rider's working copy, made at first use; whoever is asked for is looked at again by `finish`."""
        if rider_id not in self._riders:
            self._riders[rider_id] = self.board.riders[rider_id].copied()
        return self._riders[rider_id]

    def state(self, order_id: str) -> OrderState:
        """An order's state as it will be."""
        return self._states[order_id][0] if order_id in self._states else self.board.orders[order_id].state

    def order(self, order_id: str) -> Order:
        """What was ordered, as it will be."""
        return self._revised.get(order_id) or self.board.orders[order_id].order

    # --- editing ------------------------------------------------------------------------------------------------

    def revise(self, order: Order) -> None:
        """Replace what was ordered."""
        self._revised[order.order_id] = order
        self.events.append(e.OrderRevised(at=self.at, order=order))

    def choose(self, order: Order, instead: tuple[tuple[str, str, int], ...] = (), *, asked: bool = False) -> None:
        """Let an order come from another of its sources, or go to another of its ends; `asked`: by its customer."""
        self._revised[order.order_id] = order
        self._chosen[order.order_id] = self.board.orders[order.order_id].as_if(order)
        number = 0 if asked else self.board.round
        self.events.append(e.AlternativeChosen(at=self.at, order=order, round=number, instead=instead))

    def move(
        self,
        order_id: str,
        trigger: Trigger,
        happened_at: int,
        *,
        rider_id: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Walk an order through the lifecycle; False, and no event, where that step cannot happen."""
        after = next_state(self.state(order_id), trigger)
        if after is None:
            return False
        owner = self.owner(order_id)
        waited = self._waits_elsewhere(order_id)
        if trigger is Trigger.PICKED_UP:
            self._fetched.add(order_id)
        if after is self.state(order_id) and rider_id == owner and waited == self._waits_elsewhere(order_id):
            return True
        self._states[order_id] = (after, rider_id)
        self.events.append(
            e.OrderMoved(
                at=self.at, order_id=order_id, state=after, happened_at=happened_at, rider_id=rider_id, reason=reason
            )
        )
        return True

    def correct(
        self,
        order_id: str,
        state: OrderState,
        happened_at: int,
        rider_id: str | None,
        *,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Let a state give way to a late fact, or to what operations say of it."""
        self._states[order_id] = (state, rider_id)
        self.events.append(
            e.OutcomeCorrected(
                at=self.at,
                order_id=order_id,
                state=state,
                happened_at=happened_at,
                rider_id=rider_id,
                reason=reason,
                by=by,
            )
        )

    def acknowledge(self, rider_id: str, revision: int, happened_at: int) -> None:
        """The rider's phone has shown a revision of their route."""
        self.events.append(
            e.RouteAcknowledged(at=self.at, rider_id=rider_id, revision=revision, happened_at=happened_at)
        )
        for record in self._both(rider_id):
            record.seen_revision = max(record.seen_revision, revision)
            record.set_off(max(happened_at, record.free_at))

    def arrive(self, rider_id: str, stop_id: str, happened_at: int, co2_mg: tuple[tuple[str, int], ...]) -> None:
        """The rider is at their first stop; `co2_mg`: of the way there, by order."""
        arrived = e.RiderArrived(at=self.at, rider_id=rider_id, stop_id=stop_id, happened_at=happened_at, co2_mg=co2_mg)
        self.events.append(arrived)
        for record in self._both(rider_id):
            record.arrive(happened_at)

    def leave(self, rider_id: str, stop: Stop, acted_at: int) -> None:
        """The rider has finished a stop, whose acts were done at `acted_at`."""
        free_at = acted_at + (int(self.board.places.exit_s[stop.place]) if stop.acts else 0)
        self.events.append(
            e.RiderDone(
                at=self.at,
                rider_id=rider_id,
                stop_id=stop.stop_id,
                place=stop.place,
                free_at=free_at,
                acted_at=acted_at,
            )
        )
        for record in self._both(rider_id):
            record.finish(stop.stop_id, stop.place, free_at, acted_at)

    def _both(self, rider_id: str) -> tuple[RiderRecord, RiderRecord]:
        """A rider as they will be, and as the board will hold them by the events alone."""
        if rider_id not in self._held:
            self._held[rider_id] = self.board.riders[rider_id].copied()
        return self.rider(rider_id), self._held[rider_id]

    def set_stops(self, rider_id: str, stops: tuple[Stop, ...], *, travel_version: int | None = None) -> None:
        """Give a rider other stops (times and levels are settled by `finish`).

        `travel_version`: of the travel times that the legs come from (None: legs the route had).
        """
        record = self.rider(rider_id)
        version = record.route.travel_version if travel_version is None else travel_version
        record.take(replace(record.route, stops=stops, travel_version=version), self.at)

    def without(self, rider_id: str, unwanted: Callable[[Act], bool]) -> None:
        """Take acts off a rider's route; the store they go to or stand at stays, as an empty stop."""
        record = self.rider(rider_id)
        stops = []
        for index, stop in enumerate(record.route.stops):
            acts = tuple(act for act in stop.acts if not unwanted(act))
            is_there = index == 0 and stop.level >= Level.UNDERWAY and stop.store_id is not None
            if acts or not stop.acts or is_there:
                stops.append(stop if len(acts) == len(stop.acts) else replace(stop, acts=acts))
        self.set_stops(rider_id, tuple(stops))

    def drop_order(self, order_id: str) -> None:
        """Take an order off whichever route it stands on; an offer that held it is withdrawn, all or nothing."""
        rider_id = self.board.orders[order_id].planned_rider_id
        if rider_id is None:
            return
        offer = self.board.offers.get(self.rider(rider_id).offer_id or "")
        if offer is not None and order_id in offer.order_ids:
            self.withdraw_offer(rider_id, "order_gone")
            self.release(rider_id, offer.order_ids)
        self.without(rider_id, lambda act: act.order_id == order_id)

    def withdraw_offer(self, rider_id: str, reason: str) -> None:
        """Close a rider's open offer, if they have one; its orders stay where they are."""
        record = self.rider(rider_id)
        if record.offer_id is not None:
            closed = e.OfferClosed(at=self.at, offer_id=record.offer_id, outcome="withdrawn", reason=reason)
            self.events.append(closed)
            record.offer_id = None

    def overtake_offer(self, rider_id: str, order_ids: Collection[str]) -> None:
        """A rider's open offer is withdrawn where one of `order_ids` is in it: facts have answered it."""
        offer = self.board.offers.get(self.rider(rider_id).offer_id or "")
        if offer is None or not any(order_id in order_ids for order_id in offer.order_ids):
            return
        self.withdraw_offer(rider_id, "overtaken")
        left = tuple(order_id for order_id in offer.order_ids if not self.state(order_id).is_on_board)
        if len(left) < len(offer.order_ids):
            self.set_stops(rider_id, accepted(self.rider(rider_id), self.rider(rider_id).route.stops, offer.order_ids))
        self.release(rider_id, left)

    def release(self, rider_id: str, order_ids: tuple[str, ...] | None = None) -> None:
        """Everything a rider has not picked up (or only `order_ids`) is nobody's again."""
        carried = self.on_board_of(rider_id)

        def unwanted(act: Act) -> bool:
            return act.order_id not in carried and (order_ids is None or act.order_id in order_ids)

        self.without(rider_id, unwanted)

    def owner(self, order_id: str) -> str | None:
        """Whose an order will be: told or on board."""
        if order_id in self._states:
            return self._states[order_id][1]
        return self.board.orders[order_id].rider_id

    def on_board_of(self, rider_id: str) -> frozenset[str]:
        """Orders whose goods a rider carries."""
        found: set[str] = set()
        for stop in self.rider(rider_id).route.stops:
            found.update(act.order_id for act in stop.acts if self.state(act.order_id).is_on_board)
        picks = {a.order_id for s in self.rider(rider_id).route.stops for a in s.acts if a.kind is ActKind.PICKUP}
        return frozenset(found - picks)

    # --- finishing ----------------------------------------------------------------------------------------------

    def finish(self) -> tuple[e.Event, ...]:
        """Commit what is due on every route touched and write the events of all differences."""
        finished: list[tuple[RiderRecord, Route]] = []
        for record in sorted(self._riders.values(), key=lambda r: r.seq):
            stops = tuple(at_its_door(stop, self.order) for stop in record.route.stops)
            stops = retimed(record, stops, self.board, self.at, self._chosen)
            stops = self._moved_on(record, committed(record, stops, self.board, self.at))
            finished.append((record, replace(record.route, stops=stops)))
        self.events += to_prepare(self.board, [route for _, route in finished], self.at, self._chosen)
        for record, route in finished:
            self._offer(record, route)
        self._settle_orders(finished)
        for record, route in finished:
            self._announce(record, route)
        return tuple(self.events)

    def _moved_on(self, record: RiderRecord, stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
        """A rider who stands at a store without orders is done there once they are told to go elsewhere."""
        if len(stops) < 2 or stops[0].acts or stops[0].level != Level.AT_STOP or stops[1].level < Level.TOLD:
            return stops
        self.leave(record.rider.rider_id, stops[0], self.at)
        onward, *rest = stops[1:]
        ahead = record.route.stops[0]
        if ahead.stop_id and ahead.stop_id == onward.stop_id:  # a stop that the phone shows already is under way now
            onward = replace(onward, level=max(onward.level, ahead.level))
            for act in onward.acts if onward.level == Level.UNDERWAY else ():
                if act.kind is ActKind.DROP:
                    self.move(act.order_id, Trigger.SET_OFF_TO_DROP, self.at, rider_id=record.rider.rider_id)
        return (onward, *rest)

    def _offer(self, record: RiderRecord, route: Route) -> None:
        asked = (tuple(act.order_id for act in stop.acts if act.level == Level.OFFERED) for stop in route.stops)
        orders = next((order_ids for order_ids in asked if order_ids), ())
        if not orders or record.offer_id is not None:
            return
        offer, more = offer_of(self.board, route, orders, self.at), gap_of(self.board, orders, route.rider_id)
        self.events.append(e.OfferMade(at=self.at, offer=offer, more_points=more))

    def _settle_orders(self, finished: list[tuple[RiderRecord, Route]]) -> None:
        told_by: dict[str, tuple[str, Stop]] = {}
        drops: dict[str, Stop] = {}
        for record, route in finished:
            told_by.update({o: (record.rider.rider_id, stop) for o, stop in told_pickups(route).items()})
            drops.update(drops_of(route))
        for record, _ in finished:
            for order_id in told_pickups(self.board.riders[record.rider.rider_id].route):
                if order_id not in told_by and self._is_his(order_id, record.rider.rider_id):
                    self._release_order(order_id, record.rider.rider_id)
        for order_id, (rider_id, stop) in told_by.items():
            self._tell_order(order_id, rider_id, stop, drops.get(order_id))

    def _is_his(self, order_id: str, rider_id: str) -> bool:
        state = self.state(order_id)
        if self.owner(order_id) != rider_id or state.is_final:
            return False
        return self._waits_elsewhere(order_id) or not state.is_on_board

    def _waits_elsewhere(self, order_id: str) -> bool:
        """Goods of a lost rider, left at a place, and not fetched by this decision."""
        return self.board.orders[order_id].pick_place is not None and order_id not in self._fetched

    def _release_order(self, order_id: str, rider_id: str) -> None:
        if self.board.orders[order_id].pick_place is None:
            self.move(order_id, Trigger.RELEASED, self.at)
        else:
            self._hand_to(order_id, None, rider_id)

    def _hand_to(self, order_id: str, rider_id: str | None, previous_rider_id: str) -> None:
        self._states[order_id] = (self.state(order_id), rider_id)
        self.events.append(
            e.RiderChanged(at=self.at, order_id=order_id, rider_id=rider_id, previous_rider_id=previous_rider_id)
        )

    def _tell_order(self, order_id: str, rider_id: str, stop: Stop, drop: Stop | None) -> None:
        owner = self.owner(order_id)
        if owner != rider_id:
            if owner is None and self.board.orders[order_id].pick_place is None:
                self.move(order_id, Trigger.TOLD, self.at, rider_id=rider_id)
            else:
                self._hand_to(order_id, rider_id, owner or "")
            walked = LastMetres.of(stop, drop) if drop is not None else None
            self.events.append(receipt(self.board, order_id, rider_id, walked, self.at))
        if stop.level == Level.UNDERWAY:
            self.move(order_id, Trigger.SET_OFF, self.at, rider_id=rider_id)
        elif stop.level == Level.AT_STOP:
            self.move(order_id, Trigger.ARRIVED_AT_STORE, self.at, rider_id=rider_id)

    def _announce(self, record: RiderRecord, route: Route) -> None:
        """Write the revised route, if it differs from what the board will hold without it."""
        held = self._held.get(route.rider_id, self.board.riders[route.rider_id]).route
        if route.stops == held.stops:
            return
        told = shown_part(route.stops) != shown_part(held.stops)
        changes_plan = told or plan_part(route.stops) != plan_part(held.stops)
        revision = held.revision + 1 if changes_plan else held.revision
        self.events.append(e.RouteRevised(at=self.at, route=replace(route, revision=revision), told=told))
        self.events += new_times(self.board, route, self.at)
