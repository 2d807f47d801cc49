"""A scenario moved to now: the same day with other instants, and ids that the wire takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dispatch.inputs import Input
from dispatch.model import Shift
from sim.scenario import Demand, Scenario

__all__ = ["POSITIONS_EVERY_S", "moved_to"]

POSITIONS_EVERY_S = 20
"""A live service counts riders as lost that it does not hear of: a day without positions gets this cadence."""


def moved_to(scenario: Scenario, begin_at: int, prefix: str) -> Scenario:
    """The same day from `begin_at` on, its ids fit for the wire and its orders' ids with a prefix of this run."""
    by_s = begin_at - scenario.catalogue.begin_at
    scenario = scenario.fresh()
    catalogue = scenario.catalogue

    def shifted(one: Demand) -> Demand:
        order = one.order
        moved = replace(
            order,
            order_id=_name(prefix + order.order_id),
            store_id=_name(order.store_id),
            placed_at=order.placed_at + by_s,
            expected_ready_at=order.expected_ready_at + by_s,
            due_at=order.due_at + by_s,
            release_at=_later(order.release_at, by_s),
            earliest_drop_at=_later(order.earliest_drop_at, by_s),
            needs=0,
        )
        return Demand(moved, one.ready_at + by_s, _later(one.cancelled_at, by_s))

    reality = scenario.reality
    if not reality.position_every_s:
        reality = replace(reality, position_every_s=POSITIONS_EVERY_S)
    moved_catalogue = replace(
        catalogue,
        begin_at=begin_at,
        stores=tuple(replace(store, store_id=_name(store.store_id)) for store in catalogue.stores),
        riders=tuple(replace(rider, rider_id=_name(rider.rider_id)) for rider in catalogue.riders),
        shifts=tuple(_shifted(shift, by_s) for shift in catalogue.shifts),
    )
    demand = tuple(shifted(one) for one in scenario.demand)
    return replace(scenario, catalogue=moved_catalogue, demand=demand, reality=reality, news=_news(scenario.news, by_s))


def _shifted(shift: Shift, by_s: int) -> Shift:
    return replace(
        shift,
        rider_id=_name(shift.rider_id),
        start_at=shift.start_at + by_s,
        last_pickup_at=shift.last_pickup_at + by_s,
        end_at=_later(shift.end_at, by_s),
    )


def _news(news: Iterable[Input], by_s: int) -> tuple[Input, ...]:
    return tuple(_moved_input(item, by_s) for item in news)


def _moved_input(item: Input, by_s: int) -> Input:
    fields: dict[str, Any] = {"at": item.at + by_s}
    for name in ("until", "happened_at"):
        if getattr(item, name, None) is not None:
            fields[name] = getattr(item, name) + by_s
    for name in ("store_id", "rider_id"):
        if hasattr(item, name):
            fields[name] = _name(getattr(item, name))
    return replace(item, **fields)


def _later(at: int | None, by_s: int) -> int | None:
    return None if at is None else at + by_s


def _name(text: str) -> str:
    """An id with the letters that the wire takes."""
    name = re.sub(r"[^A-Za-z0-9_~:-]", "-", text)[:64]
    return name if re.match(r"[A-Za-z0-9_]", name) else f"_{name}"[:64]
