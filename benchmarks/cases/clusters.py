"""Live moments searched in clusters, by one thread and by two: the same plan, in less time."""

from __future__ import annotations

from benchmarks.harness import Bound, Case, Sample, Work
from benchmarks.inputs.snapshots import make_snapshot
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes

SIZES = ((50, 100), (200, 400), (500, 1000))
WORK_PER_ORDER = 2_000


def _searched(riders: int, orders: int, threads: int) -> Work:
    problem, travel = make_snapshot(riders, orders, 1)
    budget = Budget(WORK_PER_ORDER * orders)

    def run() -> Sample:
        plan = plan_routes(problem, travel, objective="cost", budget=budget, threads=threads)
        return Sample({"tried": plan.work}, {"cost": float(plan.cost)}, amount=plan.work)

    return run


def _case(riders: int, orders: int, threads: int) -> Case:
    suites = ("quick", "full") if (riders, threads) == (SIZES[0][0], 1) else ("full",)
    return Case(
        f"clusters-{threads}-thread{'s' if threads > 1 else ''}/{riders}x{orders}",
        lambda: _searched(riders, orders, threads), suites, repeats=5, unit="insertions",
        bounds={"cost": Bound("lower", share=0.01)},
    )  # fmt: skip


CASES = tuple(_case(*size, threads) for size in SIZES for threads in (1, 2))
