"""A plain judge of the meal-delivery routing problem: published rules in, violations and measures out.

Written from the problem statement (D. Reyes, A. Erera, M. Savelsbergh, S. Sahasrabudhe, R. O'Neil, "The Meal Delivery
Routing Problem", Optimization Online 6571, 2018) without any of the engine's code, so that it can judge the engine.
All times are minutes from the start of business, all distances metres in a plane.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sim.mdrp.files import Bundle, Courier, Instance, MdrpSolution, Move, read_instance, read_solution

__all__ = ["LIBERTIES", "Liberty", "MdrpVerdict", "MdrpViolation", "judge", "read_instance", "read_solution"]

Liberty = Literal["strict", "updates", "preposition"]
LIBERTIES: tuple[Liberty, ...] = ("strict", "updates", "preposition")
"""What the dispatcher may do: nothing; let a bundle grow until its pickup; and also send idle couriers empty."""

TOLERANCE = 1e-6
UNDELIVERED_MIN = 120.0
"""Click-to-door charged for an order that never arrives ..."""
UNDELIVERED_OVER_FLOOR_MIN = 60.0
"""... or its floor and this, where that is more: leaving an order out never pays."""


class MdrpViolation(NamedTuple):
    """A rule that was broken: its code, whose bundle, order or route it is, and what happened."""

    code: str
    who: str
    text: str


@dataclass(slots=True)
class MdrpVerdict:
    """The judgement of one solution; `measures` hold minutes, shares in percent, and counts."""

    instance: str
    liberty: str
    violations: list[MdrpViolation] = field(default_factory=list)
    measures: dict[str, float] = field(default_factory=dict)

    @property
    def feasible(self) -> bool:
        """True where no rule was broken."""
        return not self.violations

    def counts(self) -> dict[str, int]:
        """Number of violations by code, in order of code."""
        codes = sorted(violation.code for violation in self.violations)
        return {code: codes.count(code) for code in dict.fromkeys(codes)}


class _Delivery(NamedTuple):
    pickup: float
    dropoff: float


def judge(instance: Instance, solution: MdrpSolution, liberty: Liberty = "updates") -> MdrpVerdict:
    """Check every rule and measure the solution."""
    verdict = MdrpVerdict(instance.name, liberty)
    bundles = list(_sound_bundles(instance, solution, verdict))
    _check_handovers(instance, solution, verdict)
    delivered: dict[str, _Delivery] = {}
    walks = []
    for courier_id in instance.couriers:
        walk = _Walk(instance, solution, liberty, courier_id, verdict, delivered)
        mine = [bundle for bundle in bundles if bundle.courier == courier_id]
        walk.work(sorted(mine, key=lambda bundle: bundle.pickup))
        walks.append(walk)
    for courier_id in solution.moves:
        if courier_id not in instance.couriers:
            verdict.violations.append(MdrpViolation("unknown", courier_id, "moves of a courier that is not there"))
    verdict.measures = _measures(instance, bundles, delivered, walks)
    return verdict


def _sound_bundles(instance: Instance, solution: MdrpSolution, verdict: MdrpVerdict) -> Iterator[Bundle]:
    """The bundles whose ids mean something; everything that can be said of a bundle alone is checked here."""
    taken: dict[str, str] = {}
    for bundle in solution.bundles:
        who = f"{bundle.courier} at {bundle.pickup:g}"
        strangers = [order for order in bundle.orders if order not in instance.orders]
        if bundle.courier not in instance.couriers:
            strangers.append(bundle.courier)
        if strangers or not bundle.orders:
            verdict.violations.append(MdrpViolation("unknown", who, f"unknown: {', '.join(strangers) or 'no orders'}"))
        for order in bundle.orders:
            if order in taken:
                verdict.violations.append(MdrpViolation("twice", order, f"by {taken[order]} and by {who}"))
            taken[order] = who
        if strangers or not bundle.orders:
            continue
        verdict.violations += _bundle_violations(instance, bundle, who)
        yield bundle


def _bundle_violations(instance: Instance, bundle: Bundle, who: str) -> Iterator[MdrpViolation]:
    orders = [instance.orders[order] for order in bundle.orders]
    restaurants = sorted({order.restaurant for order in orders})
    if len(restaurants) > 1:
        yield MdrpViolation("mixed", who, f"orders of {', '.join(restaurants)}")
    last_placed = max(order.placed for order in orders)
    if bundle.assigned < last_placed - TOLERANCE:
        yield MdrpViolation(
            "clairvoyant", who, f"decided at {bundle.assigned:g}, an order was placed at {last_placed:g}"
        )
    if bundle.assigned > bundle.pickup + TOLERANCE:
        yield MdrpViolation("clairvoyant", who, f"decided at {bundle.assigned:g}, after the pickup")
    last_ready = max(order.ready for order in orders)
    if bundle.pickup < last_ready - TOLERANCE:
        yield MdrpViolation("not_ready", who, f"goods were ready at {last_ready:g}")
    off_time = instance.couriers[bundle.courier].off_time
    if bundle.pickup > off_time + TOLERANCE:
        yield MdrpViolation("off_time", who, f"the courier went off at {off_time:g}")


def _check_handovers(instance: Instance, solution: MdrpSolution, verdict: MdrpVerdict) -> None:
    """Does the orders file repeat what the instance and the assignments say?"""
    by_order = {order: bundle for bundle in solution.bundles for order in bundle.orders}
    for order_id, handover in solution.handovers.items():
        order, bundle = instance.orders.get(order_id), by_order.get(order_id)
        if order is None:
            verdict.violations.append(MdrpViolation("unknown", order_id, "in the orders file"))
        elif bundle is None:
            verdict.violations.append(MdrpViolation("mismatch", order_id, "reported delivered, never assigned"))
        else:
            said = (handover.placed, handover.ready, handover.pickup)
            meant = (order.placed, order.ready, bundle.pickup)
            if any(abs(a - b) > TOLERANCE for a, b in zip(said, meant, strict=True)):
                verdict.violations.append(MdrpViolation("mismatch", order_id, f"reported {said}, should be {meant}"))
            if handover.courier != bundle.courier:
                verdict.violations.append(
                    MdrpViolation("mismatch", order_id, f"{handover.courier} or {bundle.courier}?")
                )
    for order_id in solution.repeated:
        verdict.violations.append(MdrpViolation("mismatch", order_id, "reported more than once"))


class _Walk:
    """One courier's day, move by move."""

    def __init__(
        self,
        instance: Instance,
        solution: MdrpSolution,
        liberty: Liberty,
        courier_id: str,
        verdict: MdrpVerdict,
        delivered: dict[str, _Delivery],
    ) -> None:
        self.instance, self.solution, self.liberty = instance, solution, liberty
        self.courier_id = courier_id
        self.courier: Courier = instance.couriers[courier_id]
        self.verdict, self.delivered = verdict, delivered
        self.ahead = list(solution.moves.get(courier_id, ()))
        self.place = courier_id
        self.free = self.courier.on_time
        self.too_early = "off_duty"
        """The rule a departure before `free` breaks."""
        self.driven = 0.0
        self.empty_moves = 0
        self.bundles = 0
        self.orders = 0

    def work(self, bundles: list[Bundle]) -> None:
        """Follow the moves through all bundles and to the end of the day."""
        for bundle in bundles:
            self._approach(bundle)
            self._deliver(bundle)
        while self.ahead:
            self._empty_move()

    def _wrong(self, code: str, text: str) -> None:
        self.verdict.violations.append(MdrpViolation(code, self.courier_id, text))

    def _go(self) -> Move:
        """Make the next move: afterwards `free` is its arrival."""
        move = self.ahead.pop(0)
        if move.origin != self.place:
            self._wrong("teleport", f"leaves {move.origin} at {move.departure:g}, is at {self.place}")
        if move.departure < self.free - TOLERANCE:
            self._wrong(self.too_early, f"leaves {move.origin} at {move.departure:g}, not free before {self.free:g}")
        way = self.instance.travel(move.origin, move.destination)
        self.driven += way
        self.place, self.free, self.too_early = move.destination, move.departure + way, "early"
        return move

    def _empty_move(self) -> None:
        """A move without a bundle: to a restaurant, and only where the liberty allows it."""
        move = self._go()
        self.empty_moves += 1
        if move.destination not in self.instance.restaurants:
            self._wrong("wrong_stop", f"goes to {move.destination} without a bundle")
        if self.liberty != "preposition":
            self._wrong("untold", f"empty move to {move.destination} at {move.departure:g}")

    def _approach(self, bundle: Bundle) -> None:
        """All moves before the next drop-off lead, possibly by empty ones, to the restaurant."""
        orders = [self.instance.orders[order] for order in bundle.orders]
        restaurant = orders[0].restaurant
        told = bundle.assigned if self.liberty == "strict" else min(order.placed for order in orders)
        drops = (n for n, move in enumerate(self.ahead) if move.destination not in self.instance.restaurants)
        moves = next(drops, len(self.ahead))
        for _ in range(moves - 1):
            self._empty_move()
        if moves and self.ahead[0].departure < told - TOLERANCE:
            self._empty_move()
        elif moves:
            self._go()
        if self.place != restaurant:
            self._wrong("wrong_stop", f"is at {self.place} to pick up at {restaurant}")
        half = self.instance.pickup_service / 2
        if bundle.pickup < self.free + half - TOLERANCE:
            self._wrong("pickup_service", f"picks up at {bundle.pickup:g}, arrived at {self.free:g}")
        self.place, self.free, self.too_early = restaurant, bundle.pickup + half, "pickup_service"
        self.bundles += 1

    def _deliver(self, bundle: Bundle) -> None:
        """Drop-offs in sequence, nothing else between them."""
        half = self.instance.dropoff_service / 2
        for order_id in bundle.orders:
            if self.ahead and self.ahead[0].destination == order_id:
                self._go()
            else:
                goes = self.ahead[0].destination if self.ahead else "nowhere"
                self._wrong("wrong_stop", f"goes to {goes} instead of {order_id}")
                self.free += self.instance.travel(self.place, order_id)
            dropoff = self.free + half
            handover = self.solution.handovers.get(order_id)
            if handover is None:
                self._wrong("mismatch", f"{order_id} is assigned but not in the orders file")
            else:
                if handover.dropoff < dropoff - TOLERANCE:
                    self._wrong("dropoff_service", f"{order_id} at {handover.dropoff:g}, earliest {dropoff:g}")
                dropoff = max(dropoff, handover.dropoff)
            self.delivered[order_id] = _Delivery(bundle.pickup, dropoff)
            self.place, self.free, self.too_early = order_id, dropoff + half, "dropoff_service"
            self.orders += 1


def _measures(
    instance: Instance, bundles: list[Bundle], delivered: dict[str, _Delivery], walks: list[_Walk]
) -> dict[str, float]:
    """Means are over delivered orders, `excess` over all of them; minutes, percent, counts."""
    orders = instance.orders
    click = [trip.dropoff - orders[order].placed for order, trip in delivered.items()]
    pickup = [trip.pickup - orders[order].ready for order, trip in delivered.items()]
    door = [trip.dropoff - orders[order].ready for order, trip in delivered.items()]
    floors = {order: instance.floor(order) for order in orders}
    missing = [floor for order, floor in floors.items() if order not in delivered]
    charged = sum(max(UNDELIVERED_MIN, floor + UNDELIVERED_OVER_FLOOR_MIN) for floor in missing)
    too_late = sum(minutes > instance.maximum + TOLERANCE for minutes in click)
    hopeless = sum(floor > instance.maximum + TOLERANCE for floor in floors.values())
    pay = sum(instance.pay(walk.courier_id, walk.orders) for walk in walks)
    shared = sum(len(bundle.orders) for bundle in bundles if len(bundle.orders) > 1)
    work = [
        (walk.driven + walk.orders * instance.dropoff_service + walk.bundles * instance.pickup_service)
        / instance.couriers[walk.courier_id].shift
        for walk in walks
    ]
    served = len(delivered)
    return {
        "orders": len(orders),
        "delivered": served,
        "undelivered": len(missing),
        "failed_pct": 100.0 * (too_late + len(missing) - hopeless) / len(orders),
        "too_late": too_late,
        "hopeless": hopeless,
        "floor": _mean(floors.values()),
        "excess": (sum(click) + charged) / len(orders) - _mean(floors.values()),
        "click_to_door": _mean(click),
        "click_to_door_p90": _percentile(click, 0.9),
        "overage": _mean([max(0.0, minutes - instance.target) for minutes in click]),
        "ready_to_door": _mean(door),
        "ready_to_pickup": _mean(pickup),
        "pay": pay,
        "pay_per_order": pay / served if served else math.nan,
        "driven_per_order": sum(walk.driven for walk in walks) / max(1, served),
        "orders_per_bundle": _mean([len(bundle.orders) for bundle in bundles]),
        "bundled_pct": 100.0 * shared / max(1, sum(len(bundle.orders) for bundle in bundles)),
        "utilisation": _mean(work),
        "empty_moves": sum(walk.empty_moves for walk in walks),
    }


def _mean(values: object) -> float:
    listed = [float(value) for value in values]  # type: ignore[attr-defined]
    return math.fsum(listed) / len(listed) if listed else math.nan


def _percentile(values: list[float], share: float) -> float:
    """Linear between the two nearest ranks."""
    if not values:
        return math.nan
    ranked = sorted(values)
    rank = share * (len(ranked) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (rank - low)
