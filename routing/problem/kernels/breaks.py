"""Breaks on a leg: taken in their order, anywhere on the way, each beginning in one of its windows.

Of a leg as much is driven before a break as its window leaves time for; earlier arrivals are never worse, since nothing
here costs time alone.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel


@inner_kernel
def first_in(windows, at):
    """The earliest tick from `at` on inside one of windows[K, 2], -1 where none is left."""
    best = np.int64(-1)
    for k in range(windows.shape[0]):
        opening = max(at, np.int64(windows[k, 0]))
        if opening <= windows[k, 1] and (best < 0 or opening < best):
            best = opening
    return best


@inner_kernel
def last_in(windows, at):
    """The latest tick up to `at` inside one of windows[K, 2], -1 where there is none from tick 0 on."""
    best = np.int64(-1)
    for k in range(windows.shape[0]):
        closing = min(at, np.int64(windows[k, 1]))
        if closing >= windows[k, 0]:
            best = max(best, closing)
    return best


@inner_kernel
def arrive_with(breaks, first, count, leave, drive):
    """When a leg of `drive` ticks, left at `leave`, ends with breaks first..first + count - 1 on it; -1 where none."""
    now, rest = leave, drive
    for b in range(first, first + count):
        begins = first_in(breaks.window[b], now)
        if begins < 0:
            return begins
        rest -= min(rest, begins - now)
        now = begins + breaks.service[b]
    return now + rest


@inner_kernel
def leave_with(breaks, first, count, arrive, drive):
    """The latest tick to leave for a leg that must end by `arrive` with these breaks on it; negative where none."""
    now, rest = arrive, drive
    for b in range(first + count - 1, first - 1, -1):
        behind = now - breaks.service[b]
        begins = last_in(breaks.window[b], behind)
        if begins < 0:
            return begins
        rest -= min(rest, behind - begins)
        now = begins
    return now - rest
