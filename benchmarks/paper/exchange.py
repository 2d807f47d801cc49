"""Instances for solvers that we cannot run, and a judge for their answers.

    python -m benchmarks.paper export DIR [--rows A,B]      # the files, and tasks.csv: what is asked of each
    python -m benchmarks.paper judge FILE [--out RESULTS]   # FILE: one JSON object a line, an answer each

An answer: {"row": "cvrp-x", "instance": "X-n101-k25", "solver": "hexaly", "seed": 1, "wall_s": 10.0,
"routes": [[3, 7], [5, 9]]}.  Routes hold the file's own numbers: customers (CVRPLIB's first location is 0), or the
nodes of a pickup-and-delivery file in their order.  `vehicles` names the vehicle of each route, counted from 0, where
they differ.
"""

from __future__ import annotations

import csv
import datetime
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.paper import families
from benchmarks.paper.rows import ROWS, Public, Row, instances_of, judged_rows, read_pairs
from halfhour.solving import VEHICLE_PRICE
from routing.errors import InvalidInput, UnreadableFile, Unsupported
from routing.problem.build import Stop, make_rows
from routing.problem.formats.cvrplib import read_visits
from routing.problem.formats.lilim import PickupDelivery, distance_of
from routing.problem.problem import ActKind, Rows

HEADINGS = ("row", "instance", "file", "seconds", "objective", "rounding", "best_known_vehicles", "best_known")


def export(folder: Path, rows: Iterable[Row]) -> int:
    """Copy the instances of these rows (moments of a city left out) and say what is asked; how many tasks."""
    folder.mkdir(parents=True, exist_ok=True)
    told: list[dict[str, Any]] = []
    for row in rows:
        for public in [] if row.is_snapshot else instances_of(row).values():
            assert public is not None
            own = Path(public.kind if public.kind != "visits" else str(row.sources[0])) / public.path.name
            (folder / own).parent.mkdir(parents=True, exist_ok=True)
            if not (folder / own).exists():
                shutil.copyfile(public.path, folder / own)
            told.append({
                "row": row.name, "instance": public.name, "file": own.as_posix(), "seconds": row.seconds,
                "objective": "vehicles, then distance" if row.fleet else "cost" if row.family else "distance",
                "rounding": _rounding(public), "best_known_vehicles": public.vehicles, "best_known": public.value,
            })  # fmt: skip
    with (folder / "tasks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADINGS)
        writer.writeheader()
        writer.writerows(told)
    return len(told)


def _rounding(public: Public) -> str:
    """How distances are rounded; empty where the file cannot be read by us."""
    if public.kind != "visits":
        return "none"
    try:
        return read_visits(public.path).rounding
    except Unsupported:
        return ""


def judge(path: Path) -> list[dict[str, Any]]:
    """A result line for each answer in a file.  Raises UnreadableFile and InvalidInput, naming line and field."""
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:
            raise UnreadableFile("not a JSON object", file=path.name, line=number) from None
        try:
            found.append(judged(answer))
        except InvalidInput as problem:
            problem.details["line"] = number
            raise
    return found


def judged(answer: Any) -> dict[str, Any]:
    """The result line of one answer."""
    if not isinstance(answer, dict):
        raise InvalidInput("an answer is an object", field="answer")
    row = ROWS.get(str(answer.get("row")))
    if row is None or row.is_snapshot:
        raise InvalidInput(f"there is no row {answer.get('row')!r} of files", field="row")
    public = instances_of(row).get(str(answer.get("instance")))
    if public is None:
        raise InvalidInput(f"{row.name} has no instance {answer.get('instance')!r}", field="instance")
    routes = answer.get("routes")
    good = isinstance(routes, list) and all(isinstance(tour, list) for tour in routes)
    if not good or not all(type(x) is int for tour in routes for x in tour):
        raise InvalidInput("routes are lists of whole numbers", field="routes")
    said = {
        "row": row.name, "instance": public.name, "solver": str(answer.get("solver", "")),
        "seed": int(answer.get("seed", 1)), "clock": "wall", "reported": True,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(), "version": "", "commit": "",
        "wall_s": float(answer.get("wall_s", row.seconds)), "cpu_s": float(answer.get("cpu_s", row.seconds)),
        "best_known": public.value, "best_known_vehicles": public.vehicles,
    }  # fmt: skip
    if not said["solver"]:
        raise InvalidInput("who found it?", field="solver")
    if row.family:
        case = read_visits(public.path)
        rows = families.rows_of_tours(case, routes, answer.get("vehicles"))
        return said | families.judged_visits(case, rows) | {"rounding": case.rounding}
    pairs = read_pairs(public, fixed=VEHICLE_PRICE if row.fleet else 0)
    rows = _of_nodes(pairs, routes)
    figures = judged_rows(pairs.problem, pairs.travel, rows)
    return said | figures | {"distance": round(distance_of(pairs, rows), 2)}


def _of_nodes(case: PickupDelivery, routes: Sequence[Sequence[int]]) -> Rows:
    """Rows of routes of nodes, pickups and deliveries by the file's ids."""
    act = {int(node): (r, int(ActKind.PICKUP)) for r, node in enumerate(case.pick_node)}
    act |= {int(node): (r, int(ActKind.DROP)) for r, node in enumerate(case.drop_node)}
    count = len(case.problem.start_place)
    if len(routes) > count:
        raise InvalidInput(f"{len(routes)} routes of {count} vehicles", field="routes")
    plan: list[list[Stop]] = []
    seen: set[int] = set()
    for tour in routes:
        stops: list[Stop] = []
        for node in tour:
            if node not in act or node in seen:
                raise InvalidInput(f"node {node} is none, or is visited twice", field="routes")
            seen.add(node)
            request, kind = act[node]
            place = (case.problem.drop_place if kind else case.problem.pick_place)[request]
            stops.append((int(place), [(request, kind)]))
        plan.append(stops)
    return make_rows(plan + [[] for _ in range(count - len(plan))])
