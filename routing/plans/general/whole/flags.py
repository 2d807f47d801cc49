"""What the tables of a search say of the whole plan, and a plan before brought under its laws."""

from __future__ import annotations

import numpy as np

from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import refresh, remove
from routing.plans.general.tables import Kind, Routes, Tables, empty_routes
from routing.plans.general.whole.kernels.plan import take_out_of_order
from routing.plans.general.work import Work
from routing.problem.build import SKIP
from routing.problem.problem import I64, Problem


def write_whole_flags(problem: Problem, flag: I64) -> None:
    """Write which laws and prices of the whole apply; and whether leaving a request out of a plain plan may pay."""
    priced = problem.skip_cost < SKIP
    if problem.rank.size:
        priced &= problem.rank == 0
    flag[col.OPTIONAL] = flag[col.PLAIN] and priced.any()
    flag[col.ORDERED], flag[col.PER_LONGEST] = problem.precedence.size > 0, problem.per_longest
    flag[col.MIN_USED], flag[col.MAX_USED] = problem.min_used, problem.max_used
    limited = problem.min_used > 0 or problem.max_used < len(problem.start_place)
    flag[col.WHOLE] = limited or flag[col.ORDERED] or problem.per_longest > 0


def keep_whole_laws(tables: Tables, routes: Routes, work: Work) -> None:
    """Take out of `routes` what comes too soon, and the shortest routes where too many vehicles have one."""
    if not tables.flag[col.WHOLE]:
        return
    bound = tables.request[:, col.CARRIER]
    free = np.setdiff1d(np.flatnonzero(routes.size > 0), bound[bound >= 0])
    surplus = max(0, int((routes.size > 0).sum()) - int(tables.flag[col.MAX_USED]))
    for vehicle in free[np.argsort(routes.size[free], kind="stable")][:surplus].tolist():
        nodes = routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1]
        requests = np.unique(tables.node[nodes, col.REQUEST])
        for request in requests[tables.kind[requests] != Kind.RELOAD].tolist():
            remove(tables, routes, request)
        refresh(tables, routes, vehicle, work)
    work.clock[col.ITERATION] += 1
    work.clock[col.TOUCHED] = 0
    take_out_of_order(tables, routes, empty_routes(tables), work)
