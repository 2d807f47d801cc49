"""Reads CVRPLIB, TSPLIB95 and PyVRP's dialect of VRPLIB, and Solomon's text; writes `Route #k: 3 7 5` lines.

One visit a customer: goods from the depot, perhaps ready late and in several trips, perhaps within a window, perhaps
left out for its prize.  How distances are rounded stands in no file: `nearest`, `one_decimal` (cut) or `none`, by
default by TYPE.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnreadableFile, Unsupported
from routing.problem.build import allow, make_problem
from routing.problem.formats.distances import Numbers, Rounding, rounded, straight, ways
from routing.problem.formats.lilim import text_of
from routing.problem.formats.text.sections import by_number, divided, head_number, listed
from routing.problem.problem import INFINITE, NO_BLOCK, NO_RELOADS, Problem, Reloads, Rows, Travel

ROUNDINGS: tuple[Rounding, ...] = ("auto", "nearest", "one_decimal", "none")
BY_TYPE: dict[str, Rounding] = {
    "CVRP": "nearest", "ACVRP": "nearest", "TSP": "nearest", "ATSP": "nearest", "CVRPTW": "one_decimal",
    "VRPTW": "one_decimal", "PCVRPTW": "one_decimal", "HFVRP": "none", "MDVRP": "none", "MDVRPTW": "none",
    "MTVRPTWR": "one_decimal", "SOLOMON": "one_decimal",
}  # fmt: skip

TICKS: dict[Rounding, int] = {"nearest": 1, "one_decimal": 10, "none": 1000}
"""Ticks of a unit of the file."""

MAX_LOCATIONS = 5_000

_OTHER_TYPES = {"SOP", "HCP", "TOUR", "OVRP", "SDVRP", "VRPB", "VRPPD", "PDPTW", "OP", "TOPTW", "DVRP", "IRP", "2EVRP"}
"""Problems with other laws, which their files do not spell out."""


class Visits(NamedTuple):
    """A file of customers as a Problem, with what is needed to speak of it in the file's own words."""

    name: str
    problem: Problem
    travel: Travel
    distance: NDArray[np.float64]  # [P, P] in the file's unit, rounded
    number: list[int]  # the customer of each request
    depot: list[int]  # location by vehicle
    rounding: Rounding
    ticks: int


class _Instance(NamedTuple):
    distance: NDArray[np.float64]
    demand: list[float]
    windows: list[tuple[float, float]]
    service: list[float]
    prize: list[float] | None
    capacity: list[float]  # by vehicle
    fixed: list[float]
    unit_cost: list[float]
    depot: list[int]  # by vehicle, from 0
    depots: set[int]
    release: list[float] | None = None  # by location
    reload: list[list[int]] | None = None  # depots by vehicle
    duration: list[float] | None = None  # at most, by vehicle
    longest: list[float] | None = None  # distance at most, by vehicle
    most_reloads: list[float] | None = None  # by vehicle
    allowed: list[set[int]] | None = None  # locations by vehicle


def is_cvrplib(head: str) -> bool:
    """Whether a text begins as CVRPLIB's and TSPLIB's files do."""
    words = {line.partition(":")[0].strip() for line in head.splitlines()}
    return "DIMENSION" in words and "EDGE_WEIGHT_TYPE" in words


def is_solomon(head: str) -> bool:
    """Whether a text begins as Solomon's and Gehring & Homberger's files do."""
    words = [line.split()[0] for line in head.splitlines() if line.split()]
    return "VEHICLE" in words and "CUSTOMER" in words


def read_visits(path: Path, *, rounding: Rounding = "auto", fixed: int = 0) -> Visits:
    """A CVRPLIB, TSPLIB or Solomon file; `fixed`: price of a vehicle, in ticks, on top of the file's.

    Raises UnreadableFile naming the line, Unsupported naming the section.
    """
    if rounding not in ROUNDINGS:
        raise Unsupported(f"no rounding {rounding!r}", field="rounding", hint=f"One of {', '.join(ROUNDINGS)}.")
    lines = [(number, line.strip()) for number, line in enumerate(text_of(path).splitlines(), 1) if line.strip()]
    if is_solomon("\n".join(line for _, line in lines)):
        kind, make = "SOLOMON", _solomon(path, lines)
    else:
        head, sections = divided(path, lines)
        kind, make = head.get("TYPE", "CVRP").split()[0], _cvrplib(path, head, sections)
    how = BY_TYPE.get(kind, "nearest") if rounding == "auto" else rounding
    return _compose(path, make(how), how, fixed)


def write_visits(case: Visits, rows: Rows) -> str:
    """One line per used vehicle, customers by the file's numbers (CVRPLIB: the first location is 0), and the cost.

    A depot inside a line is a reload.
    """
    lines: list[str] = []
    for vehicle in range(len(rows.stop_ptr) - 1):
        places = rows.stop_place[rows.stop_ptr[vehicle] : rows.stop_ptr[vehicle + 1]].tolist()
        if places:
            lines.append(f"Route #{len(lines) + 1}: {' '.join(str(place) for place in places)}")
    return "\n".join([*lines, f"Cost {cost_of(case, rows):g}"]) + "\n"


def distance_of(case: Visits, rows: Rows) -> float:
    """Length of a plan in the file's unit, as it is rounded."""
    total = 0.0
    for vehicle in range(len(rows.stop_ptr) - 1):
        places = rows.stop_place[rows.stop_ptr[vehicle] : rows.stop_ptr[vehicle + 1]].tolist()
        if places:
            tour = [case.depot[vehicle], *places, case.depot[vehicle]]
            total += float(case.distance[tour[:-1], tour[1:]].sum())
    return total


def cost_of(case: Visits, rows: Rows) -> float:
    """Price of a plan in the file's unit: distances, vehicles, prizes that are not collected."""
    total, problem = 0.0, case.problem
    for vehicle in range(len(rows.stop_ptr) - 1):
        places = rows.stop_place[rows.stop_ptr[vehicle] : rows.stop_ptr[vehicle + 1]].tolist()
        if places:
            tour = [case.depot[vehicle], *places, case.depot[vehicle]]
            total += float(case.distance[tour[:-1], tour[1:]].sum()) * int(problem.per_drive[vehicle])
            total += int(problem.fixed[vehicle]) / case.ticks
    left = np.setdiff1d(np.arange(len(case.number)), rows.act_request)
    return total + float(problem.skip_cost[left].sum()) / case.ticks


def _cvrplib(path: Path, head: dict[str, str], sections: dict[str, Numbers]) -> Any:
    """rounding -> _Instance."""
    kind = head.get("TYPE", "CVRP").split()[0]
    if kind in _OTHER_TYPES:
        raise Unsupported(f"TYPE {kind} is not supported", field="TYPE", file=path.name)
    size = int(head_number(path, head, "DIMENSION", 0))
    if not 1 <= size <= MAX_LOCATIONS:
        raise UnreadableFile(f"DIMENSION {size}: from 1 to {MAX_LOCATIONS}", file=path.name)
    depots = [int(row[0]) - 1 for _, row in sections.get("DEPOT_SECTION", []) if row[0] > 0] or [0]
    if not set(depots) <= set(range(size)):
        raise UnreadableFile(f"DEPOT_SECTION is for 1 to {size}", file=path.name)
    single = kind in ("TSP", "ATSP")
    vehicles = 1 if single else int(head_number(path, head, "VEHICLES", max(1, size - len(depots))))
    if not 1 <= vehicles <= 20_000:
        raise UnreadableFile(f"{vehicles} vehicles", file=path.name)

    def column(name: str, count: int, default: float) -> list[float]:
        return by_number(path, sections, name, count, default, set(depots))

    column("TIME_WINDOW_SECTION", size, 0)  # each location once
    windows = [(0.0, math.inf)] * size
    for number, row in sections.get("TIME_WINDOW_SECTION", []):
        if len(row) < 3 or row[1] > row[2]:
            raise UnreadableFile("not a window of a location", file=path.name, line=number)
        windows[int(row[0]) - 1] = row[1], row[2]
    service = column("SERVICE_TIME_SECTION", size, head_number(path, head, "SERVICE_TIME", 0))
    own = [int(depot) - 1 for depot in column("VEHICLES_DEPOT_SECTION", vehicles, depots[0] + 1)]
    if any(depot not in depots for depot in own):
        raise UnreadableFile("a vehicle is at a location that is no depot", file=path.name)

    reload = listed(path, sections, "VEHICLES_RELOAD_DEPOT_SECTION", vehicles, set(depots))
    allowed = listed(path, sections, "VEHICLES_ALLOWED_CLIENTS_SECTION", vehicles, set(range(size)))

    def limit(name: str, default: float = math.inf) -> list[float] | None:
        """A number for every vehicle, from the head or a section of its own."""
        if name not in head and f"{name}_SECTION" not in sections:
            return None if default == math.inf else [default] * vehicles
        return column(f"{name}_SECTION", vehicles, head_number(path, head, name, 0))

    duration = limit("VEHICLES_MAX_DURATION") or limit("DISTANCE")  # CVRPLIB's DISTANCE counts services, too
    release = column("RELEASE_TIME_SECTION", size, 0) if "RELEASE_TIME_SECTION" in sections else None

    def make(rounding: Rounding) -> _Instance:
        return _Instance(
            rounded(ways(path, head, sections, size), rounding), column("DEMAND_SECTION", size, 0), windows,
            [0.0 if k in depots else time for k, time in enumerate(service)],
            column("PRIZE_SECTION", size, 0) if "PRIZE_SECTION" in sections else None,
            column("CAPACITY_SECTION", vehicles, head_number(path, head, "CAPACITY", INFINITE)),
            column("VEHICLES_FIXED_COST_SECTION", vehicles, 0),
            column("VEHICLES_UNIT_DISTANCE_COST_SECTION", vehicles, 1), own, set(depots), release, reload,
            duration, limit("VEHICLES_MAX_DISTANCE"), limit("VEHICLES_MAX_RELOADS"),
            None if allowed is None else [set(own) for own in allowed],
        )  # fmt: skip

    return make


def _solomon(path: Path, lines: list[tuple[int, str]]) -> Any:
    """rounding -> _Instance."""
    table: Numbers = []
    for number, line in lines:
        try:
            row = [float(x) for x in line.split()]
        except ValueError:
            if line[0].isalpha() and len(table) < 2:
                continue  # headings
            raise UnreadableFile("not a number", file=path.name, line=number) from None
        if not np.isfinite(row).all():
            raise UnreadableFile("not a number", file=path.name, line=number)
        table.append((number, row))
    if len(table) < 2 or len(table[0][1]) != 2:
        raise UnreadableFile("no number of vehicles and capacity", file=path.name)
    (line_number, (vehicles, capacity)), rows = (table[0][0], table[0][1]), table[1:]
    if not 1 <= vehicles <= 20_000 or capacity < 0:
        raise UnreadableFile(f"{vehicles:g} vehicles of {capacity:g}", file=path.name, line=line_number)
    for k, (number, row) in enumerate(rows):
        if len(row) != 7 or int(row[0]) != k or row[4] > row[5]:
            raise UnreadableFile(f"not the seven numbers of customer {k}", file=path.name, line=number)
    distance = straight(np.array([row[1:3] for _, row in rows]))

    def make(rounding: Rounding) -> _Instance:
        count = int(vehicles)
        return _Instance(
            rounded(distance, rounding), [row[3] for _, row in rows],
            [(row[4], row[5]) for _, row in rows], [row[6] for _, row in rows], None, [capacity] * count, [0.0] * count,
            [1.0] * count, [0] * count, {0},
        )  # fmt: skip

    return make


def _compose(path: Path, case: _Instance, rounding: Rounding, fixed: int) -> Visits:
    """A Problem with a place per location; everything that is no depot is a request."""
    ticks = TICKS[rounding]
    size = len(case.demand)
    customers = [k for k in range(size) if k not in case.depots]
    if any(not 0 <= x <= INFINITE or x != int(x) for x in case.demand) or any(x != int(x) for x in case.capacity):
        raise UnreadableFile(f"demands and capacities must be whole numbers from 0 to {INFINITE}", file=path.name)
    if any(x != int(x) or x < 0 for x in case.unit_cost) or min(case.fixed, default=0) < 0:
        raise UnreadableFile("a price of a distance must be a whole number from 0", file=path.name)
    opens = max((window[0] for window in case.windows), default=0.0)
    last = opens + sum(case.service) + (size + 1) * float(case.distance.max(initial=0))
    closes = max((case.windows[depot][1] for depot in case.depot), default=math.inf)
    last = max(opens, min(last, closes)) * ticks
    longest = max(last / ticks + float(case.distance.max(initial=0)), *case.service, *(case.release or [0.0]))
    if longest * ticks > INFINITE / 2 or min(case.service, default=0) < 0:
        raise UnreadableFile(f"times are from 0 to {INFINITE / 2 / ticks:g}, not {longest:g}", file=path.name)

    def tick(value: float) -> int:
        return int(min(math.floor(value * ticks + 1e-6), last)) if math.isfinite(value) else INFINITE - 2

    legs = np.ceil(case.distance * ticks - 1e-6).astype(np.int32)
    spans = [(math.ceil(case.windows[k][0] * ticks - 1e-6), tick(case.windows[k][1])) for k in customers]
    window = [[[[0, INFINITE]], [[first, max(first, last_one)]]] for first, last_one in spans]
    prize = [0 if case.prize is None else round(case.prize[k] * ticks) for k in customers]
    capacity = [min(int(x), INFINITE) for x in case.capacity]
    reload = case.reload or [[] for _ in case.depot]
    often = case.most_reloads or [math.inf] * len(case.depot)
    reloads = NO_RELOADS if case.release is None and case.reload is None else Reloads(*(
        np.array(values, dtype=np.int32)
        for values in (
            np.cumsum([0, *map(len, reload)]), [depot for own in reload for depot in own],
            [_most(most, len(customers)) if own else 0 for own, most in zip(reload, often, strict=True)],
        )
    ))  # fmt: skip
    release = [0] * size if case.release is None else [math.ceil(x * ticks - 1e-6) for x in case.release]
    problem = make_problem(
        reloads=reloads, ready=[release[k] for k in customers],
        tick_us=1_000_000 // ticks, place=np.arange(size), pick_place=np.full(len(customers), -1), drop_place=customers,
        load=np.array([case.demand[k] for k in customers]).reshape(-1, 1),
        act=np.array([[0, math.ceil(case.service[k] * ticks)] for k in customers]).reshape(-1, 2),
        window=np.array(window, dtype=np.int64).reshape(-1, 2, 1, 2), skip_cost=np.array(prize, dtype=np.int64),
        rank=np.array([int(case.prize is None)] * len(customers), dtype=np.int64),
        start_place=case.depot, end_place=case.depot, capacity=np.array(capacity)[:, None],
        start=[math.ceil(case.windows[d][0] * ticks) for d in case.depot],
        end=[tick(case.windows[d][1]) for d in case.depot],
        fixed=[round(x * ticks) + fixed for x in case.fixed], per_drive=[int(x) for x in case.unit_cost],
        **_limits(case, customers, ticks),
    )  # fmt: skip
    return Visits(
        path.stem, problem, Travel(legs[None], NO_BLOCK), case.distance, customers, case.depot, rounding, ticks
    )


def _limits(case: _Instance, customers: list[int], ticks: int) -> dict[str, Any]:
    """Fields of what a route may not exceed, and whom it may serve; a distance is a duration, too."""
    fields: dict[str, Any] = {}
    for name, limits in (("max_duration", case.duration), ("max_drive", case.longest)):
        if limits is not None:
            fields[name] = [_most(limit * ticks + 1e-6, INFINITE) for limit in limits]
    if case.allowed is not None:
        fields["allowed"] = allow(np.array([[k in own for own in case.allowed] for k in customers], dtype=np.bool_))
    return fields


def _most(value: float, most: int) -> int:
    return int(min(value, most))
