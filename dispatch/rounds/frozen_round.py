"""One round on its way to a planner: arrays, and what their indexes stand for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch import inputs as i
from dispatch.model import Reason, Stop
from dispatch.settings.settings import Settings
from routing.problem.problem import I32, Problem


class IdMap(NamedTuple):
    """Which rider, order and store an index of the Problem stands for."""

    rider_ids: tuple[str, ...]
    revisions: tuple[int, ...]
    order_ids: tuple[str, ...]
    store_of: dict[int, str]
    """Local place of a store -> store id."""
    routes: tuple[tuple[Stop, ...], ...]
    left_out: tuple[i.OrderReason, ...]
    """Open orders that the Problem does not hold, and why, where that is news."""
    barred: dict[str, Reason]
    """Orders that no rider of the round may carry, and why."""
    doors: dict[int, int]
    """Handle of a place -> that of the place by which the Problem knows its door, where it is another one."""
    ways: dict[int, tuple[str, str]]
    """Of rows that stand for one of several alternatives: the store, and the name of the end."""
    present: dict[str, int]
    """Row of the alternative that is chosen now, by order."""


class Outlook(NamedTuple):
    """What is expected of each store, for empty moves; empty arrays where they are off."""

    store: NDArray[np.int32]
    """[S] local place"""
    weight: NDArray[np.float64]
    """[S] forgetting count of orders"""
    notice: NDArray[np.int32]
    """[S, 61] orders by minutes of notice"""
    movable: NDArray[np.bool_]
    """[V] idle, and their turn to be considered"""
    closes: NDArray[np.int32]
    """[S] ticks until it closes, INFINITE where nobody knows; 0 where it is not open"""
    silent_s: int
    """Seconds since the last order"""


class Frozen(NamedTuple):
    """One round, ready to be solved anywhere: picklable, and free of references to the board."""

    round: int
    at: int
    problem: Problem
    destinations: int
    """The first so many local places may be gone to (Q)."""
    ids: IdMap
    outlook: Outlook
    settings: Settings
    orders_over: int = 0
    """Orders beyond `rules.max_open_orders`, left for a later round."""

    def numbered_along(self, cell: NDArray[np.uint64]) -> Frozen:
        """The same round, its places numbered along their cells: what lies close together is close in a large block.

        `cell`: H3 cell of each local place.  Those that may be gone to stay the first ones.
        """
        order = np.concatenate(
            [
                part[np.argsort(cell[part], kind="stable")]
                for part in np.split(np.arange(len(cell)), [self.destinations])
            ]
        )
        number = np.empty(len(cell) + 1, dtype=np.int32)
        number[order], number[-1] = np.arange(len(cell)), -1  # where there is no place there is none afterwards

        def renumbered(places: I32) -> I32:
            return np.asarray(number[places], dtype=np.int32)

        problem = self.problem
        moved = problem._replace(
            place=problem.place[order], enter=problem.enter[order], exit=problem.exit[order],
            pick_place=renumbered(problem.pick_place), drop_place=renumbered(problem.drop_place),
            store=renumbered(problem.store), start_place=renumbered(problem.start_place),
            end_place=renumbered(problem.end_place),
            before=problem.before._replace(stop_place=renumbered(problem.before.stop_place)),
            reloads=problem.reloads._replace(place=renumbered(problem.reloads.place)),
        )  # fmt: skip
        store_of = {int(number[local]): store_id for local, store_id in self.ids.store_of.items()}
        return self._replace(
            problem=moved,
            ids=self.ids._replace(store_of=store_of),
            outlook=self.outlook._replace(store=renumbered(self.outlook.store)),
        )
