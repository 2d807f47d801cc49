"""Random problems with every law of a whole route: breaks, setups, several windows, limits, swapped goods, tolls."""

from __future__ import annotations

import numpy as np

from routing.problem.build import allow, make_problem
from routing.problem.problem import INFINITE, NO_32, Breaks, Problem, Reloads, Travel


def rich_problem(seed: int, *, requests: int = 5, vehicles: int = 2, hard: float = 0.5) -> tuple[Problem, Travel]:
    """A problem in which nothing but the way costs; `hard` is the share of limits that bind."""
    rng = np.random.default_rng(seed)
    both, places = 2 * requests, 2 * requests + 2 + vehicles
    kind = rng.integers(0, 3, requests)  # a pair, a pickup to the end, a drop from the start
    spot = rng.permutation(both).reshape(requests, 2)
    location = np.concatenate([rng.integers(0, requests + 1, both), [90, 91], 100 + np.arange(vehicles)])
    drive = rng.integers(1, 40, (2, places, both + 2)).astype(np.int32)
    same = location[:, None] == location[None, : both + 2]
    drive[:, same] = 0
    setup = np.append(rng.integers(0, 12, both) * (rng.random(both) < 0.4), [0, 0])
    ticks = drive + np.where(same, 0, setup[None, :])[None].astype(np.int32)
    wide = rng.random() < 0.8
    metres = rng.integers(0, 900, ticks.shape).astype(np.int32)
    travel = (
        Travel(ticks, metres, drive, rng.integers(0, 30, ticks.shape).astype(np.int32))
        if wide
        else Travel(ticks, metres)
    )
    dimensions = int(rng.integers(1, 3))
    count = int(rng.integers(1, 4))
    window = np.empty((requests, 2, count, 2), dtype=np.int64)
    for k in np.ndindex(requests, 2, count):
        opens = int(rng.integers(0, 250))
        window[k] = [opens, opens + int(rng.integers(0, 120))] if rng.random() < hard else [-INFINITE, INFINITE]
    load = rng.integers(0, 4, (requests, dimensions))
    own = rng.integers(0, 4 if hard else 1, vehicles) if rng.random() < 0.7 else np.zeros(vehicles, dtype=np.int64)
    pauses = int(own.sum())
    opens = np.sort(rng.integers(0, 200, (pauses, 2)), axis=1)
    breaks = Breaks(
        np.concatenate([[0], np.cumsum(own)]),
        np.stack([opens, opens + rng.integers(0, 80, (pauses, 2))], axis=2),
        rng.integers(0, 40, pauses),
        np.where(rng.random((pauses, dimensions)) < 0.3, rng.integers(0, 5, (pauses, dimensions)), INFINITE),
    )
    swaps = (kind != 1)[:, None] & (rng.random((requests, dimensions)) < 0.4)

    def limit(low: int, high: int) -> np.ndarray:
        return np.where(rng.random(vehicles) < hard, rng.integers(low, high, vehicles), INFINITE)

    problem = make_problem(
        place=np.arange(places), pick_place=np.where(kind == 2, -1, spot[:, 0]),
        drop_place=np.where(kind == 1, -1, spot[:, 1]), load=load, act=rng.integers(0, 9, (requests, 2)),
        window=window, skip_cost=rng.integers(300, 90_000, requests),
        start_place=both + 2 + np.arange(vehicles), start=rng.integers(0, 40, vehicles),
        end_place=rng.choice([-1, both, both + 1], vehicles), end=limit(150, 400),
        profile=rng.integers(0, 2, vehicles), capacity=rng.integers(4, 11, (vehicles, dimensions)),
        fixed=rng.integers(0, 300, vehicles), per_drive=rng.integers(0, 3, vehicles),
        per_work=rng.integers(0, 3, vehicles), per_metre=rng.integers(0, 3, vehicles),
        per_task=rng.integers(0, 3, vehicles), per_toll=rng.integers(0, 3, vehicles),
        allowed=allow(rng.random((requests, vehicles)) > 0.15), max_drive=limit(40, 200), max_metres=limit(1000, 4000),
        max_acts=limit(1, 8), load_back=np.where(swaps, rng.integers(0, 4, (requests, dimensions)), 0),
        max_duration=_durations(seed, own, hard), breaks=breaks,
        rank=rng.integers(0, 3, requests) if rng.random() < 0.5 else np.zeros(0, dtype=np.int64),
    )  # fmt: skip
    return problem, travel


def _durations(seed: int, breaks: np.ndarray, hard: float) -> np.ndarray:
    """Longest durations of some of the vehicles that have no breaks."""
    rng = np.random.default_rng([seed, 2])
    limited = (breaks == 0) & (rng.random(len(breaks)) < hard)
    return np.where(limited, rng.integers(30, 200, len(breaks)), INFINITE)


def reload_problem(seed: int, *, requests: int = 5, vehicles: int = 2, hard: float = 0.3) -> tuple[Problem, Travel]:
    """A rich problem in which vehicles may come back to load, some goods are ready late, and room is short."""
    problem, travel = rich_problem(seed, requests=requests, vehicles=vehicles, hard=hard)
    rng = np.random.default_rng([seed, 1])
    depots = 2 * requests, 2 * requests + 1
    own = [rng.choice(depots, rng.integers(0, 3), replace=False) for _ in range(vehicles)]
    service = rng.integers(0, 5, (2, len(problem.place))).astype(np.int32)
    service[:, : depots[0]] = 0
    return problem._replace(
        reloads=Reloads(
            np.cumsum([0, *(len(places) for places in own)], dtype=np.int32), np.concatenate(own).astype(np.int32),
            rng.integers(0, 4, vehicles).astype(np.int32),
        ),
        ready=np.where(rng.random(requests) < 0.5, rng.integers(0, 120, requests), 0).astype(np.int32),
        max_duration=NO_32, enter=service[0], exit=service[1],
        capacity=rng.integers(3, 8, problem.capacity.shape).astype(np.int32),
    ), travel  # fmt: skip
