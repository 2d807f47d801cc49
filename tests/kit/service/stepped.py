"""Robots and a service whose common clock goes on only when nothing is under way."""

from __future__ import annotations

import asyncio
from typing import Any

from api.outbox.cursors import BEGIN, spot_of
from halfhour.robots import Robots
from sim.heap import Rank
from sim.replay.host import AFTERMATH_S
from tests.kit.service.running import PatientClock, Running

NEVER = 2**62


class SteppedClock(PatientClock):
    """Stands still until it is told to go on."""

    def __init__(self, start_at: int | None = None) -> None:
        super().__init__()
        self._at = float(int(self._at) if start_at is None else start_at)

    def exact(self) -> float:
        return self._at

    def wait_s(self, until: float) -> float:
        return 3600.0

    def step_to(self, at: int) -> None:
        self._at = max(self._at, float(at))

    async def go(self) -> None:
        await asyncio.Event().wait()


class SteppedRobots(Robots):
    """Time goes on once everything that was said has been answered and heard: how fast a machine is plays no part.

    What is due at one instant happens one after another, in the order of the simulator's event heap.
    """

    def __init__(self, run: Running, clock: SteppedClock, *words: Any, **named: Any) -> None:
        super().__init__(*words, clock=clock.exact, **named)
        self._run, self._stepped, self._hearing = run, clock, 0
        self._solve, run.solver.solve = run.solver.solve, self._solve_in_turn
        self._turn = asyncio.Event()
        run.host.rounds._step = lambda *_, **__: None  # how busy this machine is
        run.host.alarm.look_back = lambda: None  # time that is skipped is no pause

    async def _hear(self, *words: Any) -> None:
        self._hearing += 1
        try:
            await super()._hear(*words)
        finally:
            self._hearing -= 1

    async def _solve_in_turn(self, *words: Any) -> Any:
        """An answer waits for the reports of its instant."""
        answer = await self._solve(*words)
        await self._turn.wait()
        return answer

    def _is_over(self) -> bool:
        """Where the whole day is lived, as a replay is over."""
        if not self._whole_day:
            return super()._is_over()
        if self._heap.next_at is not None or self._rings_at() <= self.scenario.ends_at:
            return False
        carried = any(record.state.is_on_board for record in self._run.host.board.open_orders.values())
        return not carried or self._rings_at() > self.scenario.ends_at + AFTERMATH_S

    async def _send_positions(self) -> None:
        """Positions go out when the service's timer rings, as a replay hands them over."""

    async def _live(self) -> None:
        host = self._run.host
        self._began_at = host.feed.head
        while not self._is_over():
            now = self.now()
            next_at, rank = self._heap.next_at or NEVER, self._heap.next_rank or Rank.EXOGENOUS
            is_due = next_at <= now
            if is_due and rank < Rank.ANSWER:
                self._happen_once()
            elif host.board.open_round is not None:
                self._turn.set()
            elif self._rings_at() <= now:
                await self._flush_positions()
                host.alarm.ring()
            elif is_due:
                self._happen_once()
            else:
                self._stepped.step_to(min(next_at, self._rings_at()))
                continue
            await self._settle()
            self._turn.clear()

    def _rings_at(self) -> int:
        """When the service's timer rings."""
        at = self._run.host.engine.wake_at()
        return NEVER if at is None else at

    async def _settle(self) -> None:
        """Until nothing is under way: requests, commits, events on their way to us, a round whose turn it is."""
        quiet, host = 0, self._run.host
        while quiet < 3:
            waits = host.board.open_round is not None and not self._turn.is_set()
            busy = (
                any(not lane.done() for lane in self._lanes.values())
                or self._hearing
                or host._state.pending
                or (not waits and (host._tasks or host.board.open_round is not None))
                or max(self._began_at, spot_of(self._cursor or BEGIN).number) != host.feed.head
            )
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(0.002)
