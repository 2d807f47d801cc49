"""Scratch and counters of the general planner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Tables
from routing.problem.problem import I32, I64, U64

KNOWN_CELLS = 4_000_000
"""Largest request-by-vehicle table of remembered insertions; above it none are remembered."""


class Work(NamedTuple):
    """Scratch and counters of a search; columns are in kernels/columns.py."""

    luck: U64  # [2] random state, gaps until one is overlooked (0: never)
    lines: I64  # [5, L + 4 or more than the breaks of a vehicle]
    nodes: I32  # [L + 4]
    states: I64  # [3, . + D]
    mark: I64  # [V, .] stamps of vehicles
    list: I64  # [R + L + 4, .] by request
    clock: I64  # [.]
    counter: I64  # [.]
    cost: I64  # [3] of the routes; of the best without what is ranked and left out; the sum of its ranks
    known: I64  # [R, V, .] insertions remembered by version of the route, or empty
    chill: I64  # [1024] -ln of the middle of each 1024th, times 2^16


def new_work(tables: Tables, seed: int) -> Work:
    """Fresh scratch; the same seed gives the same search."""
    state = np.random.SeedSequence(seed).generate_state(1, dtype=np.uint64) | np.uint64(1)
    middle = (np.arange(1024) + 0.5) / 1024
    scratch = np.zeros((len(tables.request) + tables.stride + 4, col.LISTS), dtype=np.int64)
    scratch[:, col.ABSENCES] = 1
    scratch[: len(tables.request), col.LATELY] = tables.request[:, col.HOME]
    cells = len(tables.request) * len(tables.vehicle)
    # Where timing matters, an insertion is judged sooner than looked up (docs/solving.md).
    remembered = len(tables.request) if tables.plain and cells <= KNOWN_CELLS else 0
    return Work(
        luck=np.array([state[0], 0], dtype=np.uint64),
        lines=np.zeros((5, max(tables.stride + 4, 40)), dtype=np.int64),
        nodes=np.zeros(tables.stride + 4, dtype=np.int32),
        states=np.zeros((3, tables.state_columns), dtype=np.int64),
        mark=np.zeros((len(tables.vehicle), col.MARKS), dtype=np.int64), list=scratch,
        clock=np.zeros(col.CLOCKS, dtype=np.int64), counter=np.zeros(col.COUNTS, dtype=np.int64),
        cost=np.zeros(3, dtype=np.int64),
        known=np.zeros((remembered, len(tables.vehicle), 3), dtype=np.int64),
        chill=np.rint(-np.log(middle) * 65536).astype(np.int64),
    )  # fmt: skip
