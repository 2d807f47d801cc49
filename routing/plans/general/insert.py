"""Builds a plan by insertion, and turns plans into Routes and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.plans.general.insertion_prices import price_matrix
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.construct import insert_by_regret, write_routes
from routing.plans.general.kernels.moves import refresh, remove
from routing.plans.general.kernels.ruin_recreate import recreate
from routing.plans.general.kernels.sequence import sequence_routes
from routing.plans.general.tables import Kind, Routes, Tables, empty_routes
from routing.plans.general.whole.flags import keep_whole_laws
from routing.plans.general.work import Work
from routing.problem.problem import I64, Problem, Rows

REGRET_CELLS = 1_000_000
"""Largest request-by-vehicle table that regret insertion fills; above it requests go in one by one."""

SEQUENCED = 8
"""Nodes of the longest route whose best order is found exactly: four orders take some 30 microseconds."""


def start_routes(problem: Problem, tables: Tables, work: Work) -> Routes:
    """The told plan as Routes; orders that make a told route illegal by now are absent, the last ones first."""
    routes, told = empty_routes(tables), problem.before
    routes.missing[0] = 0
    ghosts = np.flatnonzero(tables.kind == Kind.GHOST)
    write_routes(tables, routes, work, ghosts, told)
    served = _one_of_each_choice(tables, routes, work) if tables.flag[col.CHOICES] else routes.vehicle >= 0
    routes.missing[0] = 0
    absent = np.flatnonzero(~served & (tables.kind < Kind.STAYING))
    routes.absent[: len(absent)] = absent
    routes.missing[0] = len(absent)
    keep_whole_laws(tables, routes, work)
    return routes


def _one_of_each_choice(tables: Tables, routes: Routes, work: Work) -> NDArray[np.bool_]:
    """Take out what is told beside another row of its choice; all rows but those of which one can stand for absence."""
    choice = tables.choice
    served = np.flatnonzero(routes.vehicle >= 0)
    again = np.delete(served, np.unique(choice[served], return_index=True)[1])
    for request in again.tolist():
        vehicle = int(routes.vehicle[request])
        remove(tables, routes, request)
        refresh(tables, routes, vehicle, work)
    stands = np.zeros(len(choice), dtype=np.bool_)
    stands[choice] = True
    stands[choice[routes.vehicle >= 0]] = False
    return ~stands


def insert_absent(tables: Tables, routes: Routes, work: Work, *, degree: int = 2, threads: int = 1) -> None:
    """Insert what is absent: by `degree`-regret, or one by one where that table would be too large or `degree` is 1.

    One by one, too, where the whole plan has laws or prices.
    """
    requests, vehicles = _absent_rows(tables, routes), len(routes.size)
    count = len(requests)
    if degree > 1 and 0 < count * vehicles <= REGRET_CELLS and not tables.flag[col.WHOLE]:
        nearest = np.empty((count, min(degree, vehicles)), dtype=np.int64)
        price, gap = price_matrix(tables, routes, work, requests, threads=threads)
        insert_by_regret(tables, routes, work, requests, price, gap, nearest, np.empty(count, dtype=np.int64))
        return
    saved = empty_routes(tables)
    work.clock[col.ITERATION] += 1
    work.clock[col.TOUCHED] = 0
    recreate(tables, routes, saved, work, False, -1)


def _absent_rows(tables: Tables, routes: Routes) -> I64:
    """What is absent, each with all rows of its choice."""
    absent = routes.absent[: routes.missing[0]].astype(np.int64)
    if not tables.flag[col.CHOICES] or not len(absent):
        return absent
    choice = tables.choice
    return np.flatnonzero(np.isin(choice, choice[absent]))


def sequence(tables: Tables, routes: Routes, work: Work) -> bool:
    """Put every short route into its cheapest order; whether any became cheaper.

    Where time on board is limited, sequences are left to the search: an act that joins a stop moves earlier pickups;
    so they are where a route has breaks, setups or limits, or the whole plan has laws or prices.
    """
    if tables.flag[[col.LIMITED_ON_BOARD, col.RICH, col.WHOLE]].any():
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
    size = routes.size
    vehicle = np.repeat(np.arange(len(size)), size)
    node = routes.row[:, col.NODE, 1:][np.arange(routes.row.shape[2] - 1) < size[:, None]]
    place = tables.place[node]
    begins = np.ones(len(node), dtype=np.bool_)
    if not tables.plain:
        begins[1:] = (place[1:] != place[:-1]) | (vehicle[1:] != vehicle[:-1])
    request = tables.node[node, col.REQUEST]
    acts = (tables.kind[request] != Kind.GHOST) & (tables.kind[request] != Kind.RELOAD)
    stop = np.cumsum(begins) - 1
    stops = np.count_nonzero(begins)
    return Rows(
        _pointers(np.bincount(vehicle[begins], minlength=len(size))), place[begins],
        _pointers(np.bincount(stop[acts], minlength=stops)), request[acts], (node[acts] & 1).astype(np.int8),
    )  # fmt: skip


def _pointers(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where each group begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
