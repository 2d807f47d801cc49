"""The true city: where riders really are, when goods are really ready, who opens the door.

Riders know nothing but the route their phone shows.  Each is a small state machine whose instants lie on the event
heap; what happens to them they report through their phone, and only that reaches the engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

import numpy as np

from dispatch.board.records import FOR_EVER
from dispatch.event_handlers import event_handlers
from dispatch.events import (
    AlternativeChosen,
    Event,
    GoodsMoved,
    OfferMade,
    RiderDone,
    RouteRevised,
    SourceOpened,
    SourceTold,
    StoreStateSet,
)
from dispatch.inputs import (
    OfferAccepted,
    OfferDeclined,
    OrderReady,
    Position,
    RouteSeen,
    ShiftEnded,
    StopArrived,
    StopCompleted,
    StopFailed,
)
from dispatch.model import Act, ActKind, Level, Offer, Order, Rider, Route, Shift, Stop
from routing.travel import UNREACHABLE, TravelTimes
from sim.heap import EventHeap, Rank
from sim.scenario import Demand, Reality, Scenario
from sim.world.luck import SLOT_S, AcceptanceModel, Luck, SharedAcceptance
from sim.world.phone import Phone


class Doing(Enum):
    """What a rider is doing right now."""

    IDLE = "idle"
    DRIVING = "driving"
    AT_STOP = "at_stop"
    """Arrived; its acts are not done yet."""
    LEAVING = "leaving"
    """The acts are done; they walk back to their vehicle."""


class Whose(Enum):
    """Where goods are when no rider has them."""

    STORE = "store"
    CUSTOMER = "customer"


@dataclass(slots=True)
class Body:
    """One rider in flesh and blood."""

    rider: Rider
    profile: int
    phone: Phone
    on_duty_at: int
    shifts: tuple[Shift, ...]
    place: int
    """Where they stand, or whence they set off."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Where that was when they set off: the engine moves a rider's own place with their positions."""
    doing: Doing = Doing.IDLE
    stop: Stop | None = None
    """What they drive to, or are at."""
    since: int = 0
    """Set off, or arrived, at this instant."""
    until: int = 0
    """Arrives at this instant."""
    step: int = 0
    """Counts changes of mind: what was scheduled under an older count does not happen."""
    shown: tuple[Stop, ...] = ()
    revision: int = -1
    waiting: Route | None = None
    """A route that came before they were on duty."""
    left: set[str] = field(default_factory=set)
    """Stops done: a route made before the report of one arrived still names it."""


class City:
    """All riders, goods and customers of one run."""

    def __init__(
        self,
        scenario: Scenario,
        times: TravelTimes,
        luck: Luck,
        heap: EventHeap,
        acceptance: AcceptanceModel | None = None,
    ) -> None:
        self._reality: Reality = scenario.reality
        self._scenario = scenario
        self._places = scenario.catalogue.places
        self._times = times
        self._luck = luck
        self._heap = heap
        self._acceptance = acceptance or SharedAcceptance(scenario.reality, luck)
        self._orders: dict[str, Order] = {}
        self._ready_at: dict[str, int] = {}
        self._goods: dict[str, str | Whose] = {}
        self._closed_until: dict[str, int] = {}
        self._reports_ready = False
        self._stores = {store.store_id: store for store in scenario.catalogue.stores}
        self._bodies: dict[str, Body] = {}
        self.positions: dict[str, Position] = {}
        """The newest position of each rider that the service has not been given yet."""
        shifts: dict[str, list[Shift]] = {}
        for shift in sorted(scenario.catalogue.shifts, key=lambda one: one.start_at):
            shifts.setdefault(shift.rider_id, []).append(shift)
        for rider in scenario.catalogue.riders:
            phone = Phone(rider.rider_id, self._reality, luck, heap)
            worked = tuple(shifts.get(rider.rider_id, ()))
            on_duty_at = worked[0].start_at if worked else scenario.catalogue.begin_at
            self._bodies[rider.rider_id] = Body(
                rider, times.profiles.index(rider.profile), phone, on_duty_at, worked, rider.place
            )

    # --- what the day brings ------------------------------------------------------------------------------------

    def begin(self, report_ready: bool) -> None:
        """Put on the heap what happens whatever is decided: goods ready (if reported), log-offs, positions."""
        self._reports_ready = report_ready
        for one in self._scenario.demand:
            self._orders[one.order.order_id] = one.order
            self._goods[one.order.order_id] = Whose.STORE
            if one.order.sources:  # nobody prepares it before a store is told
                self._ready_at[one.order.order_id] = FOR_EVER
                continue
            ready_at = self._ready_at[one.order.order_id] = self._true_ready_at(one)
            if report_ready or ready_at != one.order.expected_ready_at:
                at = max(ready_at, one.order.placed_at)
                self._heap.say(OrderReady(at=at, order_id=one.order.order_id, happened_at=ready_at))
        for number, shift in enumerate(self._scenario.catalogue.shifts):
            if self._luck.happens(f"{shift.rider_id}\x00{number}", "logoff", self._reality.early_logoff_share):
                share = self._luck.stream(f"{shift.rider_id}\x00{number}", "logoff_at").random()
                at = shift.start_at + math.ceil((shift.last_pickup_at - shift.start_at) * share)
                self._heap.say(ShiftEnded(at=at, rider_id=shift.rider_id))
        if self._reality.position_every_s:
            for body in self._bodies.values():
                share = self._luck.stream(body.rider.rider_id, "cadence").random()
                offset_s = int(share * self._reality.position_every_s)
                self._heap.put(body.on_duty_at + offset_s, Rank.REPORT, partial(self._locate, body))

    def adopt(self, order: Order, ready_at: int, rider_id: str | None = None) -> None:
        """Takes in an order that the scenario does not hold; `rider_id`: who has its goods already."""
        self._orders[order.order_id] = order
        self._ready_at[order.order_id] = ready_at
        self._goods[order.order_id] = Whose.STORE if rider_id is None else rider_id

    def _true_ready_at(self, one: Demand) -> int:
        if not self._reality.ready_sigma_s:
            return one.ready_at
        drift = self._luck.stream(one.order.order_id, "ready").standard_normal() * self._reality.ready_sigma_s
        return max(one.order.placed_at, one.ready_at + round(drift))

    def _locate(self, body: Body, at: int) -> None:
        seen = body.phone.position(at, *self._point(body, at))
        if seen is not None:
            self.positions[body.rider.rider_id] = seen
        if at + self._reality.position_every_s <= self._scenario.ends_at:
            self._heap.put(at + self._reality.position_every_s, Rank.REPORT, partial(self._locate, body))

    # --- what the engine says -----------------------------------------------------------------------------------

    def hear(self, events: Iterable[Event], at: int) -> None:
        """React to what leaves the engine at `at`: routes, offers, stores that shut."""
        for event in events:
            handler = _HEARD.get(type(event))
            if handler is not None:
                handler(self, event, at)

    def _on_route_revised(self, event: RouteRevised, at: int) -> None:
        if event.told:
            self._show(self._bodies[event.route.rider_id], event.route, at)

    def _on_rider_done(self, event: RiderDone, at: int) -> None:
        self._close(self._bodies[event.rider_id], event.stop_id, at)

    def _on_offer_made(self, event: OfferMade, at: int) -> None:
        self._ask(event.offer, at)

    def _on_goods_moved(self, event: GoodsMoved, at: int) -> None:
        self._goods[event.order_id] = Whose.STORE

    def _on_alternative_chosen(self, event: AlternativeChosen, at: int) -> None:
        self._orders[event.order.order_id] = event.order

    def _on_source_told(self, event: SourceTold, at: int) -> None:
        order_id, ready_at = event.order_id, event.expected_ready_at
        if self._reality.ready_sigma_s:
            drift = self._luck.stream(order_id, "ready").standard_normal() * self._reality.ready_sigma_s
            ready_at = max(at, ready_at + round(drift))
        self._ready_at[order_id] = ready_at
        if self._reports_ready or ready_at != event.expected_ready_at:
            self._heap.say(OrderReady(at=max(ready_at, at), order_id=order_id, happened_at=ready_at))
        self._look_again(event.store_id, at)

    def _on_source_opened(self, event: SourceOpened, at: int) -> None:
        self._ready_at[event.order_id] = FOR_EVER

    def _show(self, body: Body, route: Route, at: int) -> None:
        if at < body.on_duty_at:
            if body.waiting is None:
                self._heap.put(body.on_duty_at, Rank.REPORT, partial(self._switch_on, body))
            body.waiting = route
            return
        if route.revision <= body.revision:
            return
        body.revision = route.revision
        body.shown = tuple(stop for stop in route.told if stop.stop_id not in body.left)
        body.phone.report(RouteSeen(at=at, rider_id=body.rider.rider_id, revision=route.revision, happened_at=at))
        self._follow(body, at)

    def _switch_on(self, body: Body, at: int) -> None:
        route, body.waiting = body.waiting, None
        if route is not None:
            self._show(body, route, at)

    def _ask(self, offer: Offer, at: int) -> None:
        accepts, after_s = self._acceptance.answer(offer, at)
        if accepts is None:
            return
        kind = OfferAccepted if accepts else OfferDeclined
        self._bodies[offer.rider_id].phone.report(
            kind(at=at + after_s, offer_id=offer.offer_id, rider_id=offer.rider_id)
        )

    def _on_store_state_set(self, event: StoreStateSet, at: int) -> None:
        self._closed_until[event.store_id] = event.closed_until or 0
        self._look_again(event.store_id, at)

    def _look_again(self, store_id: str, at: int) -> None:
        """Whoever stands at a store learns what has changed there."""
        for body in self._bodies.values():
            if body.doing is Doing.AT_STOP and body.stop is not None and body.stop.store_id == store_id:
                self._prepare(body, at)

    # --- what a rider does --------------------------------------------------------------------------------------

    def _follow(self, body: Body, at: int) -> None:
        """Do what the phone shows now."""
        first = body.shown[0] if body.shown else None
        if body.doing is Doing.LEAVING:
            return
        if first is not None and body.stop is not None and first.stop_id == body.stop.stop_id:
            body.stop = first
            if body.doing is Doing.AT_STOP:
                self._prepare(body, at)
                if not _told(first) and len(body.shown) > 1:
                    self._give_up_waiting(body, first, at)
            return
        if body.doing is Doing.DRIVING:
            self._halt(body, at)
        body.doing, body.stop = Doing.IDLE, None
        body.step += 1
        if first is not None:
            self._set_off(body, first, at)

    def _halt(self, body: Body, at: int) -> None:
        """The rider turns round at a place of its own, in a travel matrix in the row of the nearer end of the way."""
        first, second = self._point(body, at)
        ahead = body.stop is not None and 2 * (at - body.since) >= body.until - body.since
        near = body.stop.place if body.stop is not None and ahead else body.place
        body.place = self._places.add(first, second, matrix_row=int(self._places.matrix_row[near]))

    def _set_off(self, body: Body, stop: Stop, at: int) -> None:
        leg_s = self._leg_s(body, stop.place, at)
        if leg_s >= UNREACHABLE:
            return
        body.doing, body.stop, body.since, body.until = Doing.DRIVING, stop, at, at + leg_s
        body.origin = float(self._places.first[body.place]), float(self._places.second[body.place])
        body.step += 1
        self._heap.put(body.until, Rank.REPORT, partial(self._arrive, body, body.step))

    def _leg_s(self, body: Body, to: int, at: int) -> int:
        origin, target = np.array([body.place], dtype=np.int32), np.array([to], dtype=np.int32)
        block = self._times.table(origin, target, at, round_to_s=self._reality.travel_round_s)
        leg_s = int(block[body.profile, 0, 0])
        if not self._reality.travel_sigma or leg_s >= UNREACHABLE:
            return leg_s
        factor = self._luck.factor(f"{body.place}-{to}-{at // SLOT_S}", "travel", self._reality.travel_sigma)
        step = self._reality.travel_round_s
        return math.ceil(leg_s * factor / step) * step

    def _arrive(self, body: Body, step: int, at: int) -> None:
        if step != body.step or body.stop is None:
            return
        body.doing, body.place, body.since = Doing.AT_STOP, body.stop.place, at
        stop_id = body.stop.stop_id
        body.phone.report(StopArrived(at=at, rider_id=body.rider.rider_id, stop_id=stop_id, happened_at=at))
        self._prepare(body, at)

    def _prepare(self, body: Body, at: int) -> None:
        """Schedule the act instant of the stop they are at, as far as its acts are told."""
        body.step += 1
        assert body.stop is not None
        acts = _told(body.stop)
        if not acts:
            return
        enter_s = self._service_s(body.stop, int(self._places.enter_s[body.stop.place]), "enter")
        entered_at = act_at = max(at, body.since + enter_s)
        for act in acts:
            act_at = max(act_at, self._not_before(act, body.stop))
        if any(self._is_absent(act, body.stop) for act in acts):
            act_at += self._reality.absent_wait_s
        picks = any(act.kind is ActKind.PICKUP for act in acts)
        if picks:
            # They wait until their last pickup, take what there is, and go home without the rest.
            act_at = min(act_at, max(entered_at, _off_at(body, at)))
        if act_at >= FOR_EVER:
            return
        self._heap.put(act_at, Rank.HANDOVER if picks else Rank.REPORT, partial(self._act, body, body.step))

    def _not_before(self, act: Act, stop: Stop) -> int:
        if act.kind is ActKind.DROP:
            return self._orders[act.order_id].earliest_drop_at or 0
        order = self._orders[act.order_id]
        # Whoever has begun to cook hands out, after closing too; nobody does before opening.
        opens_at = self._stores[order.store_id].opens_from(order.placed_at)
        shut_until = self._closed_until.get(stop.store_id or "", 0)
        return max(self._ready_at[act.order_id], shut_until, FOR_EVER if opens_at is None else opens_at)

    def _is_absent(self, act: Act, stop: Stop) -> bool:
        """True where nobody opens the door; a store that gets its goods back always does."""
        if act.kind is not ActKind.DROP or stop.store_id is not None:
            return False
        return self._luck.happens(act.order_id, "absent", self._reality.absent_share)

    def _act(self, body: Body, step: int, at: int) -> None:
        if step != body.step or body.stop is None:
            return
        stop = body.stop
        done: list[str] = []
        failed: dict[str, list[str]] = {}
        for act in _told(stop):
            reason = self._hindrance(body, stop, act, at)
            if reason is not None:
                failed.setdefault(reason, []).append(act.order_id)
                continue
            done.append(act.order_id)
            picks = act.kind is ActKind.PICKUP
            self._goods[act.order_id] = body.rider.rider_id if picks else Whose.CUSTOMER
        self._leave_behind(body, stop.stop_id)
        self._report_acts(body, stop, at, done, failed)
        body.doing, body.stop = Doing.LEAVING, None
        body.step += 1
        exit_s = self._service_s(stop, int(self._places.exit_s[stop.place]), "exit")
        self._heap.put(at + exit_s, Rank.REPORT, partial(self._walk_off, body, body.step))

    def _hindrance(self, body: Body, stop: Stop, act: Act, at: int) -> str | None:
        """Why an act cannot be done now, None if it can."""
        if act.kind is ActKind.DROP:
            if self._goods[act.order_id] != body.rider.rider_id:
                return "goods_missing"
            return "customer_absent" if self._is_absent(act, stop) else None
        if self._goods[act.order_id] is not Whose.STORE:
            return "goods_missing"
        in_time = self._not_before(act, stop) <= at <= _off_at(body, at)
        return None if in_time else "shift_over"

    def _report_acts(self, body: Body, stop: Stop, at: int, done: list[str], failed: dict[str, list[str]]) -> None:
        rider_id = body.rider.rider_id
        for reason, order_ids in sorted(failed.items()):
            body.phone.report(
                StopFailed(
                    at=at,
                    rider_id=rider_id,
                    stop_id=stop.stop_id,
                    happened_at=at,
                    reason=reason,
                    order_ids=tuple(order_ids),
                )
            )
        if done:
            body.phone.report(
                StopCompleted(at=at, rider_id=rider_id, stop_id=stop.stop_id, happened_at=at, order_ids=tuple(done))
            )

    def _give_up_waiting(self, body: Body, stop: Stop, at: int) -> None:
        """Sent on from a stop at which there is nothing for them to do after all."""
        rider_id = body.rider.rider_id
        body.phone.report(StopCompleted(at=at, rider_id=rider_id, stop_id=stop.stop_id, happened_at=at, order_ids=()))
        self._leave_behind(body, stop.stop_id)
        self._rest(body, at)

    def _close(self, body: Body, stop_id: str, at: int) -> None:
        """The service counts a stop as done: for an empty move that is so on arrival."""
        self._leave_behind(body, stop_id)
        if body.doing is Doing.AT_STOP and body.stop is not None and body.stop.stop_id == stop_id:
            self._rest(body, at)

    def _walk_off(self, body: Body, step: int, at: int) -> None:
        if step == body.step:
            self._rest(body, at)

    def _rest(self, body: Body, at: int) -> None:
        """Nothing in hand right now: on to the next stop shown, if there is one."""
        body.doing, body.stop = Doing.IDLE, None
        body.step += 1
        if body.shown:
            self._set_off(body, body.shown[0], at)

    def _leave_behind(self, body: Body, stop_id: str) -> None:
        body.left.add(stop_id)
        body.shown = tuple(stop for stop in body.shown if stop.stop_id != stop_id)

    # --- small truths -------------------------------------------------------------------------------------------

    def _service_s(self, stop: Stop, seconds: int, side: str) -> int:
        if not self._reality.service_sigma:
            return seconds
        factor = self._luck.factor(f"{stop.place}", side, self._reality.service_sigma)
        return math.ceil(seconds * factor)

    def _point(self, body: Body, at: int) -> tuple[float, float]:
        """Where they are, along a straight line between the places they drive from and to."""
        book = self._places
        if body.doing is not Doing.DRIVING or body.stop is None or body.until <= body.since:
            return float(book.first[body.place]), float(book.second[body.place])
        share = min(1.0, (at - body.since) / (body.until - body.since))
        (first, second), target = body.origin, body.stop.place
        return (
            first + share * (float(book.first[target]) - first),
            second + share * (float(book.second[target]) - second),
        )


def _off_at(body: Body, at: int) -> int:
    """The last instant at which they take goods, in the shift that has begun last."""
    begun = [shift for shift in body.shifts if shift.start_at <= at] or list(body.shifts[:1])
    return begun[-1].last_pickup_at if begun else FOR_EVER


def _told(stop: Stop) -> tuple[Act, ...]:
    return tuple(act for act in stop.acts if act.level >= Level.TOLD)


_HEARD = event_handlers(vars(City))
