"""VROOM's JSON as a Problem: vehicles, jobs, shipments, breaks, limits, matrices, told steps.

Every task has a place of its own, so that its windows are its own.  A setup is part of the leg and of no driving; it is
charged where the location changes, as VROOM does.  Ticks are seconds from `base`, so that any time stamp will do.
"""

from __future__ import annotations

import json
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnreadableFile
from routing.problem.build import allow, make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.formats.vroom_checks import refused, wrong
from routing.problem.formats.vroom_input import RELOAD, TableOf, Vehicle, VroomInput
from routing.problem.formats.whole.reading import WholePlan, whole_plan
from routing.problem.law import Law
from routing.problem.problem import INFINITE, NO_BLOCK, Breaks, Problem, Reloads, Travel

MARGIN = 2**28
"""Ticks that lie before the first time stamp of a file whose time stamps are absolute: eight years of seconds."""

LATEST = INFINITE - 2

MOST_PRICE = 2**49
"""Largest price of one route in the search's unit."""


class VroomCase(NamedTuple):
    """A VROOM input as a Problem, with what is needed to answer in VROOM's words."""

    problem: Problem
    travel: Travel
    given: VroomInput
    base: int  # tick 0 in the user's clock
    duration: NDArray[np.int64]  # [vehicle profile, location, location] seconds, speed factor included
    distance: NDArray[np.int64]  # the same in metres (0 where unknown)
    custom: NDArray[np.int64]  # [profile, ., .] VROOM's own costs, or [profile, 0, 0] where there are none
    profile: list[int]  # by vehicle
    unit: int  # units of the Problem's price that make one of VROOM's cost
    warnings: list[tuple[str, str]]  # (JSON path, sentence)
    whole: WholePlan


def read_vroom(path: Path, *, table_of: TableOf | None = None) -> VroomCase:
    """A VROOM input file.  Raises UnreadableFile, InvalidInput (naming the JSON path) or Unsupported."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}", file=path.name) from None
    return vroom_case(parsed(text, path.name), table_of=table_of)


def parsed(text: bytes, name: str) -> dict[str, Any]:
    """The JSON object in `text`.  Raises UnreadableFile."""
    try:
        data = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_once_each)
    except _KeyTwice as error:
        raise UnreadableFile(f"the key {error} stands twice in one object", file=name) from None
    except UnicodeDecodeError:
        raise UnreadableFile("not UTF-8 text", file=name, hint="Save it as UTF-8.") from None
    except (json.JSONDecodeError, RecursionError) as error:
        commented = b"//" in text or b"/*" in text
        hint = "JSON has no comments: take them out." if commented else ""
        raise UnreadableFile("not JSON", file=name, line=getattr(error, "lineno", 1), hint=hint) from None
    if not isinstance(data, dict):
        raise UnreadableFile("not a JSON object", file=name)
    return data


class _KeyTwice(Exception):
    """A key that stands twice in one object: JSON would take the last one in silence."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _KeyTwice(next(key for key in keys if keys.count(key) > 1))
    return found


def vroom_case(data: dict[str, Any], *, table_of: TableOf | None = None) -> VroomCase:
    """A VROOM input (the parsed JSON) as a Problem."""
    given = VroomInput(data, table_of)
    kinds: dict[tuple[str, float], int] = {}
    profile = [kinds.setdefault((vehicle.profile, vehicle.speed), len(kinds)) for vehicle in given.vehicles]
    tables = given.tables(list(kinds))
    _check_prices(given, [tables[k][1] is not None for k in profile], [tables[k][2] is not None for k in profile])
    duration = np.stack([seconds for seconds, _, _ in tables])
    none = np.zeros_like(duration[0])
    distance = np.stack([none if metres is None else metres for _, metres, _ in tables])
    own_costs = any(costs is not None for _, _, costs in tables)
    custom = np.stack([none if costs is None else costs for _, _, costs in tables])
    base, plan = _base(given), whole_plan(given)
    if plan.per_hour_of_longest and base:
        _refuse_no_window(given)
    travel, start_place, end_place = _travel(given, duration, distance, custom if own_costs else None)
    priced = [tables[k][2] is not None for k in profile]
    unit = _unit(given, priced, plan.per_hour_of_longest)
    prices = _prices(given, priced, travel, unit) | plan.fields(unit)
    if prices["per_longest"] * INFINITE >= MOST_PRICE:
        raise refused("fleet.per_hour_of_longest", "may add up to more than can be counted: use a larger currency unit")
    problem = _problem(given, base, profile, travel, start_place, end_place, prices)
    return VroomCase(
        problem, travel, given, base, duration, distance, custom if own_costs else custom[:, :0, :0], profile, unit,
        _told_that_cannot_be(problem, travel, given), plan,
    )  # fmt: skip


def _refuse_no_window(given: VroomInput) -> None:
    """Where time stamps are absolute, the longest route is measured from the beginning of a vehicle's window."""
    for vehicle in given.vehicles:
        if vehicle.window is None:
            raise wrong("is needed: the longest route is measured from its beginning", f"{vehicle.path}.time_window")


def _check_prices(given: VroomInput, measured: list[bool], priced: list[bool]) -> None:
    """Refuse prices and limits of what no matrix says, and prices beside a matrix of costs."""
    for vehicle, has_metres, has_costs in zip(given.vehicles, measured, priced, strict=True):
        costs = f"{vehicle.path}.costs"
        if not has_metres and vehicle.per_km and not has_costs:
            raise wrong("needs distances in the matrix", f"{costs}.per_km")
        if not has_metres and vehicle.max_distance < INFINITE:
            raise wrong("needs distances in the matrix", f"{vehicle.path}.max_distance")
        if has_costs:
            for key in ("per_hour", "per_km"):
                if key in vehicle.priced_by:
                    raise wrong("means nothing beside a matrix of costs", f"{costs}.{key}")


def _base(given: VroomInput) -> int:
    """The user's time at tick 0: 0 where all time stamps are small, else well before the first one."""
    spans = [(vehicle.path + ".time_window", vehicle.window) for vehicle in given.vehicles if vehicle.window]
    spans += [(f"{task.path}.time_windows", window) for task in given.tasks for window in task.windows]
    rests = [rest for vehicle in given.vehicles for rest in vehicle.breaks]
    spans += [(f"{rest.path}.time_windows", window) for rest in rests for window in rest.windows]
    if not spans or (min(a for _, (a, _) in spans) >= 0 and max(b for _, (_, b) in spans) <= LATEST):
        return 0
    opens = [a for _, (a, _) in spans if a > 0] or [a for _, (a, _) in spans]
    base = min(opens) - (MARGIN if min(opens) > LATEST // 2 else 0)
    base = min([base, *(a for _, (a, _) in spans if a < 0)])
    for path, (opening, closing) in spans:
        if closing < base or opening > base + LATEST:
            raise wrong(f"lies more than {LATEST - MARGIN} s from other time stamps", path)
    return base


def _travel(
    given: VroomInput, duration: NDArray[np.int64], distance: NDArray[np.int64], custom: NDArray[np.int64] | None
) -> tuple[Travel, list[int], list[int]]:
    """Places are tasks, ends, reloads, starts; a missing start is a place from which everything is at hand."""
    ends, depots = _ends(given), [depot for depot, _ in _depots(given)]
    starts = sorted({-1 if vehicle.start is None else vehicle.start for vehicle in given.vehicles})
    goal = np.array([task.location for task in given.tasks] + ends + depots, dtype=np.int64)
    origin = np.concatenate([goal, np.array(starts, dtype=np.int64)])
    setup = np.array([task.setup for task in given.tasks] + [0] * len(ends + depots), dtype=np.int64)
    apart = origin[:, None] != goal[None, :]
    anywhere = origin < 0

    def between(table: NDArray[np.int64]) -> NDArray[np.int64]:
        block = table[:, origin][:, :, goal]
        block[:, anywhere] = 0
        return block

    def stored(block: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.ascontiguousarray(np.minimum(block, INFINITE), dtype=np.int32)

    drive = between(duration)
    ticks = np.where(drive < INFINITE, drive + np.where(apart, setup[None, :], 0)[None], INFINITE)
    metres = stored(between(distance)) if distance.any() else NO_BLOCK
    travel = Travel(
        stored(ticks), metres, stored(drive) if setup.any() else NO_BLOCK,
        NO_BLOCK if custom is None else stored(between(custom)),
    )  # fmt: skip
    start_place = [len(goal) + starts.index(-1 if v.start is None else v.start) for v in given.vehicles]
    end_place = [-1 if v.end is None else len(given.tasks) + ends.index(v.end) for v in given.vehicles]
    return travel, start_place, end_place


def _ends(given: VroomInput) -> list[int]:
    """Locations at which routes end."""
    return sorted({vehicle.end for vehicle in given.vehicles if vehicle.end is not None})


def _depots(given: VroomInput) -> list[tuple[int, int]]:
    """Location and service of the reloads."""
    return sorted({(v.start, v.reload_service) for v in given.vehicles if v.reloads and v.start is not None})


def _depot_of(given: VroomInput, vehicle: Vehicle) -> int:
    """The place at which a vehicle reloads."""
    assert vehicle.start is not None
    return len(given.tasks) + len(_ends(given)) + _depots(given).index((vehicle.start, vehicle.reload_service))


def _problem(
    given: VroomInput, base: int, profile: list[int], travel: Travel, start: list[int], end: list[int],
    prices: dict[str, Any],
) -> Problem:  # fmt: skip
    rows, vehicles = given.rows, given.vehicles
    act = np.zeros((len(rows), 2), dtype=np.int64)
    most = max((len(task.windows) for task in given.tasks), default=1) or 1
    window = np.tile(np.array([0, LATEST]), (len(rows), 2, most, 1))
    for r, row in enumerate(rows):
        for side, place in enumerate((row.pick, row.drop)):
            if place >= 0:
                act[r, side] = given.tasks[place].service
                window[r, side] = _padded(given.tasks[place].windows, base, most)
    spans = [_clipped(vehicle.window, base) if vehicle.window else (0, INFINITE) for vehicle in vehicles]
    allowed = np.array([[row.skills <= vehicle.skills for vehicle in vehicles] for row in rows])
    fields: dict[str, Any] = {
        "place": np.arange(travel.ticks.shape[1]), "pick_place": [row.pick for row in rows],
        "drop_place": [row.drop for row in rows], "act": act, "window": window,
        "load": [row.load for row in rows] or np.zeros((0, given.dimensions)),
        "start_place": start, "end_place": end, "start": [a for a, _ in spans], "end": [b for _, b in spans],
        "profile": profile, "allowed": allow(allowed.reshape(len(rows), len(vehicles))),
        "capacity": [vehicle.capacity or [INFINITE] * given.dimensions for vehicle in vehicles],
        "before": make_rows([[_stop(given, vehicle, act) for act in vehicle.told] for vehicle in vehicles]),
    }  # fmt: skip
    if any(vehicle.reloads for vehicle in vehicles):
        fields |= _reloads(given, len(fields["place"]))
    if any(any(row.back) for row in rows):
        fields["load_back"] = [row.back for row in rows]
    for name, limits in (
        ("max_acts", [v.max_tasks for v in vehicles]), ("max_drive", [v.max_travel_time for v in vehicles]),
        ("max_metres", [v.max_distance for v in vehicles]),
    ):  # fmt: skip
        if min(limits) < INFINITE:
            fields[name] = limits
    if any(vehicle.breaks for vehicle in vehicles):
        fields["breaks"] = _breaks(given, base)
    return make_problem(**fields, **prices)


def _reloads(given: VroomInput, places: int) -> dict[str, Any]:
    """Fields of vehicles that come back to load, as often as there are tasks at most."""
    own = [[_depot_of(given, vehicle)] if vehicle.reloads else [] for vehicle in given.vehicles]
    service = np.zeros(places, dtype=np.int64)
    for depots, vehicle in zip(own, given.vehicles, strict=True):
        service[depots] = vehicle.reload_service
    most = [min(vehicle.reloads, len(given.tasks)) for vehicle in given.vehicles]
    columns = np.cumsum([0, *map(len, own)]), [depot for depots in own for depot in depots], most
    return {"exit": service, "reloads": Reloads(*(np.array(column, dtype=np.int32) for column in columns))}


def _stop(given: VroomInput, vehicle: Vehicle, act: tuple[int, int]) -> tuple[int, list[tuple[int, int]]]:
    if act == RELOAD:
        return _depot_of(given, vehicle), []
    row = given.rows[act[0]]
    return (row.drop if act[1] else row.pick), [act]


def _clipped(window: tuple[int, int], base: int) -> tuple[int, int]:
    """A window of the user's clock in ticks."""
    return max(0, window[0] - base), min(LATEST, window[1] - base)


def _padded(windows: list[tuple[int, int]], base: int, most: int) -> list[tuple[int, int]]:
    """So many windows in ticks, the last one repeated."""
    found = [_clipped(window, base) for window in windows] or [(0, LATEST)]
    return found + [found[-1]] * (most - len(found))


def _breaks(given: VroomInput, base: int) -> Breaks:
    own = [rest for vehicle in given.vehicles for rest in vehicle.breaks]
    most = max([1, *(len(rest.windows) for rest in own)])
    return Breaks(
        np.cumsum([0, *(len(vehicle.breaks) for vehicle in given.vehicles)], dtype=np.int32),
        np.array([_padded(rest.windows, base, most) for rest in own], dtype=np.int32).reshape(-1, most, 2),
        np.array([rest.service for rest in own], dtype=np.int32),
        np.array([rest.max_load or [INFINITE] * given.dimensions for rest in own], dtype=np.int32),
    )


def _by_way(given: VroomInput, custom: list[bool]) -> tuple[list[int], list[int]]:
    """Prices an hour and a kilometre of each vehicle, 0 where a matrix says what a way costs."""
    pairs = list(zip(given.vehicles, custom, strict=True))
    return [0 if own else v.per_hour for v, own in pairs], [0 if own else v.per_km for v, own in pairs]


def _unit(given: VroomInput, custom: list[bool], longest: int) -> int:
    """The least number of parts of VROOM's cost in which a second, a metre and a second of service are whole."""
    hourly, metric = _by_way(given, custom)
    parts = [Fraction(price, 3600) for price in (*hourly, *(v.per_task_hour for v in given.vehicles), longest)]
    return lcm(*(part.denominator for part in (*parts, *(Fraction(price, 1000) for price in metric))))


def _prices(given: VroomInput, custom: list[bool], travel: Travel, unit: int) -> dict[str, Any]:
    """Prices in one whole unit, and what leaving out counts: a penalty, or else priority, then number, then price.

    A rank is a priority times more than all tasks, and the number of tasks.
    """
    vehicles = given.vehicles
    hourly, metric = _by_way(given, custom)
    fields: dict[str, Any] = {
        "fixed": [v.fixed * unit for v in vehicles], "per_drive": [price * unit // 3600 for price in hourly],
        "per_metre": [price * unit // 1000 for price in metric],
    }  # fmt: skip
    if any(v.per_task_hour for v in vehicles):
        fields["per_task"] = [v.per_task_hour * unit // 3600 for v in vehicles]
    if any(custom):
        fields["per_toll"] = [unit if own else 0 for own in custom]
    blocks = (travel.ticks, travel.metres, travel.toll)
    longest = [int(np.where(block < INFINITE, block, 0).max(initial=0)) for block in blocks]
    for v, vehicle in enumerate(vehicles):
        leg = fields["per_drive"][v] * longest[0] + fields["per_metre"][v] * longest[1]
        leg += fields["per_toll"][v] * longest[2] if any(custom) else 0
        if fields["fixed"][v] + (len(given.tasks) + 1) * leg >= MOST_PRICE:
            raise refused(f"{vehicle.path}.costs", "may add up to more than can be counted: use a larger currency unit")
    tasks = len(given.tasks) + 1
    skip, rank = [], []
    for row in given.rows:
        count = 2 if row.pick >= 0 and row.drop >= 0 else 1
        if row.penalty is not None and row.penalty * unit >= MOST_PRICE:
            raise refused(f"{row.path}.penalty", "is more than can be counted: without one, no price leaves a task out")
        skip.append(0 if row.penalty is None else row.penalty * unit)
        rank.append(row.priority * tasks + count if row.penalty is None else 0)
    return fields | {"skip_cost": np.array(skip, dtype=np.int64), "rank": np.array(rank, dtype=np.int64)}


def _told_that_cannot_be(problem: Problem, travel: Travel, given: VroomInput) -> list[tuple[str, str]]:
    """Vehicles whose steps break a law as they stand: the search takes tasks out of them, and says so."""
    found = []
    for v, vehicle in enumerate(given.vehicles):
        if not vehicle.told:
            continue
        own = [_stop(given, vehicle, act) for act in vehicle.told]
        alone = [own if w == v else [] for w in range(len(given.vehicles))]
        timeline = evaluate(problem, travel, make_rows(alone))
        if not timeline.feasible and timeline.law not in (Law.PRECEDENCE, Law.FLEET):
            law = timeline.law.name.lower().replace("_", " ")
            found.append((f"{vehicle.path}.steps", f"cannot be driven as they stand ({law}): tasks were taken out"))
    return found
