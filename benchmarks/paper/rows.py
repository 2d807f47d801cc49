"""The rows of the table: which instances, which solvers, how long, and what counts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from benchmarks.inputs.public_data import require
from benchmarks.inputs.snapshots import make_snapshot
from benchmarks.paper import families
from benchmarks.peers import PEERS, Question, ask
from halfhour.solving import VEHICLE_PRICE
from routing.problem.evaluate import evaluate
from routing.problem.formats.cvrplib import read_visits
from routing.problem.formats.lilim import PickupDelivery, distance_of, read_lilim, read_sartori
from routing.problem.problem import ActKind, Problem, Rows, Travel

Clock = Literal["wall", "cpu"]

SEEDLESS = {"vroom", "ortools"}
"""They find the same plan whatever the seed: one run an instance."""

VROOM_PASSES = 3
LATE_CHARGE = 1800
"""Seconds of travel that an order's being late at all costs in the rows that count late orders: the promised half hour.

VROOM has no such price, only windows; what it makes of them is judged at the same prices."""


class Row(NamedTuple):
    """One row.  `sources`: classes of public instances, or (riders, orders) of a snapshot."""

    name: str
    title: str
    floor: str
    aim: str
    seconds: float
    sources: tuple[str, ...] | tuple[int, int]
    fleet: bool = False
    late_charge: int = 0
    solvers: tuple[str, ...] = PEERS
    family: bool = False
    """Its sources are families of `benchmarks.paper.families`."""

    @property
    def is_snapshot(self) -> bool:
        """Whether its instances are moments of a city."""
        return isinstance(self.sources[0], int)


_MOMENT = ("halfhour", "vroom")
_VISITS = ("halfhour", "vroom", "pyvrp")
_PRIZES = ("halfhour", "pyvrp")


def _family(name: str, title: str, floor: str, aim: str, seconds: float, folder: str, solvers: tuple[str, ...]) -> Row:
    said = f"{title}, {seconds:g} s: mean gap to best known / PyVRP's"
    return Row(name, said, floor, aim, seconds, (folder,), solvers=solvers, family=True)


ROWS = {
    row.name: row
    for row in (
        Row("lilim-100", "Li & Lim 100, 1 s: at best-known vehicles / median gap", "28 of 29", "29, .1 %", 1.0,
            ("lilim/100",), fleet=True),
        Row("lilim-200", "Li & Lim 200, 10 s: at best-known vehicles / median gap", "90 % / 1 %", "97 % / .3 %", 10.0,
            ("lilim/200",), fleet=True),
        Row("lilim-400", "Li & Lim 400, 10 s: vehicles / best-known", "1.06", "1.03", 10.0, ("lilim/400",), fleet=True),
        Row("sartori", "Sartori & Buriol n100-n400, 30 s: vehicles / best-known", "1.03", "1.0", 30.0, ("sartori",),
            fleet=True),
        Row("fleet", "vehicles / best peer, 100-200 tasks, 1 s", ".95", ".92", 1.0, ("lilim/200",), fleet=True),
        Row("distance", "pure distance, 5 s, against the best of PyVRP and VROOM", "+.5 % at worst", "ahead on all",
            5.0, ("lilim/100", "lilim/200")),
        Row("snapshot-50", "live snapshot 50 / 100, 1 s: cost / VROOM's best", ".97", ".95", 1.0, (50, 100),
            solvers=_MOMENT),
        Row("snapshot-200", "live snapshot 200 / 400, 1 s: cost / VROOM's best", ".97", ".94", 1.0, (200, 400),
            solvers=_MOMENT),
        Row("snapshot-500", "live snapshot 500 / 1000, 2 s: cost / VROOM's best", ".98", ".95", 2.0, (500, 1000),
            solvers=_MOMENT),
        Row("late-50", "50 / 100, a charge for being late: late orders / VROOM's (travel / VROOM's)", "1.0", ".9", 1.0,
            (50, 100), late_charge=LATE_CHARGE, solvers=_MOMENT),
        Row("late-200", "200 / 400, a charge for being late: late orders / VROOM's (travel / VROOM's)", "1.0", ".9",
            1.0, (200, 400), late_charge=LATE_CHARGE, solvers=_MOMENT),
        Row("lilim-1000", "Li & Lim 1000, 60 s: vehicles / best-known", "1.03", "1.015", 60.0, ("lilim/1000",),
            fleet=True),
        _family("cvrp-x", "CVRP (X, n <= 303)", "1.5", "1.0", 10.0, "cvrp_x", _VISITS),
        _family("cvrp-x-60", "CVRP (X, n <= 303)", "1.5", "1.0", 60.0, "cvrp_x", _VISITS),
        _family("gh-200", "VRPTW (Gehring & Homberger 200)", "1.5", "1.0", 10.0, "vrptw_gh200", _VISITS),
        _family("gh-200-60", "VRPTW (Gehring & Homberger 200)", "1.5", "1.0", 60.0, "vrptw_gh200", _VISITS),
        _family("fleets", "heterogeneous fleets", "1.5", "1.0", 10.0, "hfvrp", _VISITS),
        _family("depots", "several depots", "1.5", "1.0", 10.0, "mdvrptw", _VISITS),
        _family("trips", "multi-trip with release times", "1.2", ".8", 10.0, "mtvrptwr", _PRIZES),
        _family("prizes", "prize-collecting VRPTW", "1.5", "1.0", 60.0, "pcvrptw", _PRIZES),
    )
}  # fmt: skip


class Public(NamedTuple):
    """A published instance and its best-known value."""

    name: str
    kind: str
    path: Path
    vehicles: int
    value: float


class PaperTask(NamedTuple):
    """One run that the table wants."""

    row: str
    instance: str
    solver: str
    seed: int


def published(*kinds: str) -> Iterator[Public]:
    """The public instances of these classes, in a fixed order."""
    for table, column in (("lilim", "bks_distance"), ("sartori", "bks_cost")):
        with require("pdptw", f"{table}_bks.csv").open(encoding="utf-8") as file:
            for line in csv.DictReader(file):
                kind = f"lilim/{line['class']}" if table == "lilim" else "sartori"
                path = require("pdptw") / line["file"]
                if kind in kinds and path.exists():
                    yield Public(line["instance"], kind, path, int(line["bks_vehicles"]), float(line[column]))


def instances_of(row: Row) -> dict[str, Public | None]:
    """Names of a row's instances; snapshots have one, and a moment for each seed."""
    if row.is_snapshot:
        return {row.name: None}
    if row.family:
        found = (one for folder in row.sources for one in families.instances(str(folder)))
        return {one.name: Public(one.name, "visits", one.path, one.routes, one.value) for one in found}
    return {public.name: public for public in published(*map(str, row.sources))}


def tasks_of(row: Row, seeds: list[int], solvers: tuple[str, ...], sample: int | None = None) -> list[PaperTask]:
    """What the row wants, solvers side by side on one instance; `sample`: so many instances, evenly spread."""
    names = list(instances_of(row))
    if sample is not None and sample < len(names):
        names = [names[k * len(names) // sample] for k in range(sample)]
    return [
        PaperTask(row.name, name, solver, seed)
        for seed in seeds
        for name in names
        for solver in row.solvers
        if solver in solvers and (seed == seeds[0] or row.is_snapshot or solver not in SEEDLESS)
    ]


def run(task: PaperTask, clock: Clock) -> dict[str, Any]:
    """Have a solver do a task; the evaluator judges."""
    row = ROWS[task.row]
    if row.is_snapshot:
        return _moment(row, task, clock)
    if row.family:
        return _visits(row, task, clock)
    public = next(one for one in published(*map(str, row.sources)) if one.name == task.instance)
    case = read_pairs(public, fixed=VEHICLE_PRICE if row.fleet else 0)
    answer = ask(task.solver, Question(case.problem, case.travel, row.seconds, task.seed, row.fleet, clock))
    return {
        **task._asdict(), "clock": clock, **judged_rows(case.problem, case.travel, answer.rows),
        "best_known_vehicles": public.vehicles, "distance": round(distance_of(case, answer.rows), 2),
        "best_known": public.value, "wall_s": round(answer.wall_s, 2), "cpu_s": round(answer.cpu_s, 2),
    }  # fmt: skip


def _visits(row: Row, task: PaperTask, clock: Clock) -> dict[str, Any]:
    public = instances_of(row)[task.instance]
    assert public is not None
    case = read_visits(public.path)
    options = () if task.solver == "halfhour" else (("file", str(public.path)),)
    question = Question(case.problem, case.travel, row.seconds, task.seed, False, clock, options)
    answer = ask(task.solver, question)
    return {
        **task._asdict(), "clock": clock, **families.judged_visits(case, answer.rows),
        "best_known": public.value, "best_known_vehicles": public.vehicles, "rounding": case.rounding,
        "wall_s": round(answer.wall_s, 2), "cpu_s": round(answer.cpu_s, 2),
    }  # fmt: skip


def read_pairs(public: Public, *, fixed: int) -> PickupDelivery:
    """A pickup-and-delivery instance; `fixed`: price of a vehicle in ticks."""
    reader = read_sartori if public.kind == "sartori" else read_lilim
    return reader(public.path, fixed=fixed)


def _moment(row: Row, task: PaperTask, clock: Clock) -> dict[str, Any]:
    riders, orders = (int(size) for size in row.sources)
    problem, travel = make_snapshot(riders, orders, task.seed, late_charge=row.late_charge)
    is_ours = task.solver == "halfhour"
    options = () if is_ours else (("passes", VROOM_PASSES),)
    seconds = row.seconds if is_ours else None
    answer = ask(task.solver, Question(problem, travel, seconds, task.seed, False, clock, options))
    return {
        **task._asdict(), "clock": clock, **judged_rows(problem, travel, answer.rows),
        "wall_s": round(answer.wall_s, 2), "cpu_s": round(answer.cpu_s, 2),
    }  # fmt: skip


def judged_rows(problem: Problem, travel: Travel, rows: Rows) -> dict[str, Any]:
    """What the one evaluator says of a plan."""
    timeline = evaluate(problem, travel, rows)
    drops = rows.act_kind == ActKind.DROP
    stop = np.repeat(np.arange(len(rows.stop_place)), np.diff(rows.act_ptr))
    request = rows.act_request[drops]
    fixed = int(problem.fixed[np.diff(rows.stop_ptr) > 0].sum())
    return {
        "vehicles": int((np.diff(rows.stop_ptr) > 0).sum()),
        "unserved": len(problem.pick_place) - len(np.unique(rows.act_request)),
        "law": timeline.law.name,
        "cost": timeline.cost,
        "travel": timeline.running_cost - fixed,
        "late": int((timeline.act_at[stop[drops]] > problem.due[request, 0]).sum()),
    }
