"""Robots and a service whose common clock goes on only when nothing is under way."""

from __future__ import annotations

import asyncio
from typing import Any

from halfhour.robots import Robots
from tests.api.running import PatientClock, Running


class SteppedClock(PatientClock):
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self._at = float(int(self._at))

    def exact(self) -> float:
        return self._at

    def wait_s(self, until: float) -> float:
        return 0.0 if until <= self._at else 3600.0

    def step_to(self, at: int) -> None:
        self._at = max(self._at, float(at))

    async def go(self) -> None:
        await asyncio.Event().wait()


class SteppedRobots(Robots):
    """Time goes on once everything that was said has been answered and heard: how fast a machine is plays no part."""

    def __init__(self, run: Running, clock: SteppedClock, *words: Any, **named: Any) -> None:
        super().__init__(*words, clock=clock.exact, **named)
        self._run, self._stepped, self._hearing = run, clock, 0

    async def _hear(self, *words: Any) -> None:
        self._hearing += 1
        try:
            await super()._hear(*words)
        finally:
            self._hearing -= 1

    async def _live(self) -> None:
        host = self._run.host
        self._began_at = host.feed.head
        while not self._is_over():
            self._happen(self.now())
            await self._settle()
            await self._flush_positions()
            host._arm()  # what is due now rings
            await self._settle()
            due = [at for at in (self._heap.next_at, host.engine.wake_at()) if at is not None and at > self.now()]
            self._stepped.step_to(min(due, default=self.now() + 1))

    async def _settle(self) -> None:
        """Until nothing is under way: requests, commits, rounds, events on their way to us."""
        quiet = 0
        while quiet < 3:
            host = self._run.host
            busy = (
                any(not lane.done() for lane in self._lanes.values())
                or self._hearing
                or host._state.pending
                or host._tasks
                or host.board.open_round is not None
                or max(self._began_at, int(self._cursor or 0)) != host.feed.head
            )
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(0.002)
