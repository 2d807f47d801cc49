"""The host under failure: rounds that cannot be planned, disks that refuse, riders that fall silent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.recovery import recover
from api.solver.messages import RoundTask
from dispatch.codec import decode_event
from dispatch.events import AnswerDropped, RouteRevised
from dispatch.inputs import RoundSolved, StoreClosed
from dispatch.model import OrderState
from dispatch.settings.settings import Settings
from tests.api.solver.test_failing_solvers import closings
from tests.kit.service.running import order, planned, running, with_city

QUICK = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}


# --- the solver -----------------------------------------------------------------------------------------------------


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

            async def never(task: RoundTask, timeout_s: float) -> RoundSolved:
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
        rules = {"rules.route_ack_timeout_s": 30, "rules.lost_after_s": 300, "rules.stale_s": 0}
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
