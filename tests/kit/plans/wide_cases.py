"""Random problems with the laws and prices that only some problems have, and plans that come near to keeping them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from routing.problem.build import make_rows, read_rows
from routing.problem.problem import INFINITE, NO_32, Problem, Reloads, Rows, Travel
from tests.kit.plans.cases import random_problem, random_rows
from tests.kit.plans.rich_cases import rich_problem

FIELDS = (
    "choice", "linked", "goods", "group", "pair_price", "per_load_km", "reloads", "precedence", "max_stretch",
    "used", "per_longest",
)  # fmt: skip


def wide_problem(
    seed: int, fields: Collection[str] = FIELDS, *, rich: bool = False, requests: int = 6, tight: float = 0.1
) -> tuple[Problem, Travel]:
    """A random problem that has those of FIELDS that are named, too."""
    rng = np.random.default_rng([seed, 7])
    if rich:
        problem, travel = rich_problem(seed, requests=requests, vehicles=3, hard=tight)
    else:
        problem, travel = random_problem(
            seed, requests=requests, tight=tight, gaps=False, told=bool(rng.random() < 0.3)
        )
    if not travel.metres.size:
        travel = travel._replace(metres=(travel.ticks * 7).astype(np.int32))
    wider: dict[str, Any] = {}
    for name in fields:
        wider |= _DRAW[name](rng, problem, travel)
    return problem._replace(**_agreeing(problem, wider)), travel


def _agreeing(problem: Problem, wider: dict[str, Any]) -> dict[str, Any]:
    """The same price and rank for all rows of a choice; no longest duration beside reloads."""
    if "reloads" in wider:
        wider["max_duration"] = NO_32
    if "choice" in wider:
        _, first, of = np.unique(wider["choice"], return_index=True, return_inverse=True)
        alone = wider["choice"] < 0
        wider["skip_cost"] = np.where(alone, problem.skip_cost, problem.skip_cost[first[of]])
        wider["rank"] = np.where(alone, problem.rank, problem.rank[first[of]]) if problem.rank.size else problem.rank
    return wider


def _numbers(rng: np.random.Generator, problem: Problem, name: str, count: int) -> dict[str, Any]:
    free = problem.aboard_of < 0
    return {name: np.where(free, rng.integers(-1, count, len(free)), -1).astype(np.int32)}


def _choice(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    return _numbers(rng, problem, "choice", max(1, len(problem.pick_place) // 2))


def _linked(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    """Links where the last place of one is the first of another by chance or because it is moved there."""
    requests = len(problem.pick_place)
    linked = np.full(requests, -1, dtype=np.int32)
    pick = problem.pick_place.copy()
    for a, b in rng.permutation(requests)[: requests // 2 * 2].reshape(-1, 2)[:2].tolist():
        stays = (problem.aboard_of[[a, b]] >= 0) & (problem.drop_place[[a, b]] < 0)
        last = problem.drop_place[a] if problem.drop_place[a] >= 0 else pick[a]
        if stays.any() or pick[b] < 0:
            continue
        pick[b], linked[a] = last, b
    return {"linked": linked, "pick_place": pick}


def _goods(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    mix = rng.choice(3, (3, 3), p=[0.2, 0.5, 0.3]).astype(np.int8)
    return {"goods": rng.integers(0, 3, len(problem.pick_place)).astype(np.int32), "mix": np.maximum(mix, mix.T)}


def _group(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    group = rng.integers(-1, 2, len(problem.pick_place)).astype(np.int32)
    return {"group": group, "split_price": rng.integers(0, 500, 2)}


def _pairs(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    return {"pair_price": rng.integers(0, 300, (len(problem.pick_place), len(problem.start_place)))}


def _per_load_km(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    return {"per_load_km": rng.integers(0, 900, problem.capacity.shape)}


def _reloads(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    vehicles = len(problem.start_place)
    counts = rng.integers(0, 3, vehicles)
    place = rng.integers(0, travel.ticks.shape[2], int(counts.sum()))
    most = rng.integers(0, 4, vehicles)
    arrays = (np.concatenate([[0], np.cumsum(counts)]), place, most)
    return {"reloads": Reloads(*(array.astype(np.int32) for array in arrays))}


def _precedence(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    pairs = rng.integers(0, len(problem.pick_place), (2, 2))
    return {"precedence": np.ascontiguousarray(pairs[pairs[:, 0] != pairs[:, 1]].astype(np.int32))}


def _max_stretch(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    return {"max_stretch": rng.integers(60, 300, len(problem.start_place)).astype(np.int32)}


def _used(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    least = int(rng.integers(0, 3))
    return {"min_used": least, "max_used": int(rng.choice([least, 2, INFINITE])) if least < 3 else INFINITE}


def _per_longest(rng: np.random.Generator, problem: Problem, travel: Travel) -> dict[str, Any]:
    return {"per_longest": int(rng.integers(1, 9))}


_DRAW = dict(
    zip(
        FIELDS,
        (
            _choice, _linked, _goods, _group, _pairs, _per_load_km, _reloads, _precedence, _max_stretch, _used,
            _per_longest,
        ),
        strict=True,
    )
)  # fmt: skip


def wide_rows(rng: np.random.Generator, problem: Problem, *, sane: bool = True) -> Rows:
    """A random plan with reloads; of a choice mostly one row, linked rows mostly at one stop."""
    routes: list[list[Any]] = [list(route) for route in read_rows(random_rows(rng, problem, sane=sane))]
    if problem.choice.size and rng.random() < 0.9:
        for number in set(problem.choice.tolist()) - {-1}:
            rows = np.flatnonzero(problem.choice == number)
            routes = _without(routes, set(rows.tolist()) - {int(rng.choice(rows))})
    for a, b in enumerate(problem.linked.tolist()):
        if b >= 0 and rng.random() < 0.8:
            routes = _without(routes, {a, b})
            if rng.random() < 0.7:
                _put_linked(rng, problem, routes, a, b)
    if problem.reloads.ptr.size:
        for vehicle, route in enumerate(routes):
            places = problem.reloads.place[problem.reloads.ptr[vehicle] : problem.reloads.ptr[vehicle + 1]]
            for _ in range(int(rng.integers(0, 3)) if len(places) and route else 0):
                route.insert(int(rng.integers(len(route) + 1)), (int(rng.choice(places)), []))
    return make_rows(routes)


def _without(routes: Sequence[Sequence[Any]], rows: set[int]) -> list[list[Any]]:
    """Routes in which these requests have no act; stops that only served them are gone."""
    return [
        [
            (place, [act for act in acts if act[0] not in rows])
            for place, acts in route
            if not acts or any(act[0] not in rows for act in acts)
        ]
        for route in routes
    ]


def _put_linked(rng: np.random.Generator, problem: Problem, routes: list[list[Any]], a: int, b: int) -> None:
    """Append both rows, the last act of `a` and the first of `b` at one stop."""
    owner = int(problem.aboard_of[a])
    route = routes[owner if owner >= 0 else int(rng.integers(len(routes)))]
    if problem.pick_place[a] >= 0 and problem.drop_place[a] >= 0:
        route.append((int(problem.pick_place[a]), [(a, 0)]))
    route.append((int(problem.pick_place[b]), [(a, 1 if problem.drop_place[a] >= 0 else 0), (b, 0)]))
    if problem.drop_place[b] >= 0:
        route.append((int(problem.drop_place[b]), [(b, 1)]))
