"""Kinds of order in an invented day: which share of the orders is of which tier, class of goods or tenant."""

from __future__ import annotations

import re

import numpy as np

from routing.errors import InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def shares_of(text: str, field: str) -> tuple[tuple[str, int], ...]:
    """`gold 15, plus 25` as names with percent of the orders; raises InvalidInput naming the field."""
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, percent = part.partition(" ")
        if not _NAME.fullmatch(name) or name in found or not percent.strip().isdecimal():
            raise InvalidInput(f"{part!r} is no name with its percent", field=field, hint="Write: gold 15, plus 25")
        found[name] = int(percent)
    if sum(found.values()) > 100:
        raise InvalidInput(f"{text!r} is more than all orders", field=field, hint="Percents add up to at most 100.")
    return tuple(found.items())


def drawn(rng: np.random.Generator, text: str, count: int, field: str) -> list[str]:
    """A name for each of `count` orders, empty for those that are of none."""
    shares = shares_of(text, field)
    if not shares:
        return [""] * count
    bounds = np.cumsum([percent for _, percent in shares]) / 100
    names = [*(name for name, _ in shares), ""]
    return [names[k] for k in np.searchsorted(bounds, rng.random(count), side="right").tolist()]
