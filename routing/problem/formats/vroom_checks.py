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


def listed(item: dict[str, Any], key: str, path: str) -> list[Any]:
    """The list at `key`, empty where there is none."""
    values = item.get(key, [])
    if not isinstance(values, list):
        raise wrong("must be a list", f"{path}.{key}" if path else key)
    return values


def whole(item: dict[str, Any], key: str, default: int | None, path: str, most: int = INFINITE) -> int:
    """A whole number from 0 to `most`."""
    value = item.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise wrong(f"must be a whole number from 0 to {most}", f"{path}.{key}")
    return value


def wholes(values: Any, path: str, size: int | None = None) -> list[int]:
    """A list of (`size`) whole numbers."""
    good = isinstance(values, list) and all(isinstance(x, int) and not isinstance(x, bool) and x >= 0 for x in values)
    if not good or (size is not None and len(values) != size) or any(x > INFINITE for x in values):
        raise wrong(f"must be a list of {size if size is not None else 'some'} whole numbers", path)
    return list(values)


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
        values = [values.get(name, 0) for name in names]
    if names and (not isinstance(values, list) or len(values) != size):
        raise wrong(f"must be a list of {size} whole numbers ({', '.join(names)}), or an object by these names", path)
    return wholes(values, path, size)


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
    found = listed(item, "time_windows", path)
    return [window(values, f"{path}.time_windows[{k}]") for k, values in enumerate(found)]


def square(values: Any, size: int, path: str) -> NDArray[np.int64]:
    """The first `size` rows and columns of a square table of whole numbers, with nothing on its diagonal."""
    try:
        block = np.array(values)
    except (ValueError, OverflowError):
        raise wrong("must be a square table", path) from None
    if block.dtype.kind == "f" and block.size and (block == np.rint(block)).all() and np.isfinite(block).all():
        block = np.minimum(block, 2.0**62).astype(np.int64)
    if block.ndim != 2 or block.shape[0] != block.shape[1] or block.dtype.kind not in "iu":
        raise wrong("must be a square table of whole numbers", path)
    if block.shape[0] < size:
        raise wrong(f"has {block.shape[0]} rows, index {size - 1} is used", path)
    if (block < 0).any():
        raise wrong("holds a negative number", path)
    made: NDArray[np.int64] = np.minimum(block[:size, :size], 2**62).astype(np.int64)
    np.fill_diagonal(made, 0)
    return made
