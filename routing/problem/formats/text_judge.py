"""Judges route lines against the text file they answer, in plain Python and doubles."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

SLACK = 1e-6


def faults(path: Path, routes: str, left_out: set[tuple[int, int]]) -> list[str]:
    """Everything in which the lines `Route 1 : 3 7 5 9` break the law of the file; empty where they may be trusted."""
    lines = [line.split() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.split()]
    words = {line[0].rstrip(":"): line[-1] for line in lines if not line[0][0].isdigit()}
    if "NODES" in words:
        at = [line[0] for line in lines].index("EDGES") + 1
        capacity, vehicles = float(words["CAPACITY"]), None
        nodes = _nodes(lines[[line[0] for line in lines].index("NODES") + 1 : at - 1])
        matrix = [[float(x) for x in line] for line in lines[at : at + len(nodes)]]

        def leg(a: int, b: int) -> float:
            return matrix[a][b]
    else:
        vehicles, capacity, speed = int(float(lines[0][0])), float(lines[0][1]), float(lines[0][2])
        nodes = _nodes(lines[1:])

        def leg(a: int, b: int) -> float:
            return math.dist(nodes[a][1:3], nodes[b][1:3]) / speed

    wrong: list[str] = []
    seen: list[int] = []
    tours = [[int(x) for x in line.split(":")[1].split()] for line in routes.splitlines()]
    if vehicles is not None and len(tours) > vehicles:
        wrong.append(f"{len(tours)} routes, {vehicles} vehicles")
    for number, tour in enumerate(tours, 1):
        clock, load, here, open_pairs = nodes[0][4], 0.0, 0, set()
        for node in [*tour, 0]:
            _, _, _, demand, opens, closes, service, pickup, delivery = nodes[node]
            clock = max(clock + leg(here, node), opens)
            if clock > closes + SLACK:
                wrong.append(f"route {number} is at {node} at {clock:g}, after {closes:g}")
            clock, here = clock + service, node
            load += demand if node else 0
            if load > capacity + SLACK:
                wrong.append(f"route {number} carries {load:g} behind {node}")
            if node and delivery:
                open_pairs.add(int(delivery))
            elif node and node not in open_pairs:
                wrong.append(f"route {number} delivers {node} before its pickup {int(pickup)}")
            else:
                open_pairs.discard(node)
        if open_pairs:
            wrong.append(f"route {number} never delivers {sorted(open_pairs)}")
        seen += tour
    out = [node for pair in left_out for node in pair]
    if sorted(seen + out) != list(range(1, len(nodes))):
        wrong.append("a location is neither in one route nor left out, or is in both")
    return wrong


def _nodes(lines: list[list[str]]) -> list[list[float]]:
    return sorted([float(x) for x in line[:9]] for line in lines)


def visit_faults(path: Path, routes: str, left_out: set[int], rounding: str) -> list[str]:
    """The same for the lines `Route #k: 3 7` of a CVRPLIB, TSPLIB or Solomon file; each route leaves its first depot.

    Where vehicles differ, routes are held against the largest of them, and are not told apart by depots.  A depot
    inside a route is a reload, where the file knows reloads.
    """
    text = path.read_text(encoding="utf-8-sig")
    metric = next((line.split(":")[1].strip() for line in text.splitlines() if "EDGE_WEIGHT_TYPE" in line), "EUC_2D")
    nodes, room, depots, table = _solomon_nodes(text) if "CUSTOMER" in text.split() else _cvrplib_nodes(text)
    reloads, release = _second_trips(text)
    allowed = _allowed(text)
    limits = {name: _largest(text, name) for name in ("MAX_DURATION", "MAX_DISTANCE", "MAX_RELOADS")}

    def leg(a: int, b: int) -> float:
        way = _way(metric, nodes[a], nodes[b]) if table is None else table[a][b]
        if rounding == "nearest":
            return math.floor(way + 0.5)
        return math.floor(way * 10 + 1e-9) / 10 if rounding == "one_decimal" else way

    wrong: list[str] = []
    seen: list[int] = []
    for line in routes.splitlines():
        if not line.startswith("Route"):
            continue
        name, tour = line.split(":")[0], [int(x) for x in line.split(":")[1].split()]
        trips: list[list[int]] = [[]]
        for k in tour:
            trips[-1].append(k)
            if k in depots:
                trips.append([])
                wrong += [] if k in reloads else [f"{name} reloads at {k}, where no vehicle may"]
        if any(sum(nodes[k][2] for k in trip) > room for trip in trips):
            wrong.append(f"{name} carries more than {room:g}")
        ready = [max((release.get(k, 0.0) for k in trip), default=0.0) for trip in trips]
        ends = {depot: _ends(nodes, trips, ready, depot, leg, nodes[depot][3]) for depot in depots}
        if min(ends.values()) == math.inf:
            wrong.append(f"{name} comes too late")
        elif min(_lasts(nodes, trips, ready, depot, leg) for depot in depots) > limits["MAX_DURATION"] + SLACK:
            wrong.append(f"{name} lasts longer than {limits['MAX_DURATION']:g}")
        ways = [sum(leg(a, b) for a, b in pairwise([depot, *tour, depot])) for depot in depots]
        if min(ways) > limits["MAX_DISTANCE"] + SLACK or len(trips) - 1 > limits["MAX_RELOADS"]:
            wrong.append(f"{name} is longer or reloads more often than any vehicle may")
        if allowed and not any(set(tour) - depots <= own for own in allowed):
            wrong.append(f"{name} serves customers that no vehicle may serve together")
        seen += [k for k in tour if k not in depots]
    if sorted([*seen, *left_out]) != [k for k in range(len(nodes)) if k not in depots]:
        wrong.append("a customer is neither in one route nor left out, or is in both")
    return wrong


def _way(metric: str, a: list[float], b: list[float]) -> float:
    """Between two points, by TSPLIB's name of how that is measured."""
    x, y = abs(a[0] - b[0]), abs(a[1] - b[1])
    if metric == "GEO":
        lats, lngs = ([3.141592 / 180 * (int(p[k]) + (p[k] - int(p[k])) * 5 / 3) for p in (a, b)] for k in (0, 1))
        q1, q2, q3 = math.cos(lngs[0] - lngs[1]), math.cos(lats[0] - lats[1]), math.cos(lats[0] + lats[1])
        return int(6378.388 * math.acos(max(-1.0, min(1.0, ((1 + q1) * q2 - (1 - q1) * q3) / 2))) + 1)
    if metric == "ATT":
        return math.ceil(math.sqrt((x * x + y * y) / 10))
    known = {"MAN_2D": x + y, "MAX_2D": max(x, y), "CEIL_2D": math.ceil(math.hypot(x, y))}
    return known.get(metric, math.hypot(x, y))


def _allowed(text: str) -> list[set[int]]:
    """Whom each vehicle may serve; nothing where everybody may serve everybody."""
    lines = [line.split() for line in text.partition("VEHICLES_ALLOWED_CLIENTS_SECTION")[2].splitlines()[1:]]
    end = next((k for k, line in enumerate(lines) if line and line[0][0].isalpha()), len(lines))
    return [{int(x) - 1 for x in line[1:]} for line in lines[:end] if line]


def _largest(text: str, name: str) -> float:
    """What the vehicle that may most may do at most; no limit where the file has none.  DISTANCE is a duration."""
    values, inside = [], False
    words = {f"VEHICLES_{name}", "DISTANCE"} if name == "MAX_DURATION" else {f"VEHICLES_{name}"}
    for line in text.splitlines():
        if line[:1].isalpha():
            word, _, value = line.partition(":")
            inside = word.strip() == f"VEHICLES_{name}_SECTION"
            values += [float(value)] if word.strip() in words else []
        elif inside and line.strip():
            values.append(float(line.split()[1]))
    return max(values, default=math.inf)


def _lasts(
    nodes: list[list[float]], trips: list[list[int]], ready: list[float], depot: int, leg: Callable[[int, int], float]
) -> float:
    """From the latest departure that ends no later than the first one, found by halving, to that end."""
    first, end = nodes[depot][3], _ends(nodes, trips, ready, depot, leg, nodes[depot][3])
    if end == math.inf:
        return end
    in_time, late = first, end + 1
    for _ in range(60):
        tried = (in_time + late) / 2
        if _ends(nodes, trips, ready, depot, leg, tried) <= end + SLACK / 10:
            in_time = tried
        else:
            late = tried
    return end - in_time


def _ends(
    nodes: list[list[float]], trips: list[list[int]], ready: list[float], depot: int, leg: Callable[[int, int], float],
    leaves: float,
) -> float:  # fmt: skip
    """When a route ends that sets off at `leaves`, never where a window is missed."""
    clock, here = leaves, depot
    for trip, begins in zip([*trips[:-1], [*trips[-1], depot]], ready, strict=True):
        clock = max(clock, begins)
        for there in trip:
            clock = max(clock + leg(here, there), nodes[there][3])
            if clock > nodes[there][4] + SLACK:
                return math.inf
            clock, here = clock + nodes[there][5], there
    return clock


def _second_trips(text: str) -> tuple[set[int], dict[int, float]]:
    """Depots at which some vehicle may reload, and when goods are ready by number of the customer."""
    found: dict[str, list[list[str]]] = {}
    name = ""
    for line in text.splitlines():
        name = line.split(":")[0].strip() if line[:1].isalpha() else name
        if line.strip() and not line[:1].isalpha():
            found.setdefault(name, []).append(line.split())
    reloads = {int(x) - 1 for row in found.get("VEHICLES_RELOAD_DEPOT_SECTION", []) for x in row[1:]}
    return reloads, {int(row[0]) - 1: float(row[1]) for row in found.get("RELEASE_TIME_SECTION", [])}


Nodes = tuple[list[list[float]], float, set[int], list[list[float]] | None]
"""[x, y, demand, opens, closes, service] by number, room of the largest vehicle, depots, distances where given."""


def _solomon_nodes(text: str) -> Nodes:
    rows = [line.split() for line in text.splitlines()]
    numbers = [[float(x) for x in row] for row in rows if row and all(x.replace(".", "").isdigit() for x in row)]
    return [row[1:] for row in numbers if len(row) == 7], numbers[0][1], {0}, None


def _cvrplib_nodes(text: str) -> Nodes:
    parts: dict[str, list[list[float]]] = {}
    words: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1].isalpha():
            name = line.split(":")[0].strip()
            words[name] = line.partition(":")[2].strip()
        elif line.strip():
            parts.setdefault(name, []).append([float(x) for x in line.split()])
    size = int(words["DIMENSION"])
    depots = {int(row[0]) - 1 for row in parts.get("DEPOT_SECTION", [[1]]) if row[0] > 0} or {0}
    service = float(words.get("SERVICE_TIME", 0))
    nodes = [[0.0, 0.0, 0.0, 0.0, math.inf, 0.0 if k in depots else service] for k in range(size)]
    for section, first in (("NODE_COORD", 0), ("DEMAND", 2), ("TIME_WINDOW", 3), ("SERVICE_TIME", 5)):
        for row in parts.get(f"{section}_SECTION", []):
            nodes[int(row[0]) - 1][first : first + len(row) - 1] = row[1:]
    room = max([row[1] for row in parts.get("CAPACITY_SECTION", [])] or [float(words.get("CAPACITY", "inf"))])
    table = None
    if "EDGE_WEIGHT_SECTION" in parts:
        table = _table([x for row in parts["EDGE_WEIGHT_SECTION"] for x in row], size, words["EDGE_WEIGHT_FORMAT"])
    return nodes, room, depots, table


def _table(numbers: list[float], size: int, form: str) -> list[list[float]]:
    table = [[0.0] * size for _ in range(size)]
    left = iter(numbers)
    if form.endswith("COL"):  # the columns of one triangle are the rows of the other
        form = ("LOWER" if form.startswith("UPPER") else "UPPER") + form[5:-3] + "ROW"
    for a in range(size):
        for b in range(size):
            lower, diagonal = form.startswith("LOWER"), "DIAG" in form
            if form == "FULL_MATRIX":
                table[a][b] = next(left)
            elif (b < a if lower else b > a) or (diagonal and a == b):
                table[a][b] = table[b][a] = next(left)
    return table
