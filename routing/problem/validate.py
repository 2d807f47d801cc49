"""Refuses a Problem whose arrays contradict each other, naming field and index, before any kernel reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.errors import InvalidProblem, Unsupported
from routing.problem.problem import INFINITE, Level, Problem, Travel, TripRule

MAX_REQUESTS = 20_000
MAX_VEHICLES = 20_000
MAX_DIMENSIONS = 32
MAX_WINDOWS = 1_000
MAX_BREAKS = 30

_LONG = (
    "slope", "late_fixed", "skip_cost", "fixed", "per_work", "per_drive", "per_metre", "add_price", "take_price",
    "rank", "max_metres", "per_task", "per_toll",
)  # fmt: skip
"""Fields in int64."""


def check(problem: Problem, travel: Travel) -> None:
    """Raise InvalidProblem (or Unsupported, above the supported size) naming the field and index that are wrong."""
    places, requests, vehicles = len(problem.place), len(problem.pick_place), len(problem.start_place)
    for name, count, most in (("requests", requests, MAX_REQUESTS), ("vehicles", vehicles, MAX_VEHICLES)):
        if count > most:
            raise Unsupported(f"{count} {name} are more than the supported {most}", field=name)
    _check_shapes(problem, travel, places, requests, vehicles)
    _check_travel(problem, travel)
    _check_places(problem, places, travel.ticks.shape[2], vehicles)
    _check_times(problem)
    _check_told(problem, places, requests, vehicles)
    _check_breaks(problem, vehicles)


def _fail(message: str, field: str, index: Any = None) -> InvalidProblem:
    if index is None:
        return InvalidProblem(message, field=field)
    return InvalidProblem(message, field=field, index=index)


def _refuse_where(wrong: Any, field: str, message: str) -> None:
    """Raise for the first index at which `wrong` holds."""
    wrong = np.asarray(wrong)
    if wrong.any():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
        raise _fail(message, field, index[0] if len(index) == 1 else index)


def _check_shapes(problem: Problem, travel: Travel, places: int, requests: int, vehicles: int) -> None:
    dimensions = problem.load.shape[1] if problem.load.ndim == 2 else 0
    windows = problem.window.shape[2] if problem.window.ndim == 4 else 0
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise _fail(f"loads need 1 to {MAX_DIMENSIONS} dimensions", "load")
    if not 1 <= windows <= MAX_WINDOWS:
        raise _fail(f"an act needs 1 to {MAX_WINDOWS} windows", "window")
    stops, acts = len(problem.told.stop_place), len(problem.told.act_request)
    shapes: list[tuple[tuple[int, ...], str]] = [
        ((places,), "place enter exit"),
        ((requests,), "pick_place drop_place aboard_of store placed ready max_on_board skip_cost"),
        ((requests, 2), "act due late_fixed"),
        ((requests, 3), "slope"),
        ((requests, dimensions), "load"),
        ((requests, 2, windows, 2), "window"),
        ((requests, (vehicles + 63) // 64), "allowed"),
        ((vehicles, dimensions), "capacity"),
        ((len(Level), 2), "add_price take_price"),
    ]
    per_vehicle = (
        "start_place start end_place last_pickup end paid_until profile max_requests max_trips "
        "fixed per_work per_drive per_metre"
    )
    expected = [(shape, name) for shape, names in shapes for name in names.split()]
    expected += [((vehicles,), name) for name in per_vehicle.split()]
    sometimes: list[tuple[tuple[int, ...], str]] = [
        ((requests,), "rank"), ((requests, dimensions), "load_back"),
        *(((vehicles,), name) for name in ("max_drive", "max_metres", "max_acts", "per_task", "per_toll")),
    ]  # fmt: skip
    expected += [one for one in sometimes if getattr(problem, one[1]).size]
    expected += [((vehicles + 1,), "keep_ptr"), ((stops,), "stop_level"), ((acts,), "act_level")]
    for shape, name in expected:
        array = getattr(problem, name)
        if array.shape != shape:
            raise _fail(f"{name} has shape {array.shape}, not {shape}", name)
        kind = "uint64" if name == "allowed" else "int64" if name in _LONG else "int32"
        kind = "int8" if name.endswith("_level") else kind
        if array.dtype != kind or not array.flags.c_contiguous:
            raise _fail(f"{name} must be a contiguous array of {kind}", name)
    if problem.trip_rule not in list(TripRule):
        raise _fail(f"{problem.trip_rule} is no trip rule", "trip_rule")
    if problem.tick_us <= 0:
        raise _fail("a tick lasts at least a microsecond", "tick_us")
    if travel.ticks.ndim != 3 or travel.ticks.shape[1] != places or travel.ticks.shape[2] > places:
        raise _fail(f"travel ticks have shape {travel.ticks.shape}, not [profile, {places}, up to {places}]", "ticks")
    if travel.metres.size and travel.metres.shape != travel.ticks.shape:
        raise _fail(f"travel metres have shape {travel.metres.shape}, not {travel.ticks.shape}", "metres")
    for name in ("drive", "toll"):
        array = getattr(travel, name)
        if array.size and array.shape != travel.ticks.shape:
            raise _fail(f"travel {name} have shape {array.shape}, not {travel.ticks.shape}", name)
    for name in ("ticks", "metres", "drive", "toll"):
        array = getattr(travel, name)
        if array.dtype != np.int32 or not array.flags.c_contiguous or array.ndim != 3:
            raise _fail(f"travel {name} must be a contiguous [profile, from, to] array of int32", name)


def _check_travel(problem: Problem, travel: Travel) -> None:
    for name in ("ticks", "metres", "drive", "toll"):
        block = getattr(travel, name)
        if block.size and int(block.min()) < 0:
            _refuse_where(block < 0, name, "travel is never negative")
    if travel.ticks.size and int(travel.ticks.max()) > INFINITE:
        _refuse_where(travel.ticks > INFINITE, "ticks", f"a leg lasts at most {INFINITE} ticks (unreachable)")
    _refuse_where((problem.profile < 0) | (problem.profile >= travel.ticks.shape[0]), "profile", "unknown profile")


def _check_places(problem: Problem, places: int, reachable: int, vehicles: int) -> None:
    for name, least, most in (
        ("pick_place", -1, reachable), ("drop_place", -1, reachable), ("start_place", 0, places),
        ("end_place", -1, reachable), ("aboard_of", -1, vehicles),
    ):  # fmt: skip
        values = getattr(problem, name)
        _refuse_where((values < least) | (values >= most), name, f"outside {least} to {most - 1}")
    aboard = problem.aboard_of >= 0
    _refuse_where(aboard & (problem.pick_place >= 0), "aboard_of", "goods on board cannot be picked up again")
    nowhere = (problem.pick_place < 0) & (problem.drop_place < 0) & ~aboard
    _refuse_where(nowhere, "pick_place", "a request needs a pickup, a drop, or a vehicle that has it on board")


def _check_times(problem: Problem) -> None:
    for name in ("enter", "exit", "act", "max_on_board", "load", "capacity", "max_requests", "max_trips"):
        _refuse_where(getattr(problem, name) < 0, name, "never negative")
    for name in ("rank", "load_back", "max_drive", "max_metres", "max_acts", "per_task", "per_toll"):
        _refuse_where(getattr(problem, name) < 0, name, "never negative")
    for name in ("slope", "late_fixed", "skip_cost", "fixed", "per_work", "per_drive", "per_metre"):
        _refuse_where(getattr(problem, name) < 0, name, "a price is never negative")
    for name in ("add_price", "take_price"):
        _refuse_where(getattr(problem, name) < 0, name, "a price is never negative")
    for name in ("placed", "ready", "start", "due", "last_pickup", "end", "paid_until", "window"):
        values = getattr(problem, name).astype(np.int64)
        _refuse_where(abs(values) > INFINITE, name, f"beyond {INFINITE} ticks")
    _refuse_where(problem.window[..., 0] > problem.window[..., 1], "window", "a window closes before it opens")
    _refuse_where(problem.due[:, 0] > problem.due[:, 1], "due", "the second threshold comes before the first")
    relative = (problem.slope != 0).any(axis=1) & (problem.drop_place < 0)
    _refuse_where(relative, "slope", "a door time is priced for a request that has no drop")


def _check_told(problem: Problem, places: int, requests: int, vehicles: int) -> None:
    told = problem.told
    for name, pointer, rows, size in (
        ("told.stop_ptr", told.stop_ptr, vehicles, len(told.stop_place)),
        ("told.act_ptr", told.act_ptr, len(told.stop_place), len(told.act_request)),
        ("keep_ptr", problem.keep_ptr, vehicles, len(problem.keep_one_of)),
    ):
        if pointer.shape != (rows + 1,) or pointer[0] != 0 or pointer[-1] != size or (np.diff(pointer) < 0).any():
            raise _fail(f"{name} does not divide {size} entries into {rows} rows", name)
    for name, values, most in (
        ("told.stop_place", told.stop_place, places), ("told.act_request", told.act_request, requests),
        ("told.act_kind", told.act_kind, 2), ("keep_one_of", problem.keep_one_of, requests),
        ("stop_level", problem.stop_level, len(Level)), ("act_level", problem.act_level, len(Level)),
    ):  # fmt: skip
        _refuse_where((values < 0) | (values >= most), name, f"outside 0 to {most - 1}")
    if len(told.act_kind) != len(told.act_request):
        raise _fail("as many kinds as acts", "told.act_kind")


def _check_breaks(problem: Problem, vehicles: int) -> None:
    breaks = problem.breaks
    if not breaks.ptr.size:
        return
    count = len(breaks.service)
    if breaks.ptr.shape != (vehicles + 1,) or breaks.ptr[0] != 0 or breaks.ptr[-1] != count:
        raise _fail(f"breaks.ptr does not divide {count} breaks among {vehicles} vehicles", "breaks.ptr")
    _refuse_where((np.diff(breaks.ptr) < 0) | (np.diff(breaks.ptr) > MAX_BREAKS), "breaks.ptr", f"0 to {MAX_BREAKS}")
    if breaks.window.ndim != 3 or breaks.window.shape[0] != count or breaks.window.shape[2] != 2:
        raise _fail(f"breaks.window has shape {breaks.window.shape}, not ({count}, windows, 2)", "breaks.window")
    if breaks.max_load.shape != (count, problem.load.shape[1]):
        raise _fail(f"breaks.max_load has shape {breaks.max_load.shape}", "breaks.max_load")
    _refuse_where(abs(breaks.window.astype(np.int64)) > INFINITE, "breaks.window", f"beyond {INFINITE} ticks")
    _refuse_where(breaks.window[..., 0] > breaks.window[..., 1], "breaks.window", "a window closes before it opens")
    _refuse_where(breaks.service < 0, "breaks.service", "never negative")
    _refuse_where(breaks.max_load < 0, "breaks.max_load", "never negative")
