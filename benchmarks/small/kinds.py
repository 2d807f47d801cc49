"""Twenty-one kinds of small problems, drawn from a seed: VROOM inputs, and Problems for what VROOM lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from routing.problem.build import make_problem
from routing.problem.formats.vroom import vroom_case
from routing.problem.problem import NO_BLOCK, Problem, Reloads, Travel

DAY = 4_000
"""Seconds within which windows lie."""

Vroom = dict[str, Any]


class SmallProblem(NamedTuple):
    """A problem, and the file that a user would write where there is one."""

    problem: Problem
    travel: Travel
    file: Vroom | None


def small_problem(kind: str, seed: int) -> SmallProblem:
    """The problem of this kind and seed."""
    rng = np.random.default_rng([seed, sorted(KINDS).index(kind)])
    made = KINDS[kind](rng)
    if isinstance(made, dict):
        case = vroom_case(made)
        return SmallProblem(case.problem, case.travel, made)
    return SmallProblem(*made, None)


def _file(rng: np.random.Generator, jobs: int = 6, shipments: int = 0, vehicles: int = 2) -> Vroom:
    """Places in a square of a kilometre and a half, a metre a second, a little unlike in both directions."""
    places = jobs + 2 * shipments + 1
    at = rng.integers(0, 1500, (places, 2))
    metres = np.rint(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))).astype(int)
    seconds = metres + rng.integers(0, 30, metres.shape)
    np.fill_diagonal(seconds, 0)
    sides = jobs + 1 + 2 * np.arange(shipments)
    return {
        "vehicles": [
            {"id": v, "start_index": 0, "end_index": 0, "capacity": [jobs // 2 + 1]} for v in range(vehicles)
        ],
        "jobs": [
            {"id": k, "location_index": k, "delivery": [1], "service": int(rng.integers(0, 90))}
            for k in range(1, jobs + 1)
        ],
        "shipments": [
            {
                "amount": [1], "pickup": {"id": int(k), "location_index": int(k), "service": 30},
                "delivery": {"id": int(k), "location_index": int(k) + 1, "service": 60},
            }
            for k in sides
        ],
        "matrices": {"car": {"durations": seconds.tolist(), "distances": metres.tolist()}},
    }  # fmt: skip


def _window(rng: np.random.Generator, least: int, most: int) -> list[int]:
    opens = int(rng.integers(0, DAY - most))
    return [opens, opens + int(rng.integers(least, most))]


def _with_tasks(data: Vroom, change: Callable[[int], Vroom]) -> Vroom:
    for k, job in enumerate(data["jobs"]):
        job |= change(k)
    return data


def _with_vehicles(data: Vroom, change: Callable[[int], Vroom]) -> Vroom:
    for v, vehicle in enumerate(data["vehicles"]):
        vehicle |= change(v)
    return data


def _skills(rng: np.random.Generator) -> Vroom:
    data = _with_tasks(_file(rng), lambda _: {"skills": rng.permutation(3)[: rng.integers(0, 2)].tolist()})
    return _with_vehicles(data, lambda v: {"skills": [0, 1 + v]})


def _two_dimensions(rng: np.random.Generator) -> Vroom:
    data = _with_tasks(_file(rng), lambda _: {"delivery": rng.integers(0, 4, 2).tolist()})
    return _with_vehicles(data, lambda _: {"capacity": rng.integers(4, 9, 2).tolist()})


def _end(rng: np.random.Generator, key: str) -> Vroom:
    data = _file(rng)
    del data["vehicles"][0][key]
    return data


def _mixed_fleet(rng: np.random.Generator) -> Vroom:
    return _with_vehicles(_file(rng, vehicles=3), lambda v: {
        "capacity": [2 + 2 * v], "speed_factor": [1.0, 1.4, 0.8][v],
        "costs": {"fixed": 200 * v, "per_hour": int(rng.integers(1800, 5400)), "per_km": int(rng.integers(0, 900))},
    })  # fmt: skip


def _cost_matrix(rng: np.random.Generator) -> Vroom:
    data = _file(rng)
    data["matrices"]["car"]["costs"] = rng.integers(1, 900, (7, 7)).tolist()
    return data


def _scarce(rng: np.random.Generator, change: Callable[[int], Vroom]) -> Vroom:
    """More work than the day has time for."""
    return _with_vehicles(_with_tasks(_file(rng), change), lambda _: {"time_window": [0, 2200]})


def _breaks(rng: np.random.Generator) -> Vroom:
    data = _with_tasks(_file(rng, jobs=5), lambda k: {"time_windows": [_window(rng, 300, 1500)]} if k % 2 else {})
    return _with_vehicles(data, lambda v: {"breaks": [
        {"id": b, "service": int(rng.integers(100, 400)), "time_windows": [_window(rng, 100, 900)]}
        | ({"max_load": [1]} if rng.random() < 0.3 else {}) for b in range(1 + v)
    ]})  # fmt: skip


def _travel_limits(rng: np.random.Generator) -> Vroom:
    return _with_vehicles(
        _file(rng), lambda v: {"max_travel_time" if v else "max_distance": int(rng.integers(2000, 4500))}
    )


def _setups(rng: np.random.Generator) -> Vroom:
    data = _with_tasks(_file(rng), lambda k: {"setup": int(rng.integers(0, 300)), "location_index": 1 + k // 2})
    return _with_tasks(data, lambda k: {"time_windows": [_window(rng, 300, 2000)]} if k % 3 == 0 else {})


def _steps(rng: np.random.Generator) -> Vroom:
    data = _file(rng, jobs=4, shipments=1)
    told = [{"type": "job", "id": int(k)} for k in rng.permutation(4)[:3] + 1]
    sides = [{"type": side, "id": data["shipments"][0]["pickup"]["id"]} for side in ("pickup", "delivery")]
    data["shipments"][0]["delivery"]["id"] = sides[1]["id"]
    data["vehicles"][1]["steps"] = [*told, *sides]
    return data


def _trips(rng: np.random.Generator) -> tuple[Problem, Travel]:
    """Goods that become ready at one depot in the course of the day, more than a vehicle holds at once."""
    drops = 5
    at = rng.integers(0, 600, (drops + 1, 2))
    legs = np.ceil(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))).astype(np.int32)[None]
    reloads = Reloads(*(np.array(values, dtype=np.int32) for values in ([0, 1, 2], [0, 0], [drops, drops])))
    window = [[[[0, DAY]], [_window(rng, 1500, 3000)]] for _ in range(drops)]
    problem = make_problem(
        place=range(drops + 1), pick_place=[-1] * drops, drop_place=range(1, drops + 1), window=window,
        load=rng.integers(1, 4, (drops, 1)), capacity=[[5], [4]], ready=rng.integers(0, 1500, drops),
        start_place=[0, 0], end_place=[0, 0], per_drive=[1, 1], rank=[1] * drops, skip_cost=[0] * drops,
        reloads=reloads,
    )  # fmt: skip
    return problem, Travel(legs, NO_BLOCK)


def _alternatives(rng: np.random.Generator) -> tuple[Problem, Travel]:
    """Orders of two rows each, from two stores to the same end or two, of which one is served; pairs have prices."""
    orders, stores, riders = 4, 3, 2
    at = rng.integers(0, 900, (stores + 2 * orders + riders, 2))
    legs = np.rint(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))).astype(np.int32)[None]
    rows = [
        (order, int(store), stores + 2 * order + end)
        for order in range(orders)
        for store, end in zip(rng.permutation(stores)[:2].tolist(), rng.integers(0, 2, 2).tolist(), strict=True)
    ]
    order, pick, drop = (np.array(column) for column in zip(*rows, strict=True))
    placed, skip = -rng.integers(0, 300, orders), rng.integers(1000, 4000, orders)
    ready = rng.integers(0, 600, stores)
    due = np.stack([placed + 900, placed + 1800], axis=1)
    problem = make_problem(
        place=range(len(at)), pick_place=pick, drop_place=drop, store=pick, choice=order, act=[[20, 60]] * len(rows),
        start_place=stores + 2 * orders + np.arange(riders), load=1, capacity=3, per_drive=[1, 1],
        slope=[[1, 2, 6]] * len(rows), due=due[order], placed=placed[order], skip_cost=skip[order], ready=ready[pick],
        pair_price=rng.integers(0, 200, (len(rows), riders)),
    )  # fmt: skip
    return problem, Travel(legs, NO_BLOCK)


KINDS: dict[str, Callable[[np.random.Generator], Any]] = {
    "plain": _file,
    "windows": lambda rng: _with_tasks(_file(rng), lambda _: {"time_windows": [_window(rng, 300, 1500)]}),
    "many windows": lambda rng: _with_tasks(
        _file(rng), lambda _: {"time_windows": [_window(rng, 100, 500) for _ in range(4)]}
    ),
    "shipments": lambda rng: _file(rng, jobs=0, shipments=3),
    "jobs and shipments": lambda rng: _file(rng, jobs=3, shipments=2),
    "skills": _skills,
    "two dimensions": _two_dimensions,
    "open start": lambda rng: _end(rng, "start_index"),
    "open end": lambda rng: _end(rng, "end_index"),
    "mixed fleet": _mixed_fleet,
    "fixed prices": lambda rng: _with_vehicles(
        _file(rng), lambda v: {"capacity": [3 + 3 * v], "costs": {"fixed": int(rng.integers(0, 2500))}}
    ),
    "matrix of costs": _cost_matrix,
    "priorities": lambda rng: _scarce(rng, lambda _: {"priority": int(rng.integers(0, 101))}),
    "penalties": lambda rng: _scarce(rng, lambda _: {"penalty": int(rng.integers(100, 1500))}),
    "breaks": _breaks,
    "travel limits": _travel_limits,
    "max_tasks": lambda rng: _with_vehicles(_file(rng, jobs=4, shipments=1), lambda v: {"max_tasks": 2 + v}),
    "setups": _setups,
    "trips": _trips,
    "given steps": _steps,
    "with alternatives": _alternatives,
}
"""Each kind by its name; shipments count as two tasks.  Its place by the alphabet is part of the seed."""
