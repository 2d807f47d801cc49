"""What a rider at the counter sees of the plan, and what the tenant sees of it before: marked, and bound to nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from api.config import Config
from dispatch.model import Level, OrderState
from halfhour.robots import Robots
from tests.kit.service.running import Running, order, running, with_city

SLOW = {"rules.commit": "at_once", "rules.round_s": 5}


async def stop_of(run: Running, rider_id: str = "r1") -> dict[str, Any]:
    """The first stop on a rider's phone, once there is one."""

    async def first() -> dict[str, Any] | None:
        route = (await run.riders.get(f"/v1/riders/{rider_id}/route")).json()
        await run.riders.post(f"/v1/riders/{rider_id}/route/seen", json={"revision": route["revision"]})
        return route["stops"][0] | {"revision": route["revision"]} if route["stops"] else None

    found: dict[str, Any] = await run.until(first)
    return found


async def at_the_counter(run: Running, **fields: Any) -> dict[str, Any]:
    """r1 stands at s1, where order o1 is ready in half an hour."""
    await with_city(run)
    body = order(pickup_ready_at=run.clock.soon(1800), items=[{"name": "Soup", "quantity": 2}], **fields)
    assert (await run.orders.post("/v1/deliveries", json=body)).status_code == 201
    stop = await stop_of(run)
    assert stop["planned"] == [], "not on the way"
    await run.riders.post(f"/v1/stops/{stop['stop_id']}/arrive")
    return await stop_of(run)


def test_at_the_counter_the_planned_bags_are_shown_and_nothing_is_told(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine=SLOW) as run:
            stop = await at_the_counter(run)
            (bag,) = stop["planned"]
            assert (bag["delivery_id"], bag["tentative"], bag["items"]) == (
                "acme.o1", True, [{"name": "Soup", "quantity": 2, "sku": None}]
            )  # fmt: skip
            assert stop["acts"] == []
            record = run.host.board.riders["r1"]
            assert [act.level for act in record.route.stops[0].acts] == [Level.TENTATIVE]
            assert run.host.board.orders["acme.o1"].state is OrderState.CREATED
            await run.until(lambda: run.host.board.round > 3)
            assert (await run.orders.get("/v1/deliveries/o1")).json()["status"] == "created"
            page = (await run.riders.get("/v1/events")).json()["events"]
            said = [event["data"] for event in page if event["kind"] == "rider.bags"]
            assert [data["deliveries"] for data in said] == [["acme.o1"]] and said[0]["tentative"]

    asyncio.run(go())


def test_a_swap_shows_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine=SLOW) as run:
            stop = await at_the_counter(run)
            params = {"after_revision": stop["revision"], "wait_s": 30}
            waiting = asyncio.create_task(run.riders.get("/v1/riders/r1/route", params=params))
            await asyncio.sleep(0.1)
            hold = {"action": "hold", "delivery_id": "acme.o1", "reason": "customer called"}
            assert (await run.ops.post("/v1/overrides", json=hold)).status_code == 200
            answer = await asyncio.wait_for(waiting, 20)
            shown = answer.json()
            assert shown["revision"] > stop["revision"]
            assert [bag for stop in shown["stops"] for bag in stop["planned"]] == []
            assert run.host.board.riders["r1"].told_revision <= stop["revision"], "it was not told: it was shown"

    asyncio.run(go())


def test_a_rider_who_takes_a_planned_bag_may_say_so(tmp_path: Path) -> None:
    """They take what the counter hands them; only what was shown neither as told nor as planned is not theirs."""

    async def go() -> None:
        async with running(tmp_path, engine=SLOW) as run:
            stop = await at_the_counter(run)
            path = f"/v1/stops/{stop['stop_id']}/complete"
            wrong = await run.riders.post(path, json={"deliveries": ["acme.o9"]})
            assert wrong.status_code == 404
            done = await run.riders.post(path, json={"deliveries": ["acme.o1"]})
            assert done.status_code == 200 and done.json()["known"], done.text
            assert run.host.board.orders["acme.o1"].state.is_on_board

    asyncio.run(go())


def test_who_must_be_asked_sees_no_bags(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine=SLOW) as run:
            await with_city(run, engagement="crowd")
            body = order(pickup_ready_at=run.clock.soon(1800))
            assert (await run.orders.post("/v1/deliveries", json=body)).status_code == 201
            (offer,) = await run.until(lambda: list(run.host.board.offers.values()))
            assert (await run.riders.post(f"/v1/offers/{offer.offer_id}/accept")).status_code == 200
            stop = await stop_of(run)
            await run.riders.post(f"/v1/stops/{stop['stop_id']}/arrive")
            assert (await stop_of(run))["planned"] == []

    asyncio.run(go())


def test_before_it_is_told_the_tenant_sees_the_plan_marked_as_such(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine={"rules.commit": "last_moment"}) as run:
            await with_city(run)
            body = order(pickup_ready_at=run.clock.soon(1800))
            made = (await run.orders.post("/v1/deliveries", json=body)).json()
            assert (made["planned_rider_id"], made["tentative"], made["expected_dropoff_at"]) == (None, False, None)

            async def read() -> dict[str, Any]:
                found: dict[str, Any] = (await run.orders.get("/v1/deliveries/o1")).json()
                return found

            async def is_planned() -> bool:
                return bool((await read())["planned_rider_id"])

            await run.until(is_planned)
            planned = await read()
            assert (planned["planned_rider_id"], planned["tentative"], planned["rider"]) == ("r1", True, None)
            assert planned["expected_pickup_at"] and planned["expected_dropoff_at"] and planned["gives_up_at"] is None
            # Nobody is left: what the plan said is said no longer.
            await run.riders.post("/v1/riders/r1/shift/end")
            gone = await read()
            assert (gone["planned_rider_id"], gone["tentative"], gone["expected_dropoff_at"]) == (None, False, None)
            assert gone["expected_pickup_at"] is None and gone["gives_up_at"] is not None

    asyncio.run(go())


def test_an_order_that_nobody_can_take_says_when_it_ends(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=60, engine={"rules.give_up_s": 240}) as run:
            await with_city(run, riders=0)
            # A promise of half an hour, of which fourteen minutes are left when it is placed.
            body = order(placed_at=run.clock.soon(-1000), pickup_ready_at=run.clock.soon(-900))
            made = (await run.orders.post("/v1/deliveries", json=body)).json()
            ends_at = datetime.fromisoformat(made["due_at"]) + timedelta(seconds=240)
            assert datetime.fromisoformat(made["gives_up_at"]) == ends_at
            await run.until(lambda: run.host.board.orders["acme.o1"].state.is_final)
            await run.host.settled()
            ended = (await run.orders.get("/v1/deliveries/o1")).json()
            assert (ended["status"], ended["gives_up_at"]) == ("undelivered", None)
            assert ended["end_reason"].startswith("no_rider")
            events = (await run.orders.get("/v1/events")).json()["events"]
            (said,) = [event for event in events if event["kind"] == "delivery.giving_up"]
            assert datetime.fromisoformat(said["data"]["ends_at"]) == ends_at
            assert datetime.fromisoformat(said["created_at"]) <= ends_at - timedelta(seconds=100)
            assert events[-1]["kind"] == "delivery.undelivered"

    asyncio.run(go())


def test_a_live_city_gives_up_unless_it_is_told_not_to() -> None:
    assert Config().engine_settings().rules.give_up_s == 7200
    assert Config.model_validate({"engine": {"rules.give_up_s": 0}}).engine_settings().rules.give_up_s == 0


def test_robots_know_a_planned_bag_as_tentative() -> None:
    names = SimpleNamespace(_own_id=lambda delivery_id: delivery_id.partition(".")[2])
    stop = {"acts": [{"delivery_id": "t.a", "kind": "pickup"}], "planned": [{"delivery_id": "t.b", "items": []}]}
    known = Robots._acts(names, stop)  # type: ignore[arg-type]
    assert [(act.order_id, act.level) for act in known] == [("a", Level.TOLD), ("b", Level.TENTATIVE)]
