"""Exact assignment of whole plans to vehicles (OR-Tools)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidInput


def assign(
    plan: NDArray[np.int32], vehicle: NDArray[np.int32], price: NDArray[np.int64], plans: int, vehicles: int
) -> NDArray[np.int32]:
    """Vehicle of each plan, int32[plans], so that the sum of prices is least and no vehicle has two.

    `plan[i]`, `vehicle[i]`, `price[i]`: one possible pair and its price (any int64 of moderate size, also negative).
    Raises InvalidInput (`no_assignment`) where some plan can have no vehicle of its own.

    The assignment solver wants as many tasks as workers.  So every vehicle gets a double among the plans and every plan
    one among the vehicles: an unused vehicle marries its own double, the doubles of a pair marry each other, both for
    nothing (Ramshaw and Tarjan, "On minimum-cost assignments in unbalanced bipartite graphs", 2012, section 1.2).
    """
    # Imported here: loading the solver takes longer than most assignments.
    from ortools.graph.python import linear_sum_assignment

    if plans == 0:
        return np.zeros(0, dtype=np.int32)
    everyone = np.arange(vehicles, dtype=np.int64)
    left = np.concatenate([plan.astype(np.int64), plans + vehicle.astype(np.int64), plans + everyone])
    right = np.concatenate([vehicle.astype(np.int64), vehicles + plan.astype(np.int64), everyone])
    cost = np.concatenate([price, np.zeros(len(price) + vehicles, dtype=np.int64)])
    solver = linear_sum_assignment.SimpleLinearSumAssignment()
    solver.add_arcs_with_cost(left.astype(np.int32), right.astype(np.int32), cost)
    if solver.num_nodes() != plans + vehicles or solver.solve() != solver.OPTIMAL:
        raise InvalidInput("some plan has no vehicle of its own", code="no_assignment")
    return np.array([solver.right_mate(i) for i in range(plans)], dtype=np.int32)
