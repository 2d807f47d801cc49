"""Which search knows which of the laws and prices that only some problems have; what it does not know it refuses."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from routing.errors import Unsupported
from routing.problem.problem import INFINITE, Breaks, Mix, Problem, Reloads, Travel


class SearchKind(StrEnum):
    """The searches: of trips, and the general one, plain where neither time nor the sharing of stops has a price."""

    PLAIN = "plain"
    TIMED = "timed"
    TRIPS = "trips"


_GENERAL = frozenset({SearchKind.PLAIN, SearchKind.TIMED})
_PLAIN = frozenset({SearchKind.PLAIN})
_NOBODY: frozenset[SearchKind] = frozenset()

UNDERSTOOD: dict[str, frozenset[SearchKind]] = {
    "rank": _GENERAL,
    "load_back": _PLAIN,
    "max_drive": _PLAIN,
    "max_metres": _PLAIN,
    "max_acts": _PLAIN,
    "max_duration": _PLAIN,
    "per_task": _PLAIN,
    "per_toll": _PLAIN,
    "breaks": _PLAIN,
    "drive": _PLAIN,
    "toll": _PLAIN,
    "max_stretch": _NOBODY,
    "per_load_km": _NOBODY,
    "reloads": _PLAIN,
    "choice": _GENERAL,
    "linked": _NOBODY,
    "goods": frozenset({SearchKind.TIMED}),
    "group": _NOBODY,
    "pair_price": _GENERAL,
    "precedence": _GENERAL,
    "min_used": _GENERAL,
    "max_used": _GENERAL,
    "per_longest": _GENERAL,
}
"""The searches that keep a law or count a price; evaluator and audit know all of them."""


_WHOLE = frozenset({"precedence", "min_used", "max_used", "per_longest"})
"""What the search counts over the whole plan; beside it a choice would have to be weighed row by row."""

_ABOVE_ZERO = ("rank", "load_back", "per_task", "per_toll", "per_load_km", "pair_price")
_BELOW_INFINITE = ("max_drive", "max_metres", "max_acts", "max_stretch", "max_duration")
_FROM_ZERO = ("choice", "linked", "precedence")


def used_fields(problem: Problem, travel: Travel) -> dict[str, int]:
    """The fields of UNDERSTOOD that mean something here, and the first row (request, vehicle, pair) that has each."""
    where: dict[str, NDArray[np.bool_]] = {}
    for names, means in (
        (_ABOVE_ZERO, lambda values: values > 0), (_BELOW_INFINITE, lambda values: values < INFINITE),
        (_FROM_ZERO, lambda values: values >= 0),
    ):  # fmt: skip
        where |= {name: means(getattr(problem, name)) for name in names if getattr(problem, name).size}
    where |= {name: np.diff(each.ptr) > 0 for name, each in _nested(problem) if each.ptr.size}
    if problem.goods.size:
        where["goods"] = goods_bind(problem)
    if problem.group.size:
        where["group"] = np.append(problem.split_price, 0)[problem.group] > 0
    rows = {name: int(np.argwhere(means)[0, 0]) for name, means in where.items() if means.any()}
    if problem.reloads.ptr.size and ((problem.pick_place < 0) & (problem.aboard_of < 0) & (problem.ready > 0)).any():
        rows.setdefault("reloads", 0)  # vehicles wait at the start until what they load there is ready
    numbers = {
        "drive": travel.drive.size > 0, "toll": travel.toll.size > 0, "min_used": problem.min_used > 0,
        "max_used": problem.max_used < len(problem.start_place), "per_longest": problem.per_longest > 0,
    }  # fmt: skip
    return rows | {name: 0 for name, used in numbers.items() if used}


def goods_bind(problem: Problem) -> NDArray[np.bool_]:
    """Requests whose goods may not ride with just any others, bool[R]; [0] where goods have no classes."""
    if not problem.goods.size:
        return np.zeros(0, dtype=np.bool_)
    return np.asarray((problem.mix != Mix.TOGETHER).any(axis=1)[problem.goods])


def _nested(problem: Problem) -> tuple[tuple[str, Breaks], tuple[str, Reloads]]:
    return ("breaks", problem.breaks), ("reloads", problem.reloads)


def unknown_fields(problem: Problem, travel: Travel, search: SearchKind) -> dict[str, int]:
    """Those of `used_fields` that the search does not know."""
    used = used_fields(problem, travel)
    return {name: row for name, row in used.items() if search not in UNDERSTOOD[name]}


def refuse_unknown(problem: Problem, travel: Travel, search: SearchKind) -> None:
    """Raise Unsupported for the first law or price that the search does not know, naming field and row."""
    for name, row in unknown_fields(problem, travel, search).items():
        others = " and ".join(sorted(UNDERSTOOD[name])) or "no search yet"
        message = f"the {search} search does not know {name}, which row {row} has"
        raise Unsupported(message, field=name, index=row, hint=f"{name} is known to: {others}.")
    used = used_fields(problem, travel)
    beside = sorted(used.keys() & _WHOLE)
    if "choice" in used and beside:
        message = f"the {search} search keeps no choice beside {beside[0]}"
        raise Unsupported(message, field="choice", index=used["choice"], hint=f"Leave out choice or {beside[0]}.")
