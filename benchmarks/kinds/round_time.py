"""What alternatives cost a large round: processor time with several sources and ends an order, against one of each.

python -m benchmarks.kinds.round_time [--riders 500] [--orders 1000] [--sources 3] [--ends 2] [--work 240] [--pairs 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np

from api.solver.warm_up import warm_up_rounds
from benchmarks.inputs.snapshots import STORES, make_snapshot
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.problem import Problem, Travel

BY_REQUEST = (
    "pick_place", "drop_place", "aboard_of", "store", "load", "act", "placed", "ready", "window", "max_on_board", "due",
    "slope", "late_fixed", "skip_cost", "allowed",
)  # fmt: skip


def with_alternatives(problem: Problem, travel: Travel, orders: int, sources: int, ends: int, seed: int) -> Problem:
    """The first `orders` requests with a row for each pair: the stores nearest to the door, the door or a counter."""
    rng, pairs = np.random.default_rng(seed), sources * ends
    row = np.concatenate([np.repeat(np.arange(orders), pairs), np.arange(orders, len(problem.pick_place))])
    fields = {name: np.ascontiguousarray(getattr(problem, name)[row]) for name in BY_REQUEST}
    near = np.argsort(travel.ticks[0, :STORES, :][:, problem.drop_place[:orders]], axis=0, kind="stable").T
    source = np.concatenate([problem.pick_place[:orders, None], near[:, : sources - 1]], axis=1)
    end = np.concatenate([problem.drop_place[:orders, None], rng.integers(0, STORES, (orders, ends - 1))], axis=1)
    fresh = orders * pairs
    fields["pick_place"][:fresh] = np.repeat(source, ends, axis=1).reshape(-1)
    fields["drop_place"][:fresh] = np.tile(end, (1, sources)).reshape(-1)
    choice = np.where(np.arange(len(row)) < fresh, row, -1).astype(np.int32)
    return problem._replace(**fields, choice=choice)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the processor time of both, pair by pair, and the median of their quotients."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--riders", type=int, default=500)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--sources", type=int, default=3)
    parser.add_argument("--ends", type=int, default=2)
    parser.add_argument("--work", type=int, default=240, help="insertions for each order")
    parser.add_argument("--pairs", type=int, default=3)
    chosen = parser.parse_args(arguments)
    warm_up_rounds()
    quotients = []
    for seed in range(chosen.pairs):
        problem, travel = make_snapshot(chosen.riders, chosen.orders, seed)
        wider = with_alternatives(problem, travel, chosen.orders, chosen.sources, chosen.ends, seed)
        spent = []
        for one in (problem, wider):
            begin = time.process_time()
            plan = plan_routes(one, travel, objective="cost", budget=Budget(chosen.work * chosen.orders), seed=1)
            spent.append(time.process_time() - begin)
            print(f"seed {seed}: {len(one.pick_place)} rows, {spent[-1]:.2f} s, cost {plan.cost}", flush=True)
        quotients.append(spent[1] / spent[0])
    print(f"with alternatives {statistics.median(quotients):.2f} times the processor time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
