"""A flood: refused early with a time to come back, nothing acknowledged lost, and nobody else pays for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.api.running import order, running, with_city


def test_a_flood_is_refused_early_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_waiting=16) as run:
            await with_city(run)
            names = [f"f{k}" for k in range(400)]
            answers = await asyncio.gather(*(run.orders.post("/v1/deliveries", json=order(name)) for name in names))
            counts = Counter(answer.status_code for answer in answers)
            assert set(counts) == {201, 429} and counts[429] > 100, counts
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert int(refused.headers["retry-after"]) >= 1 and refused.json()["code"] == "overloaded"
            for name, answer in zip(names, answers, strict=True):
                there = f"acme.{name}" in run.host.board.orders
                assert there is (answer.status_code == 201), name
            assert run.ledger.head() >= counts[201]
            assert (await run.orders.post("/v1/deliveries", json=order("after"))).status_code == 201

    asyncio.run(go())


def test_one_tenants_flood_leaves_room_for_another(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_waiting=16) as run:
            await with_city(run)
            flood = [asyncio.create_task(run.orders.post("/v1/deliveries", json=order(f"f{k}"))) for k in range(300)]
            await asyncio.sleep(0)
            theirs = [await run.other.post("/v1/deliveries", json=order(f"o{k}")) for k in range(3)]
            assert [answer.status_code for answer in theirs] == [201, 201, 201]
            assert 429 in {answer.status_code for answer in await asyncio.gather(*flood)}

    asyncio.run(go())


def test_a_city_that_is_full_says_so(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, most_open_orders=2) as run:
            await with_city(run, riders=0)
            statuses = [(await run.orders.post("/v1/deliveries", json=order(f"o{k}"))).status_code for k in range(3)]
            assert statuses == [201, 201, 429]
            full = await run.orders.post("/v1/deliveries", json=order("o9"))
            assert full.json()["code"] == "no_capacity" and full.json()["retry_after_s"] == 30
            await run.orders.post("/v1/deliveries/o1/cancel")
            assert (await run.orders.post("/v1/deliveries", json=order("o9"))).status_code == 201

    asyncio.run(go())
