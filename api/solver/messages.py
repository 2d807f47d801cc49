"""What the host and the solver's process say to each other: pickles behind their length."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.rounds.frozen_round import Frozen
from routing.errors import HalfhourError
from routing.places import PlaceBook

if TYPE_CHECKING:
    from dispatch.rounds.solve import Recipe


LENGTH = struct.Struct("!Q")


class SolverFailed(HalfhourError):
    """The solver is late, dead, or does not hold what is asked of it; `why` is one of late, dead, error, travel."""

    code = "solver_failed"

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why

    def __reduce__(self) -> tuple[Any, ...]:
        return SolverFailed, (self.why, self.message)


class RoundTask(NamedTuple):
    """One round as it is sent; coordinates, matrix rows and access points are those of `frozen.problem.place`."""

    frozen: Frozen
    travel_version: int
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    matrix_row: NDArray[np.int32]
    access: NDArray[np.float64]
    recipe: Recipe
    budget_s: float
    threads: int = 1


def task_of(
    frozen: Frozen, places: PlaceBook, travel_version: int, recipe: Recipe, budget_s: float, threads: int = 1
) -> RoundTask:
    """A round with what the solver must know of its places."""
    handles = frozen.problem.place
    return RoundTask(
        frozen, travel_version, places.first[handles], places.second[handles], places.matrix_row[handles],
        places.access[handles], recipe, budget_s, threads,
    )  # fmt: skip
