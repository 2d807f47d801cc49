"""Positions before they enter the engine: the newest per rider wins, impossible and stale ones are left out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from dispatch.inputs import Position
from routing.cells import METRES_PER_DEGREE

FASTEST_M_PER_S = 40.0
STALE_S = 300
"""A position older than this when it arrives tells nothing."""
MOST_JUMPS = 3
"""After so many jumps in a row, each near the one before, the rider is there: the first fix was the wrong one."""


class _Last(NamedTuple):
    position: Position
    jumped_to: Position | None = None
    jumps: int = 0


class Positions:
    """The newest believable position of each rider, waiting for the next round."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self._waiting: dict[str, Position] = {}
        self.listener: Callable[[Position], None] | None = None
        """Hears of every position that is believed."""
        self.filtered = 0
        self.version = 0
        """Counts positions taken, so that a viewer knows when to look again."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, position: Position, now: int) -> str | None:
        """Takes a position; says why where it is not one: stale, older than one taken, or too far away to be true.

        A phone whose clock is ahead is alive all the same: the instant of arrival is taken.
        """
        position = position._replace(seen_at=min(position.seen_at, now))
        last = self._last.get(position.rider_id)
        believed = _believed(position, last, now)
        if isinstance(believed, str):
            self.filtered += 1
            return believed
        self._last[position.rider_id] = believed
        if believed.position is not position:
            self.filtered += 1
            return "jump"
        self._waiting[position.rider_id] = position
        self.version += 1
        if self.listener is not None:
            self.listener(position)
        return None

    def take(self) -> tuple[Position, ...]:
        """What waits, in the order of the riders' ids; nothing waits afterwards."""
        taken = tuple(self._waiting[rider_id] for rider_id in sorted(self._waiting))
        self._waiting.clear()
        return taken

    def newest(self, rider_id: str) -> Position | None:
        """Where a rider was seen last."""
        last = self._last.get(rider_id)
        return last.position if last else None

    def forget(self, rider_id: str) -> None:
        """Starts anew for a rider: with a new shift they may be anywhere."""
        self._last.pop(rider_id, None)


def _believed(position: Position, last: _Last | None, now: int) -> _Last | str:
    """What to remember after `position`, or why it tells nothing."""
    if position.seen_at < now - STALE_S:
        return "stale"
    if position.first == 0.0 and position.second == 0.0:
        return "origin"
    if last is None:
        return _Last(position)
    if position.seen_at <= last.position.seen_at:
        return "not_newer"
    if _reachable(last.position, position):
        return _Last(position)
    jumps = last.jumps + 1 if last.jumped_to is not None and _reachable(last.jumped_to, position) else 1
    if jumps >= MOST_JUMPS:
        return _Last(position)
    return _Last(last.position, position, jumps)


def _reachable(old: Position, new: Position) -> bool:
    # Two fixes of one second may differ by the receiver's error alone, hence the hundred metres.
    return metres_between(old, new) <= FASTEST_M_PER_S * max(0, new.seen_at - old.seen_at) + 100.0


def metres_between(a: Position, b: Position) -> float:
    """Metres between two positions in degrees, by the middle latitude."""
    across = ((b.second - a.second + 180.0) % 360.0 - 180.0) * math.cos(math.radians((a.first + b.first) / 2))
    return math.sqrt(across * across + (b.first - a.first) ** 2) * METRES_PER_DEGREE
