"""One round on its way to a planner: arrays, and what their indexes stand for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch import inputs as i
from dispatch.model import Reason, Stop
from dispatch.settings.settings import Settings
from routing.problem.problem import Problem


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
