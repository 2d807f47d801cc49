"""Traffic lights on edges: how often one waits, per direction, a cluster of lights on one crossing once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

CLUSTER_CM = 4_000.0
"""Lights that follow within this much are those of one crossing."""


def lights_on_edges(
    signals: Mapping[int, str],
    crossings: Mapping[int, bool],
    refs: NDArray[np.int64],
    so_far: NDArray[np.float64],
    begin: NDArray[np.int64],
    finish: NDArray[np.int64],
    walked: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Waits of every edge, int64[2, 2, e]: who drives and who walks, along and against.

    `signals`: nodes with lights for who drives, and the direction of the way they hold in; `crossings`: nodes with
    lights for who walks; `refs`, `so_far`: nodes of all ways one after the other and centimetres to them; edges go
    from `begin` to `finish`; `walked`: ways that cross streets on foot.  A light counts where it is arrived at, unless
    one lay behind within CLUSTER_CM along the edge, or at its beginning.
    """
    counts = np.zeros((2, 2, len(begin)), dtype=np.int64)
    held = {"both": (True, True), "forward": (True, False), "backward": (False, True)}
    lit = np.isin(refs, np.fromiter((*signals, *crossings), dtype=np.int64))
    near = np.concatenate([[0], np.cumsum(lit)])
    for e in np.flatnonzero(near[finish + 1] > near[begin]).tolist():
        low, high = int(begin[e]), int(finish[e])
        spots = [k for k in range(low, high + 1) if lit[k]]
        for direction in (0, 1):
            line = spots if direction == 0 else spots[::-1]
            first = low if direction == 0 else high
            last = {0: -1.0, 1: -1.0}
            for k in line:
                number, away = int(refs[k]), abs(float(so_far[k] - so_far[first]))
                drives = number in signals and held.get(signals[number], (True, True))[direction]
                walks = number in crossings and bool(walked[e])
                for who, waits in ((0, drives), (1, walks)):
                    if not waits:
                        continue
                    if k != first and not (last[who] >= 0 and away - last[who] <= CLUSTER_CM):
                        counts[who, direction, e] += 1
                    last[who] = away
    return counts
