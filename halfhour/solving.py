"""Solves one problem: arrays made in Python, or a file of Li & Lim, Sartori & Buriol or VROOM."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from routing.errors import HalfhourError, InvalidInput
from routing.plans.budget import Budget
from routing.problem.formats import cvrplib, lilim, text_judge, vroom, vroom_answer, vroom_judge
from routing.problem.formats.cvrplib import Rounding
from routing.problem.formats.vroom_input import TableOf
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
) -> SolvedFile:
    """The best plan for a Li & Lim, Sartori & Buriol, CVRPLIB, Solomon or VROOM file; options and errors as `solve`.

    `rounding` of a CVRPLIB or Solomon file's distances: nearest, one_decimal, none, or auto, by its TYPE.
    `-` reads standard input.  The answer is judged against the input before it is given; raises WrongAnswer.
    `watch` sees every better plan of a VROOM input with its Problem, Travel, and how many of their units make one cost.
    """
    run = _planner(time_limit, work, stopped, objective, seed, recipe, threads, watch)
    if isinstance(path, dict):
        return _solve_vroom(path, "input", roads, run, time.perf_counter())
    if str(path) == STDIN:
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(folder) / "stdin"
            copied.write_bytes(sys.stdin.buffer.read())
            return _solve_file(copied, roads, objective, run, rounding)
    return _solve_file(Path(path), roads, objective, run, rounding)


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
        warm_up()
        budget = _budget(time_limit, work, stopped)
        see = None if watch is None else lambda rows: watch(problem, travel, rows, unit)
        return plan_routes(
            problem, travel, recipe=recipe, objective=objective, budget=budget, seed=seed, threads=threads,
            on_better=see,
        )  # fmt: skip

    return run


def warm_up() -> None:
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


def _solve_file(path: Path, roads: str | Path | None, objective: Objective, run: Run, rounding: Rounding) -> SolvedFile:
    name, begun = format_of(path), time.perf_counter()
    if name == "vroom":
        return _solve_vroom(vroom.parsed(path.read_bytes(), path.name), path.stem, roads, run, begun)
    if roads is not None:
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


def _solve_vroom(data: dict[str, Any], name: str, roads: str | Path | None, run: Run, begun: float) -> SolvedFile:
    measure = None if roads is None else _measure(roads)
    case = vroom.vroom_case(data, table_of=measure)
    loaded = time.perf_counter()
    solution, wall, cpu = _timed(lambda: run(case.problem, case.travel, case.unit))
    answer = vroom_answer.write_vroom(case, solution)
    _trust(vroom_judge.faults(data, answer, measure))
    times = {"loading": round(1000 * (loaded - begun)), "solving": round(1000 * wall)}
    answer["summary"]["computing_times"] = times
    return SolvedFile(
        name, "vroom", solution, _used(solution), None, wall, cpu, json.dumps(answer, indent=1) + "\n", (), answer,
        cost=answer["summary"]["cost"],
    )  # fmt: skip


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
    warm_up()
    wall, cpu = time.perf_counter(), time.process_time()
    solution = run()
    return solution, time.perf_counter() - wall, time.process_time() - cpu


def _measure(roads: str | Path) -> TableOf:
    """Seconds and metres on a road network between points given as VROOM gives them."""
    import numpy as np

    from routing.places import PlaceBook
    from routing.roads import RoadNetwork, road_travel

    network = RoadNetwork.load(roads)

    def table(points: list[tuple[float, float]], profile: str) -> tuple[Any, Any]:
        book = PlaceBook("wgs84")
        handles = np.array([book.add(lat, lng) for lng, lat in points], dtype=np.int32)
        times = road_travel(network, book, [profile])
        seconds = times.table(handles, handles, 0)[0].astype(np.int64)
        return seconds, times.metres(handles, handles, 0)[0].astype(np.int64)

    return table
