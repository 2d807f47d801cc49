"""What the board knows of each order, rider, store and zone: mutable records that only `Board.apply` changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatch.board.shown_routes import ShownStop
from dispatch.custody import Custody, of_facts
from dispatch.inputs import Alternative, Choice, Stage
from dispatch.model import (
    Engagement,
    Fee,
    LastMetres,
    Level,
    Order,
    OrderState,
    Reason,
    Rider,
    Route,
    Shift,
    Zone,
)
from dispatch.people.apart import KeptApart
from dispatch.people.hours import (
    LEAVES_S,
    USUAL_REST_S,
    Hours,
    HoursRule,
    Span,
    hours_of,
    hours_rule,
    recent,
    span_of,
)
from dispatch.promise.told import Said
from dispatch.receipts import RiderReceipt

FOR_EVER = 2**62


@dataclass(slots=True)
class OrderRecord:
    """What is known of one order."""

    order: Order
    seq: int
    """Place in the order of acceptance: ties between orders break by it."""
    state: OrderState
    state_at: int
    expected_ready_at: int
    ready_at: int | None = None
    rider_id: str | None = None
    """Whose it is: told or on board."""
    carried_by: str | None = None
    """In whose bag the goods are, or were last: only another pickup changes it."""
    planned_rider_id: str | None = None
    """On whose route it stands, tentative or told."""
    pick_place: int | None = None
    """Where the goods wait, if not at the store."""
    reason: Reason | None = None
    kept_until: int | None = None
    expected_pickup_at: int | None = None
    expected_dropoff_at: int | None = None
    announced_dropoff_at: int | None = None
    confirmed_at: int | None = None
    picked_up_at: int | None = None
    ended_at: int | None = None
    closed_at: int | None = None
    """When we learned that it had ended."""
    end_reason: str | None = None
    decision_id: str | None = None
    last_metres: LastMetres | None = None
    """What is walked for it, as planned when its rider was told."""
    choice: Choice | None = None
    offer_count: int = 0
    refused_by: tuple[str, ...] = ()
    held: bool = False
    forced_rider_id: str | None = None
    corrected: bool = False
    parked: Stage | None = None
    """Rounds failed because of it: it takes no part until something about it changes."""
    at_risk_at: int | None = None
    """When it was last said that nobody knows when it comes."""
    gives_up_at: int | None = None
    """When it ends if nobody takes it, as was announced."""
    said: tuple[Said, ...] = ()
    """What was said of its delivery, the newest last; one for each basis."""
    taught: bool = False
    """Its end has taught what is said of others."""
    fee: Fee | None = None
    """What it is charged."""
    source_told_at: int | None = None
    """When its store was told to prepare it, where it names its sources."""
    sources_barred: tuple[tuple[str, str], ...] = ()
    """Stores that cannot fulfil it after all, and why."""
    reserved_at: str | None = None
    """The store that holds what it takes of its articles."""
    alternative: Alternative | None = None
    """What the last round made of its alternatives."""
    co2_mg: int = 0
    """Milligrams of CO2 of the ways driven for it so far."""
    custody: tuple[Custody, ...] = ()
    """Who held the goods, from when to when, the present keeper last."""

    def complete_custody(self) -> None:
        """What an earlier version kept says nothing of custody: as far as its facts tell it."""
        if not self.custody:
            self.custody = of_facts(
                self.order,
                self.state,
                carried_by=self.carried_by,
                picked_up_at=self.picked_up_at,
                ended_at=self.ended_at,
            )

    @property
    def is_waiting(self) -> bool:
        """True while somebody still has to fetch the goods."""
        return (self.picked_up_at is None and not self.state.is_final) or self.pick_place is not None

    @property
    def source_is_open(self) -> bool:
        """True while no store has been told to prepare it: where it comes from, and when that begins, may change."""
        return bool(self.order.sources) and self.source_told_at is None and self.is_waiting and self.pick_place is None

    def as_if(self, order: Order) -> OrderRecord:
        """A record of its own in which another alternative is chosen; nobody has been sent there."""
        if order is self.order:
            return self
        twin = object.__new__(OrderRecord)
        for name in OrderRecord.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.order = order
        if order.store_id != self.order.store_id:
            twin.rider_id = twin.planned_rider_id = None
        return twin

    @property
    def is_on_no_route(self) -> bool:
        """True while somebody still has to fetch the goods, and no plan says who."""
        return self.is_waiting and self.rider_id is None and self.planned_rider_id is None

    @property
    def known_ended_at(self) -> int:
        """When we learned that it had ended; snapshots of 0.1 know only when it happened."""
        return self.closed_at if self.closed_at is not None else self.state_at

    def give_to(self, rider_id: str | None) -> None:
        """It is this rider's now (None: nobody's); whoever has it ends what was said of its end."""
        self.rider_id = rider_id
        self.gives_up_at = self.gives_up_at if rider_id is None else None

    def correct(self, state: OrderState, happened_at: int, rider_id: str | None, reason: str | None) -> int | None:
        """The state has given way to `state`; answers when the goods were picked up, as is known now."""
        fetched_now = state is OrderState.RETURNING and self.carried_by != rider_id
        self.corrected, self.rider_id = True, rider_id
        self.ended_at = self.closed_at = None
        if state.is_on_board:
            self.pick_place, self.carried_by = None, rider_id
        if state is not OrderState.RETURNING or reason is not None:
            self.end_reason = reason
        return happened_at if fetched_now else self.picked_up_at


@dataclass(slots=True)
class RiderRecord:
    """What is known of one rider, from reported facts only."""

    rider: Rider
    seq: int
    here: int
    """Handle of the place where they last were for certain."""
    free_at: int
    """When they can leave `here`."""
    route: Route
    shifts: tuple[Shift, ...] = ()
    on_break: bool = False
    lost: bool = False
    arrived_at: int | None = None
    """At the first stop of their route since then."""
    departed_at: int | None = None
    """On the way to it since then."""
    told_revision: int = 0
    told_at: int | None = None
    seen_revision: int = 0
    heard_at: int = 0
    unseen: tuple[str, ...] = ()
    """Orders taken from them because their phone did not show them; theirs again once it shows anything."""
    offer_id: str | None = None
    stops_told: int = 0
    shown: tuple[ShownStop, ...] = ()
    """The newest versions of stops told to them, for reports that come late."""
    acted_at: int = 0
    """When they did what was to be done at the last stop finished."""
    parked: Stage | None = None
    """Rounds, or what was to be told, failed because of this rider: no part in them until something changes."""
    apart: tuple[KeptApart, ...] = ()
    """Stores, customers and doors that they are kept apart from."""
    worked: tuple[Span, ...] = ()
    """Shifts of the last days that are over."""
    breaks: tuple[Span, ...] = ()
    """Breaks of the last days; one that was given to them may last still."""
    break_from: int | None = None
    """On a break of their own since then."""
    brought: int = 0
    """Orders delivered since their duty began."""
    receipts: tuple[RiderReceipt, ...] = ()
    """The newest of what they may read of decisions about them."""
    receipts_made: int = 0
    logged_off: Shift | None = None
    """The shift that somebody else has ended last."""

    def starts_from(self, *, divert: bool) -> int:
        """Handle of the place where their plan starts: their first stop if that is settled, else where they are."""
        stops = self.route.stops
        if stops and stops[0].level >= Level.TOLD:
            if self.arrived_at is not None or not divert:
                return stops[0].place
            if self.departed_at is not None:
                return self.rider.place
        return self.here

    def copied(self) -> RiderRecord:
        """A record of its own with the same values (copy.copy takes ten times as long)."""
        twin = object.__new__(RiderRecord)
        for name in RiderRecord.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    def shift_at(self, now: int) -> Shift | None:
        """The shift that runs at `now`, or else the next one."""
        for shift in self.shifts:
            if shift.end_at is None or shift.end_at >= now:
                return shift
        return None

    def begin_duty(self, shift: Shift) -> None:
        """A shift was entered; after a long rest, what they have brought counts from nothing again."""
        if not self.shifts and all(end < shift.start_at - USUAL_REST_S for _, end in self.worked):
            self.brought = 0

    def on_duty_s(self, now: int) -> int:
        """Seconds since their duty began, breaks included; 0 where they are off duty."""
        shift = self.shift_at(now)
        if shift is None or shift.start_at > now:
            return 0
        return now - hours_of(HoursRule(), shift, self.worked, ()).duty_from

    def close_shifts(self, at: int) -> None:
        """They have logged off: shifts that have begun end here, at the latest."""
        ended = tuple((one.start_at, min(span_of(one)[1], at)) for one in self.shifts if one.start_at <= at)
        self.worked = recent((*self.worked, *ended), at)
        self.shifts = tuple(one for one in self.shifts if one.start_at > at)

    def pause(self, at: int, *, begins: bool) -> None:
        """They begin a break of their own, or come back from it."""
        if begins:
            self.break_from = at if self.break_from is None else self.break_from
        elif self.break_from is not None:
            self.breaks, self.break_from = recent((*self.breaks, (self.break_from, at)), at), None

    def rests_until(self, now: int) -> int | None:
        """Until when a break that was given to them lasts; None where none does."""
        return next((end for begin, end in self.breaks if begin <= now < end), None)

    def hours(self, line: str, now: int) -> Hours | None:
        """What `rules.hours` leaves of the shift that runs at `now`, or of the next one; None where it says nothing."""
        shift = self.shift_at(now) if line else None
        if shift is None:
            return None
        before = (*self.worked, *(span_of(one) for one in self.shifts if one.start_at < shift.start_at))
        return hours_of(hours_rule(line), shift, before, self.breaks)

    def works_until(self, line: str, now: int, answer_s: int) -> int | None:
        """When plans of theirs must have ended by `rules.hours`; None where it sets no end.

        `answer_s`: how long a crowd rider may think an offer over before they set off.
        """
        left = self.hours(line, now)
        if left is None or left.works_until is None:
            return None
        thinks_s = answer_s if self.rider.engagement is Engagement.CROWD else 0
        return left.works_until - max(LEAVES_S, thinks_s)

    def doing(self, now: int) -> str:
        """What the rider does at `now`, in a word: lost, on_break, working, idle or off_duty."""
        shift = self.shift_at(now)
        if self.lost:
            return "lost"
        if self.on_break or self.rests_until(now) is not None:
            return "on_break"
        if self.route.told:
            return "working"
        return "idle" if shift is not None and shift.start_at <= now else "off_duty"

    @property
    def has_nothing_to_do(self) -> bool:
        """No stops, or standing at a store to which an empty move took them."""
        stops = self.route.stops
        return not stops or (len(stops) == 1 and stops[0].level == Level.AT_STOP and not stops[0].acts)

    def set_off(self, at: int) -> None:
        """The first stop, if told and not reached, is under way since `at`."""
        stops = self.route.stops
        if stops and stops[0].level == Level.TOLD and self.arrived_at is None:
            self.departed_at = at
            self.route = _with_first_level(self.route, Level.UNDERWAY)

    def arrive(self, at: int) -> None:
        """The rider is at their first stop since `at`."""
        self.heard_at = max(self.heard_at, at)
        self.arrived_at = at
        self.route = _with_first_level(self.route, Level.AT_STOP)

    def finish(self, stop_id: str, place: int, free_at: int, acted_at: int) -> None:
        """The rider has finished a stop; if it was their first, the rest of the route moves up."""
        self.here, self.free_at, self.acted_at = place, free_at, max(self.acted_at, acted_at)
        self.arrived_at = self.departed_at = None
        stops = self.route.stops
        if stops and stops[0].stop_id == stop_id:
            self.route = replace(self.route, revision=self.route.revision + 1, stops=stops[1:])
        if self.seen_revision >= self.told_revision:
            self.set_off(free_at)

    def take(self, route: Route, at: int) -> None:
        """The route is this one from `at` on; what was known of the first stop holds only if it still comes first."""
        before = self.route.stops[0].stop_id if self.route.stops else ""
        self.route = route
        if not before or not route.stops or route.stops[0].stop_id != before:
            self.arrived_at = self.departed_at = None
            if route.stops and route.stops[0].level == Level.UNDERWAY:
                self.departed_at = max(at, self.free_at)


@dataclass(slots=True)
class ZoneRecord:
    """What is known of one zone."""

    zone: Zone
    paused: bool = False


def _with_first_level(route: Route, level: Level) -> Route:
    return replace(route, stops=(replace(route.stops[0], level=level), *route.stops[1:]))
