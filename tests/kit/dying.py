"""Work of an experiment that ends its own process: a module that a fresh process imports in no time."""

from __future__ import annotations

import os
from typing import Any


def dying(run: Any) -> dict[str, Any]:
    """An empty summary; no return from one run."""
    if run.title == "greedy, tue, seed 1":
        os._exit(9)
    return {"complete": True}
