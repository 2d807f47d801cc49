"""The overload ladder: down under pressure, up again, and known to the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from api.solver.overload import EASY_ROUNDS, Ladder, Step
from tests.kit.service.running import order, running, with_city


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
            rules = run.host.board.settings.rules
            for _ in range(4):
                run.host.rounds._step(run.host, 1.5)
            await run.host.settled()
        async with running(tmp_path) as run:
            assert run.host.rounds.ladder.step is Step.URGENT
            assert "halfhour_ladder_step 2.0" in (await run.ops.get("/metrics")).text
            for _ in range(2 * EASY_ROUNDS):
                run.host.rounds._step(run.host, 0.0)
            assert run.host.board.most_new_orders is None
            assert run.host.board.settings.rules == rules, "pressure never touches a setting"

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
