"""One round of a lunch peak, part by part and whole, from 50 riders x 100 orders to 500 x 1000, and 10,000 x 5,000."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Bound, Case, Sample, Work
from benchmarks.inputs.synthetic_days import Round, busy_round
from dispatch.rounds import freeze, legs
from dispatch.rounds.legs import legs_of_trips, travel_block
from dispatch.rounds.solve import seed_of, solve, solve_round
from routing.plans.budget import Budget
from routing.plans.trips.pack import pack
from routing.plans.trips.planner import TripPlanner
from routing.travel import UNREACHABLE

QUICK = ((50, 100), (100, 200))
FULL = (*QUICK, (200, 400), (500, 1000))
CITY = (10_000, 5_000)
COST = {"cost": Bound("lower", share=0.005)}
"""A plan half a percent dearer is a worse planner."""


@functools.cache
def _round(riders: int, orders: int) -> Round:
    return busy_round(riders, orders)


def _snapshot(made: Round) -> Work:
    def work() -> Sample:
        problem = made.engine.freeze().problem
        return Sample({"requests": len(problem.pick_place), "vehicles": len(problem.start_place)}, amount=1)

    return work


def _travel(made: Round) -> Work:
    def work() -> Sample:
        return Sample(amount=travel_block(made.frozen, made.times).ticks.size)

    return work


def _legs(whole: bool) -> Callable[[Round], Work]:
    """The block that a round of trips is given: every leg, or those that its plans can drive."""

    def prepared(made: Round) -> Work:
        def work() -> Sample:
            ticks = (travel_block if whole else legs_of_trips)(made.frozen, made.times).ticks
            return Sample({"asked": int((ticks < UNREACHABLE).sum())}, amount=ticks.size)

        return work

    return prepared


def _candidates(made: Round) -> Work:
    """Packing and the bounds on who can be where first."""
    seed = seed_of(made.frozen)

    def work() -> Sample:
        near = pack(made.frozen.problem, made.travel, seed).day.near
        return Sample({"pairs": near.size}, amount=near.size)

    return work


def _insertion(made: Round) -> Work:
    told = _started(made)

    def work() -> Sample:
        mine = _copy(told)
        mine.insert_new()
        return Sample({"tried": mine.work}, amount=mine.work)

    return work


def _search(made: Round) -> Work:
    told = _started(made)
    problem = made.frozen.problem
    budget = Budget(made.frozen.settings.search.work_per_order * int((problem.aboard_of < 0).sum()))

    def work() -> Sample:
        mine = _copy(told)
        mine.insert_new()
        mine.work = 0
        mine.improve(budget, None)
        return Sample({"tried": mine.work}, amount=mine.work)

    return work


def _assignment(made: Round) -> Work:
    inserted = _started(made)
    inserted.insert_new()
    inserted.work = 0

    def work() -> Sample:
        mine = _copy(inserted)
        mine.exchange()
        return Sample({"tried": mine.work}, amount=mine.work)

    return work


def _insertion_round(made: Round) -> Work:
    def work() -> Sample:
        solution = solve(made.frozen, made.travel, recipe="insertion")
        return Sample({"tried": solution.work}, {"cost": float(solution.cost)}, amount=1)

    return work


def _whole(made: Round) -> Work:
    """Everything a host waits for: travel block, plan, empty moves, ids."""

    def work() -> Sample:
        answer = solve_round(made.frozen, made.times)
        counters = {"tried": answer.work, "routes": len(answer.changes)}
        return Sample(counters, {"cost": float(answer.cost)}, amount=1)

    return work


def _as_small(made: Round) -> Work:
    """The whole round as below the sizes from which cells are used: every leg, places in the order they came in."""
    along, least = freeze.ALONG_CELLS_FROM, legs.PAIRS_FROM
    freeze.ALONG_CELLS_FROM = 2**62
    try:
        frozen = made.engine.freeze()
    finally:
        freeze.ALONG_CELLS_FROM = along

    def work() -> Sample:
        legs.PAIRS_FROM = 2**62
        try:
            answer = solve_round(frozen, made.times)
        finally:
            legs.PAIRS_FROM = least
        return Sample({"tried": answer.work, "routes": len(answer.changes)}, {"cost": float(answer.cost)}, amount=1)

    return work


def _started(made: Round) -> TripPlanner:
    return TripPlanner(made.frozen.problem, made.travel, seed_of(made.frozen))


def _copy(planner: TripPlanner) -> TripPlanner:
    """A planner with arrays of its own; the problem and its travel are shared."""
    mine = copy.copy(planner)
    mine.packed = copy.deepcopy(planner.packed)
    return mine


def _case(name: str, size: tuple[int, int], part: Callable[[Round], Work], **more: Any) -> Case:
    suites = ("quick", "full") if size in QUICK else ("full",)
    return Case(f"{name}/{size[0]}x{size[1]}", lambda: part(_round(*size)), suites, **more)


CASES = (
    *(
        case
        for size in FULL
        for case in (
            _case("snapshot", size, _snapshot, repeats=9),
            _case("travel", size, _travel, repeats=9, unit="legs"),
            _case("candidates", size, _candidates, repeats=9, unit="pairs"),
            _case("insertion", size, _insertion, repeats=9, unit="places"),
            _case("search", size, _search, unit="places"),
            _case("assignment", size, _assignment, repeats=9, unit="places"),
            _case("round-insertion", size, _insertion_round, bounds=COST),
            _case("round", size, _whole, bounds=COST),
        )
    ),
    _case("snapshot", CITY, _snapshot, repeats=3),
    _case("legs-every", CITY, _legs(whole=True), repeats=3, unit="legs"),
    _case("legs-driven", CITY, _legs(whole=False), repeats=3, unit="legs"),
    *(
        case
        for size in (FULL[-1], (1_000, 1_000), CITY)
        for case in (
            _case("round-every", size, _as_small, repeats=5, bounds=COST),
            *((_case("round", size, _whole, repeats=5, bounds=COST),) if size not in FULL else ()),
        )
    ),
)
