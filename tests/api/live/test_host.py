"""The host under failure: solvers that are late, dead or lying, disks that refuse, riders that fall silent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.recovery import recover
from api.live.travel import Travel
from api.solver.answer_check import flaw_of
from api.solver.overload import EASY_ROUNDS, Ladder, Step
from api.solver.process import Solver, SolverFailed, Task, task_of
from dispatch.codec import decode_event
from dispatch.engine.engine import Engine
from dispatch.events import AnswerDropped, RoundClosed, RouteRevised
from dispatch.inputs import RoundSolved, StoreClosed
from dispatch.model import OrderState
from dispatch.record.catalogue import StraightSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from tests.kit.service.running import Running, order, planned, running, with_city

QUICK = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}


def closings(run: Running) -> list[RoundClosed]:
    """How each round ended, by the journal."""
    events = (decode_event(event) for entry in run.ledger.entries() for event in entry.events)
    return [event for event in events if isinstance(event, RoundClosed)]


# --- the solver -----------------------------------------------------------------------------------------------------


def _twice(task: Task, answer: RoundSolved) -> RoundSolved:
    return replace(answer, changes=(*answer.changes, *answer.changes))


def _other_round(task: Task, answer: RoundSolved) -> RoundSolved:
    return replace(answer, round=answer.round + 1)


def _backwards(task: Task, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    stops = tuple(stop._replace(expected_leave_at=stop.expected_arrive_at - 9) for stop in change.stops)
    return replace(answer, changes=(change._replace(stops=stops),))


def _drop_only(task: Task, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    return replace(answer, changes=(change._replace(stops=change.stops[1:]),))


def _pickup_only(task: Task, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    return replace(answer, changes=(change._replace(stops=change.stops[:1]),))


def _stranger(task: Task, answer: RoundSolved) -> RoundSolved:
    return replace(answer, changes=(answer.changes[0]._replace(rider_id="nobody"),))


def _elsewhere(task: Task, answer: RoundSolved) -> RoundSolved:
    change = answer.changes[0]
    stops = (change.stops[0]._replace(place=change.stops[1].place), *change.stops[1:])
    return replace(answer, changes=(change._replace(stops=stops),))


def _old_revision(task: Task, answer: RoundSolved) -> RoundSolved:
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

        def look(task: Task, answer: RoundSolved) -> RoundSolved:
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
import api.solver.process as worker
def answer(self, task):
    {what}
worker._Desk.answer = answer
import api.solver.warm_up
api.solver.warm_up.warm_up = api.solver.warm_up.get_ready = lambda: None
worker.main()
"""


@pytest.mark.parametrize(
    ("what", "why"),
    [("import os; os._exit(9)", "dead"), ("import time; time.sleep(60)", "late"), ("raise ValueError", "error")],
)
def test_a_solver_process_that_fails_is_replaced(what: str, why: str) -> None:
    import sys

    async def go() -> None:
        script = CRASHES.format(path=sys.path, what=what)
        travel = Travel(1, "wgs84", StraightSpec({"default": 250.0}))
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
    script = script.replace("def answer", "honest = worker._Desk.answer\ndef answer")

    async def go() -> None:
        travel = Travel(1, "wgs84", StraightSpec({"default": 250.0}))
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
        travel = Travel(3, "wgs84", StraightSpec({"default": 250.0}))
        cold = "import api.solver.warm_up; api.solver.warm_up.warm_up = api.solver.warm_up.get_ready = lambda: None"
        script = f"import sys; sys.path[:] = {sys.path!r}; {cold}; from api.solver.process import main; main()"
        solver = Solver(travel, (sys.executable, "-c", script))
        await solver.start()
        engine = Engine(PlaceBook("wgs84"), Settings())
        with pytest.raises(SolverFailed, match="holds travel times 3, not 4") as failed:
            await solver.solve(task_of(engine.freeze(), engine.board.places, 4, "insertion", 1.0), 120.0)
        assert failed.value.why == "travel" and solver.is_warm
        await solver.close()

    asyncio.run(go())


def test_an_order_that_cannot_be_planned_never_stops_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            import dispatch.rounds.solve

            honest, poisons = dispatch.rounds.solve.solve_round, {"acme.poison"}

            def poisoned(frozen: Any, *rest: Any, **named: Any) -> RoundSolved:
                if poisons & set(frozen.ids.order_ids):
                    raise ZeroDivisionError("poison")
                return honest(frozen, *rest, **named)

            monkeypatch.setattr(dispatch.rounds.solve, "solve_round", poisoned)
            run.solver.say = lambda task, answer: answer
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order("poison"))
            await run.orders.post("/v1/deliveries", json=order("o1"))
            assert await planned(run) == "r1"
            parked = (await run.orders.get("/v1/deliveries/poison")).json()
            assert parked["held"] and parked["status"] == "created" and parked["waiting_because"] == "PARKED"
            told = await run.ops.get("/v1/events", params={"limit": 200})
            assert "delivery.parked" in [event["kind"] for event in told.json()["events"]]
            assert 'halfhour_parked_now{what="order"} 1.0' in (await run.ops.get("/metrics")).text
            poisons.clear()
            assert (await run.orders.patch("/v1/deliveries/poison", json={"priority": 1})).status_code == 200
            assert await planned(run, "acme.poison") == "r1", "taken up again when it changes"
            assert (await run.orders.get("/v1/decisions/poison")).json()["explanation"]

    asyncio.run(go())


def test_an_answer_to_a_closed_round_is_dropped_and_counted(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            told = await run.host.tell(lambda at: RoundSolved(at=at, round=99))
            assert isinstance(told.events[0], AnswerDropped)

    asyncio.run(go())


def test_a_round_left_open_is_abandoned_after_a_restart(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:

            async def never(task: Task, timeout_s: float) -> RoundSolved:
                await asyncio.sleep(3600)
                raise AssertionError

            run.solver.solve = never  # type: ignore[method-assign]
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            await run.until(lambda: run.host.board.open_round)
            await run.host.settled()
            opened = run.host.board.open_round
        async with running(tmp_path) as run:
            first = closings(run)[0]
            assert (first.round, first.cause) == (opened, "ABANDONED")
            assert await planned(run) == "r1"

    asyncio.run(go())


# --- the ledger -----------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_at_once_and_service_resumes_by_itself(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            assert (await run.orders.post("/v1/deliveries", json=order("before"))).status_code == 201
            run.ledger.limit_pages(1)
            statuses = set()
            for k in range(60):
                big = order(f"big{k}", items=[{"name": "x" * 100}] * 90)
                statuses.add((await run.orders.post("/v1/deliveries", json=big)).status_code)
                if 507 in statuses:
                    break
            assert 507 in statuses, statuses
            refused = await run.orders.post("/v1/deliveries", json=order("during"))
            assert refused.status_code == 507 and refused.json()["code"] == "storage_full"
            assert (await run.orders.get("/v1/deliveries/during")).status_code in (404, 507), "no half order"

            async def reads() -> bool:
                return (await run.orders.get("/v1/deliveries/before")).status_code == 200

            await run.until(reads)  # while nothing can be written
            assert (await run.anyone.get("/readyz")).status_code == 507
            assert (await run.anyone.get("/healthz")).status_code == 200
            run.ledger.limit_pages(None)

            async def again() -> bool:
                return (await run.orders.post("/v1/deliveries", json=order("after"))).status_code in (200, 201)

            await run.until(again)
            assert (await run.orders.get("/v1/deliveries/before")).status_code == 200
            assert (await run.orders.get("/v1/deliveries/during")).status_code == 404, "no half order"
            assert await planned(run, "acme.after") == "r1"
            folded = recover(run.ledger, Settings()).board
            assert folded.orders.keys() == run.host.board.orders.keys()

    asyncio.run(go())


def test_nothing_leaves_before_it_is_durable(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            hold = asyncio.get_running_loop().create_future()
            append = run.ledger.append

            def slow(write: Any) -> Any:
                from concurrent.futures import Future

                outer: Future[None] = Future()

                def later(done: Any) -> None:
                    inner = append(write)
                    inner.add_done_callback(lambda f: outer.set_result(None))

                hold.add_done_callback(later)
                return outer

            run.ledger.append = slow  # type: ignore[method-assign]
            making = asyncio.create_task(run.orders.post("/v1/deliveries", json=order()))
            reading = asyncio.create_task(run.riders.get("/v1/riders/r1/route"))
            await run.until(lambda: "acme.o1" in run.host.board.orders)
            await asyncio.sleep(0.3)
            assert not making.done() and not reading.done(), "the engine has it, but nobody has been told"
            assert (await run.orders.get("/v1/events")).json()["events"] == []
            run.ledger.append = append  # type: ignore[method-assign]
            hold.set_result(None)
            assert (await making).status_code == 201
            assert (await reading).status_code == 200

    asyncio.run(go())


def test_a_fold_from_a_snapshot_is_the_fold_from_the_beginning(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            await with_city(run, riders=2)
            for k in range(6):
                await run.orders.post("/v1/deliveries", json=order(f"o{k}"))
                where = {"lat": 48.139 + k * 1e-4, "lng": 11.577}
                await run.riders.post("/v1/riders/r1/position", json={"location": where})
                if k == 3:
                    await run.host.settled()
                    await asyncio.to_thread(run.host.keep_snapshot)
            await planned(run, "acme.o5")
        assert list(tmp_path.glob("snapshot-*"))
        from api.ledger.sqlite.reader import SqliteReader

        reader = SqliteReader(tmp_path)
        with_snapshot = recover(reader, Settings())
        for path in tmp_path.glob("snapshot-*"):
            path.unlink()
        without = recover(reader, Settings())
        assert without.folded > with_snapshot.folded
        assert without.board.dump() == with_snapshot.board.dump()
        first, second = with_snapshot.places, without.places
        assert first.first.tolist() == second.first.tolist() and first.second.tolist() == second.second.tolist()
        reader.close()

    asyncio.run(go())


def test_the_engine_is_dropped_where_a_commit_fails(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            before = run.host.engine
            failing = run.ledger.append

            def fail(write: Any) -> Any:
                from concurrent.futures import Future

                future: Future[None] = Future()
                future.set_exception(LedgerFailed("as told"))
                return future

            def still_fails() -> None:
                raise LedgerFailed("as told")

            async def reads() -> bool:
                return (await run.orders.get("/v1/deliveries")).status_code == 200

            async def is_ready() -> bool:
                return (await run.orders.get("/readyz")).status_code == 200

            resume, run.ledger.resume = run.ledger.resume, still_fails  # type: ignore[method-assign]
            run.ledger.append = fail  # type: ignore[method-assign]
            assert (await run.orders.post("/v1/deliveries", json=order())).status_code == 503
            run.ledger.append = failing  # type: ignore[method-assign]
            await run.until(reads)  # while nothing can be written
            assert run.host.engine is not before and not run.host.board.orders
            assert not await is_ready()
            assert (await run.orders.post("/v1/deliveries", json=order())).status_code == 503
            run.ledger.resume = resume  # type: ignore[method-assign]
            await run.until(is_ready)
            assert (await run.orders.post("/v1/deliveries", json=order())).status_code == 201

    asyncio.run(go())


def test_an_error_of_ours_after_the_engine_leaves_no_trace(tmp_path: Path) -> None:
    """What the engine has heard and the journal has not is forgotten: memory is never ahead of what will be durable."""

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            before = run.host.engine

            def broken(events: Any) -> Any:
                raise ZeroDivisionError("a bug in an answer")

            closed = StoreClosed(at=run.host.clock.now(), store_id="s1")
            with pytest.raises(ZeroDivisionError):
                await run.host.tell(lambda at: closed, respond=broken)
            assert (await run.orders.post("/v1/deliveries", json=order())).status_code == 503

            async def back() -> bool:
                return (await run.orders.get("/v1/deliveries")).status_code == 200

            await run.until(back)
            assert run.host.engine is not before
            assert run.host.board.stores["s1"].closed_until is None

    asyncio.run(go())


# --- riders who fall silent -----------------------------------------------------------------------------------------


def test_an_unseen_route_is_withdrawn_and_a_silent_rider_is_lost(tmp_path: Path) -> None:
    async def go() -> None:
        rules = {"rules.unseen_s": 30, "rules.lost_after_s": 300, "rules.stale_s": 0}
        async with running(tmp_path, speed=50, engine=rules, **QUICK) as run:
            await with_city(run, riders=1)
            await run.orders.post("/v1/deliveries", json=order())
            await run.orders.post("/v1/deliveries/o1/ready")
            await run.until(lambda: run.host.board.riders["r1"].route.told)
            await run.until(lambda: "r1" in run.host.board.orders["acme.o1"].refused_by)
            await run.until(lambda: run.host.board.riders["r1"].lost)

            async def is_said() -> bool:
                events = (await run.ops.get("/v1/events")).json()["events"]
                return "rider.lost" in [event["kind"] for event in events]

            await run.until(is_said)  # news leaves after the commit, which comes after the board
            assert run.host.board.orders["acme.o1"].state is OrderState.CREATED
            await run.riders.post("/v1/riders/r1/position", json={"location": {"lat": 48.138, "lng": 11.576}})
            await run.until(lambda: not run.host.board.riders["r1"].lost)

    asyncio.run(go())


def test_a_ready_order_beside_an_idle_rider_is_told_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, **QUICK) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            await run.orders.post("/v1/deliveries/o1/ready")
            accepted_at = run.host.board.orders["acme.o1"].order.placed_at

            def told() -> list[RouteRevised]:
                return [
                    event
                    for entry in run.ledger.entries()
                    for event in map(decode_event, entry.events)
                    if isinstance(event, RouteRevised) and event.told
                ]

            await run.until(told)
            assert told()[0].at - accepted_at <= 2

    asyncio.run(go())


# --- the ladder -----------------------------------------------------------------------------------------------------


def test_the_ladder_goes_down_under_pressure_and_up_again() -> None:
    ladder = Ladder()
    assert [ladder.note(0.9) for _ in range(5)] == [None, Step.INSERTION, None, Step.URGENT, None]
    assert ladder.note(2.0) is None and ladder.step is Step.URGENT
    moves = [ladder.note(0.1) for _ in range(2 * EASY_ROUNDS)]
    assert [move for move in moves if move is not None] == [Step.INSERTION, Step.SEARCH]
    assert [ladder.note(share) for share in (0.9, 0.5, 0.9, 0.5)] == [None] * 4, "one hard round is no pressure"


def test_orders_that_no_round_could_look_at_are_pressure_however_fast_it_was() -> None:
    ladder = Ladder()
    assert [ladder.note(0.1, left_some=True) for _ in range(4)] == [None, Step.INSERTION, None, Step.URGENT]
    assert [ladder.note(0.1, left_some=True) for _ in range(2 * EASY_ROUNDS)] == [None] * 2 * EASY_ROUNDS


def test_a_round_with_more_orders_than_the_rules_allow_is_a_hard_one(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine={"rules.max_open_orders": 2, "rules.round_s": 1}) as run:
            await with_city(run, riders=0)
            for k in range(4):
                await run.orders.post("/v1/deliveries", json=order(f"o{k}"))
            await run.until(lambda: run.host.rounds.ladder.step is Step.URGENT)

    asyncio.run(go())


def test_a_restart_goes_on_from_the_last_step_and_leaves_it_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            for _ in range(4):
                run.host.rounds._step(run.host, 1.5)
            await run.host.settled()
        async with running(tmp_path) as run:
            assert run.host.rounds.ladder.step is Step.URGENT
            assert "halfhour_ladder_step 2.0" in (await run.ops.get("/metrics")).text
            for _ in range(2 * EASY_ROUNDS):
                run.host.rounds._step(run.host, 0.0)
            assert run.host.board.most_new_orders is None
            assert run.host.board.settings.rules == Settings().rules, "pressure never touches a setting"

    asyncio.run(go())


def test_each_step_is_a_notice_a_metric_and_what_the_last_asks_is_journalled(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            for _ in range(4):
                run.host.rounds._step(run.host, 1.5)
            await run.host.settled()
            status = (await run.ops.get("/v1/status")).json()
            assert status["ladder"] == "urgent" and run.host.board.most_new_orders == 150
            made = (await run.orders.post("/v1/deliveries", json=order())).json()
            slow = (await run.orders.post("/v1/quotes", json=order("q"))).json()["promise"]["due_at"]
            assert slow > made["created_at"]
            for _ in range(2 * EASY_ROUNDS):
                run.host.rounds._step(run.host, 0.0)
            await run.host.settled()
            assert run.host.board.most_new_orders is None
            fast = (await run.orders.post("/v1/deliveries", json=order("o2"))).json()
            from datetime import datetime

            def promised_s(found: Any) -> float:
                ends, begins = (datetime.fromisoformat(found[name]) for name in ("due_at", "created_at"))
                return (ends - begins).total_seconds()

            assert promised_s(made) == promised_s(fast) + 1200, "promises stretch, and shrink again"
            steps = [
                event["data"]["step"]
                for event in (await run.ops.get("/v1/events")).json()["events"]
                if event["kind"] == "service.ladder"
            ]
            assert steps == ["insertion", "urgent", "insertion", "search"]
            assert "halfhour_ladder_step 0.0" in (await run.ops.get("/metrics")).text

    asyncio.run(go())
