"""VROOM (pyvroom): its own JSON in and out, exploration level 5, one thread; `seconds` None lets it end by itself."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np

from benchmarks.peers import Answer, Question, share_of_processor, timed
from benchmarks.peers.as_vroom import from_vroom, to_vroom
from benchmarks.peers.static import vehicle_price
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.evaluate import Timeline, evaluate
from routing.problem.problem import I32, INFINITE, ActKind, Problem, Rows, Travel

LEVEL = 5


def solve(question: Question) -> Answer:
    """VROOM has no seed: it gives the same plan whenever it has the same time.

    Its windows are hard.  Where promises are soft, what it leaves out is inserted by us, and it is asked once more with
    windows wide enough for that plan (`passes`); the cheaper of its plans counts, and the time of all passes.
    """
    problem, travel = question.problem, question.travel
    fixed = vehicle_price(problem, int(travel.ticks[travel.ticks < INFINITE].max())) if question.fleet else 0
    best: tuple[int, Rows] | None = None
    latest, wall_s, cpu_s = None, 0.0, 0.0
    for _ in range(question.option("passes", 1)):
        said, wall, cpu = run_vroom(to_vroom(problem, travel, fixed=fixed, latest=latest), limit_of(question))
        wall_s, cpu_s = wall_s + wall, cpu_s + cpu
        rows = completed(problem, travel, from_vroom(problem, travel, said))
        timeline = evaluate(problem, travel, rows)
        if best is None or timeline.cost < best[0]:
            best = timeline.cost, rows
        latest = handed_over_at(problem, rows, timeline)
    assert best is not None
    return Answer(best[1], wall_s, cpu_s)


def limit_of(question: Question) -> float | None:
    """VROOM's limit counts wall seconds, whatever the others' counts."""
    seconds = question.seconds
    return seconds if seconds is None or question.clock == "wall" else seconds / share_of_processor()


def completed(problem: Problem, travel: Travel, rows: Rows) -> Rows:
    """The plan with everything it leaves out inserted where that costs least."""
    missing = np.setdiff1d(np.arange(len(problem.pick_place)), rows.act_request)
    if not len(missing):
        return rows
    levels = np.zeros(len(rows.stop_place), dtype=np.int8), np.zeros(len(rows.act_request), dtype=np.int8)
    told = problem._replace(before=rows, stop_level=levels[0], act_level=levels[1])
    return plan_routes(told, travel, recipe="insertion", objective="cost", budget=Budget(0)).rows


def handed_over_at(problem: Problem, rows: Rows, timeline: Timeline) -> I32:
    """The act instant of each request's drop, int32[R]; 0 where it has none."""
    at = np.zeros(len(problem.pick_place), dtype=np.int32)
    drops = rows.act_kind == ActKind.DROP
    stop = np.repeat(np.arange(len(rows.stop_place)), np.diff(rows.act_ptr))
    at[rows.act_request[drops]] = timeline.act_at[stop[drops]]
    return at


def run_vroom(
    data: dict[str, Any], seconds: float | None, *, level: int = LEVEL
) -> tuple[dict[str, Any], float, float]:
    """VROOM's answer, and the wall and CPU seconds of its search (reading the input left out)."""
    import vroom

    # pyvroom reads a whole input from text by this method; the public one wants a file.
    model = vroom.Input()
    model._from_json(json.dumps(data), False)
    limit = None if seconds is None else datetime.timedelta(seconds=seconds)
    found, wall, cpu = timed(lambda: model.solve(level, 1, limit))
    said: dict[str, Any] = found.to_dict()
    return said, wall, cpu
