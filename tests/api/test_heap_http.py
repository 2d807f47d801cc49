"""One day through the heap and through HTTP: the same brain, so the same figures but for luck."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.heap_http import COMPARED, compared, through_the_heap
from benchmarks.live_city import SETTINGS, lunch_peak
from halfhour.lived import kpis_of
from sim.scenario import Scenario
from tests.api.running import running
from tests.api.serving import serving
from tests.api.stepped import SteppedClock, SteppedRobots

pytestmark = pytest.mark.anyio
SEEDS, ORDERS = 6, 24
TRAVEL = {"kind": "straight", "detour": 1.3, "metres_per_minute": {"default": 250.0}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _lived(folder: Path, day: Scenario) -> dict[str, Any]:
    """KPIs of a day behind HTTP, from the service's journal; every order has ended and nothing was refused."""
    clock = SteppedClock()
    async with running(folder, clock=clock, engine=SETTINGS, travel=TRAVEL) as run, serving(run.app) as url:
        tally = await SteppedRobots(run, clock, url, run.keys["admin"], day, prefix="t-").run()
        await run.host.settled()
    assert tally.placed == ORDERS and sum(tally.ended.values()) == ORDERS and not tally.failures, tally
    return kpis_of(folder).summary()


def _day(number: int) -> Scenario:
    return lunch_peak(number, orders=ORDERS, riders=9, stores=3, hours=0.4)


async def test_a_day_behind_http_ends_as_its_replay_does(tmp_path: Path) -> None:
    day = _day(3)
    http, heap = await _lived(tmp_path, day), through_the_heap(day, 1, solver_s=0)
    for name in ("orders", "delivered", "undelivered", "cancelled"):
        assert http[name] == heap[name], name


@pytest.mark.slow
async def test_days_behind_http_have_the_figures_of_their_replays(tmp_path: Path) -> None:
    days = [_day(number) for number in range(1, 9)]
    http = [await _lived(tmp_path / str(number), day) for number, day in enumerate(days)]
    heap = [[through_the_heap(day, seed, solver_s=0) for seed in range(1, SEEDS + 1)] for day in days]
    wrong = {name: row for name, row in compared(heap, http).items() if not row["agrees"]}
    assert not wrong, wrong


def test_a_difference_beyond_luck_is_seen() -> None:
    heap = [[dict.fromkeys(COMPARED, 1000.0 + luck) for luck in (-20, 0, 20)]]
    near, far = dict.fromkeys(COMPARED, 1030.0), dict.fromkeys(COMPARED, 1100.0)
    assert all(row["agrees"] for row in compared(heap, [near]).values())
    assert not any(row["agrees"] for row in compared(heap, [far]).values())
