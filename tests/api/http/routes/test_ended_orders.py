"""Deliveries that have left the board: read, listed and replayed as before, changed no more, erased when asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from dispatch.model import OrderState
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.running import Running, order, running, with_city

SOON = {"rules.ended_keep_s": 30, "rules.round_s": 2, "rules.round_mode": "beat"}
"""Orders leave with a wake-up, and a city at rest has none before a rider has been silent for long; beats go on."""


async def gone(run: Running, *names: str) -> None:
    """Waits until these have left the board and everything is durable."""
    await run.until(lambda: not {f"acme.{name}" for name in names} & set(run.host.board.orders))
    await run.host.settled()


def shown(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def with_an_ended_order(run: Running) -> None:
    """A little city whose order `o1` was cancelled and has left the board."""
    await with_city(run)
    await run.orders.post("/v1/deliveries", json=order())
    await run.orders.post("/v1/deliveries/o1/cancel")
    await gone(run, "o1")


def test_a_delivery_reads_the_same_on_and_off_the_board(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, engine=SOON, **QUICK) as run:
            await with_city(run)
            key = {"Idempotency-Key": "k1"}
            body = order(pickup_ready_at=run.clock.soon())
            made = await run.orders.post("/v1/deliveries", json=body, headers=key)
            await deliver(run, "o1")
            before = shown(await run.orders.get("/v1/deliveries/o1"))
            follow = shown(await run.anyone.get(before["tracking_path"]))
            await gone(run, "o1")
            assert not run.host.leaving and not run.host.board.ended_orders
            assert shown(await run.orders.get("/v1/deliveries/o1")) == before
            assert shown(await run.ops.get("/v1/deliveries/acme.o1")) == before
            assert (await run.other.get("/v1/deliveries/o1")).status_code == 404
            assert shown(await run.anyone.get(before["tracking_path"])) == follow
            assert shown(await run.orders.get("/v1/decisions/o1"))["status"] == "delivered"
            again = await run.orders.post("/v1/deliveries", json=body, headers=key)
            assert again.status_code == 201 and again.json() == made.json()
            assert shown(await run.orders.post("/v1/deliveries", json=body)) == before
            other = await run.orders.post("/v1/deliveries", json=body | {"load_units": 3})
            assert other.status_code == 409 and other.json()["code"] == "duplicate_delivery"
        async with running(tmp_path, speed=20, engine=SOON, **QUICK) as run:
            assert shown(await run.orders.get("/v1/deliveries/o1")) == before
            assert run.host.board.orders_taken == 1

    asyncio.run(go())


def test_it_changes_no_more(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, engine=SOON, **QUICK) as run:
            await with_an_ended_order(run)
            before, seq = shown(await run.orders.get("/v1/deliveries/o1")), run.host.seq
            refused = [
                await run.orders.post("/v1/deliveries/o1/cancel", json={"reason": "store"}),
                await run.orders.patch("/v1/deliveries/o1", json={"load_units": 2}),
                await run.ops.post(
                    "/v1/overrides", json={"action": "hold", "delivery_id": "acme.o1", "reason": "because"}
                ),
            ]
            assert [answer.status_code for answer in refused] == [409] * 3
            assert {answer.json()["code"] for answer in refused} == {"invalid_transition"}
            for said_again in ("ready", "cancel"):
                assert shown(await run.orders.post(f"/v1/deliveries/o1/{said_again}")) == before
            kinds = [entry.input["kind"] for entry in run.ledger.entries(seq)]
            assert not {"OrderCancelled", "OrderChanged", "OrderHeld", "OrderReady"} & set(kinds)

    asyncio.run(go())


def test_erasure_reaches_it_and_its_events_count_on(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, engine=SOON, **QUICK) as run:
            await with_an_ended_order(run)
            assert (await run.orders.post("/v1/deliveries/o1/erase")).status_code == 200
            assert shown(await run.orders.get("/v1/deliveries/o1"))["dropoff"] is None
            events = shown(await run.orders.get("/v1/events"))["events"]
            assert events[-1]["kind"] == "delivery.erased"
            assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))

    asyncio.run(go())


def test_pages_go_from_the_board_into_the_ledger(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, engine=SOON, **QUICK) as run:
            await with_city(run)
            for k in range(1, 8):
                await run.orders.post("/v1/deliveries", json=order(f"o{k}"))
                if k in (1, 2, 5):
                    await run.orders.post(f"/v1/deliveries/o{k}/cancel")
            await run.other.post("/v1/deliveries", json=order("theirs"))
            await gone(run, "o1", "o2", "o5")

            async def walk(**asked: Any) -> list[str]:
                found, after = [], None
                while True:
                    page = shown(
                        await run.orders.get(
                            "/v1/deliveries", params=asked | {"limit": 2} | ({"after": after} if after else {})
                        )
                    )
                    found += [one["external_delivery_id"] for one in page["deliveries"]]
                    after = page["next"]
                    if after is None:
                        return found

            assert await walk() == ["o7", "o6", "o5", "o4", "o3", "o2", "o1"]
            assert await walk(status="cancelled") == ["o5", "o2", "o1"]
            assert await walk(store_id="nowhere") == []
            everybody = shown(await run.ops.get("/v1/deliveries"))["deliveries"]
            assert len(everybody) == 8
            assert [one.seq for one in run.host.newest_orders(state=OrderState.CANCELLED, limit=2)] == [4, 1]

    asyncio.run(go())


def test_what_is_on_its_way_to_the_disk_is_seen(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, engine=SOON, **QUICK) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            await run.orders.post("/v1/deliveries/o1/cancel")
            seen = []
            write = run.host._write

            def watched(said: Any) -> Any:
                future = write(said)
                if said.ended:
                    seen.append((run.host.order("acme.o1"), [one.seq for one in run.host.newest_orders(limit=5)]))
                return future

            run.host._write = watched
            await gone(run, "o1")
            await run.until(lambda: seen)
            record, seqs = seen[0]
            assert record is not None and record.state is OrderState.CANCELLED and seqs == [0]

    asyncio.run(go())
