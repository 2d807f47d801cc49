"""One day through the heap and through HTTP: the same brain, so the same figures but for luck."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from benchmarks.heap_http import COMPARED, compared, through_the_heap
from benchmarks.live_city import SETTINGS, lunch_peak
from halfhour.lived import kpis_of
from halfhour.robots import Robots
from tests.api.running import PatientClock, Running, running
from tests.api.serving import serving

pytestmark = pytest.mark.anyio
SEEDS = 6


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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


async def test_a_day_behind_http_has_the_figures_of_its_replay(tmp_path: Path) -> None:
    day = lunch_peak(3, orders=24, riders=9, stores=3, hours=0.4)
    travel = {"kind": "straight", "detour": 1.3, "metres_per_minute": {"default": 250.0}}
    clock = SteppedClock()
    async with running(tmp_path, clock=clock, engine=SETTINGS, travel=travel) as run, serving(run.app) as url:
        tally = await SteppedRobots(run, clock, url, run.keys["admin"], day, prefix="t-").run()
        await run.host.settled()
    assert tally.placed == 24 and sum(tally.ended.values()) == 24 and not tally.failures, tally
    http = kpis_of(tmp_path).summary()
    heap = [through_the_heap(day, seed, solver_s=0) for seed in range(1, SEEDS + 1)]
    assert (http["orders"], http["delivered"]) == (heap[0]["orders"], heap[0]["delivered"])
    wrong = {name: row for name, row in compared([heap], [http]).items() if not row["agrees"]}
    assert not wrong, wrong


def test_a_difference_beyond_luck_is_seen() -> None:
    heap = [[dict.fromkeys(COMPARED, 1000.0 + luck) for luck in (-20, 0, 20)]]
    near, far = dict.fromkeys(COMPARED, 1030.0), dict.fromkeys(COMPARED, 1100.0)
    assert all(row["agrees"] for row in compared(heap, [near]).values())
    assert not any(row["agrees"] for row in compared(heap, [far]).values())
