"""Processes that this one starts: what they find around them, and that they live no longer than their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None) -> None:
    """Has the system end this process with its parent, however that ends; elsewhere than on Linux nothing happens.

    `parent`: its process id, where it may have ended before we could ask.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        raise SystemExit


def environment_of_child() -> dict[str, str]:
    """What a Python process that we start finds around it: our variables, and our modules where we found them."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
