"""Short collections: a full one walks every tracked object, and with tens of thousands of orders stops the loop.

Orders, routes and journal entries hold no cycles and are freed as they go; reference cycles are short-lived.  So after
a full collection that took long, what survived it is put aside for good, and the next one is short again.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping

LONG_S = 0.01


class ShortCollections:
    """A callback of the collector; `watch` begins it."""

    def __init__(self) -> None:
        self._began = 0.0

    def watch(self) -> None:
        """Puts aside what there is now, and from now on whatever survives a long full collection."""
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self._note)

    def _note(self, phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            self._began = time.perf_counter()
        elif time.perf_counter() - self._began > LONG_S:
            gc.freeze()
