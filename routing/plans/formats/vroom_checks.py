"""Refusals of a VROOM input, each naming the JSON path."""

from __future__ import annotations

from typing import Any

from routing.errors import InvalidInput, Unsupported
from routing.plans.problem import INFINITE


def wrong(message: str, path: str) -> InvalidInput:
    """The error for what stands at a JSON path such as `jobs[3].service`."""
    return InvalidInput(message, field=path)


def known(item: Any, allowed: set[str], path: str) -> dict[str, Any]:
    """`item` as an object whose keys are all understood."""
    if not isinstance(item, dict):
        raise wrong("must be an object", path)
    for key in item:
        if key not in allowed:
            where = f"{path}.{key}" if path else key
            raise Unsupported(f"{where} is not supported", field=where)
    return item


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
