"""Builds a plan by insertion, and turns plans into Routes and back."""

from __future__ import annotations

import numpy as np

from routing.plans.general.insertion_prices import price_matrix
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import refresh, refresh_plan, remove
from routing.plans.general.kernels.regret import insert_by_regret
from routing.plans.general.kernels.ruin_recreate import recreate
from routing.plans.general.kernels.sequence import sequence_routes
from routing.plans.general.tables import Kind, Routes, Tables, empty_routes
from routing.plans.general.work import Work
from routing.problem.build import make_rows
from routing.problem.problem import Problem, Rows

REGRET_CELLS = 1_000_000
"""Largest request-by-vehicle table that regret insertion fills; above it requests go in one by one."""

SEQUENCED = 8
"""Nodes of the longest route whose best order is found exactly: four orders take some 30 microseconds."""


def start_routes(problem: Problem, tables: Tables, work: Work) -> Routes:
    """The told plan as Routes; orders that make a told route illegal by now are absent, the last ones first."""
    routes = empty_routes(tables)
    routes.missing[0] = 0
    ghosts: dict[int, list[int]] = {}
    for ghost in np.flatnonzero(tables.kind == Kind.GHOST).tolist():
        ghosts.setdefault(int(tables.request[ghost, col.HOME]), []).append(ghost)
    told = problem.told
    for vehicle in range(len(problem.start_place)):
        nodes: list[int] = []
        waiting = list(ghosts.get(vehicle, ()))
        for stop in range(told.stop_ptr[vehicle], told.stop_ptr[vehicle + 1]):
            if waiting and tables.place[2 * waiting[0]] == told.stop_place[stop]:
                nodes.append(2 * waiting.pop(0))
            acts = range(told.act_ptr[stop], told.act_ptr[stop + 1])
            nodes += [2 * int(told.act_request[a]) + int(told.act_kind[a]) for a in acts]
        nodes = nodes[: tables.stride]
        routes.row[vehicle, col.NODE, 1 : len(nodes) + 1] = nodes
        routes.size[vehicle] = len(nodes)
        routes.vehicle[tables.node[nodes, col.REQUEST]] = vehicle
        while not refresh(tables, routes, vehicle, work):
            loose = [
                node for node in routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1] if _loose(tables, node)
            ]
            if not loose:
                break
            remove(tables, routes, tables.node[loose[-1], col.REQUEST])
    routes.missing[0] = 0
    absent = np.flatnonzero((routes.vehicle < 0) & (tables.kind != Kind.STAYING))
    routes.absent[: len(absent)] = absent
    routes.missing[0] = len(absent)
    refresh_plan(tables, routes, work)
    return routes


def _loose(tables: Tables, node: int) -> bool:
    request = tables.node[node, col.REQUEST]
    return tables.kind[request] not in (Kind.ABOARD, Kind.GHOST)


def insert_absent(tables: Tables, routes: Routes, work: Work, *, degree: int = 2, threads: int = 1) -> None:
    """Insert what is absent: by `degree`-regret, or one by one where that table would be too large or `degree` is 1."""
    count, vehicles = int(routes.missing[0]), len(routes.size)
    if degree > 1 and 0 < count * vehicles <= REGRET_CELLS:
        nearest = np.empty((count, min(degree, vehicles)), dtype=np.int64)
        requests = routes.absent[:count].astype(np.int64)
        price, gap = price_matrix(tables, routes, work, requests, threads=threads)
        insert_by_regret(tables, routes, work, requests, price, gap, nearest, np.empty(count, dtype=np.int64))
        return
    saved = empty_routes(tables)
    work.clock[col.ITERATION] += 1
    work.clock[col.TOUCHED] = 0
    recreate(tables, routes, saved, work, False, -1)


def sequence(tables: Tables, routes: Routes, work: Work) -> bool:
    """Put every short route into its cheapest order; whether any became cheaper.

    Where time on board is limited, sequences are left to the search: an act that joins a stop moves earlier pickups;
    so they are where a route has breaks, setups or limits.
    """
    if tables.flag[col.LIMITED_ON_BOARD] or tables.flag[col.RICH]:
        return False
    room = SEQUENCED + 2
    better = sequence_routes(
        tables, routes, work, SEQUENCED, np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32),
        np.empty(room, dtype=np.int32), np.empty((room, work.states.shape[1]), dtype=np.int64),
        np.empty((3, room), dtype=np.int64),
    )  # fmt: skip
    return bool(better)


def to_rows(tables: Tables, routes: Routes) -> Rows:
    """Routes as Rows; where timing matters, neighbouring nodes at one place become one stop."""
    plan = []
    for vehicle in range(len(routes.size)):
        stops: list[tuple[int, list[tuple[int, int]]]] = []
        for node in routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1].tolist():
            request, place = int(tables.node[node, col.REQUEST]), int(tables.place[node])
            if tables.plain or not stops or stops[-1][0] != place:
                stops.append((place, []))
            if tables.kind[request] != Kind.GHOST:
                stops[-1][1].append((request, node & 1))
        plan.append(stops)
    return make_rows(plan)
