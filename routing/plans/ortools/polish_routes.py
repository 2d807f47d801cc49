"""OR-Tools as polish of any plan: clusters of at most 24 vehicles, warm-started, judged by the one evaluator.

Vehicles with goods on board, with told stops that have a price, or with one-ended requests keep their routes; the rest
is improved cluster by cluster in a process of its own.  What comes back counts only where it is legal and cheaper.
"""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
from numpy.typing import NDArray

from routing.plans.budget import Budget
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import may_serve
from routing.plans.general.tables import Kind, Tables
from routing.plans.ortools.routing_model import ClusterModel
from routing.problem.build import Stop, make_rows, read_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, Problem, Rows, Travel

CLUSTERS = 4
VEHICLES = 24
REQUESTS = 60
SOLUTIONS = 40
"""Better plans after which a cluster is left: a limit that repeats, unlike a time."""

SPREAD = 600
"""Ticks over which the model spreads a charge: it knows one slope beyond one threshold, and no steps."""

POLL_S = 0.02
LONGEST_S = 60.0


def polish(problem: Problem, travel: Travel, tables: Tables, rows: Rows, budget: Budget) -> Rows:
    """Rows that cost no more than `rows`."""
    timeline = evaluate(problem, travel, rows)
    if not timeline.feasible or tables.flag[col.RICH]:
        return rows
    free = _free_vehicles(tables, rows)
    done: set[int] = set()
    for _ in range(CLUSTERS):
        members = _members(problem, travel, rows, [v for v in free if v not in done])
        if len(members) < 2 or budget.expired():
            break
        done.update(members)
        answer = _ask(_cluster(problem, tables, rows, members), budget)
        if answer is None:
            continue
        candidate = _merged(problem, rows, members, answer)
        judged = evaluate(problem, travel, candidate)
        if judged.feasible and (judged.rank, judged.cost) < (timeline.rank, timeline.cost):
            rows, timeline = candidate, judged
    return rows


def _free_vehicles(tables: Tables, rows: Rows) -> list[int]:
    """Vehicles whose route may be made anew by a model that knows whole pickups and drops only."""
    own = tables.vehicle
    held = (own[:, col.START_COUNT] > 0) | (own[:, col.TOLD_PRICED] > 0) | (own[:, col.STANDING_AT] >= 0)
    held |= np.diff(tables.keep_ptr) > 0
    for vehicle in np.flatnonzero(~held):
        acts = slice(rows.act_ptr[rows.stop_ptr[vehicle]], rows.act_ptr[rows.stop_ptr[vehicle + 1]])
        held[vehicle] = bool((tables.kind[rows.act_request[acts]] != Kind.PAIR).any())
    return [int(v) for v in np.flatnonzero(~held)]


def _members(problem: Problem, travel: Travel, rows: Rows, free: list[int]) -> list[int]:
    """The first busy vehicle and those whose first stops are nearest to its own, up to the size of a model."""
    busy = [v for v in free if rows.stop_ptr[v] < rows.stop_ptr[v + 1]]
    if not busy:
        return []
    ticks = travel.ticks[int(problem.profile[busy[0]])]
    here = rows.stop_place[rows.stop_ptr[busy[0]]]
    near = sorted(busy, key=lambda v: (v != busy[0], int(ticks[here, rows.stop_place[rows.stop_ptr[v]]]), v))
    members: list[int] = []
    requests = 0
    for vehicle in near[:VEHICLES]:
        begin, finish = rows.act_ptr[rows.stop_ptr[vehicle]], rows.act_ptr[rows.stop_ptr[vehicle + 1]]
        requests += int(finish - begin) // 2
        if members and requests > REQUESTS:
            break
        members.append(vehicle)
    return sorted(members)


def _requests(rows: Rows, members: list[int]) -> list[int]:
    found = []
    for vehicle in members:
        acts = slice(rows.act_ptr[rows.stop_ptr[vehicle]], rows.act_ptr[rows.stop_ptr[vehicle + 1]])
        found += rows.act_request[acts][rows.act_kind[acts] == 0].tolist()
    return found


def _cluster(problem: Problem, tables: Tables, rows: Rows, members: list[int]) -> ClusterModel:
    requests = _requests(rows, members)
    own = tables.vehicle[members]
    nodes = [2 * r + side for r in requests for side in (0, 1)]
    place = np.array([*tables.place[nodes], *own[:, col.START_PLACE], *([0] * len(members))], dtype=np.int64)
    goal = np.array([*tables.place[nodes], *([0] * len(members)), *own[:, col.END_PLACE]], dtype=np.int64)
    stay = np.concatenate([tables.node[nodes, col.STAY], np.zeros(2 * len(members), dtype=np.int64)])
    enter = np.concatenate([tables.node[nodes, col.ENTER], np.zeros(2 * len(members), dtype=np.int64)])
    keys = own[:, [col.PROFILE, col.PER_TICK, col.PER_METRE]]
    kinds, kind = np.unique(keys, axis=0, return_inverse=True)
    legs = [np.where(place[:, None] == goal, 0, tables.legs[:, k[0]][:, place[:, None], goal]) for k in kinds]
    cost = [k[1] * leg[0] + (k[2] * leg[1] if len(leg) > 1 else 0) for k, leg in zip(kinds, legs, strict=True)]
    ticks = [np.minimum(leg[0] + stay[:, None] + enter, INFINITE) for leg in legs]
    own_row = tables.request[requests]
    soft = [(int(row[col.FIRST_DUE]), _rise(row) if row[col.FIRST_DUE] > 0 else 0) for row in own_row]
    number = {node: k for k, node in enumerate(nodes)}
    first = len(nodes)
    return ClusterModel(
        cost=np.stack(cost).astype(np.int64), ticks=np.stack(ticks).astype(np.int64), kind=kind.reshape(-1).tolist(),
        start=[first + k for k in range(len(members))], end=[first + len(members) + k for k in range(len(members))],
        depart=own[:, col.START].tolist(), home_by=own[:, col.END].tolist(), fixed=own[:, col.FIXED].tolist(),
        window=[tuple(x) for x in tables.node[nodes][:, [col.OPEN, col.CLOSE]].tolist()],
        load=own_row[:, col.LOAD :], capacity=own[:, col.CAPACITY : col.CAPACITY + problem.load.shape[1]],
        allowed=[[k for k, v in enumerate(members) if may_serve(tables, r, v)] for r in requests],
        skip=tables.request[requests, col.SKIP].tolist(), due=soft,
        routes=[
            [number[2 * r + kind] for r, kind in _acts(rows, vehicle)] for vehicle in members
        ],
        solutions=SOLUTIONS,
    )  # fmt: skip


def _rise(row: NDArray[np.int64]) -> int:
    """What a tick beyond the first threshold costs more than one before it, the charge for passing it spread out."""
    return int(max(0, row[col.SLOPE + 1] - row[col.SLOPE]) + row[col.LATE] // SPREAD)


def _acts(rows: Rows, vehicle: int) -> list[tuple[int, int]]:
    acts = range(rows.act_ptr[rows.stop_ptr[vehicle]], rows.act_ptr[rows.stop_ptr[vehicle + 1]])
    return [(int(rows.act_request[a]), int(rows.act_kind[a])) for a in acts]


def _ask(cluster: ClusterModel, budget: Budget) -> list[list[int]] | None:
    """Run the model in its own process until it answers or the budget is over; None where it does not answer."""
    child = subprocess.Popen(
        [sys.executable, "-m", "routing.plans.ortools.routing_model"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    question: bytes | None = pickle.dumps(cluster)
    for _ in range(int(LONGEST_S / POLL_S)):
        try:
            answer, _ = child.communicate(question, timeout=POLL_S)
            return None if child.returncode else pickle.loads(answer)
        except subprocess.TimeoutExpired:
            question = None
            if budget.expired():
                break
    child.kill()
    child.communicate()
    return None


def _merged(problem: Problem, rows: Rows, members: list[int], routes: list[list[int]]) -> Rows:
    """`rows` with the members' routes replaced; acts next to each other at one place share a stop."""
    requests = _requests(rows, members)
    plan: list[list[Stop]] = [list(route) for route in read_rows(rows)]
    for vehicle, route in zip(members, routes, strict=True):
        stops: list[tuple[int, list[tuple[int, int]]]] = []
        for node in route:
            request, kind = requests[node // 2], node % 2
            place = int((problem.drop_place if kind else problem.pick_place)[request])
            if not stops or stops[-1][0] != place:
                stops.append((place, []))
            stops[-1][1].append((request, kind))
        plan[vehicle] = list(stops)
    return make_rows(plan)
