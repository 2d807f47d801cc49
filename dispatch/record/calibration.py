"""What was said of deliveries, held against what came: by level, by tenths of the probability said, by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dispatch.model import OrderState
from dispatch.promise.told import LEVELS, PLAN, Said
from dispatch.record.lives import OrderLife

ENOUGH = 300
"""So many orders a slice must hold for a difference to be more than chance."""


class SaidAndCome(NamedTuple):
    """What was said of an order that has ended, and when it came (None: never)."""

    said: Said
    delivered_at: int | None

    def by(self, at: int) -> bool:
        """Had it come by then?  What never came has missed every instant."""
        return self.delivered_at is not None and self.delivered_at <= at


class Tenth(NamedTuple):
    """Orders of which a like probability was said: how many, what was said, what came."""

    orders: int
    said: float
    came: float


def outcomes(lives: Iterable[OrderLife], basis: str = PLAN) -> list[SaidAndCome]:
    """SaidAndCome orders of which something was said on a basis; those called off are left out."""
    return [
        SaidAndCome(said, life.delivered_at)
        for life in lives
        if life.ended_at is not None and life.state is not OrderState.CANCELLED
        for said in life.said
        if said.basis == basis
    ]


def coverage(found: list[SaidAndCome], level: int) -> float | None:
    """The share that came by the instant said at a level of LEVELS; None of nobody."""
    k = LEVELS.index(level)
    came = sum(one.by(one.said.expected_at + one.said.quantiles_s[k]) for one in found)
    return came / len(found) if found else None


def tenths(found: list[SaidAndCome]) -> list[Tenth]:
    """By tenths of the probability said that the promise is kept, from the lowest; empty ones are left out."""
    rows = []
    for tenth in range(10):
        mine = [one for one in found if one.said.on_time * 10 // 1000 == tenth]
        if mine:
            said = sum(one.said.on_time for one in mine) / len(mine) / 1000
            rows.append(Tenth(len(mine), said, sum(one.by(one.said.due_at) for one in mine) / len(mine)))
    return rows


def gap(found: list[SaidAndCome], enough: int = ENOUGH) -> float | None:
    """The largest difference between said and come among the tenths that hold enough orders; None where none does."""
    return max((abs(row.said - row.came) for row in tenths(found) if row.orders >= enough), default=None)


def slices(found: list[SaidAndCome], key: Callable[[SaidAndCome], str]) -> dict[str, tuple[int, float]]:
    """By the value of `key`, in its order: how many orders, and the share that came by their P90."""
    groups: dict[str, list[SaidAndCome]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return {name: (len(mine), coverage(mine, 900) or 0.0) for name, mine in sorted(groups.items())}


def group_of(one: SaidAndCome, name: str) -> str:
    """An order's group of a name, as it was said: `load` of `plan/load:3` is 3; empty where it had none."""
    begin = f"{one.said.basis}/{name}:"
    return next((group[len(begin) :] for group in one.said.groups if group.startswith(begin)), "")


def lines(lives: Iterable[OrderLife]) -> dict[str, Any]:
    """The figures of summary.json: of first plans, and of quotes under `quote_`; None where nothing was said."""
    every = list(lives)
    figures: dict[str, Any] = {}
    for basis, prefix in ((PLAN, "promise"), ("quote", "quote")):
        found = outcomes(every, basis)
        kept = sum(one.by(one.said.due_at) for one in found) / len(found) if found else None
        said = sum(one.said.on_time for one in found) / len(found) / 1000 if found else None
        width = sum(one.said.p90_at - one.said.p50_at for one in found) / len(found) if found else None
        figures |= {
            f"{prefix}_orders": len(found),
            f"{prefix}_calibrated_share": _rounded(
                sum(one.said.calibrated for one in found) / len(found) if found else None
            ),
            f"{prefix}_p50_share": _rounded(coverage(found, 500)),
            f"{prefix}_p90_share": _rounded(coverage(found, 900)),
            f"{prefix}_p50_to_p90_mean_s": _rounded(width),
            f"{prefix}_on_time_said": _rounded(said),
            f"{prefix}_on_time_came": _rounded(kept),
            f"{prefix}_tenths_gap": _rounded(gap(found)),
        }
    return figures


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
