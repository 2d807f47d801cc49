"""Exact assignment of whole plans to vehicles, and the flow of plans to those that want them (OR-Tools)."""

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


def share_out(
    plan: NDArray[np.int32], vehicle: NDArray[np.int32], price: NDArray[np.int64], skip: NDArray[np.int64],
    vehicles: int,
) -> NDArray[np.int32]:  # fmt: skip
    """Vehicle of each plan, int32[len(skip)], -1 where it waits, so that the sum of prices is least.

    `plan[i]`, `vehicle[i]`, `price[i]`: one possible pair and its price.  `skip`: price of letting each plan wait.  A
    flow of least cost from the plans to one sink, through a vehicle that lets one pass, or past all of them.
    Raises InvalidInput (`no_assignment`) where prices are too large for an exact answer.
    """
    from ortools.graph.python import min_cost_flow

    plans = len(skip)
    if plans == 0:
        return np.zeros(0, dtype=np.int32)
    sink = plans + vehicles
    everybody = np.arange(sink, dtype=np.int32)
    tail = np.concatenate([plan.astype(np.int32), everybody])
    head = np.concatenate([plans + vehicle.astype(np.int32), np.full(sink, sink, dtype=np.int32)])
    cost = np.concatenate([price, skip, np.zeros(vehicles, dtype=np.int64)]).astype(np.int64)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(tail, head, np.ones(len(tail), dtype=np.int64), cost)
    supply = np.concatenate([np.ones(plans), np.zeros(vehicles), [-plans]]).astype(np.int64)
    solver.set_nodes_supplies(np.arange(sink + 1, dtype=np.int32), supply)
    if solver.solve() != solver.OPTIMAL:
        raise InvalidInput("the prices are too large for an exact answer", code="no_assignment")
    used = np.flatnonzero(solver.flows(arcs[: len(plan)]))
    found = np.full(plans, -1, dtype=np.int32)
    found[plan[used]] = vehicle[used]
    return found
