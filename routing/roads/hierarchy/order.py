"""The order in which nodes are eliminated: nested dissection, separators last.

Inertial flow needs coordinates and nothing else; METIS (through pymetis) is a second opinion where it is installed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.roads.kernels.dissection import dissect_by_flow

METIS_SEED = 0


def adjacency(n: int, tail: NDArray[np.int32], head: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Neighbours of every node, both ways, rising, without loops and doubles: (start int64[n + 1], neighbour int32)."""
    pairs = np.concatenate([tail.astype(np.int64) * n + head, head.astype(np.int64) * n + tail])
    pairs = np.unique(pairs)
    one, other = np.divmod(pairs, n) if n else (pairs, pairs)
    real = one != other
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(one[real], minlength=n), out=start[1:])
    return start, other[real].astype(np.int32)


def by_metis(start: NDArray[np.int64], neighbour: NDArray[np.int32]) -> NDArray[np.int32] | None:
    """Nested dissection by METIS; None where pymetis is not installed or there is nothing to dissect."""
    try:
        import pymetis
    except ImportError:
        return None
    if len(neighbour) == 0:
        return None
    wide = pymetis.zero_copy_dtype()
    graph = pymetis.CSRAdjacency(start.astype(wide), neighbour.astype(wide))
    _, rank = pymetis.nested_dissection(graph, options=pymetis.Options(seed=METIS_SEED))
    return np.asarray(rank, dtype=np.int32)


def by_flow(
    lat: NDArray[np.float64], lng: NDArray[np.float64], start: NDArray[np.int64], neighbour: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Nested dissection by inertial flow over four directions; needs no dependency."""
    middle = np.cos(np.radians(lat.mean())) if len(lat) else 1.0
    return np.asarray(dissect_by_flow(lng * middle, lat.astype(np.float64), start, neighbour), dtype=np.int32)
