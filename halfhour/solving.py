"""Solves one problem: arrays made in Python, or a file of Li & Lim, Sartori & Buriol or VROOM."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from halfhour.on_roads import OnRoads
from routing.errors import HalfhourError, InvalidInput
from routing.plans.budget import Budget
from routing.problem.formats import (
    cvrplib,
    lilim,
    text_judge,
    vroom,
    vroom_answer,
    vroom_judge,
    vroom_plan,
    vroom_plan_judge,
)
from routing.problem.formats.distances import Rounding
from routing.problem.formats.vroom_checks import plain
from routing.problem.problem import Problem, Reason, Rows, Solution, Travel

if TYPE_CHECKING:
    from routing.plans.plan import Recipe
    from routing.plans.planner import Objective

DEFAULT_TIME_S = 5.0
UNLIMITED = 2**62

VEHICLE_PRICE = 10**10
"""Price of a vehicle where vehicles come first: above any distance of the public problems in ticks."""


STDIN = "-"

Run = Callable[..., Solution]
Watch = Callable[[Problem, Travel, Rows, int], None]


class WrongAnswer(HalfhourError):
    """An answer that the judge, who knows the input alone, does not accept: a fault of ours, and no answer."""

    code = "wrong_answer"


class LeftOut(NamedTuple):
    """A request of a text file that is on no route, by the file's own ids."""

    pickup: int
    delivery: int
    reason: str


class SolvedFile(NamedTuple):
    """What became of a file."""

    name: str
    format: str  # lilim, sartori, cvrplib, solomon, vroom
    solution: Solution
    vehicles: int
    distance: float | None  # in the file's own unit, None for VROOM
    seconds: float  # of search
    cpu_seconds: float
    output: str  # route lines, or VROOM's JSON
    left_out: tuple[LeftOut, ...] = ()  # of text files; VROOM's JSON names them itself
    answer: dict[str, Any] | None = None  # VROOM's JSON
    rounding: str | None = None  # of distances, where no file says it
    cost: float | None = None  # in the file's unit; None: the solution's

    def summary(self) -> dict[str, Any]:
        """The result in one flat object."""
        cost = self.solution.cost if self.cost is None else self.cost
        return {
            "name": self.name, "format": self.format, "vehicles": self.vehicles, "distance": self.distance,
            "cost": cost, "unserved": int((self.solution.reason != 0).sum()), "work": self.solution.work,
            "search_s": round(self.seconds, 3), "search_cpu_s": round(self.cpu_seconds, 3),
            "left_out": [one._asdict() for one in self.left_out],
            **({} if self.rounding is None else {"rounding": self.rounding}),
        }  # fmt: skip


def solve(
    problem: Problem | str | Path | dict[str, Any],
    travel: Travel | None = None,
    *,
    time_limit: float | None = None,
    work: int | None = None,
    objective: Objective = "auto",
    seed: int = 0,
    recipe: Recipe = "lns",
    threads: int = 1,
    roads: str | Path | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Solution | SolvedFile:
    """The best plan for a Problem with its Travel, a problem file or a VROOM input, in `time_limit` seconds or `work`.

    Without either limit the search takes five seconds.  `work` alone gives the same plan every time.  `threads`: how
    many search a plan of 50 routes or more, cluster by cluster.  `roads`: a road network that measures the coordinates
    of a VROOM file.  `stopped` is asked while searching and ends it early.
    Raises InvalidProblem, UnreadableFile, InvalidInput, Unsupported.
    """
    if not isinstance(problem, Problem):
        return solve_file(
            problem, time_limit=time_limit, work=work, objective=objective, seed=seed, recipe=recipe, threads=threads,
            roads=roads, stopped=stopped,
        )  # fmt: skip
    if travel is None:
        raise InvalidInput("a Problem needs its Travel", field="travel")
    return _planner(time_limit, work, stopped, objective, seed, recipe, threads)(problem, travel)


def solve_file(
    path: str | Path | dict[str, Any],
    *,
    time_limit: float | None = None,
    work: int | None = None,
    objective: Objective = "auto",
    seed: int = 0,
    recipe: Recipe = "lns",
    threads: int = 1,
    roads: str | Path | None = None,
    stopped: Callable[[], bool] | None = None,
    watch: Watch | None = None,
    rounding: Rounding = "auto",
    geometry: bool = False,
) -> SolvedFile:
    """The best plan for a Li & Lim, Sartori & Buriol, CVRPLIB, Solomon or VROOM file; options and errors as `solve`.

    `rounding` of a CVRPLIB or Solomon file's distances: nearest, one_decimal, none, or auto, by its TYPE.
    `geometry`: routes with the line that they drive on `roads`.  `-` reads standard input.
    The answer is judged against the input before it is given; raises WrongAnswer.
    `watch` sees every better plan of a VROOM input with its Problem, Travel, and how many of their units make one cost.
    """
    run = _planner(time_limit, work, stopped, objective, seed, recipe, threads, watch)
    if isinstance(path, dict):
        return _solve_vroom(path, "input", roads, geometry, run, time.perf_counter())
    if str(path) == STDIN:
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(folder) / "stdin"
            copied.write_bytes(sys.stdin.buffer.read())
            return _solve_file(copied, roads, geometry, objective, run, rounding)
    return _solve_file(Path(path), roads, geometry, objective, run, rounding)


def _planner(
    time_limit: float | None, work: int | None, stopped: Callable[[], bool] | None, objective: Objective, seed: int,
    recipe: Recipe, threads: int, watch: Watch | None = None,
) -> Run:  # fmt: skip
    """A call that plans under these limits; its clock starts when it is made."""
    if threads < 1:
        raise InvalidInput(f"{threads} threads", field="threads", hint="1 or more.")
    if time_limit is not None and not 0 <= time_limit < 1e7:
        raise InvalidInput(f"a limit of {time_limit:g} seconds", field="time_limit")
    if work is not None and work < 0:
        raise InvalidInput(f"a limit of {work} work units", field="work")
    from routing.plans.plan import plan_routes

    def run(problem: Problem, travel: Travel, unit: int = 1) -> Solution:
        warm_up_search()
        budget = _budget(time_limit, work, stopped)
        see = None if watch is None else lambda rows: watch(problem, travel, rows, unit)
        return plan_routes(
            problem, travel, recipe=recipe, objective=objective, budget=budget, seed=seed, threads=threads,
            on_better=see,
        )  # fmt: skip

    return run


def warm_up_search() -> None:
    """Load the compiled search, so that a time limit counts searching alone: for hard windows and for soft promises."""
    import numpy as np

    from routing.plans.plan import plan_routes
    from routing.problem.build import make_problem

    legs = Travel(np.ones((1, 3, 3), dtype=np.int32), np.zeros((0, 0, 0), dtype=np.int32))
    for slope in (0, 1):
        tiny = make_problem(
            place=[0, 1, 2], pick_place=[1], drop_place=[2], slope=[[0, slope, slope]], start_place=[0], end_place=[0]
        )
        plan_routes(tiny, legs, budget=Budget(10))


def _budget(time_limit: float | None, work: int | None, stopped: Callable[[], bool] | None) -> Budget:
    """A Budget on the wall clock, on work, or on both."""
    limit = DEFAULT_TIME_S if time_limit is None and work is None else time_limit
    begun = time.perf_counter()

    def spent() -> float:
        return 0.0 if limit is None else (time.perf_counter() - begun) / max(limit, 1e-9)

    def expired() -> bool:
        return spent() >= 1 or (stopped is not None and stopped())

    return Budget(UNLIMITED if work is None else work, expired, spent)


def _solve_file(
    path: Path, roads: str | Path | None, geometry: bool, objective: Objective, run: Run, rounding: Rounding
) -> SolvedFile:
    name, begun = format_of(path), time.perf_counter()
    if name == "vroom":
        return _solve_vroom(vroom.parsed(path.read_bytes(), path.name), path.stem, roads, geometry, run, begun)
    if roads is not None or geometry:
        raise InvalidInput(f"a {name} file brings its own distances", field="roads")
    if name in ("cvrplib", "solomon"):
        return _solve_visits(path, name, objective, run, rounding)
    read = lilim.read_lilim if name == "lilim" else lilim.read_sartori
    text = read(path, fixed=0 if objective in ("distance", "cost") else VEHICLE_PRICE)
    solution, wall, cpu = _timed(lambda: run(text.problem, text.travel))
    output = lilim.write_routes(text, solution.rows)
    left_out = tuple(
        LeftOut(int(text.pick_node[r]), int(text.drop_node[r]), Reason(solution.reason[r]).name)
        for r in solution.reason.nonzero()[0]
    )
    _trust(text_judge.faults(path, output, {(one.pickup, one.delivery) for one in left_out}))
    return SolvedFile(
        path.stem, name, solution, _used(solution), lilim.distance_of(text, solution.rows), wall, cpu, output, left_out
    )


def _solve_visits(path: Path, name: str, objective: Objective, run: Run, rounding: Rounding) -> SolvedFile:
    case = cvrplib.read_visits(path, rounding=rounding, fixed=VEHICLE_PRICE if objective == "vehicles" else 0)
    solution, wall, cpu = _timed(lambda: run(case.problem, case.travel))
    output = cvrplib.write_visits(case, solution.rows)
    left_out = tuple(
        LeftOut(case.depot[0], case.number[r], Reason(solution.reason[r]).name) for r in solution.reason.nonzero()[0]
    )
    _trust(text_judge.visit_faults(path, output, {one.delivery for one in left_out}, case.rounding))
    return SolvedFile(
        path.stem, name, solution, _used(solution), cvrplib.distance_of(case, solution.rows), wall, cpu, output,
        left_out, rounding=case.rounding, cost=cvrplib.cost_of(case, solution.rows),
    )  # fmt: skip


def _solve_vroom(
    data: dict[str, Any], name: str, roads: str | Path | None, geometry: bool, run: Run, begun: float
) -> SolvedFile:
    data = plain(data)
    streets, geometry = _on_roads(data, roads, geometry)
    measure = None if streets is None else streets.table
    case = vroom.vroom_case(data, table_of=measure)
    loaded = time.perf_counter()
    solution, wall, cpu = _timed(lambda: run(case.problem, case.travel, case.unit))
    if _used(solution) < case.whole.min_vehicles:
        message = f"a plan was found for {_used(solution)} vehicles only"
        raise InvalidInput(message, field="fleet.min_vehicles", hint="Lower it, or give more vehicles tasks that fit.")
    answer = vroom_answer.write_vroom(case, solution)
    _trust(vroom_judge.faults(data, answer, measure))
    if streets is not None and geometry:
        streets.draw(answer, {vehicle["id"]: vehicle.get("profile", "car") for vehicle in data["vehicles"]})
    times = {"loading": round(1000 * (loaded - begun)), "solving": round(1000 * wall)}
    answer["summary"]["computing_times"] = times
    return SolvedFile(
        name, "vroom", solution, _used(solution), None, wall, cpu, json.dumps(answer, indent=1) + "\n", (), answer,
        cost=answer["summary"]["cost"],
    )  # fmt: skip


def check_plan(
    path: str | Path | dict[str, Any], *, roads: str | Path | None = None, geometry: bool = False
) -> dict[str, Any]:
    """The `steps` of a VROOM input as they stand, timed, in VROOM's JSON, with `violations`: nothing is searched.

    Times leave as little lead time and delay as can be, then make routes short, then early.  A task that no step
    names is unassigned.  `service_at`, `service_after` and `service_before` of a step bound when it begins.
    `geometry`: with the line on `roads`.  Raises UnreadableFile, InvalidInput (naming the JSON path), Unsupported.
    """
    from routing.plans.ortools.times import choose_times

    begun = time.perf_counter()
    data = path if isinstance(path, dict) else _vroom_data(path)
    data = plain(data)
    streets, geometry = _on_roads(data, roads, geometry)
    measure = None if streets is None else streets.table
    answer = vroom_plan.planned(data, choose_times, table_of=measure)
    _trust(vroom_plan_judge.plan_faults(data, answer, measure))
    if streets is not None and geometry:
        streets.draw(answer, {vehicle["id"]: vehicle.get("profile", "car") for vehicle in data["vehicles"]})
    answer["summary"]["computing_times"] = {"loading": 0, "solving": round(1000 * (time.perf_counter() - begun))}
    return answer


def _vroom_data(path: str | Path) -> dict[str, Any]:
    if str(path) == STDIN:
        return vroom.parsed(sys.stdin.buffer.read(), "stdin")
    name = format_of(Path(path))
    if name != "vroom":
        raise InvalidInput(f"a {name} file has no steps to check", field="check", hint="Plan mode is for VROOM's JSON.")
    return vroom.parsed(Path(path).read_bytes(), Path(path).name)


def _on_roads(data: dict[str, Any], roads: str | Path | None, geometry: bool) -> tuple[OnRoads | None, bool]:
    """The streets, where there are some, and whether lines on them are asked for."""
    options = data.get("options")
    geometry = geometry or (isinstance(options, dict) and bool(options.get("g")))
    if geometry and roads is None:
        hint = "Name a road network with --roads: a matrix has no streets."
        raise InvalidInput("a geometry needs roads", field="options.g", hint=hint)
    return (None if roads is None else OnRoads(roads)), geometry


def _trust(faults: list[str]) -> None:
    """Refuse to give an answer that its judge does not accept."""
    if faults:
        raise WrongAnswer(faults[0], count=len(faults), hint="This is a bug: please send us the input file.")


def format_of(path: Path) -> str:
    """Which format a file has: lilim, sartori, cvrplib, solomon or vroom."""
    try:
        head = path.read_bytes()[:100_000].decode("utf-8-sig", errors="replace")
    except OSError as error:
        from routing.errors import UnreadableFile

        raise UnreadableFile(f"cannot be read: {error.strerror}", file=path.name) from None
    if head.lstrip()[:1] in ("{", "["):
        return "vroom"
    if cvrplib.is_solomon(head) or cvrplib.is_cvrplib(head):
        return "solomon" if cvrplib.is_solomon(head) else "cvrplib"
    return "sartori" if any(line.strip() == "NODES" for line in head.splitlines()) else "lilim"


def _used(solution: Solution) -> int:
    ends = solution.rows.stop_ptr
    return int((ends[1:] > ends[:-1]).sum())


def _timed(run: Callable[[], Solution]) -> tuple[Solution, float, float]:
    warm_up_search()
    wall, cpu = time.perf_counter(), time.process_time()
    solution = run()
    return solution, time.perf_counter() - wall, time.process_time() - cpu
