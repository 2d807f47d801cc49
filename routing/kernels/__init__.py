"""How numba is used here: one decorator, one cache folder.

numba's own cache serves stale machine code when a kernel that is *called* changes but the caller does not.  So the
cache lives in a folder whose name is a hash of every kernel source: any edit starts a fresh one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numba
import platformdirs

_ROUTING = Path(__file__).resolve().parent.parent


def _sources_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_ROUTING.glob("**/kernels/*.py")):
        digest.update(path.relative_to(_ROUTING).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_BASE = Path(numba.config.CACHE_DIR or platformdirs.user_cache_dir("halfhour")) / "kernels"
numba.config.CACHE_DIR = str(_BASE / _sources_digest())


def is_compiled() -> bool:
    """True where a process before this one has compiled kernels as they are now."""
    return any(Path(numba.config.CACHE_DIR).rglob("*.nbi"))


def kernel(function: Any) -> Any:
    """Compile `function` without the GIL and keep the machine code; no fastmath, so that no float decides twice."""
    return numba.njit(nogil=True, cache=True, error_model="numpy")(function)


def inline_kernel(function: Any) -> Any:
    """As `kernel`, for small helpers that are worth inlining into their callers."""
    return numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")(function)


def lean_kernel(function: Any) -> Any:
    """As `kernel`, for kernels that allocate nothing and keep no array: references to arrays are not counted.

    Counting costs more than the work in small functions that are called a million times (measured: 490 ns against 74).
    """
    return numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False)(function)


def inner_kernel(function: Any) -> Any:
    """As `lean_kernel`, for kernels that only kernels call: part of their callers' machine code, not kept on their own.

    Python cannot call it (but for JIT off), and a cold start compiles a quarter faster.
    """
    bare = numba.njit(nogil=True, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    return bare(function)


def fused_kernel(function: Any) -> Any:
    """As `inner_kernel`, for what is called a million times from one or two places: always part of its caller.

    A compiled call spells out every array of its tuples, three hundred words for a search (measured: 150 ns a call).
    """
    bare = numba.njit(
        nogil=True, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
    )
    return bare(function)
