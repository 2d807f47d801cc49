"""A round with names: what a simple policy reads, and the plan it writes.  Arrays stay reachable as `view.problem`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dispatch.errors import InvalidPlan
from dispatch.inputs import RoundSolved
from dispatch.rounds.changes import answer
from dispatch.rounds.frozen_round import Frozen
from routing.problem.evaluate import Timeline, evaluate
from routing.problem.law import REASON_OF
from routing.problem.problem import INFINITE, ActKind, Level, Problem, Reason, Rows, Solution, Travel


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order on no route yet; seconds count from now and may be negative."""

    index: int
    order_id: str
    pickup: int
    drop: int
    placed_in_s: int
    ready_in_s: int
    late_in_s: int


@dataclass(frozen=True, slots=True)
class FreeRider:
    """A rider who can be given work: where and when their present route ends."""

    index: int
    rider_id: str
    place: int
    free_in_s: int
    is_idle: bool
    last_pickup_in_s: int


class View:
    """Open orders and riders of one round, in order of acceptance and entry."""

    def __init__(self, frozen: Frozen, travel: Travel) -> None:
        self.frozen = frozen
        self.problem = frozen.problem
        self.travel = travel
        self.open_orders = self._orders()
        self.riders = self._riders()

    @property
    def now(self) -> int:
        """Epoch seconds of the round."""
        return self.frozen.at

    @property
    def idle_riders(self) -> tuple[FreeRider, ...]:
        """Riders with nothing to do."""
        return tuple(rider for rider in self.riders if rider.is_idle)

    def seconds(self, origin: int, destination: int, rider: FreeRider | None = None) -> int:
        """Travel seconds between two places (`rider.place`, `order.pickup`, `order.drop`), as that rider travels."""
        profile = 0 if rider is None else int(self.problem.profile[rider.index])
        return int(self.travel.ticks[profile, origin, destination])

    def may(self, rider: FreeRider, order: OpenOrder) -> bool:
        """Whether this rider is allowed to carry this order at all."""
        word = int(self.problem.allowed[order.index, rider.index // 64])
        fits = bool((self.problem.load[order.index] <= self.problem.capacity[rider.index]).all())
        return bool(word >> (rider.index % 64) & 1) and fits

    def pickup_in_s(self, rider: FreeRider, order: OpenOrder) -> int | None:
        """When the rider could pick this order up after their present work; None if never."""
        leg = self.seconds(rider.place, order.pickup, rider)
        if leg >= INFINITE or not self.may(rider, order):
            return None
        at = max(rider.free_in_s + leg + int(self.problem.enter[order.pickup]), order.ready_in_s)
        return at if at <= rider.last_pickup_in_s else None

    def new_plan(self) -> Plan:
        """A plan in which everybody keeps what they have."""
        return Plan(self)

    def _orders(self) -> tuple[OpenOrder, ...]:
        problem = self.problem
        planned = set(problem.before.act_request.tolist())
        return tuple(
            OpenOrder(
                r,
                self.frozen.ids.order_ids[r],
                int(problem.pick_place[r]),
                int(problem.drop_place[r]),
                int(problem.placed[r]),
                int(problem.ready[r]),
                int(problem.due[r, 0]),
            )
            for r in range(len(problem.pick_place))
            if r not in planned and problem.aboard_of[r] < 0
        )

    def _riders(self) -> tuple[FreeRider, ...]:
        problem, told = self.problem, self.problem.before
        leave = evaluate(problem, self.travel, told).leave
        riders = []
        for v, rider_id in enumerate(self.frozen.ids.rider_ids):
            first, last = int(told.stop_ptr[v]), int(told.stop_ptr[v + 1])
            place = int(told.stop_place[last - 1]) if last > first else int(problem.start_place[v])
            free = max(0, int(leave[last - 1]) if last > first else int(problem.start[v]))
            busy = bool(told.act_ptr[last] > told.act_ptr[first]) or free > 0
            riders.append(FreeRider(v, rider_id, place, free, not busy, int(problem.last_pickup[v])))
        return tuple(riders)


class Plan:
    """Trips given to riders on top of what they have."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._trips: dict[int, list[tuple[OpenOrder, ...]]] = {}
        self._given_back: dict[int, Reason] = {}
        """Told requests that their rider can no longer fetch, for they have fallen behind."""
        self._excused: frozenset[int] = frozenset()
        """Riders already late with goods on board: excused from limits, they get no new work."""

    def give(self, rider: FreeRider, orders: Sequence[OpenOrder]) -> None:
        """Add a trip to the end of the rider's route: fetch all `orders` at their one pickup, deliver in sequence."""
        if not orders or len({order.pickup for order in orders}) != 1:
            raise InvalidPlan(
                "a trip fetches one or more orders at one pickup",
                rider_id=rider.rider_id,
                orders=[order.order_id for order in orders],
            )
        self._trips.setdefault(rider.index, []).append(tuple(orders))

    def answer(self) -> RoundSolved:
        """The plan as the round's answer; raises InvalidPlan naming the rider and the law where it breaks one."""
        view = self._view
        checked = evaluate(view.problem, view.travel, self._rows())
        while not checked.feasible:
            self._mend(checked)
            checked = evaluate(self._with_excuses(), view.travel, self._rows())
        rows = self._rows()
        timeline = evaluate(view.problem, view.travel, rows)
        reason = np.full(len(view.problem.pick_place), Reason.NO_RIDER_IN_REACH, dtype=np.int8)
        for request, why in self._given_back.items():
            reason[request] = why
        reason[rows.act_request] = Reason.SERVED
        solution = Solution(
            rows,
            timeline.leg,
            timeline.arrive,
            timeline.act_at,
            timeline.leave,
            reason,
            timeline.cost,
            0,
            (),
        )
        return answer(view.frozen, solution)

    def _mend(self, broken: Timeline) -> None:
        """What a late rider cannot fetch any more is open again; raises InvalidPlan where a new trip breaks the law."""
        problem, vehicle, ids = self._view.problem, broken.vehicle, self._view.frozen.ids
        waiting = [r for r in self._told_requests(vehicle) if problem.aboard_of[r] < 0]
        if waiting and (broken.request in waiting or vehicle not in self._trips):
            request = broken.request if broken.request in waiting else waiting[-1]
            self._given_back[request] = REASON_OF[broken.law]
        elif vehicle >= 0 and vehicle not in self._trips and vehicle not in self._excused:
            self._excused |= {vehicle}
        else:
            raise InvalidPlan(
                f"the plan breaks a law: {broken.law.name}",
                rider_id=ids.rider_ids[vehicle] if vehicle >= 0 else None,
                order_id=ids.order_ids[broken.request] if broken.request >= 0 else None,
            )

    def _with_excuses(self) -> Problem:
        """The round's law without the limits that excused riders have overrun already."""
        problem, excused = self._view.problem, sorted(self._excused)
        end, on_board, window = problem.end.copy(), problem.max_on_board.copy(), problem.window.copy()
        end[excused] = INFINITE
        carried = np.isin(problem.aboard_of, excused)
        on_board[carried] = INFINITE
        window[carried, ..., 1] = INFINITE
        kept = np.diff(problem.must_keep_ptr)
        stays = np.repeat(~np.isin(np.arange(len(end)), excused), kept)
        kept[excused] = 0
        return problem._replace(
            end=end,
            max_on_board=on_board,
            window=window,
            must_keep_ptr=np.concatenate([[0], np.cumsum(kept)]).astype(np.int32),
            must_keep=problem.must_keep[stays],
        )

    def _told_requests(self, vehicle: int) -> list[int]:
        """Requests on a rider's told route that have not been given back, in the order of their acts."""
        told = self._view.problem.before
        if vehicle < 0:
            return []
        first, last = told.stop_ptr[vehicle], told.stop_ptr[vehicle + 1]
        requests = told.act_request[told.act_ptr[first] : told.act_ptr[last]].tolist()
        return [r for r in dict.fromkeys(requests) if r not in self._given_back]

    def _rows(self) -> Rows:
        """What everybody has, less what was given back, and the new trips."""
        told = self._view.problem.before
        stop_level = self._view.problem.stop_level
        stop_ptr, stop_place, act_ptr = [0], list[int](), [0]
        act_request, act_kind = list[int](), list[int]()

        def add(place: int, acts: list[tuple[int, int]]) -> None:
            stop_place.append(place)
            act_request.extend(request for request, _ in acts)
            act_kind.extend(kind for _, kind in acts)
            act_ptr.append(len(act_request))

        for v in range(len(self._view.riders)):
            for s in range(int(told.stop_ptr[v]), int(told.stop_ptr[v + 1])):
                span = slice(int(told.act_ptr[s]), int(told.act_ptr[s + 1]))
                pairs = zip(told.act_request[span].tolist(), told.act_kind[span].tolist(), strict=True)
                acts = [pair for pair in pairs if pair[0] not in self._given_back]
                # A place they were told to go to stays, even if nothing is left to do there.
                if acts or stop_level[s] >= Level.TOLD:
                    add(int(told.stop_place[s]), acts)
            for trip in self._trips.get(v, ()):
                add(trip[0].pickup, [(order.index, int(ActKind.PICKUP)) for order in trip])
                for order in trip:
                    add(order.drop, [(order.index, int(ActKind.DROP))])
            stop_ptr.append(len(stop_place))
        return Rows(
            np.array(stop_ptr, dtype=np.int32),
            np.array(stop_place, dtype=np.int32),
            np.array(act_ptr, dtype=np.int32),
            np.array(act_request, dtype=np.int32),
            np.array(act_kind, dtype=np.int8),
        )
