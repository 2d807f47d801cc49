"""Solvers that lie, fail, hang or come late: found out, and each costs one round."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from api.solver.answer_check import flaw_of
from api.solver.messages import RoundTask, SolverFailed, task_of
from api.solver.process import Solver
from api.solver.travel_state import TravelState
from dispatch.codec import decode_event
from dispatch.engine.engine import Engine
from dispatch.events import RoundClosed
from dispatch.inputs import RoundSolved
from dispatch.record.travel_spec import StraightSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from tests.kit.service.running import Running, order, planned, running, with_city


def closings(run: Running) -> list[RoundClosed]:
    """How each round ended, by the journal."""
    events = (decode_event(event) for entry in run.ledger.entries() for event in entry.events)
    return [event for event in events if isinstance(event, RoundClosed)]


def _twice(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    return replace(answer, changes=(*answer.changes, *answer.changes))


def _other_round(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    return replace(answer, round=answer.round + 1)


def _backwards(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    stops = tuple(stop._replace(expected_leave_at=stop.expected_arrive_at - 9) for stop in change.stops)
    return replace(answer, changes=(change._replace(stops=stops),))


def _drop_only(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    return replace(answer, changes=(change._replace(stops=change.stops[1:]),))


def _pickup_only(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    return replace(answer, changes=(change._replace(stops=change.stops[:1]),))


def _stranger(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    return replace(answer, changes=(answer.changes[0]._replace(rider_id="nobody"),))


def _elsewhere(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    stops = (change.stops[0]._replace(place=change.stops[1].place), *change.stops[1:])
    return replace(answer, changes=(change._replace(stops=stops),))


def _old_revision(task: RoundTask, answer: RoundSolved) -> RoundSolved:
    return replace(answer, changes=(answer.changes[0]._replace(revision=77),))


LIES = (_twice, _other_round, _backwards, _drop_only, _pickup_only, _stranger, _elsewhere, _old_revision)


def test_a_lying_solver_is_found_out_and_insertion_answers(tmp_path: Path) -> None:
    async def go() -> None:
        for lie in LIES:
            async with running(tmp_path / lie.__name__) as run:
                run.solver.say = lie
                await with_city(run)
                await run.orders.post("/v1/deliveries", json=order())
                assert await planned(run) == "r1", lie.__name__
                first = closings(run)[0]
                assert first.cause == "FALLBACK", lie.__name__
                assert run.host.rounds.fallbacks["lying"] >= 1, lie.__name__

    asyncio.run(go())


def test_the_true_answer_has_no_flaw(tmp_path: Path) -> None:
    async def go() -> None:
        looked_at = []

        def look(task: RoundTask, answer: RoundSolved) -> RoundSolved:
            looked_at.append(flaw_of(task.frozen, answer))
            return answer

        async with running(tmp_path) as run:
            run.solver.say = look
            await with_city(run, riders=3)
            for k in range(12):
                await run.orders.post("/v1/deliveries", json=order(f"o{k}", load_units=k))
            await planned(run, "acme.o11")
            assert looked_at and set(looked_at) == {None}
            assert {event.cause for event in closings(run)} == {"SOLVED"} and not run.host.rounds.fallbacks

    asyncio.run(go())


@pytest.mark.parametrize("why", ["late", "dead", "travel", "error"])
def test_a_failing_solver_is_counted_and_the_round_closes(tmp_path: Path, why: str) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            run.solver.say = lambda task, answer: SolverFailed(why, "as told")
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            assert await planned(run) == "r1"
            assert closings(run)[0].cause == "FALLBACK" and run.host.rounds.fallbacks[why] >= 1
            assert f'halfhour_fallbacks_total{{why="{why}"}}' in (await run.ops.get("/metrics")).text

    asyncio.run(go())


CRASHES = """
import sys
sys.path[:] = {path!r}
import api.solver.child as child
def answer(self, task):
    {what}
child._Desk.answer = answer
import api.solver.warm_up
api.solver.warm_up.warm_up_rounds = api.solver.warm_up.get_ready = lambda: None
child.main()
"""


@pytest.mark.parametrize(
    ("what", "why"),
    [("import os; os._exit(9)", "dead"), ("import time; time.sleep(60)", "late"), ("raise ValueError", "error")],
)
def test_a_solver_process_that_fails_is_replaced(what: str, why: str) -> None:
    import sys

    async def go() -> None:
        script = CRASHES.format(path=sys.path, what=what)
        travel = TravelState(1, "wgs84", StraightSpec({"default": 250.0}))
        solver = Solver(travel, (sys.executable, "-c", script), grace_s=0.5)
        await solver.start()
        engine = Engine(PlaceBook("wgs84"), Settings())
        task = task_of(engine.freeze(), engine.board.places, 1, "insertion", 1.0)
        with pytest.raises(SolverFailed) as failed:
            await solver.solve(task, 0.5 if why == "late" else 120.0)
        assert failed.value.why == why
        if why != "error":
            async with asyncio.timeout(120):
                while not (solver.restarts and solver.is_warm):
                    await asyncio.sleep(0.05)
            assert solver.restarts == 1
        await solver.close()

    asyncio.run(go())


def test_one_late_answer_costs_no_other_round(tmp_path: Path) -> None:
    """The process goes on: what it says too late is thrown away, and the next round is answered by the same one."""
    import sys

    go_on = tmp_path / "go on"
    script = CRASHES.format(
        path=sys.path,
        what=f"""
    import os, time
    while not os.path.exists({str(go_on)!r}):
        time.sleep(0.01)
    return honest(self, task)""",
    )
    script = script.replace("def answer", "honest = child._Desk.answer\ndef answer")

    async def go() -> None:
        travel = TravelState(1, "wgs84", StraightSpec({"default": 250.0}))
        solver = Solver(travel, (sys.executable, "-c", script), grace_s=120.0)
        await solver.start()
        engine = Engine(PlaceBook("wgs84"), Settings())

        async def ask(round_number: int, timeout_s: float) -> RoundSolved:
            frozen = engine.freeze()._replace(round=round_number)
            return await solver.solve(task_of(frozen, engine.board.places, 1, "insertion", 1.0), timeout_s)

        for late in (1, 2):  # the second while the first is still being thought about
            with pytest.raises(SolverFailed) as failed:
                await ask(late, 0.3)
            assert failed.value.why == "late"
        waiting = asyncio.create_task(ask(3, 120.0))
        go_on.touch()
        assert (await waiting).round == 3
        assert (await ask(4, 120.0)).round == 4
        assert solver.restarts == 0 and solver.is_warm
        await solver.close()

    asyncio.run(go())


def test_a_solver_that_holds_other_travel_times_says_so() -> None:
    import sys

    async def go() -> None:
        travel = TravelState(3, "wgs84", StraightSpec({"default": 250.0}))
        cold = (
            "import api.solver.warm_up; api.solver.warm_up.warm_up_rounds = api.solver.warm_up.get_ready = lambda: None"
        )
        script = f"import sys; sys.path[:] = {sys.path!r}; {cold}; from api.solver.child import main; main()"
        solver = Solver(travel, (sys.executable, "-c", script))
        await solver.start()
        engine = Engine(PlaceBook("wgs84"), Settings())
        with pytest.raises(SolverFailed, match="holds travel times 3, not 4") as failed:
            await solver.solve(task_of(engine.freeze(), engine.board.places, 4, "insertion", 1.0), 120.0)
        assert failed.value.why == "travel" and solver.is_warm
        await solver.close()

    asyncio.run(go())
