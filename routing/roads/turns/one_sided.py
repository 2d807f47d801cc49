"""Streets that one can enter and not leave, or leave and not enter: as where a map is cut at its border.

Trips may end on the first and begin on the second, and nothing passes through either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def one_sided(
    edge: NDArray[np.int32], source: NDArray[np.int32], target: NDArray[np.int32], component: NDArray[np.int32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(what can be entered alone, what can be left alone) of courses, bool[c] each, as seen from the main network.

    `edge` int32[c] of every course; `source`, `target` int32[t]: turns, but no U-turns; `component` int32[c]: 0 for the
    main network, -1 for what cannot be left and come back to.  An edge that can be in a direction counts for neither.
    """
    alive = np.isin(edge, edge[component >= 0])
    lost = (component < 0) & ~alive
    enter = _spread(component == 0, source, target, lost)
    leave = _spread(component == 0, target, source, lost)
    return enter & ~leave, leave & ~enter


def _spread(
    first: NDArray[np.bool_], source: NDArray[np.int32], target: NDArray[np.int32], among: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which of `among` turns lead to from `first`, and from those on."""
    found = np.zeros(len(first), dtype=np.bool_)
    while True:
        hit = target[(first | found)[source] & among[target] & ~found[target]]
        if not len(hit):
            return found
        found[hit] = True
