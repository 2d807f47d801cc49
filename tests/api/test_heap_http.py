"""One day through the heap and through HTTP: the same brain, so the same figures but for luck."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.heap_http import COMPARED, compared, through_the_heap
from benchmarks.live_city import SETTINGS, lunch_peak
from halfhour.lived import kpis_of
from tests.api.running import running
from tests.api.serving import serving
from tests.api.stepped import SteppedClock, SteppedRobots

pytestmark = pytest.mark.anyio
SEEDS = 6


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
