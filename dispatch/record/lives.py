"""What the KPI fold remembers: the life of an order, the day of a rider, one leg driven."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dispatch.events import RiderDone
from dispatch.model import Fee, Order, OrderState, Reason, Rider, Shift, Stop
from dispatch.promise.told import Said


@dataclass(slots=True)
class OrderLife:
    """One order from placement to its end."""

    order: Order
    """As first placed, its promise is the one that counts; of its alternatives the ones chosen last."""
    state: OrderState = OrderState.CREATED
    rider_id: str | None = None
    told_at: int | None = None
    """When a rider was first told of it."""
    settled_at: int | None = None
    """When the rider who fetched it was told of it."""
    known_ready_at: int | None = None
    picked_up_at: int | None = None
    delivered_at: int | None = None
    ended_at: int | None = None
    end_reason: str | None = None
    reason: Reason | None = None
    to_store: tuple[int, int] | None = None
    """When the rider who fetched it set off for the store and was there; None where that was not said."""
    to_door: tuple[int, int] | None = None
    """The same of its door."""
    said: tuple[Said, ...] = ()
    """What was said of its delivery, one for each basis."""
    fee: Fee | None = None
    shared_with: int = 0
    """Most other orders on board together with it."""
    placed_with: tuple[str, str] = ("", "")
    """Store and end that were chosen as it was placed."""
    choices: int = 0
    """How often another store or end was chosen since."""
    told_source: str = ""
    """Why its store was told to prepare it then (SourceTold)."""

    def __post_init__(self) -> None:
        self.placed_with = self.order.store_id, self.order.end.name

    def choose(self, order: Order) -> None:
        """It comes from another store, or goes to another end."""
        self.order = replace(
            self.order, store_id=order.store_id, expected_ready_at=order.expected_ready_at,
            drop_place=order.drop_place, door=order.door,
        )  # fmt: skip
        self.choices += 1

    def prepare(self, expected_ready_at: int, why: str) -> None:
        """Its store prepares it now."""
        self.order, self.told_source = replace(self.order, expected_ready_at=expected_ready_at), why
        self.known_ready_at = None

    @property
    def ready_at(self) -> int:
        """When the goods were ready: as reported, or else as expected at placement."""
        return self.order.expected_ready_at if self.known_ready_at is None else self.known_ready_at

    @property
    def click_to_door_s(self) -> int:
        """Seconds from placement to delivery (delivered orders only)."""
        return (self.delivered_at or 0) - self.order.placed_at

    @property
    def ready_to_pickup_s(self) -> int:
        """Seconds the goods waited for a rider (delivered orders only)."""
        return (self.picked_up_at or 0) - self.ready_at

    @property
    def ready_to_door_s(self) -> int:
        """Seconds from ready to delivery (delivered orders only)."""
        return (self.delivered_at or 0) - self.ready_at

    @property
    def lateness_s(self) -> int:
        """Seconds by which the promise was missed, 0 where it was kept."""
        return max(0, (self.delivered_at or 0) - self.order.due_at)

    @property
    def is_on_time(self) -> bool:
        """Delivered by the promise."""
        return self.delivered_at is not None and self.delivered_at <= self.order.due_at


class Leg(NamedTuple):
    """One way driven between two halts; `empty`: it led to an empty move's end."""

    rider_id: str
    origin: int
    target: int
    departed_at: int
    arrived_at: int
    empty: bool
    driven_m: int = 0
    co2_mg: int = 0
    on_board: int = 0
    """Orders on board meanwhile."""


@dataclass(slots=True)
class RiderDay:
    """One rider's day, followed through the reports of their phone."""

    rider: Rider
    free_at: int
    shifts: list[Shift] = field(default_factory=list)
    shown: list[Stop] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    on_board: dict[str, OrderLife] = field(default_factory=dict)
    place: int = -1
    """Where they last halted; their own place at first."""
    target: str = ""
    """The stop they drive to."""
    departed_at: int | None = None
    arrived_at: int | None = None
    delivered: int = 0
    stops: int = 0
    empty_moves: int = 0
    driven_s: int = 0
    driven_m: int = 0
    served_s: int = 0
    waited_s: int = 0
    beyond_shift_s: int = 0
    """Seconds on the way or at a stop outside their shifts, as the shifts stood when that was reported."""

    halted: tuple[int, int] | None = None
    """When they set off for the stop where they are, or were last, and arrived there."""

    def __post_init__(self) -> None:
        self.place = self.rider.place

    @property
    def shift_s(self) -> int:
        """Seconds of their shifts."""
        return sum(max(0, (shift.end_at or shift.last_pickup_at) - shift.start_at) for shift in self.shifts)

    @property
    def at_work_s(self) -> int:
        """Seconds of their shifts, and of work beyond them: what utilisation divides by."""
        return self.shift_s + self.beyond_shift_s

    @property
    def busy_s(self) -> int:
        """Seconds driving or serving; waiting for goods does not count."""
        return self.driven_s + self.served_s

    def log_off(self, at: int) -> None:
        """Shifts end here; what was to come after does too."""
        self.shifts = [
            replace(shift, last_pickup_at=min(shift.last_pickup_at, at), end_at=min(shift.end_at or at, at))
            if shift.start_at <= at
            else shift
            for shift in self.shifts
        ]

    def follow(self, at: int) -> None:
        """The phone has shown the newest route: they set off to its first stop, or turns round to it."""
        target = self.shown[0].stop_id if self.shown else ""
        if target == self.target:
            return
        if self.departed_at is not None:
            self.driven_s += at - self.departed_at
            self._worked(self.departed_at, at)
        self.target = target
        starts_at = max(at, self.free_at, self.shifts[0].start_at if self.shifts else at)
        self.departed_at = starts_at if target else None
        self.arrived_at = None

    def shown_stop(self, stop_id: str) -> Stop | None:
        """A stop that their phone shows."""
        return next((stop for stop in self.shown if stop.stop_id == stop_id), None)

    def arrive(self, stop_id: str, at: int, co2_mg: int) -> Leg | None:
        """They are at a stop: the leg they drove, None for a stop never shown."""
        stop = self.shown_stop(stop_id)
        if stop is None:
            return None
        departed_at = at - stop.leg_s if self.departed_at is None else self.departed_at
        leg = Leg(
            self.rider.rider_id, self.place, stop.place, departed_at, at, not stop.acts, stop.leg_m, co2_mg,
            len(self.on_board),
        )  # fmt: skip
        self.halted = (departed_at, at)
        self.driven_s += at - departed_at
        self._worked(departed_at, at)
        self.driven_m += stop.leg_m
        self.place, self.departed_at, self.arrived_at = stop.place, None, at
        return leg

    def finish(self, event: RiderDone, enter_s: int, exit_s: int) -> None:
        """They have done a stop and are free at `event.free_at`."""
        stop = self.shown_stop(event.stop_id)
        self.left.add(event.stop_id)
        self.shown = [other for other in self.shown if other.stop_id != event.stop_id]
        self.place, self.free_at = event.place, event.free_at
        if stop is not None and not stop.acts:
            self.empty_moves += 1
        else:
            self.stops += 1
            self._serve(event.free_at - exit_s, enter_s, exit_s)
        self.arrived_at = None
        self.target = self.shown[0].stop_id if self.shown else ""
        self.departed_at = self.free_at if self.shown else None

    def _worked(self, begin_at: int, end_at: int) -> None:
        """They were at work from the one instant to the other: what no shift covers lies beyond them."""
        for shift in sorted(self.shifts, key=lambda one: one.start_at):
            if begin_at < min(shift.start_at, end_at):
                self.beyond_shift_s += min(shift.start_at, end_at) - begin_at
            begin_at = max(begin_at, shift.end_at or shift.last_pickup_at)
        self.beyond_shift_s += max(0, end_at - begin_at)

    def _serve(self, act_at: int, enter_s: int, exit_s: int) -> None:
        inside_s = act_at - self.arrived_at if self.arrived_at is not None else enter_s
        self._worked(act_at - inside_s, act_at + exit_s)
        self.served_s += min(inside_s, enter_s) + exit_s
        self.waited_s += max(0, inside_s - enter_s)
