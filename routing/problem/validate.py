"""Refuses a Problem whose arrays contradict each other, naming field and index, before any kernel reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.errors import InvalidProblem, Unsupported
from routing.problem.problem import INFINITE, Level, Mix, Problem, Travel, TripRule

MAX_REQUESTS = 20_000
MAX_VEHICLES = 20_000
MAX_DIMENSIONS = 32
MAX_WINDOWS = 1_000
MAX_BREAKS = 30

_LONG = (
    "slope", "late_fixed", "skip_cost", "fixed", "per_work", "per_drive", "per_metre", "add_price", "take_price",
    "rank", "max_metres", "per_task", "per_toll", "per_load_km", "split_price", "pair_price",
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
    _check_before(problem, places, requests, vehicles)
    _check_breaks(problem, vehicles)
    _check_reloads(problem, travel, vehicles)
    _check_durations(problem)
    _check_rows_together(problem, requests)
    _check_goods(problem)
    _check_whole_plan(problem, travel, requests, vehicles)


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
    stops, acts = len(problem.before.stop_place), len(problem.before.act_request)
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
        *(((requests,), name) for name in ("rank", "choice", "linked", "goods", "group")),
        *(((vehicles,), name) for name in ("max_drive", "max_metres", "max_acts", "max_stretch", "max_duration")),
        *(((vehicles,), name) for name in ("per_task", "per_toll")),
        ((requests, dimensions), "load_back"), ((vehicles, dimensions), "per_load_km"),
        ((requests, vehicles), "pair_price"),
    ]  # fmt: skip
    expected += [one for one in sometimes if getattr(problem, one[1]).size]
    expected += [((vehicles + 1,), "must_keep_ptr"), ((stops,), "stop_level"), ((acts,), "act_level")]
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
    limits = ("max_drive", "max_metres", "max_acts", "max_stretch", "max_duration")
    for name in ("rank", "load_back", "per_task", "per_toll", *limits):
        _refuse_where(getattr(problem, name) < 0, name, "never negative")
    for name in ("per_load_km", "split_price", "pair_price", "per_longest"):
        _refuse_where(np.asarray(getattr(problem, name)) < 0, name, "a price is never negative")
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


def _check_durations(problem: Problem) -> None:
    """Beside breaks, reloads or a last pickup it is not plain how late a route may begin."""
    for vehicle in np.flatnonzero(problem.max_duration < INFINITE).tolist():
        rests = problem.breaks.ptr
        beside = {
            "last_pickup": problem.last_pickup[vehicle] < INFINITE, "reloads": problem.reloads.ptr.size > 0,
            "breaks": rests.size > 0 and rests[vehicle] < rests[vehicle + 1],
        }  # fmt: skip
        for name in (name for name, there in beside.items() if there):
            raise Unsupported(f"a longest duration beside {name}", field="max_duration", index=vehicle)


def _check_before(problem: Problem, places: int, requests: int, vehicles: int) -> None:
    before = problem.before
    for name, pointer, rows, size in (
        ("before.stop_ptr", before.stop_ptr, vehicles, len(before.stop_place)),
        ("before.act_ptr", before.act_ptr, len(before.stop_place), len(before.act_request)),
        ("must_keep_ptr", problem.must_keep_ptr, vehicles, len(problem.must_keep)),
    ):
        if pointer.shape != (rows + 1,) or pointer[0] != 0 or pointer[-1] != size or (np.diff(pointer) < 0).any():
            raise _fail(f"{name} does not divide {size} entries into {rows} rows", name)
    for name, values, most in (
        ("before.stop_place", before.stop_place, places), ("before.act_request", before.act_request, requests),
        ("before.act_kind", before.act_kind, 2), ("must_keep", problem.must_keep, requests),
        ("stop_level", problem.stop_level, len(Level)), ("act_level", problem.act_level, len(Level)),
    ):  # fmt: skip
        _refuse_where((values < 0) | (values >= most), name, f"outside 0 to {most - 1}")
    if len(before.act_kind) != len(before.act_request):
        raise _fail("as many kinds as acts", "before.act_kind")


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


def _check_reloads(problem: Problem, travel: Travel, vehicles: int) -> None:
    ptr, place, most = problem.reloads
    if not ptr.size:
        if place.size or most.size:
            raise _fail("reloads.ptr says which places are whose", "reloads.ptr")
        return
    if ptr.shape != (vehicles + 1,) or ptr[0] != 0 or ptr[-1] != len(place) or (np.diff(ptr) < 0).any():
        raise _fail(f"reloads.ptr does not divide {len(place)} places among {vehicles} vehicles", "reloads.ptr")
    if most.shape != (vehicles,):
        raise _fail(f"reloads.most has shape {most.shape}, not {(vehicles,)}", "reloads.most")
    reachable = travel.ticks.shape[2]
    _refuse_where((place < 0) | (place >= reachable), "reloads.place", f"outside 0 to {reachable - 1}")
    _refuse_where(most < 0, "reloads.most", "never negative")


def _check_rows_together(problem: Problem, requests: int) -> None:
    """Choices, links and groups."""
    aboard = problem.aboard_of >= 0
    if problem.choice.size:
        choice = problem.choice
        _refuse_where((choice < -1) | (choice >= requests), "choice", f"outside -1 to {requests - 1}")
        _refuse_where((choice >= 0) & aboard, "choice", "what is on board is chosen")
        first = np.zeros(requests, dtype=np.int64)
        numbers, where = np.unique(choice, return_index=True)
        first[numbers[numbers >= 0]] = where[numbers >= 0]
        for name in ("skip_cost", "rank"):
            values = getattr(problem, name)
            if values.size:
                _refuse_where((choice >= 0) & (values != values[first[choice]]), name, "the same for a whole choice")
    if problem.linked.size:
        linked = problem.linked
        _refuse_where((linked < -1) | (linked >= requests), "linked", f"outside -1 to {requests - 1}")
        _refuse_where(linked == np.arange(requests), "linked", "a request is not linked with itself")
        stays = aboard & (problem.drop_place < 0)
        other = np.maximum(linked, 0)
        _refuse_where((linked >= 0) & (stays | stays[other]), "linked", "what stays on board has no stop to share")
        last = np.where(problem.drop_place >= 0, problem.drop_place, problem.pick_place)
        first_place = np.where(problem.pick_place >= 0, problem.pick_place, problem.drop_place)
        apart = (linked >= 0) & (last != first_place[other])
        _refuse_where(apart, "linked", "its last act and the first of its link are at different places")
    if problem.split_price.ndim != 1 or (problem.split_price.size and not problem.group.size):
        raise _fail("split_price holds one price for each group", "split_price")
    if problem.group.size:
        groups = len(problem.split_price)
        _refuse_where((problem.group < -1) | (problem.group >= groups), "group", f"outside -1 to {groups - 1}")
    if problem.split_price.dtype != np.int64:
        raise _fail("split_price must be an array of int64", "split_price")


def _check_goods(problem: Problem) -> None:
    mix = problem.mix
    if mix.ndim != 2 or mix.shape[0] != mix.shape[1] or mix.dtype != np.int8:
        raise _fail(f"mix is a square of int8, not {mix.dtype} of shape {mix.shape}", "mix")
    if bool(mix.size) != bool(problem.goods.size) and len(problem.pick_place):
        raise _fail("goods and mix come together", "mix" if mix.size else "goods")
    _refuse_where((problem.goods < 0) | (problem.goods >= len(mix)), "goods", f"outside 0 to {len(mix) - 1}")
    _refuse_where((mix < 0) | (mix >= len(Mix)), "mix", f"outside 0 to {len(Mix) - 1}")
    _refuse_where(mix != mix.T, "mix", "the same both ways")


def _check_whole_plan(problem: Problem, travel: Travel, requests: int, vehicles: int) -> None:
    """Precedence, the fleet, and what needs distances."""
    pairs = problem.precedence
    if pairs.dtype != np.int32 or pairs.ndim != 2 or (pairs.size and pairs.shape[1] != 2):
        raise _fail(f"precedence holds pairs of int32, not {pairs.dtype} of shape {pairs.shape}", "precedence")
    _refuse_where((pairs < 0) | (pairs >= requests), "precedence", f"outside 0 to {requests - 1}")
    if pairs.size:
        _refuse_where(pairs[:, 0] == pairs[:, 1], "precedence", "a request does not come before itself")
    if not 0 <= problem.min_used <= problem.max_used:
        raise _fail(f"{problem.min_used} to {problem.max_used} vehicles are no range", "min_used")
    if problem.min_used > vehicles:
        raise _fail(f"there are only {vehicles} vehicles", "min_used")
    if problem.per_load_km.any() and not travel.metres.size:
        raise _fail("needs travel in metres", "per_load_km")
