"""Refusals of a VROOM input, each naming the JSON path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidInput, Unsupported
from routing.problem.problem import INFINITE

INSTANT = 2**62
"""Bound of ids and of time stamps, which may be any 64-bit instant."""

MAX_TASKS, MAX_VEHICLES = 20_000, 20_000
MAX_DIMENSIONS, MAX_WINDOWS, MAX_BREAKS = 32, 1_000, 30


NOTHING: tuple[Any, ...] = (None, [], {})
"""What stands for no amount at all; a number never does."""


def wrong(message: str, path: str) -> InvalidInput:
    """The error for what stands at a JSON path such as `jobs[3].service`."""
    return InvalidInput(message, field=path)


def refused(path: str, why: str = "is not supported") -> Unsupported:
    """The error for what is understood at a JSON path and not offered."""
    return Unsupported(f"{path} {why}", field=path)


def plain(value: Any, key: str = "") -> Any:
    """A VROOM input as JSON has it: what is null is not there; tuples and arrays are lists, numpy's whole numbers ints.

    Tables stay as they are where they are lists.
    """
    if isinstance(value, dict):
        return {name: plain(item, name) for name, item in value.items() if item is not None}
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple) and key not in _TABLES:
        return [plain(item) for item in value]
    return value


_TABLES = {"durations", "distances", "costs", "matrix"}


def known(item: Any, allowed: set[str], path: str) -> dict[str, Any]:
    """`item` as an object whose keys are all understood."""
    if not isinstance(item, dict):
        raise wrong("must be an object", path)
    for key in item:
        if key not in allowed:
            raise refused(f"{path}.{key}" if path else key)
    return item


def listed(item: dict[str, Any], key: str, path: str, most: int | None = None) -> list[Any]:
    """The list at `key`, empty where there is none; Unsupported where it is longer than `most`."""
    values, own = item.get(key, []), f"{path}.{key}" if path else key
    if not isinstance(values, list):
        raise wrong("must be a list", own)
    if most is not None and len(values) > most:
        raise refused(own, f"has {len(values)} entries, at most {most} are supported")
    return values


def check_sizes(vehicles: list[Any], jobs: list[Any], shipments: list[Any]) -> None:
    """Refuse none and too many, and two vehicles with one id."""
    if not vehicles:
        raise wrong("at least one vehicle", "vehicles")
    ids = [vehicle.get("id") if isinstance(vehicle, dict) else None for vehicle in vehicles]
    seen: dict[int, int] = {}
    for v, number in enumerate(ids):
        if isinstance(number, int) and seen.setdefault(number, v) != v:
            raise wrong(f"vehicle {number} is also vehicles[{seen[number]}]", f"vehicles[{v}].id")
    if len(vehicles) > MAX_VEHICLES:
        raise refused("vehicles", f"has {len(vehicles)} entries, at most {MAX_VEHICLES} are supported")
    tasks = len(jobs) + 2 * len(shipments)
    if tasks > MAX_TASKS:
        longer = "shipments" if 2 * len(shipments) > len(jobs) else "jobs"
        raise refused(longer, f"brings {tasks} tasks, at most {MAX_TASKS} are supported (a shipment is two)")


def count_dimensions(names: list[Any], vehicles: list[Any], jobs: list[Any], shipments: list[Any]) -> int:
    """Dimensions of loads: those that are named, else those of the capacities, else those of the amounts."""
    if not all(isinstance(name, str) and name for name in names) or len({*names}) < len(names):
        raise wrong("must be a list of different names", "dimensions")
    sizes = [("dimensions", len(names))] if names else _lengths([("vehicles", vehicles)], ("capacity",))
    for path, size in sizes:
        if size != sizes[0][1]:
            raise wrong(f"has {size} dimensions, {sizes[0][0]} has {sizes[0][1]}", path)
    if not sizes:
        sizes = _lengths([("jobs", jobs), ("shipments", shipments)], ("delivery", "pickup", "amount"))
    path, most = max(sizes, key=lambda one: one[1], default=("", 1))
    if most > MAX_DIMENSIONS:
        raise refused(path, f"has {most} dimensions, at most {MAX_DIMENSIONS} are supported")
    return most


def _lengths(groups: list[tuple[str, list[Any]]], keys: tuple[str, ...]) -> list[tuple[str, int]]:
    """JSON path and length of the lists at these keys that are not empty."""
    found = [
        (f"{name}[{k}].{key}", item.get(key))
        for name, items in groups for k, item in enumerate(items) if isinstance(item, dict) for key in keys
    ]  # fmt: skip
    return [(path, len(values)) for path, values in found if isinstance(values, list) and values]


def whole(item: dict[str, Any], key: str, default: int | None, path: str, most: int = INFINITE) -> int:
    """A whole number from 0 to `most`."""
    return _bounded(item.get(key, default), f"{path}.{key}", most)


def wholes(values: Any, path: str, size: int | None = None) -> list[int]:
    """A list of (`size`) whole numbers from 0 to 2^30 - 1."""
    if not isinstance(values, list) or (size is not None and len(values) != size):
        raise wrong(f"must be a list of {size if size is not None else 'some'} whole numbers", path)
    for k, value in enumerate(values):
        _bounded(value, f"{path}[{k}]")
    return list(values)


def _bounded(value: Any, path: str, most: int = INFINITE) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise wrong(f"must be a whole number from 0 to {most}", path)
    return value


def amounts(values: Any, path: str, size: int, names: Sequence[str], *, every: bool = False) -> list[int]:
    """What is carried by dimension: a list of `size` numbers, or an object by the names that `dimensions` gives.

    What an object does not name is 0, or must be there where `every` name is needed.
    """
    if isinstance(values, dict):
        for name in values:
            if name not in names:
                raise wrong(f"is none of the dimensions ({', '.join(names) or 'none is named'})", f"{path}.{name}")
        for name in names if every else ():
            if name not in values:
                raise wrong(f"says nothing of {name}", path)
        return [_bounded(values.get(name, 0), f"{path}.{name}") for name in names]
    if names and (not isinstance(values, list) or len(values) != size):
        raise wrong(f"must be a list of {size} whole numbers ({', '.join(names)}), or an object by these names", path)
    return wholes(values, path, size)


def delivered_key(job: dict[str, Any], path: str) -> str:
    """Under which key a job says what it brings: `delivery`, or `amount` as long ago."""
    given = [key for key in ("delivery", "amount") if job.get(key) not in NOTHING]
    if len(given) == 2 and job["delivery"] != job["amount"]:
        raise wrong("says something else than delivery: give one of them", f"{path}.amount")
    return given[0] if given else "amount"


def window(values: Any, path: str) -> tuple[int, int]:
    """[start, end] in whole numbers of the user's clock."""
    good = isinstance(values, list) and len(values) == 2
    if not good or not all(isinstance(x, int) and not isinstance(x, bool) and abs(x) <= INSTANT for x in values):
        raise wrong("must be [start, end] in whole numbers", path)
    if values[0] > values[1]:
        raise wrong("a window closes before it opens", path)
    return values[0], values[1]


def windows(item: dict[str, Any], path: str) -> list[tuple[int, int]]:
    """The windows at `time_windows`; none where there is no limit."""
    found = listed(item, "time_windows", path, MAX_WINDOWS)
    return [window(values, f"{path}.time_windows[{k}]") for k, values in enumerate(found)]


def square(values: Any, size: int, path: str, farthest: str) -> NDArray[np.int64]:
    """The first `size` rows and columns of a square table of whole numbers, with nothing on its diagonal.

    `farthest`: the path of the index that needs them all.
    """
    try:
        block = np.array(values)
    except (ValueError, OverflowError):
        raise wrong("must be a square table", path) from None
    if block.dtype.kind == "f" and block.size and (block == np.rint(block)).all() and np.isfinite(block).all():
        block = np.minimum(block, 2.0**62).astype(np.int64)
    if block.ndim != 2 or block.shape[0] != block.shape[1] or block.dtype.kind not in "iu":
        raise wrong("must be a square table of whole numbers", path)
    if (block < 0).any():
        row, column = np.argwhere(block < 0)[0]
        raise wrong("is negative", f"{path}[{row}][{column}]")
    if block.shape[0] < size:
        raise wrong(f"is {size - 1}, but {path} has {block.shape[0]} rows", farthest)
    made: NDArray[np.int64] = np.minimum(block[:size, :size], 2**62).astype(np.int64)
    np.fill_diagonal(made, 0)
    return made
