"""Figures of a day by kind of order: by member's tier and by class of goods, where any is named; and of their fees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dispatch.model import OrderState
from dispatch.record.lives import OrderLife
from dispatch.ways import EndKind

NONE = "none"
"""Stands for orders that name no kind."""

_KINDS: dict[str, Callable[[OrderLife], str]] = {
    "by_tier": lambda life: life.order.tier,
    "by_goods": lambda life: life.order.goods_class,
}


def by_kind(lives: Sequence[OrderLife]) -> dict[str, dict[str, dict[str, Any]]]:
    """For each sort of kind that some order names: the figures of each kind, by its name."""
    made = {}
    for key, kind_of in _KINDS.items():
        groups: dict[str, list[OrderLife]] = {}
        for life in lives:
            groups.setdefault(kind_of(life) or NONE, []).append(life)
        if groups.keys() - {NONE}:
            made[key] = {name: _figures(groups[name]) for name in sorted(groups)}
    return made | alternatives(lives)


def alternatives(lives: Sequence[OrderLife]) -> dict[str, Any]:
    """Of orders with alternatives: what was chosen in the end, how often it changed, and when stores were told."""
    asked = [life for life in lives if life.order.has_alternatives]
    if not asked:
        return {}
    other_store = sum(life.order.store_id != life.placed_with[0] for life in asked)
    other_end = sum(life.order.end.name != life.placed_with[1] for life in asked)
    told = [life.told_source for life in asked if life.told_source]
    return {
        "alternatives": {
            "orders": len(asked),
            "other_store_share": _share(other_store, len(asked)),
            "other_end_share": _share(other_end, len(asked)),
            "counter_share": _share(sum(life.order.end.kind is EndKind.COUNTER for life in asked), len(asked)),
            "choices_mean": _share(sum(life.choices for life in asked), len(asked)),
            "told_at_latest_share": _share(told.count("latest_start"), len(told)),
            "choice_points_mean": _share(
                sum(life.order.source.price + life.order.end.price for life in asked), len(asked)
            ),
        }
    }


def _figures(lives: Sequence[OrderLife]) -> dict[str, Any]:
    done = [life for life in lives if life.delivered_at is not None]
    kept = [life for life in lives if life.state is not OrderState.CANCELLED]
    late = [life.lateness_s for life in done]
    return {
        "orders": len(lives),
        "delivered": len(done),
        "on_time_share": _share(sum(life.is_on_time for life in done), len(kept)),
        "click_to_door_mean_s": _share(sum(life.click_to_door_s for life in done), len(done)),
        "lateness_mean_s": _share(sum(late), len(done)),
        "lateness_max_s": max(late, default=None),
        **(fee_lines(lives) if any(life.fee is not None for life in lives) else {}),
    }


def fee_lines(lives: Iterable[OrderLife]) -> dict[str, Any]:
    """Mean fee and marginal cost in minor units, and the share of orders charged less than they cost.

    Of orders that have a fee and were not called off; cost and share of those of which a trial has said the cost.
    """
    charged = [life.fee for life in lives if life.fee is not None and life.state is not OrderState.CANCELLED]
    costs = [(fee.amount, fee.cost) for fee in charged if fee.cost is not None]
    return {
        "fee_mean": _share(sum(fee.amount for fee in charged), len(charged)),
        "marginal_cost_mean": _share(sum(cost for _, cost in costs), len(costs)),
        "losing_share": _share(sum(amount < cost for amount, cost in costs), len(costs)),
    }


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
