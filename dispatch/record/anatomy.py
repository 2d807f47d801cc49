"""Where the minutes from click to door went: five parts of every delivered order, each between instants of its own.

An order's time is cut at instants that were recorded: placed, ready, set off for the store, at the store, fetched,
left the store, set off for the door, at the door, delivered.  Each piece between two neighbours belongs to one part,
whatever the others are, so that the parts add up to the second; docs/kpis.md defines them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dispatch.record.lives import OrderLife


class Anatomy(NamedTuple):
    """Seconds of one order from click to door, by what they were spent on."""

    kitchen_s: int
    """From placement until the goods are ready (or fetched, where that is sooner)."""
    waiting_s: int
    """The goods are ready and nobody is on the way to them."""
    driving_s: int
    """The goods are ready and their rider drives to the store; later: their rider drives to their own door."""
    batching_s: int
    """Their rider waits at the store for other goods; later: from leaving the store until setting off to their door."""
    handover_s: int
    """Parking, walking and handing over: at the store up to its usual time, and at the door."""


PARTS = Anatomy._fields


def anatomy_of(life: OrderLife, enter_s: int, exit_s: int) -> Anatomy | None:
    """The parts of an order; None of one not delivered.

    `enter_s`, `exit_s`: usual seconds before and after the act at its store.
    """
    delivered_at = life.delivered_at
    if delivered_at is None:
        return None
    placed_at = life.order.placed_at
    fetched_at = _within(life.picked_up_at if life.picked_up_at is not None else delivered_at, placed_at, delivered_at)
    # Up to the pickup: ready, set off, at the store, what is usual before handing over.
    ready_at = _within(life.ready_at, placed_at, fetched_at)
    set_off_at, at_store_at = life.to_store if life.to_store is not None else (fetched_at, fetched_at)
    set_off_at = _within(set_off_at, ready_at, fetched_at)
    at_store_at = _within(at_store_at, set_off_at, fetched_at)
    called_at = _within(fetched_at - enter_s, at_store_at, fetched_at)
    # After it: left the store, set off for the door, at the door.
    left_at = _within(fetched_at + exit_s, fetched_at, delivered_at)
    for_door_at, at_door_at = life.to_door if life.to_door is not None else (left_at, delivered_at)
    for_door_at = _within(for_door_at, left_at, delivered_at)
    at_door_at = _within(at_door_at, for_door_at, delivered_at)
    return Anatomy(
        kitchen_s=ready_at - placed_at,
        waiting_s=set_off_at - ready_at,
        driving_s=(at_store_at - set_off_at) + (at_door_at - for_door_at),
        batching_s=(called_at - at_store_at) + (for_door_at - left_at),
        handover_s=(fetched_at - called_at) + (left_at - fetched_at) + (delivered_at - at_door_at),
    )


def _within(at: int, first: int, last: int) -> int:
    """The instant nearest to `at` from `first` to `last`: clocks of kitchens and phones need not agree."""
    return min(max(at, first), last)


def load_factor(done: Iterable[OrderLife]) -> float | None:
    """Orders on board of a rider who has any, on average over time; None of none."""
    carried: dict[str, list[tuple[int, int]]] = {}
    for life in done:
        if life.rider_id is not None and life.picked_up_at is not None and life.delivered_at is not None:
            carried.setdefault(life.rider_id, []).append((life.picked_up_at, life.delivered_at))
    bags_s = loaded_s = 0
    for spans in carried.values():
        loaded_until = 0
        for begin, end in sorted(spans):
            bags_s += max(0, end - begin)
            loaded_s += max(0, end - max(begin, loaded_until))
            loaded_until = max(loaded_until, end)
    return round(bags_s / loaded_s, 4) if loaded_s else None
