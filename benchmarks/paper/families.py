"""Families of routing instances beside pickup and delivery: customers of depots, judged by the file's own cost.

`HALFHOUR_DATA/vrp` holds them: CVRP (Uchoa et al. 2017), VRPTW (Gehring & Homberger), heterogeneous fleets (Pessoa et
al. 2018), prize-collecting VRPTW, several depots (Vidal et al. 2013), multi-trip VRPTW with release times (Cattaruzza
et al. 2016).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.inputs.public_data import require
from routing.errors import InvalidInput
from routing.problem.build import Stop, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.formats.cvrplib import Visits, cost_of
from routing.problem.problem import ActKind, Rows

FAMILIES = ("cvrp_x", "vrptw_gh200", "hfvrp", "mdvrptw", "mtvrptwr", "pcvrptw")


class FamilyInstance(NamedTuple):
    """An instance and the best cost that is known of it, in the file's unit."""

    name: str
    path: Path
    routes: int
    value: float


def instances(family: str) -> Iterator[FamilyInstance]:
    """The instances of a family that are at hand, in a fixed order."""
    with require("vrp", "bks.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            path = require("vrp") / family / f"{line['instance']}.vrp"
            if line["family"] == family and path.exists():
                yield FamilyInstance(line["instance"], path, int(line["routes"]), float(line["best_known_cost"]))


def rows_of_tours(case: Visits, tours: Sequence[Sequence[int]], vehicles: Sequence[int] | None = None) -> Rows:
    """Rows of tours of customers (the file's numbers, CVRPLIB's first location is 0), by these vehicles or in order.

    Where the file knows reloads, a depot inside a tour is one.
    Raises InvalidInput for a customer that is none, one that comes twice, a vehicle that is none or has two tours.
    """
    request = {customer: r for r, customer in enumerate(case.number)}
    count = len(case.depot)
    chosen = list(range(len(tours))) if vehicles is None else list(vehicles)
    if len(chosen) != len(tours) or len({*chosen}) < len(chosen) or any(not 0 <= v < count for v in chosen):
        raise InvalidInput(f"{len(tours)} routes need as many different vehicles of 0 to {count - 1}", field="vehicles")
    depots = {int(place) for place in case.problem.reloads.place}
    visited = [customer for tour in tours for customer in tour if customer not in depots]
    for customer in visited:
        if customer not in request or visited.count(customer) > 1:
            raise InvalidInput(f"customer {customer} is none, or is visited twice", field="routes")
    plan: list[list[Stop]] = [[] for _ in range(count)]
    for vehicle, tour in zip(chosen, tours, strict=True):
        plan[vehicle] = [(k, [] if k in depots else [(request[k], int(ActKind.DROP))]) for k in tour]
    return make_rows(plan)


def judged_visits(case: Visits, rows: Rows) -> dict[str, Any]:
    """What the one evaluator says of a plan, and its cost in the file's unit."""
    timeline = evaluate(case.problem, case.travel, rows)
    missing = np.setdiff1d(np.arange(len(case.number)), rows.act_request)
    needed = missing[case.problem.rank[missing] > 0] if case.problem.rank.size else missing
    return {
        "vehicles": int((np.diff(rows.stop_ptr) > 0).sum()), "unserved": len(needed), "law": timeline.law.name,
        "value": round(cost_of(case, rows), 4),
    }  # fmt: skip


def mean_gap(lines: Sequence[Any], solver: str) -> float | None:
    """The mean of a solver's gaps to the best known, in %, over its whole and lawful plans; None of nothing."""
    gaps = [
        100 * (line["value"] / line["best_known"] - 1)
        for line in lines
        if line["solver"] == solver and line["law"] == "NONE" and not line["unserved"]
    ]
    return sum(gaps) / len(gaps) if gaps else None


def family_figure(lines: Sequence[Any]) -> str:
    """Our mean gap over PyVRP's, on the instances that both were asked about."""
    both = {x["instance"] for x in lines if x["solver"] == "halfhour"}
    both &= {x["instance"] for x in lines if x["solver"] == "pyvrp"}
    ours, theirs = (mean_gap([x for x in lines if x["instance"] in both], name) for name in ("halfhour", "pyvrp"))
    if ours is None:
        alone = mean_gap(lines, "halfhour")
        return "" if alone is None else f"gap {alone:.2f} % (PyVRP was not run)"
    if theirs is None or theirs <= 0:
        return f"gap {ours:.2f} %"
    return f"{ours / theirs:.2f} (gap {ours:.2f} %, PyVRP {theirs:.2f} %; {len(both)} instances)"
