"""The state of a city: orders, riders, stores, offers, the open round.  `apply(event)` is its only mutation.

Folding the events of a journal over an empty Board gives the state that lived; `dump` and `load` make snapshots of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

from dispatch import custody, receipts
from dispatch import events as e
from dispatch.board import dumps, parking, stock
from dispatch.board.cell_index import CellIndex, ZoneShape
from dispatch.board.records import OrderRecord, RiderRecord, ZoneRecord
from dispatch.board.shown_routes import with_route, with_sight
from dispatch.board.stock import StoreRecord
from dispatch.event_handlers import event_handlers
from dispatch.model import ActKind, Level, Offer, OrderState, Reason, Route, latest_departure
from dispatch.people.apart import with_pair, without_pair
from dispatch.people.hours import recent, span_of
from dispatch.promise.duty import DutyCount
from dispatch.promise.told import with_said
from dispatch.promise.tracker import Tracker
from dispatch.settings.names import FORMER
from dispatch.settings.presets import KEY as PRESET
from dispatch.settings.settings import Settings
from routing.places import PlaceBook

SERVICE_PAUSE_S = 7200
"""After so long without an order a new service begins: promises are kept otherwise in its first hour."""


class Board:
    """Orders, riders and stores of one city, with an H3 index of what is open."""

    def __init__(self, places: PlaceBook, settings: Settings) -> None:
        self.places = places
        self.settings = settings
        self.now = 0
        self.orders: dict[str, OrderRecord] = {}
        self.riders: dict[str, RiderRecord] = {}
        self.stores: dict[str, StoreRecord] = {}
        self.zones: dict[str, ZoneRecord] = {}
        self.offers: dict[str, Offer] = {}
        self.offers_made = 0
        self.orders_taken = 0
        """Orders ever accepted, those that have left among them."""
        self.round = 0
        self.open_round: int | None = None
        self.round_opened_at: int | None = None
        self.planned_wait_s = 0
        """How long goods waited ready for their pickups in the last plan, on average: how scarce riders are."""
        self.most_new_orders: int | None = None
        """How many orders a round may add to the plan while the host is under pressure."""
        self.dirty_at: int | None = None
        """Since when something waits for a round."""
        self.hears_since = 0
        """Nobody's silence counts from earlier: the service itself was away."""
        self.answers_until = 0
        """No offer ends before: its answer may have been on the way while the service was away."""
        self.travel_version = 0
        self.round_travel_version = 0
        """The travel times that the last round was opened with: news may come while it is being solved."""
        self.travel_digest = ""
        self.profiles: tuple[str, ...] = ("default",)
        """Names of the travel table's profiles, in its order."""
        self.needs: tuple[str, ...] = ()
        """Names of the bits of `Order.needs` and `Rider.provides`."""
        self.weather = ""
        self.service_began_at = 0
        """When orders began to come after the last pause of `SERVICE_PAUSE_S`."""
        self.last_placed_at = 0
        self.promise = Tracker()
        """What is known of how much later than expected orders come."""
        self.before_preset: dict[str, Any] | None = None
        """What the last choice of a preset replaced and nobody has set since, by key: what undoes it."""
        # Derived: rebuilt by `load`, never dumped.
        self.open_orders: dict[str, OrderRecord] = {}
        self.in_play: dict[str, OrderRecord] = {}
        """Open orders that a round looks at: all but those placed ahead that are known to be kept until later."""
        self._ahead: list[tuple[int, int, str]] = []
        """(release, seq, order id) of the others, a heap; entries may be out of date."""
        self.ended_orders: dict[str, OrderRecord] = {}
        """In the order in which we learned of their end."""
        self.order_cells = CellIndex()
        self.rider_cells = CellIndex()
        """Where the plans of riders start: at their first stop once that is settled, else where they are."""
        self.duty = DutyCount()
        self._shapes: dict[str, ZoneShape] = {}

    def apply(self, event: e.Event) -> None:
        """Take one fact in.  Never raises for an event the engine made."""
        self.now = max(self.now, event.at)
        parking.note(event, self.orders, self.riders)
        _APPLY[type(event)](self, event)
        for rider_id, fields in receipts.of(event):
            rider = self.riders[rider_id]
            rider.receipts = receipts.kept(rider.receipts, rider.receipts_made, fields)
            rider.receipts_made += 1

    def paused_zone_of(self, place: int) -> str | None:
        """The first paused zone that holds a place."""
        paused = (zone_id for zone_id, record in self.zones.items() if record.paused)
        return next((zone_id for zone_id in paused if self._shapes[zone_id].holds(place)), None)

    def heard_at(self, record: RiderRecord) -> int:
        """Since when a rider's silence counts."""
        return max(record.heard_at, self.hears_since)

    def offer_ends_at(self, offer: Offer) -> int:
        """Until when an offer may be answered."""
        return max(offer.expires_at, self.answers_until)

    # --- snapshots ----------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values; two boards are the same if their dumps are equal."""
        return dumps.dump(self)

    @classmethod
    def load(cls, places: PlaceBook, state: dict[str, Any]) -> Board:
        """The Board that `dump` described; `places` must hold every handle it names."""
        board = cls(places, Settings.stated(state["settings"]))
        dumps.load(board, state)
        board._derive()
        return board

    def _derive(self) -> None:
        for zone_id, zone in self.zones.items():
            self._shapes[zone_id] = ZoneShape(zone.zone.corners, self.places)
        ended = [record for record in self.orders.values() if record.state.is_final]
        for record in sorted(ended, key=lambda record: (record.known_ended_at, record.seq)):
            self.ended_orders[record.order.order_id] = record
        for order_id, record in self.orders.items():
            if not record.state.is_final:
                self._index_order(order_id, record)
                self._set_aside(order_id, record)
        self._index_riders(self.riders.values())
        for rider in self.riders.values():
            self._put_on_duty(rider)

    def _index_riders(self, records: Iterable[RiderRecord]) -> None:
        for record in records:
            place = record.starts_from(divert=self.settings.rules.divert)
            self.rider_cells.put(record.rider.rider_id, int(self.places.cell[place]))

    def _put_on_duty(self, record: RiderRecord) -> None:
        self.duty.put(record.rider.rider_id, () if record.lost or record.on_break else record.shifts)

    def _index_order(self, order_id: str, record: OrderRecord) -> None:
        self.open_orders[order_id] = self.in_play[order_id] = record
        store_place = self.stores[record.order.store_id].store.place
        place = store_place if record.pick_place is None else record.pick_place
        self.order_cells.put(order_id, int(self.places.cell[place]))

    def _look_at(self, record: OrderRecord) -> None:
        if not record.state.is_final:
            self.in_play[record.order.order_id] = record

    def _set_aside(self, order_id: str, record: OrderRecord) -> None:
        """An order known to be kept is nothing to a round until its release: tens of thousands may be placed ahead."""
        release_at = record.order.release_at
        if record.reason is Reason.KEPT and release_at is not None and release_at > self.now and not record.held:
            self.in_play.pop(order_id, None)
            heapq.heappush(self._ahead, (release_at, record.seq, order_id))

    def _call_in(self) -> None:
        """Orders whose release has come are in play again."""
        while self._ahead and self._ahead[0][0] <= self.now:
            _, _, order_id = heapq.heappop(self._ahead)
            if order_id in self.open_orders:
                self.in_play[order_id] = self.open_orders[order_id]

    # --- catalogue ----------------------------------------------------------------------------------------------

    def _on_store_known(self, event: e.StoreKnown) -> None:
        self.stores.setdefault(event.store.store_id, StoreRecord(event.store)).store = event.store

    def _on_rider_known(self, event: e.RiderKnown) -> None:
        rider = event.rider
        record = self.riders.get(rider.rider_id)
        if record is None:
            record = self.riders[rider.rider_id] = RiderRecord(
                rider, len(self.riders), rider.place, event.at, Route(rider.rider_id, 0), heard_at=event.at
            )
        record.rider = rider
        self._index_riders((record,))

    def _on_zone_known(self, event: e.ZoneKnown) -> None:
        zone = event.zone
        paused = zone.zone_id in self.zones and self.zones[zone.zone_id].paused
        self.zones[zone.zone_id] = ZoneRecord(zone, paused)
        self._shapes[zone.zone_id] = ZoneShape(zone.corners, self.places)

    def _on_shift_opened(self, event: e.ShiftOpened) -> None:
        record = self.riders[event.shift.rider_id]
        record.begin_duty(event.shift)
        ahead = [shift for shift in record.shifts if shift.end_at is None or shift.end_at >= event.at]
        over = tuple(span_of(shift) for shift in record.shifts if shift not in ahead)
        record.worked = recent((*record.worked, *over), event.at)
        record.shifts = tuple(sorted((*ahead, event.shift), key=lambda shift: shift.start_at))
        record.heard_at = max(record.heard_at, event.at, event.shift.start_at)
        self._put_on_duty(record)
        self._touch(event.at)

    def _on_shift_closed(self, event: e.ShiftClosed) -> None:
        record = self.riders[event.rider_id]
        if event.by:
            record.logged_off = next((shift for shift in record.shifts if shift.start_at <= event.at), None)
        record.close_shifts(event.at)
        self._put_on_duty(record)
        self._touch(event.at)

    def _on_break_set(self, event: e.BreakSet) -> None:
        record = self.riders[event.rider_id]
        record.on_break = event.on_break
        record.pause(event.at, begins=event.on_break)
        self._put_on_duty(record)
        record.heard_at = max(record.heard_at, event.at)
        self._touch(event.at)

    def _on_decision_reversed(self, event: e.DecisionReversed) -> None:
        record = self.riders[event.rider_id]
        for order_id in event.order_ids:
            order = self.orders[order_id]
            order.refused_by = tuple(refused for refused in order.refused_by if refused != event.rider_id)
            record.unseen = tuple(unseen for unseen in record.unseen if unseen != order_id)
        self._touch(event.at)

    def _on_rest_given(self, event: e.RestGiven) -> None:
        record = self.riders[event.rider_id]
        record.breaks = recent((*record.breaks, (event.at, event.until)), event.at)
        self._touch(event.at)

    def _on_apart_known(self, event: e.ApartKnown) -> None:
        record, pair = self.riders[event.rider_id], event.pair
        record.apart = (
            with_pair(record.apart, pair) if event.apart else without_pair(record.apart, pair.party, pair.name)
        )
        self._touch(event.at)

    # --- orders -------------------------------------------------------------------------------------------------

    def _on_order_accepted(self, event: e.OrderAccepted) -> None:
        order = event.order
        record = OrderRecord(order, self.orders_taken, OrderState.CREATED, event.at, order.expected_ready_at)
        record.custody = custody.after((), event)
        self.orders_taken += 1
        self.orders[order.order_id] = record
        stock.reserve(self.stores, record)
        self._index_order(order.order_id, record)
        if self.settings.rules.promise_odds:
            if event.at > self.last_placed_at + SERVICE_PAUSE_S:
                self.service_began_at = event.at
            self.last_placed_at = event.at
        store = self.stores[order.store_id]
        store.demand.note(order.placed_at, order.expected_ready_at, self.settings.reposition.memory_s)
        self._touch(event.at)

    def _on_fee_set(self, event: e.FeeSet) -> None:
        self.orders[event.order_id].fee = event.fee

    def _on_order_revised(self, event: e.OrderRevised) -> None:
        record = self.orders[event.order.order_id]
        if event.order.expected_ready_at != record.order.expected_ready_at:
            record.expected_ready_at = event.order.expected_ready_at
        holds = record.reserved_at is not None
        stock.free(self.stores, record)
        record.order = event.order
        if holds:
            stock.reserve(self.stores, record)
        self._look_at(record)
        self._touch(event.at)

    def _on_alternative_chosen(self, event: e.AlternativeChosen) -> None:
        record = self.orders[event.order.order_id]
        if event.round:  # what a customer asks for is another end of the same goods
            record.expected_ready_at = event.order.expected_ready_at
        record.order = event.order
        record.custody = custody.after(record.custody, event)
        stock.reserve(self.stores, record)
        if not record.state.is_final and not record.state.is_on_board:
            self._index_order(event.order.order_id, record)

    def _on_source_told(self, event: e.SourceTold) -> None:
        record = self.orders[event.order_id]
        record.source_told_at, record.expected_ready_at = event.at, event.expected_ready_at

    def _on_source_opened(self, event: e.SourceOpened) -> None:
        record = self.orders[event.order_id]
        record.source_told_at = record.ready_at = None
        if event.barred:
            stock.free(self.stores, record)
            record.sources_barred = (*record.sources_barred, (event.store_id, event.why))
        self._look_at(record)
        self._touch(event.at)

    def _on_stock_known(self, event: e.StockKnown) -> None:
        record = self.stores[event.store_id]
        record.stock.update(event.counts)
        record.stock_version = event.version
        self._touch(event.at)

    def _on_order_moved(self, event: e.OrderMoved) -> None:
        record = self.orders[event.order_id]
        record.give_to(event.rider_id)
        record.custody = custody.after(record.custody, event)
        self._set_state(event.order_id, record, event.state, event.happened_at, event.at)
        if event.state.is_on_board and event.rider_id is not None:
            record.pick_place, record.carried_by = None, event.rider_id
        if event.state is OrderState.CREATED:
            record.decision_id = None
            self._touch(event.at)
        elif event.state is OrderState.CONFIRMED:
            record.confirmed_at = event.at
            record.reason, record.kept_until = None, None
        elif event.state is OrderState.RETURNING:
            record.end_reason = event.reason
            self._touch(event.at)
        if event.state.is_final:
            record.end_reason = event.reason or record.end_reason
        if event.state is OrderState.DELIVERED and event.rider_id in self.riders:
            self.riders[event.rider_id].brought += 1

    def _set_state(self, order_id: str, record: OrderRecord, state: OrderState, happened_at: int, at: int) -> None:
        record.state, record.state_at = state, happened_at
        self._look_at(record)
        if state.is_on_board:
            stock.take(self.stores, record)
        elif state.is_final:
            stock.free(self.stores, record)
            if state is OrderState.RETURNED:
                stock.put_back(self.stores, record)
        if state is OrderState.PICKED_UP and record.rider_id is not None:  # nobody's: left by whoever had fetched them
            record.picked_up_at = happened_at
        if state is OrderState.PICKED_UP or state.is_final:
            record.reason, record.kept_until = None, None
        if state.is_final:
            record.ended_at, record.closed_at, record.pick_place = happened_at, at, None
            self.ended_orders[order_id] = record
            self.open_orders.pop(order_id, None)
            self.in_play.pop(order_id, None)
            self.order_cells.remove(order_id)

    def _on_outcome_corrected(self, event: e.OutcomeCorrected) -> None:
        record = self.orders[event.order_id]
        self.ended_orders.pop(event.order_id, None)
        record.custody = custody.after(record.custody, event)
        picked_up_at = record.correct(event.state, event.happened_at, event.rider_id, event.reason)
        self._set_state(event.order_id, record, event.state, event.happened_at, event.at)
        record.picked_up_at = picked_up_at
        if not event.state.is_final:
            self._index_order(event.order_id, record)
            self._touch(event.at)

    def _on_orders_left(self, event: e.OrdersLeft) -> None:
        for order_id in event.order_ids:
            record = self.orders.pop(order_id)
            self.ended_orders.pop(order_id, None)
            for rider_id in record.refused_by:
                rider = self.riders[rider_id]
                rider.unseen = tuple(unseen for unseen in rider.unseen if unseen != order_id)

    def ended_before(self, instant: int) -> tuple[str, ...]:
        """Orders that we have known to be ended since `instant` or longer and that stand on no route, oldest first."""
        gone = takewhile(lambda record: record.known_ended_at <= instant, self.ended_orders.values())
        found = [(one.known_ended_at, one.seq, one.order.order_id) for one in gone if one.planned_rider_id is None]
        return tuple(order_id for _, _, order_id in sorted(found))

    def _on_rider_changed(self, event: e.RiderChanged) -> None:
        self.orders[event.order_id].give_to(event.rider_id)

    def _on_ready_known(self, event: e.ReadyKnown) -> None:
        record = self.orders[event.order_id]
        record.expected_ready_at = event.expected_ready_at
        record.ready_at = record.ready_at if event.ready_at is None else event.ready_at
        self._touch(event.at)

    def _on_order_parked(self, event: e.OrderParked) -> None:
        record = self.orders[event.order_id]
        record.parked, record.reason, record.kept_until = event.stage, Reason.PARKED, None
        self._touch(event.at)

    def _on_rider_parked(self, event: e.RiderParked) -> None:
        self.riders[event.rider_id].parked = event.stage
        self._touch(event.at)

    def _on_hold_set(self, event: e.HoldSet) -> None:
        record = self.orders[event.order_id]
        record.held = event.held
        self._look_at(record)
        self._touch(event.at)

    def _on_rider_forced(self, event: e.RiderForced) -> None:
        record = self.orders[event.order_id]
        record.forced_rider_id = event.rider_id
        self._look_at(record)
        self._touch(event.at)

    def _on_rider_refused(self, event: e.RiderRefused) -> None:
        record = self.orders[event.order_id]
        if event.rider_id not in record.refused_by:
            record.refused_by = (*record.refused_by, event.rider_id)
            if event.unseen:
                rider = self.riders[event.rider_id]
                rider.unseen = (*rider.unseen, event.order_id)
        self._touch(event.at)

    def _on_goods_moved(self, event: e.GoodsMoved) -> None:
        record = self.orders[event.order_id]
        record.pick_place, record.rider_id = event.place, None
        record.custody = custody.after(record.custody, event)
        self._index_order(event.order_id, record)
        self._touch(event.at)

    def _on_reason_set(self, event: e.ReasonSet) -> None:
        record = self.orders[event.order_id]
        record.reason, record.kept_until = event.reason, event.kept_until
        self._set_aside(event.order_id, record)

    def _on_decision_made(self, event: e.DecisionMade) -> None:
        record = self.orders[event.order_id]
        record.decision_id, record.last_metres = event.decision_id, event.last_metres

    def _on_eta_changed(self, event: e.EtaChanged) -> None:
        self.orders[event.order_id].announced_dropoff_at = event.expected_dropoff_at

    def _on_order_at_risk(self, event: e.OrderAtRisk) -> None:
        self.orders[event.order_id].at_risk_at = event.at

    def _on_order_giving_up(self, event: e.OrderGivingUp) -> None:
        self.orders[event.order_id].gives_up_at = event.ends_at

    def _on_promise_said(self, event: e.PromiseSaid) -> None:
        record = self.orders[event.order_id]
        record.said = with_said(record.said, event.said)

    def _on_promise_learned(self, event: e.PromiseLearned) -> None:
        self.orders[event.order_id].taught = True
        for lesson in event.lessons:
            self.promise.learn(lesson)

    def _on_promise_adopted(self, event: e.PromiseAdopted) -> None:
        self.promise = Tracker.of(event.groups, event.taught, event.spread_ms)

    # --- stores, zones, travel, settings ------------------------------------------------------------------------

    def _on_store_state_set(self, event: e.StoreStateSet) -> None:
        record = self.stores[event.store_id]
        record.closed_until, record.delay_s, record.delay_until = event.closed_until, event.delay_s, event.delay_until
        self._touch(event.at)

    def _on_zone_state_set(self, event: e.ZoneStateSet) -> None:
        self.zones[event.zone_id].paused = event.paused
        self._touch(event.at)

    def _on_travel_adopted(self, event: e.TravelAdopted) -> None:
        self.travel_version, self.travel_digest = event.version, event.digest
        self.profiles, self.weather = event.profiles, event.weather

    def _on_setting_set(self, event: e.SettingSet) -> None:
        self.settings = self.settings.with_stated({event.key: event.value})
        self._index_riders(self.riders.values())
        if self.before_preset is not None:
            self.before_preset.pop(FORMER.get(event.key, event.key), None)
        self._touch(event.at)

    def _on_rounds_limit_set(self, event: e.RoundsLimitSet) -> None:
        self.most_new_orders = event.most_new_orders
        self._touch(event.at)

    def _on_preset_set(self, event: e.PresetSet) -> None:
        before = self.settings.flat()
        self.settings = self.settings.with_stated({PRESET: event.preset, **dict(event.values)})
        self._index_riders(self.riders.values())
        self.before_preset = {key: before[key] for key in (PRESET, *(FORMER.get(key, key) for key, _ in event.values))}
        self._touch(event.at)

    def _on_needs_known(self, event: e.NeedsKnown) -> None:
        self.needs = event.names

    # --- riders and routes --------------------------------------------------------------------------------------

    def _on_positions_taken(self, event: e.PositionsTaken) -> None:
        for position in event.positions:
            record = self.riders[position.rider_id]
            record.heard_at = max(record.heard_at, position.seen_at)
            self.places.move(record.rider.place, position.first, position.second)
            if not record.route.told and record.free_at <= position.seen_at:
                record.here = record.rider.place
            self._index_riders((record,))

    def _on_route_revised(self, event: e.RouteRevised) -> None:
        route = event.route
        record = self.riders[route.rider_id]
        for stop in record.route.stops:
            for act in stop.acts:
                order = self.orders[act.order_id]
                if order.planned_rider_id == route.rider_id:
                    order.planned_rider_id = None
        record.take(route, event.at)
        self._index_riders((record,))
        self._take_times(route)
        if event.told:
            record.told_revision, record.told_at = route.revision, event.at
            record.shown = with_route(record.shown, route, event.at)
            numbers = [int(stop.stop_id.rpartition(".")[2]) for stop in route.told]
            record.stops_told = max([record.stops_told, *numbers])

    def _take_times(self, route: Route) -> None:
        for stop in route.stops:
            for act in stop.acts:
                order = self.orders[act.order_id]
                order.planned_rider_id = route.rider_id
                if act.kind is ActKind.PICKUP:
                    order.expected_pickup_at = stop.expected_act_at
                    if act.level < Level.TOLD:
                        order.reason = Reason.KEPT
                        order.kept_until = latest_departure(stop, self.places)
                else:
                    order.expected_dropoff_at = stop.expected_act_at

    def _on_route_acknowledged(self, event: e.RouteAcknowledged) -> None:
        record = self.riders[event.rider_id]
        record.heard_at = max(record.heard_at, event.happened_at)
        record.seen_revision = max(record.seen_revision, event.revision)
        record.shown = with_sight(record.shown, event.revision, event.happened_at)
        record.set_off(max(event.happened_at, record.free_at))
        self._index_riders((record,))
        if record.unseen:
            self._ask_again(record)
            self._touch(event.at)

    def _ask_again(self, record: RiderRecord) -> None:
        """A silent phone refused nothing: now that it speaks, what it did not show may be its rider's again."""
        rider_id = record.rider.rider_id
        for order_id in record.unseen:
            order = self.orders[order_id]
            order.refused_by = tuple(refused for refused in order.refused_by if refused != rider_id)
        record.unseen = ()

    def _on_rider_arrived(self, event: e.RiderArrived) -> None:
        record = self.riders[event.rider_id]
        record.arrive(event.happened_at)
        for order_id, mg in event.co2_mg:
            if order_id in self.orders:
                self.orders[order_id].co2_mg += mg
        self._index_riders((record,))

    def _on_rider_done(self, event: e.RiderDone) -> None:
        record = self.riders[event.rider_id]
        record.heard_at = max(record.heard_at, event.at)
        for stop in record.route.stops[:1]:
            for act in stop.acts:
                order = self.orders[act.order_id]
                if act.kind is ActKind.DROP and order.planned_rider_id == event.rider_id:
                    order.planned_rider_id = None
        record.finish(event.stop_id, event.place, event.free_at, event.acted_at)
        self._index_riders((record,))
        self._touch(event.at)

    def _on_report_contradicted(self, event: e.ReportContradicted) -> None:
        record = self.riders.get(event.rider_id)
        if record is not None:
            record.heard_at = max(record.heard_at, event.at)

    def _on_rider_lost(self, event: e.RiderLost) -> None:
        record = self.riders[event.rider_id]
        record.lost = True
        self._put_on_duty(record)
        self._touch(event.at)

    def _on_rider_found(self, event: e.RiderFound) -> None:
        record = self.riders[event.rider_id]
        record.lost, record.heard_at = False, event.at
        self._put_on_duty(record)
        self._touch(event.at)

    def _on_hearing_resumed(self, event: e.HearingResumed) -> None:
        self.hears_since, self.answers_until = event.at, event.answers_until

    # --- offers and rounds --------------------------------------------------------------------------------------

    def _on_offer_made(self, event: e.OfferMade) -> None:
        self.offers[event.offer.offer_id] = event.offer
        self.offers_made += 1
        self.riders[event.offer.rider_id].offer_id = event.offer.offer_id
        for order_id in event.offer.order_ids:
            self.orders[order_id].offer_count += 1

    def _on_offer_closed(self, event: e.OfferClosed) -> None:
        offer = self.offers.pop(event.offer_id)
        self.riders[offer.rider_id].offer_id = None

    def _on_round_opened(self, event: e.RoundOpened) -> None:
        self.round, self.open_round = event.round, event.round
        self.round_opened_at = event.at
        self.round_travel_version = event.travel_version
        self.dirty_at = None
        self._call_in()

    def _on_round_closed(self, event: e.RoundClosed) -> None:
        self.open_round = None
        self.planned_wait_s = event.planned_wait_s
        for choice in event.choices:
            if choice.order_id in self.orders:
                self.orders[choice.order_id].choice = choice
        for found in event.alternatives:
            if found.order_id in self.orders:
                self.orders[found.order_id].alternative = found
        if event.refused:
            self._touch(event.at)

    def _on_answer_dropped(self, event: e.AnswerDropped) -> None:
        """Counted by whoever reads the journal; nothing changes."""

    _on_instant_clamped = _on_answer_dropped

    def _touch(self, at: int) -> None:
        self.dirty_at = at if self.dirty_at is None else self.dirty_at


_APPLY = event_handlers(vars(Board), of_all=True)
