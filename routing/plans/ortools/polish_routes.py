"""The model of any plan: pickups and drops of vehicles whose first stops are near each other.

Vehicles with goods on board, with told stops that have a price, or with one-ended requests keep their routes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from routing.plans.general.gather import gather
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import may_serve
from routing.plans.general.tables import Kind
from routing.plans.ortools.lateness import door_changes, steps
from routing.plans.ortools.questions import RouteQuestion
from routing.problem.build import Stop
from routing.problem.evaluate import Timeline
from routing.problem.problem import INFINITE, Problem, Rows, Travel

VEHICLES = 24
REQUESTS = 60


class RouteModel:
    """Clusters of at most VEHICLES vehicles."""

    clusters = 4

    def __init__(self, problem: Problem, travel: Travel) -> None:
        self._problem, self._travel, self._tables = problem, travel, gather(problem, travel)

    def members(self, rows: Rows, timeline: Timeline, done: Collection[int]) -> Sequence[int]:
        """The first busy vehicle and those whose first stops are nearest to its own, up to the size of a model."""
        busy = [v for v in self._free(rows) if v not in done and rows.stop_ptr[v] < rows.stop_ptr[v + 1]]
        if not busy or self._tables.flag[[col.RICH, col.GOODS, col.PAIR_AT]].any():
            return ()
        ticks = self._travel.ticks[int(self._problem.profile[busy[0]])]
        here = rows.stop_place[rows.stop_ptr[busy[0]]]
        near = sorted(busy, key=lambda v: (v != busy[0], int(ticks[here, rows.stop_place[rows.stop_ptr[v]]]), v))
        members: list[int] = []
        requests = 0
        for vehicle in near[:VEHICLES]:
            requests += len(_acts(rows, vehicle)) // 2
            if members and requests > REQUESTS:
                break
            members.append(vehicle)
        return sorted(members)

    def _free(self, rows: Rows) -> list[int]:
        """Vehicles whose route may be made anew by a model that knows whole pickups and drops only."""
        tables, own = self._tables, self._tables.vehicle
        held = (own[:, col.START_COUNT] > 0) | (own[:, col.TOLD_PRICED] > 0) | (own[:, col.STANDING_AT] >= 0)
        held |= np.diff(tables.must_keep_ptr) > 0
        for vehicle in np.flatnonzero(~held).tolist():
            held[vehicle] = any(tables.kind[request] != Kind.PAIR for request, _ in _acts(rows, vehicle))
        return [int(v) for v in np.flatnonzero(~held)]

    def question(self, rows: Rows, timeline: Timeline, members: Sequence[int]) -> RouteQuestion:
        """Requests, windows and ways of these vehicles, and what each instant of a drop costs."""
        tables, requests = self._tables, _requests(rows, members)
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
        number = {node: k for k, node in enumerate(nodes)}
        first = len(nodes)
        return RouteQuestion(
            cost=np.stack(cost).astype(np.int64), ticks=np.stack(ticks).astype(np.int64),
            kind=kind.reshape(-1).tolist(),
            start=[first + k for k in range(len(members))], end=[first + len(members) + k for k in range(len(members))],
            depart=own[:, col.START].tolist(), home_by=own[:, col.END].tolist(), fixed=own[:, col.FIXED].tolist(),
            window=[tuple(x) for x in tables.node[nodes][:, [col.OPEN, col.CLOSE]].tolist()],
            load=own_row[:, col.LOAD :], capacity=own[:, col.CAPACITY : col.CAPACITY + own_row[:, col.LOAD :].shape[1]],
            allowed=[[k for k, v in enumerate(members) if may_serve(tables, r, v)] for r in requests],
            skip=tables.request[requests, col.SKIP].tolist(),
            late=[steps(door_changes(self._problem, r), int(tables.node[2 * r + 1, col.OPEN])) for r in requests],
            warm=[[number[2 * r + kind] for r, kind in _acts(rows, vehicle)] for vehicle in members],
        )  # fmt: skip

    def routes(self, rows: Rows, members: Sequence[int], answer: list[list[int]]) -> list[list[Stop]]:
        """Acts next to each other at one place share a stop."""
        requests, made = _requests(rows, members), []
        for route in answer:
            stops: list[tuple[int, list[tuple[int, int]]]] = []
            for node in route:
                request, kind = requests[node // 2], node % 2
                place = int((self._problem.drop_place if kind else self._problem.pick_place)[request])
                if not stops or stops[-1][0] != place:
                    stops.append((place, []))
                stops[-1][1].append((request, kind))
            made.append(list[Stop](stops))
        return made


def _requests(rows: Rows, members: Sequence[int]) -> list[int]:
    return [request for vehicle in members for request, kind in _acts(rows, vehicle) if kind == 0]


def _acts(rows: Rows, vehicle: int) -> list[tuple[int, int]]:
    acts = range(rows.act_ptr[rows.stop_ptr[vehicle]], rows.act_ptr[rows.stop_ptr[vehicle + 1]])
    return [(int(rows.act_request[a]), int(rows.act_kind[a])) for a in acts]
