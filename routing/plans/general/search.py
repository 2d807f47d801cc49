"""Large-neighbourhood search over whole plans; plans of many vehicles are searched in clusters, side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from routing.plans.budget import Budget
from routing.plans.general.anneal import PARAMS, Annealing
from routing.plans.general.cluster_tables import put_back, routes_of, tables_of, with_own_places
from routing.plans.general.clusters import Cluster, cut
from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Routes, Tables
from routing.plans.general.work import Work, new_work
from routing.problem.problem import I64

PHASES = 8
"""How often a plan is cut anew while it cools down: what one cut keeps apart the next one joins."""

CLUSTER = 450
"""Requests of the largest cluster (docs/solving.md)."""

DIVIDED = 150
"""Requests from which on a plan is cut in two at least: below, another thread costs more than it does."""

ROUTES = 25
"""Routes of the smallest cluster: a few long ones have too little to exchange among themselves."""

CELLS = 20
"""Cells of a small table of legs that are written in the time that an insertion saves by reading there."""


def improve(
    tables: Tables,
    routes: Routes,
    work: Work,
    budget: Budget,
    *,
    fleet: bool,
    threads: int = 1,
    on_better: Callable[[Routes], None] | None = None,
) -> Routes:
    """The best plan found from `routes` on within the budget (which counts insertions from their present value).

    `fleet`: first save vehicles, then money.  `threads`: at most so many search clusters at once; work alone as a limit
    gives the same plan for any number.  `on_better` sees the best plan after each step that improved it.
    """
    search = Annealing(tables, routes, work, budget, on_better)
    if len(tables.request) == 0 or ((routes.vehicle < 0).all() and not tables.flag[col.OPTIONAL]):
        return search.best
    if fleet:
        search.save_vehicles()
    most = _largest_cluster(search)
    if most:
        _anneal_in_clusters(search, most, threads)
    else:
        search.anneal()
    search.sequence()
    return search.best


def _largest_cluster(search: Annealing) -> int:
    """Requests that a cluster may have, 0 where the plan is better searched as a whole."""
    requests = len(search.tables.request) - int(search.tables.flag[col.CHOICES])
    used = int((search.routes.size > 0).sum())
    if requests < DIVIDED or used < 2 * ROUTES or search.tables.flag[[col.RELOADS, col.WHOLE]].any():
        return 0
    most = min(CLUSTER, requests // 2 + requests // 20)  # halves are not quite equal
    # Every cluster has a slice at least in every phase, or cutting takes longer than searching.
    return most if search.left() >= PHASES * PARAMS.slice * requests // most else 0


def _anneal_in_clusters(whole: Annealing, most: int, threads: int) -> None:
    """Cool down over the rest of the budget, every phase in other clusters."""
    rng = np.random.default_rng(int(whole.work.luck[0]))
    begin = whole.spent()
    for phase in range(PHASES):
        if whole.over():
            break
        work = whole.left() // (PHASES - phase)
        finish = begin + (1 - begin) * (phase + 1) / PHASES
        clusters = [one for one in cut(whole.tables, whole.routes, most, ROUTES, rng) if one.can_be_searched]
        seeds = rng.integers(2**31, size=len(clusters)).tolist()
        shares = phase / PHASES, (phase + 1) / PHASES
        runs = _search_apart(whole, clusters, seeds, work, finish, shares, threads)
        for cluster, run in zip(clusters, runs, strict=True):
            put_back(cluster, run.best, whole.routes)
            whole.work.counter[:] += run.work.counter
        whole.take_stock()


def _search_apart(
    whole: Annealing, clusters: Sequence[Cluster], seeds: Sequence[int], work: int, finish: float,
    shares: tuple[float, float], threads: int,
) -> list[Annealing]:  # fmt: skip
    """Search every cluster from share to share of the way down, until `finish` of the time is spent.

    The clusters of one thread have the time in turn, by their requests; the largest go to whom has least to do.
    """
    stop = threading.Event()
    requests = np.array([len(one.requests) for one in clusters], dtype=np.int64)
    begin = whole.budget.spent()
    runs: dict[int, Annealing] = {}

    def search_some(thread: int) -> None:
        mine = turns[thread]
        ends = begin + (finish - begin) * np.cumsum(requests[mine]) / requests[mine].sum()
        for k, end in zip(mine, ends.tolist(), strict=True):
            own = work * int(requests[k]) // int(requests.sum())
            budget = whole.budget.part(own, whole.budget.spent(), end, stop.is_set)
            runs[k] = _started(whole, clusters[k], seeds[k], budget)
            runs[k].anneal(*shares)

    turns = _shared_out(requests, threads)
    if len(turns) == 1:
        search_some(0)
    else:
        _side_by_side(search_some, len(turns), stop)
    return [runs[k] for k in range(len(clusters))]


def _shared_out(requests: I64, threads: int) -> list[list[int]]:
    """Clusters for each thread: the largest first, to the one with the fewest requests so far."""
    turns: list[list[int]] = [[] for _ in range(min(threads, max(1, len(requests))))]
    load = np.zeros(len(turns), dtype=np.int64)
    for k in np.argsort(-requests, kind="stable").tolist():
        lightest = int(np.argmin(load))
        turns[lightest].append(k)
        load[lightest] += requests[k]
    return turns


def _side_by_side(call: Callable[[int], None], many: int, stop: threading.Event) -> None:
    """Run call(0), call(1), ... in threads; where one fails or an interrupt comes, the others are told to stop."""
    with ThreadPoolExecutor(many) as pool:
        futures = [pool.submit(call, thread) for thread in range(many)]
        try:
            for done in as_completed(futures):
                done.result()
        except BaseException:
            stop.set()
            raise


def _started(whole: Annealing, cluster: Cluster, seed: int, budget: Budget) -> Annealing:
    """A search of one cluster from where the whole is; vehicles that are closed stay closed."""
    tables = tables_of(whole.tables, cluster)
    if budget.work * CELLS > (2 * len(cluster.requests) + len(cluster.vehicles)) ** 2:
        tables = with_own_places(tables)
    work = new_work(tables, seed)
    search = Annealing(tables, routes_of(tables, cluster, whole.routes, work), work, budget, None)
    work.mark[:, col.CLOSED] = whole.work.mark[cluster.vehicles, col.CLOSED]
    return search
