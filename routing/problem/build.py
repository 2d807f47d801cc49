"""Makes a Problem from what matters: every field that is not named gets its constant default."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidProblem
from routing.problem.problem import (
    INFINITE,
    NEVER,
    NO_64,
    NO_BREAKS,
    NO_MIX,
    NO_PRICES,
    NO_RELOADS,
    NO_TABLE,
    ActKind,
    Level,
    Problem,
    Rows,
    TripRule,
    empty_rows,
)

SKIP = 10**10
"""Default price of leaving a request out: above any plan, with room for a hundred million of them in int64."""

Stop = tuple[int, Sequence[tuple[int, int]]]
"""(local place, [(request, ActKind), ...])."""

_PER_PLACE = {"enter": 0, "exit": 0}
_PER_REQUEST = {"aboard_of": -1, "placed": 0, "ready": 0, "max_on_board": INFINITE}
_PER_VEHICLE = {
    "start": 0, "end_place": -1, "last_pickup": INFINITE, "end": INFINITE, "paid_until": INFINITE, "profile": 0,
    "max_requests": INFINITE, "max_trips": INFINITE,
}  # fmt: skip
_SOMETIMES: dict[str, type] = {
    "max_drive": np.int32, "max_metres": np.int64, "max_acts": np.int32, "per_task": np.int64, "per_toll": np.int64,
    "max_stretch": np.int32, "max_duration": np.int32,
}  # fmt: skip
"""Fields per vehicle that stay empty unless they are given."""
_SOMETIMES_PER_REQUEST: dict[str, type] = {
    "rank": np.int64, "choice": np.int32, "linked": np.int32, "goods": np.int32, "group": np.int32,
}  # fmt: skip
_NUMBERS = {"min_used": 0, "max_used": INFINITE, "per_longest": 0}
"""Fields of the whole plan."""

_RENAMED = {"told": "before", "keep_ptr": "must_keep_ptr", "keep_one_of": "must_keep"}
"""Fields by the names that they had in 0.1.0."""

_PRICE_PER_VEHICLE = {"fixed": 0, "per_work": 0, "per_drive": 1, "per_metre": 0}


def make_rows(routes: Sequence[Sequence[Stop]]) -> Rows:
    """Compress routes (per vehicle a list of stops, per stop its place and acts) into Rows."""
    stops = [stop for route in routes for stop in route]
    acts = [act for _, stop_acts in stops for act in stop_acts]
    return Rows(
        np.cumsum([0, *(len(route) for route in routes)], dtype=np.int32),
        np.array([place for place, _ in stops], dtype=np.int32),
        np.cumsum([0, *(len(stop_acts) for _, stop_acts in stops)], dtype=np.int32),
        np.array([request for request, _ in acts], dtype=np.int32),
        np.array([kind for _, kind in acts], dtype=np.int8),
    )


def read_rows(rows: Rows) -> list[list[tuple[int, list[tuple[int, int]]]]]:
    """The inverse of `make_rows`, in plain Python numbers."""
    acts = list(zip(rows.act_request.tolist(), rows.act_kind.tolist(), strict=True))
    stops = [
        (place, acts[begin:finish])
        for place, begin, finish in zip(
            rows.stop_place.tolist(), rows.act_ptr[:-1].tolist(), rows.act_ptr[1:].tolist(), strict=True
        )
    ]
    ends = rows.stop_ptr.tolist()
    return [stops[begin:finish] for begin, finish in pairwise(ends)]


def make_problem(**fields: Any) -> Problem:
    """A Problem from its named fields; `place`, `pick_place`, `drop_place` and `start_place` give the sizes.

    Defaults: nothing limits (infinite windows, limits, capacities), nothing costs but driving (1 per tick) and leaving
    a request out (SKIP), everybody may carry everything, there was no plan before.  `before` may be Rows or nested
    routes.  Raises InvalidProblem for an unknown or missing field.
    """
    given = _by_present_names(fields)
    for name in ("place", "start_place"):
        if name not in given:
            raise InvalidProblem(f"a problem needs {name}", field=name)
    place = _array(given.pop("place"), np.int32, "place")
    pick_place = _array(given.pop("pick_place", ()), np.int32, "pick_place")
    drop_place = _array(given.pop("drop_place", np.full(len(pick_place), -1)), np.int32, "drop_place")
    start_place = _array(given.pop("start_place"), np.int32, "start_place")
    requests, vehicles = len(pick_place), len(start_place)
    made: dict[str, Any] = {
        "tick_us": int(given.pop("tick_us", 1_000_000)),
        "trip_rule": int(given.pop("trip_rule", TripRule.ANY)),
        "place": place, "pick_place": pick_place, "drop_place": drop_place, "start_place": start_place,
    }  # fmt: skip
    for defaults, size, dtype in (
        (_PER_PLACE, len(place), np.int32),
        (_PER_REQUEST, requests, np.int32),
        (_PER_VEHICLE, vehicles, np.int32),
        (_PRICE_PER_VEHICLE, vehicles, np.int64),
    ):
        for name, default in defaults.items():
            made[name] = _filled(given.pop(name, default), (size,), dtype, name)
    made["store"] = _filled(given.pop("store", pick_place), (requests,), np.int32, "store")
    made["load"] = _table(given.pop("load", 1), requests, np.int32, name="load")
    dimensions = made["load"].shape[1]
    made["capacity"] = _table(given.pop("capacity", INFINITE), vehicles, np.int32, dimensions, name="capacity")
    made["act"] = _filled(given.pop("act", 0), (requests, 2), np.int32, "act")
    window = given.pop("window", None)
    if window is None:
        window = np.broadcast_to(np.array([-INFINITE, INFINITE]), (requests, 2, 1, 2))
    made["window"] = _array(window, np.int32, "window")
    made["due"] = _filled(given.pop("due", INFINITE), (requests, 2), np.int32, "due")
    made["slope"] = _filled(given.pop("slope", 0), (requests, 3), np.int64, "slope")
    made["late_fixed"] = _filled(given.pop("late_fixed", 0), (requests, 2), np.int64, "late_fixed")
    made["skip_cost"] = _filled(given.pop("skip_cost", SKIP), (requests,), np.int64, "skip_cost")
    words = (vehicles + 63) // 64
    everybody = np.full((requests, words), 2**64 - 1, dtype=np.uint64)
    made["allowed"] = _array(given.pop("allowed", everybody), np.uint64, "allowed")
    made["must_keep_ptr"] = _array(given.pop("must_keep_ptr", np.zeros(vehicles + 1)), np.int32, "must_keep_ptr")
    made["must_keep"] = _array(given.pop("must_keep", ()), np.int32, "must_keep")
    before = given.pop("before", None)
    made["before"] = (
        empty_rows(vehicles) if before is None else before if isinstance(before, Rows) else make_rows(before)
    )
    made["stop_level"] = _filled(
        given.pop("stop_level", Level.TENTATIVE), (len(made["before"].stop_place),), np.int8, "stop_level"
    )
    made["act_level"] = _filled(
        given.pop("act_level", Level.TENTATIVE), (len(made["before"].act_request),), np.int8, "act_level"
    )
    made["add_price"] = _filled(given.pop("add_price", 0), (len(Level), 2), np.int64, "add_price")
    taking = np.zeros((len(Level), 2), dtype=np.int64)
    taking[Level.ON_BOARD] = NEVER
    made["take_price"] = _filled(given.pop("take_price", taking), (len(Level), 2), np.int64, "take_price")
    for many, fields_of in ((vehicles, _SOMETIMES), (requests, _SOMETIMES_PER_REQUEST)):
        for name, kind in fields_of.items():
            made[name] = _filled(given.pop(name), (many,), kind, name) if name in given else np.zeros(0, dtype=kind)
    made |= _wider_fields(given, requests, vehicles, dimensions)
    if given:
        name = min(given)
        raise InvalidProblem(f"a problem has no field {name}", field=name)
    return Problem(**made)


def _by_present_names(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields under the names that they have now; old ones are taken for one release, with a warning."""
    given = {}
    for name, values in fields.items():
        given[_RENAMED.get(name, name)] = values
        if name in _RENAMED:
            warnings.warn(f"the field {name} is {_RENAMED[name]} now", DeprecationWarning, stacklevel=3)
    return given


def _wider_fields(given: dict[str, Any], requests: int, vehicles: int, dimensions: int) -> dict[str, Any]:
    """Tables, nested arrays and numbers that only some problems have, taken out of `given`."""
    made: dict[str, Any] = {}
    tables: list[tuple[str, int, type, Any]] = [
        ("load_back", requests, np.int32, NO_TABLE), ("per_load_km", vehicles, np.int64, NO_PRICES),
    ]  # fmt: skip
    for name, many, kind, none in tables:
        made[name] = _table(given.pop(name), many, kind, dimensions, name=name) if name in given else none
    arrays: list[tuple[str, type, Any]] = [
        ("mix", np.int8, NO_MIX), ("split_price", np.int64, NO_64), ("pair_price", np.int64, NO_PRICES),
        ("precedence", np.int32, NO_TABLE),
    ]  # fmt: skip
    for name, kind, empty in arrays:
        made[name] = _array(given.pop(name), kind, name) if name in given else empty
    for field, nothing in (("breaks", NO_BREAKS), ("reloads", NO_RELOADS)):
        parts = given.pop(field, nothing)
        made[field] = type(nothing)(
            *(_array(part, np.int32, f"{field}.{name}") for name, part in zip(nothing._fields, parts, strict=True))
        )
    return made | {name: int(given.pop(name, default)) for name, default in _NUMBERS.items()}


def allow(pairs: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack bool[R, V] into the bit matrix `Problem.allowed`."""
    requests, vehicles = pairs.shape
    padded = np.zeros((requests, (vehicles + 63) // 64 * 64), dtype=np.uint8)
    padded[:, :vehicles] = pairs
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def visit(request: int, place: int, kind: ActKind) -> Stop:
    """A stop with one act."""
    return (place, [(request, int(kind))])


def _array(values: Any, dtype: Any, name: str) -> Any:
    """An array of `dtype` with the same values; one that cannot hold them is refused, never cut or wrapped."""
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "iub" and given.size:
            whole = np.asarray(given, dtype=np.float64)
            if not np.isfinite(whole).all() or (whole != np.rint(whole)).any():
                raise InvalidProblem(f"{name} holds a value that is no whole number", field=name)
        made = np.array(given, dtype=dtype, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidProblem(f"{name} cannot be read as whole numbers: {error}", field=name) from None
    if given.size and (made != given).any():
        raise InvalidProblem(f"{name} holds a value beyond {np.dtype(dtype).name}", field=name)
    return made


def _filled(values: Any, shape: tuple[int, ...], dtype: Any, name: str) -> Any:
    """`values` broadcast to `shape`; arrays of another size are kept as they are, for `check` to name."""
    values = np.asarray(values)
    if values.ndim and values.shape != shape and values.shape[:1] != (1,):
        return _array(values, dtype, name)
    return _array(np.broadcast_to(values, shape), dtype, name)


def _table(values: Any, rows: int, dtype: Any, columns: int = 1, *, name: str) -> Any:
    """A [rows, columns] table from a number, one number per row, or the table itself."""
    values = np.asarray(values)
    if values.ndim == 0:
        values = np.broadcast_to(values, (rows, columns))
    elif values.ndim == 1:
        values = np.repeat(values[:, None], columns, axis=1)
    return _array(values, dtype, name)
