"""What phones report over HTTP: only of what is theirs, with its proof, and said again it is the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from api.http.proofs import MOST_TRIES
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.running import Running, order, running, with_city

PIN = {"proof_of_delivery": "pin", "pin": "4711"}


async def as_rider(run: Running, rider_id: str) -> dict[str, Any]:
    token = (await run.riders.post(f"/v1/riders/{rider_id}/token")).json()["token"]
    return {"headers": {"Authorization": f"Bearer {token}"}}


async def at_the_door(run: Running, **body: Any) -> str:
    """r1 stands at the door of o1; the stop's id."""
    await with_city(run)
    made = await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=run.clock.soon(), **body))
    assert made.status_code == 201
    await deliver(run, "o1", upto="arrived_at_dropoff")
    stop: str = (await run.riders.get("/v1/riders/r1/route")).json()["stops"][0]["stop_id"]
    return stop


async def status_of(run: Running, external_id: str = "o1") -> str:
    found: str = (await run.orders.get(f"/v1/deliveries/{external_id}")).json()["status"]
    return found


def test_a_delivery_that_wants_a_proof_gets_it_on_every_path(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            door = await at_the_door(run, **PIN)
            older = f"r1.{int(door.rpartition('.')[2]) - 1}"
            named = {"deliveries": ["acme.o1"]}
            assert (await run.riders.post(f"/v1/stops/{older}/complete", json=named)).json().get("known") is not True
            assert (await run.riders.post(f"/v1/stops/{door}/complete", json=named)).status_code == 422
            assert await status_of(run) == "arrived_at_dropoff"
            await run.riders.post(f"/v1/stops/{door}/fail", json={"reason": "customer_absent"})
            assert await status_of(run) == "returning"
            late = await run.riders.post(f"/v1/stops/{door}/complete", json=named)
            assert late.status_code == 422 and late.json()["code"] == "proof_required"
            met = await run.riders.post(f"/v1/stops/{door}/complete", json={"pins": {"acme.o1": "4711"}})
            assert met.json() == {"taken": True, "known": True}
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert (found["status"], found["proof"], found["end_reason"]) == ("delivered", {"kind": "pin"}, None)

    asyncio.run(go())


def test_a_rider_can_say_nothing_of_what_is_not_theirs(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            door = await at_the_door(run, **PIN)
            await run.other.post("/v1/deliveries", json=order("secret", **PIN))
            await run.ops.post(
                "/v1/overrides", json={"action": "hold", "delivery_id": "bee.secret", "reason": "customer called"}
            )
            await run.riders.put("/v1/riders/r2", json={"location": {"lat": 48.138, "lng": 11.576}})
            mine, others = await as_rider(run, "r1"), await as_rider(run, "r2")
            for verb, more in (("complete", {}), ("complete", {"pin": "4711"}), ("fail", {"reason": "shut"})):
                body = {"deliveries": ["bee.secret"]} | more
                answer = await run.anyone.post(f"/v1/stops/{door}/{verb}", json=body, **mine)
                assert answer.status_code == 404 and answer.json()["code"] == "unknown_delivery"
                taken = await run.anyone.post(f"/v1/stops/{door}/{verb}", json=body, **others)
                assert taken.status_code == 404, "not their stop"
            assert (await run.other.get("/v1/deliveries/secret")).json()["status"] == "created"
            assert "secret" not in (await run.riders.get("/v1/riders/r1/route")).text
            nothing = {"deliveries": ["acme.o9"]}
            assert (await run.anyone.post(f"/v1/stops/{door}/complete", json=nothing, **mine)).status_code == 404

    asyncio.run(go())


def test_wrong_pins_lock_over_a_restart_and_operations_decide(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            door = await at_the_door(run, **PIN)
            version = (await run.orders.get("/v1/deliveries/o1")).json()["version"]
            path = f"/v1/stops/{door}/complete"
            answers = await asyncio.gather(*(run.riders.post(path, json={"pin": f"{k:04}"}) for k in range(20)))
            codes = sorted(answer.json()["code"] for answer in answers)
            assert codes == ["proof_locked"] * (20 - MOST_TRIES) + ["proof_required"] * MOST_TRIES
            assert (await run.riders.post(path, json={"pin": "4711"})).status_code == 409, "even the right one"
            kinds = [event["kind"] for event in (await run.ops.get("/v1/events")).json()["events"]]
            assert kinds.count("delivery.proof_locked") == 1
            assert (await run.orders.get("/v1/deliveries/o1")).json()["version"] == version
        async with running(tmp_path, speed=20, **QUICK) as run:
            assert (await run.riders.post(path, json={"pin": "4711"})).json()["code"] == "proof_locked"
            said = {"action": "delivered", "delivery_id": "acme.o1", "reason": "the customer says so"}
            assert (await run.ops.post("/v1/overrides", json=said)).status_code == 200
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert (found["status"], found["end_reason"]) == ("delivered", "other"), "words may name a person"
            why = (await run.ops.get("/v1/decisions/acme.o1")).json()
            assert why["words"] == {"delivered": "the customer says so"}
            assert (await run.ops.post("/v1/overrides", json=said)).status_code == 409, "it is"
            assert (await run.ops.post("/v1/overrides", json=said | {"action": "undo"})).status_code == 200
            assert await status_of(run) in ("picked_up", "enroute_to_dropoff")
            assert (await run.riders.get("/v1/riders/r1/route")).json()["stops"][0]["acts"][0]["kind"] == "drop"
            assert (await run.orders.post("/v1/overrides", json=said)).status_code == 403

    asyncio.run(go())


def test_our_page_reports_a_delivery_after_customer_care_has_cancelled_it(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            door = await at_the_door(run)
            at = run.clock.soon()
            assert (await run.orders.post("/v1/deliveries/o1/cancel")).json()["status"] == "returning"
            told = await run.riders.post(f"/v1/stops/{door}/complete", json={"happened_at": at})
            assert told.json()["known"] is True and await status_of(run) == "delivered"

    asyncio.run(go())


def test_goods_taken_at_the_counter_after_a_cancellation_come_back(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=run.clock.soon()))

            async def told() -> list[Any]:
                stops = (await run.riders.get("/v1/riders/r1/route")).json()["stops"]
                if stops:
                    await run.riders.post(f"/v1/stops/{stops[0]['stop_id']}/arrive")
                return [stop for stop in stops[:1] if stop["acts"]]

            (counter,) = await run.until(told)
            await run.orders.post("/v1/deliveries/o1/cancel")
            await run.riders.post(f"/v1/stops/{counter['stop_id']}/complete")
            assert await status_of(run) == "returning"
            (stop,) = (await run.riders.get("/v1/riders/r1/route")).json()["stops"]
            assert stop["store_id"] == "s1" and stop["acts"][0]["kind"] == "return"
            assert stop["acts"][0]["dropoff"] is None and stop["acts"][0]["proof_of_delivery"] == "none"

    asyncio.run(go())


def test_what_was_said_without_a_key_and_is_said_again_is_the_same(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            await run.riders.put("/v1/riders/r1", json={"location": {"lat": 48.138, "lng": 11.576}})

            async def twice(client: httpx.AsyncClient, path: str, body: Any = None) -> None:
                answers = [await client.post(path, json=body) for _ in range(2)]
                assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
                assert answers[0].json() == answers[1].json()

            shift = "/v1/riders/r1/shift"
            await twice(run.riders, shift)
            await twice(run.riders, shift + "/end")
            await twice(run.riders, shift, {"end_at": run.clock.soon(7200)})
            later = {"start_at": run.clock.soon(8000), "end_at": run.clock.soon(9000)}
            await twice(run.riders, shift, later)
            other = await run.riders.post(shift, json=later | {"end_at": run.clock.soon(9500)})
            assert other.status_code == 409, "another shift, at the same time"
            assert len(run.host.board.riders["r1"].shifts) == 2
            await run.orders.post("/v1/deliveries", json=order())
            await twice(run.orders, "/v1/deliveries/o1/cancel", {"reason": "customer called"})
            assert (await run.orders.post("/v1/deliveries/o1/cancel")).status_code == 409, "another reason"

    asyncio.run(go())


def test_goods_are_handed_over_where_somebody_can_fetch_them(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            await at_the_door(run)
            said = {"action": "handover", "delivery_id": "acme.o1", "reason": "phone is dead"}
            for lat, lng, status in ((0, 0, 422), (-48.137, 11.575, 422), (48.1375, 11.5751, 200)):
                answer = await run.ops.post("/v1/overrides", json=said | {"location": {"lat": lat, "lng": lng}})
                assert answer.status_code == status, answer.text
            assert run.host.board.orders["acme.o1"].pick_place is not None

    asyncio.run(go())


def test_a_phone_whose_clock_is_ahead_is_alive_and_a_bad_position_costs_itself(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=3)
            where = {"lat": 48.1385, "lng": 11.5765}
            batch = [
                {"rider_id": "r1", "location": where, "seen_at": run.clock.soon(3600)},
                {"rider_id": "r2", "location": {"lat": 95, "lng": 11.5}},
                {"rider_id": "r3", "location": where, "seen_at": run.clock.soon(-3600)},
                {"rider_id": "r2", "location": where},
                "r3",
            ]
            found = (await run.riders.post("/v1/positions", json={"positions": batch})).json()
            assert (found["taken"], found["left_out"]) == (2, 3)
            assert [left["why"] for left in found["why"]] == ["unreadable: location.lat", "stale", "unreadable"]
            assert [left["index"] for left in found["why"]] == [1, 2, 4]
            assert run.host.positions.newest("r1").seen_at <= run.clock.now()

    asyncio.run(go())


def test_of_goods_whose_rider_is_silent_the_tenant_hears_and_no_instant_is_made_up(tmp_path: Path) -> None:
    """Once for a silence, long before anybody counts as lost; "one minute away" is not said meanwhile."""

    async def go() -> None:
        quiet = {"rules.stale_s": 60, "rules.lost_after_s": 3_600}
        async with running(tmp_path, speed=20, engine=quiet, **QUICK) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=run.clock.soon()))
            await deliver(run, "o1", upto="picked_up")
            on_its_way = (await run.orders.get("/v1/deliveries/o1")).json()
            assert on_its_way["expected_dropoff_at"] is not None

            async def announced() -> list[Any]:
                events = (await run.orders.get("/v1/events?limit=200")).json()["events"]
                return [event for event in events if event["kind"] == "delivery.at_risk"]

            (said,) = await run.until(announced)
            assert said["data"]["reason"] == "rider_silent" and said["data"]["expected_dropoff_at"] is None
            silent = (await run.orders.get("/v1/deliveries/o1")).json()
            assert silent["status"] in ("picked_up", "enroute_to_dropoff") and silent["expected_dropoff_at"] is None
            link = on_its_way["tracking_path"]
            assert (await run.anyone.get(link)).json()["expected_dropoff_at"] is None

            async def expected_again() -> bool:
                await run.riders.post("/v1/riders/r1/position", json={"location": {"lat": 48.14, "lng": 11.578}})
                heard = (await run.orders.get("/v1/deliveries/o1")).json()
                return heard["expected_dropoff_at"] is not None

            await run.until(expected_again)

    asyncio.run(go())


def test_a_first_fix_in_another_country_moves_nobody(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20) as run:
            await with_city(run)
            pole = {"location": {"lat": 89.9, "lng": 0.0}}
            answer = (await run.riders.post("/v1/riders/r1/position", json=pole)).json()
            assert answer == {"taken": 0, "left_out": 1, "why": [{"index": 0, "why": "elsewhere"}]}
            near = {"location": {"lat": 48.2, "lng": 11.7}}
            batch = {"positions": [{"rider_id": "r1"} | pole, {"rider_id": "r1"} | near]}
            answer = (await run.riders.post("/v1/positions", json=batch)).json()
            assert answer["taken"] == 1 and answer["why"] == [{"index": 0, "why": "elsewhere"}]
            await run.orders.post("/v1/deliveries", json=order())
            await run.until(lambda: run.host.board.orders["acme.o1"].planned_rider_id)

    asyncio.run(go())
