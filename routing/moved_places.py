"""Which places have moved since somebody last looked: what is derived of a place is made anew only where it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class MovedPlaces:
    """The coordinates under which places were last seen, float64[k, columns]; no coordinate is NaN.

    It grows by doubling; `room` is how many places there is room for.
    """

    def __init__(self, columns: int) -> None:
        self._at = np.zeros((0, columns))

    @property
    def room(self) -> int:
        return len(self._at)

    def since_seen(self, handles: NDArray[np.int32], now: NDArray[np.float64]) -> NDArray[np.int32]:
        """Those of `handles` whose row of `now` is another than when it was seen, rising, each once."""
        missing = len(now) - len(self._at)
        if missing > 0:
            self._at = np.concatenate([self._at, np.full((missing + len(self._at), now.shape[1]), np.nan)])
        # NaN never equals itself, so a place not yet seen counts as moved.
        return np.unique(handles[(self._at[handles] != now[handles]).any(axis=1)])

    def see(self, handles: NDArray[np.int32], now: NDArray[np.float64]) -> None:
        """From now on these have not moved."""
        self._at[handles] = now[handles]
