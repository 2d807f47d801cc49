"""The turn-aware graph of one profile: its nodes are *stretches*, edges in one direction and at one phase of a trip.

A stretch stands for the moment at its beginning, the turn into it done.  Streets that only trips that begin or end
there may use have two: one for the beginning of a trip, one for its end, and nothing leads from other streets into the
first nor from the second back to other streets; so they are never a shortcut.  Streets that one can enter and not
leave have the second alone, those that one can leave and not enter the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

START, OPEN, END = 0, 1, 2
"""Phases: a street for ends only at the beginning of a trip, any other street, one for ends only at a trip's end."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """Stretches and the turns between them.

    `code` int32[s]: 2 * edge + direction; `phase` int8[s]; `source`, `target` int32[t] stretches; `ms` int32[t]: what
    the turn itself takes; `begins`, `ends` int32[2, e]: the stretch that a trip beginning (ending) on an edge in a
    direction is on, -1 where shut; `island` int32[e]: 0 for the main network (and what one can only enter from it, or
    leave to it), k for the k-th part beside it, -1 where shut; `conditional` int32[k, 3]: turns that are shut while a
    condition of `conditions` holds (0), or unless it holds (1).
    """

    code: NDArray[np.int32]
    phase: NDArray[np.int8]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    ms: NDArray[np.int32]
    begins: NDArray[np.int32]
    ends: NDArray[np.int32]
    island: NDArray[np.int32]
    conditional: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int32))
    conditions: tuple[str, ...] = ()

    @property
    def nodes(self) -> int:
        """Number of stretches."""
        return len(self.code)

    @property
    def one_sided(self) -> NDArray[np.bool_]:
        """Edges that one can enter and not leave, or leave and not enter, bool[e]."""
        return np.asarray((self.begins >= 0).any(axis=0) != (self.ends >= 0).any(axis=0))

    def has_shape_of(self, other: Turns) -> bool:
        """Whether both have the same stretches and turns, whatever these take."""
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in ("code", "source", "target"))

    def of_edges(self, number: NDArray[np.int64]) -> Turns:
        """The same turns among edges renumbered in order: `number[old]` is the new index, -1 for none."""
        old = np.flatnonzero(number >= 0)
        code = (2 * number[self.code >> 1] + (self.code & 1)).astype(np.int32)
        return replace(self, code=code, begins=self.begins[:, old], ends=self.ends[:, old], island=self.island[old])
