"""The solver's process is looked after: whatever ends it, whenever, another one takes its place."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from api.http.readiness import MOST_FALLBACKS
from api.solver.messages import RoundTask, SolverFailed, task_of
from api.solver.process import Solver
from api.solver.travel_state import TravelState
from dispatch.engine.engine import Engine
from dispatch.inputs import RoundSolved
from dispatch.record.travel_spec import StraightSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from tests.kit.service.running import order, running, with_city

COLD = "import api.solver.warm_up; api.solver.warm_up.warm_up_rounds = api.solver.warm_up.get_ready = lambda: None"
SCRIPT = f"import sys; sys.path[:] = {sys.path!r}; {COLD}; from api.solver.child import main; main()"
COMMAND = (sys.executable, "-c", SCRIPT)
TRAVEL = TravelState(1, "wgs84", StraightSpec({"default": 250.0}))
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio")]
try:
    from uvloop import new_event_loop

    LOOPS.append(pytest.param(new_event_loop, id="uvloop"))
except ImportError:
    pass


def _task() -> RoundTask:
    engine = Engine(PlaceBook("wgs84"), Settings())
    return task_of(engine.freeze(), engine.board.places, 1, "insertion", 1.0)


def _run(loop: Any, work: Any) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)


async def _again(solver: Solver) -> None:
    async with asyncio.timeout(120):
        while not (solver.restarts and solver.is_warm):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_process_killed_between_rounds_is_replaced_before_the_next_one(loop: Any) -> None:
    async def go() -> None:
        solver = Solver(TRAVEL, COMMAND)
        await solver.start()
        assert solver._process is not None
        os.kill(solver._process.pid, signal.SIGKILL)
        await _again(solver)
        assert isinstance(await solver.solve(_task(), 120.0), RoundSolved)
        assert solver.restarts == 1
        await solver.close()

    _run(loop, go())


HEARD = """
import sys; sys.path[:] = {path!r}
from api.solver import child
read = child._read
def _read(source):
    message = read(source)
    open({file!r}, "a").write(repr(getattr(message, "version", message)) + chr(10))
    return message
child._read = _read
{cold}
child.main()
"""


@pytest.mark.parametrize(("later", "heard"), [(TRAVEL._replace(), "1\n"), (TRAVEL._replace(version=2), "1\n2\n")])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_process_warms_up_while_its_parent_gets_ready(
    loop: Any, later: TravelState, heard: str, tmp_path: Path
) -> None:
    file = tmp_path / "heard"
    script = HEARD.format(path=sys.path, file=str(file), cold=COLD)

    async def go() -> None:
        solver = Solver(TRAVEL, (sys.executable, "-c", script))
        await solver.launch()
        async with asyncio.timeout(120):
            while not file.exists() or not file.read_text():
                await asyncio.sleep(0.02)
        await solver.hold(later)  # as a host does that has read its ledger
        await solver.start()
        assert solver.is_warm and file.read_text() == heard
        await solver.close()

    _run(loop, go())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_process_that_dies_while_its_parent_gets_ready_is_replaced(loop: Any) -> None:
    async def go() -> None:
        solver = Solver(TRAVEL, COMMAND)
        await solver.launch()
        assert solver._process is not None
        os.kill(solver._process.pid, signal.SIGKILL)
        await solver._process.wait()
        with pytest.raises(SolverFailed, match="is gone"):
            await solver.start()
        await _again(solver)
        assert solver.restarts == 1
        await solver.close()

    _run(loop, go())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_round_that_finds_the_process_gone_says_dead_and_has_it_replaced(loop: Any) -> None:
    async def go() -> None:
        solver = Solver(TRAVEL, COMMAND)
        await solver.start()
        assert solver._process is not None and solver._watching is not None
        solver._watching.cancel()  # the round is the first to see it
        solver._process.kill()
        await solver._process.wait()
        await asyncio.sleep(0.05)
        with pytest.raises(SolverFailed) as failed:
            await solver.solve(_task(), 120.0)
        assert failed.value.why == "dead"
        await _again(solver)
        await solver.close()

    _run(loop, go())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_first_start_that_fails_is_tried_again(loop: Any, tmp_path: Path) -> None:
    mark = tmp_path / "tried"
    fails_once = f"import pathlib, sys; p = pathlib.Path({str(mark)!r}); p.exists() or (p.touch(), sys.exit(3)); "

    async def go() -> None:
        solver = Solver(TRAVEL, (sys.executable, "-c", fails_once + COMMAND[2]))
        with pytest.raises(SolverFailed):
            await solver.start()
        await _again(solver)
        assert isinstance(await solver.solve(_task(), 120.0), RoundSolved)
        await solver.close()

    _run(loop, go())


def test_a_process_that_is_closed_stays_closed() -> None:
    async def go() -> None:
        solver = Solver(TRAVEL, COMMAND)
        await solver.start()
        await solver.close()
        await asyncio.sleep(0.05)
        assert solver.restarts == 0 and solver._process is not None and solver._process.returncode is not None

    asyncio.run(go())


def test_readiness_and_a_metric_tell_of_rounds_without_the_solver(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            assert (await run.anyone.get("/readyz")).json()["warnings"] == []
            run.solver.say = lambda task, answer: SolverFailed("dead", "as told")
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            rounds = run.host.rounds
            await run.until(lambda: rounds.fallbacks_in_a_row >= MOST_FALLBACKS)
            ready = await run.anyone.get("/readyz")
            assert ready.status_code == 200 and ready.json()["warnings"] == ["solver"]
            assert ready.json()["fallbacks_in_a_row"] >= MOST_FALLBACKS
            assert "halfhour_fallbacks_in_a_row 0.0" not in (await run.ops.get("/metrics")).text
            run.solver.say = None
            await run.until(lambda: rounds.fallbacks_in_a_row == 0)
            assert (await run.anyone.get("/readyz")).json()["warnings"] == []

    asyncio.run(go())
