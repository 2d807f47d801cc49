"""Threads for kernels, which hold no GIL: one pool for the process, started when it is first needed."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="roads")


@functools.cache
def _background() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="roads-next")


# A forked child inherits the pool but none of its threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
    os.register_at_fork(after_in_child=_background.cache_clear)


def in_background(function: Callable[..., object], *arguments: Any) -> Future[object]:
    """Run `function` in the one thread that works ahead; its result or error lies in the future returned."""
    return _background().submit(function, *arguments)


def map_threads(function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], worthwhile: bool) -> list[T]:
    """Results of `function(*a)` for every a, in order; in threads only where `worthwhile`.

    The caller's own thread takes part, so that one task never waits for a sleeping thread.
    """
    if not worthwhile or len(arguments) < 2:
        return [function(*each) for each in arguments]
    later = [_pool().submit(function, *each) for each in arguments[1:]]
    first = function(*arguments[0])
    return [first, *(each.result() for each in later)]
