"""Deliveries over HTTP: taken once, changed as their state lets them, seen by their tenant alone."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from api.http.routes.delivery_changes import CHANGEABLE
from dispatch.model import OrderState
from tests.kit.service.running import DROP, Running, order, planned, running, with_city

QUICK = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}


FAR_OFF = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def deliver(run: Running, external_id: str, upto: str = "delivered", **body: Any) -> None:
    """Rider r1 does what their phone shows until the delivery has the state `upto`."""
    # With the next stop told already they set off the moment they have the goods.
    reached = (upto, "enroute_to_dropoff") if upto == "picked_up" else (upto,)

    async def is_there() -> bool:
        return (await run.orders.get(f"/v1/deliveries/{external_id}")).json()["status"] in reached

    async def step() -> bool:
        if await is_there():
            return True
        route = (await run.riders.get("/v1/riders/r1/route")).json()
        await run.riders.post("/v1/riders/r1/route/seen", json={"revision": route["revision"]})
        if await is_there():
            return True
        if route["stops"]:
            stop = route["stops"][0]["stop_id"]
            await run.riders.post(f"/v1/stops/{stop}/arrive")
            if await is_there():
                return True
            shown = (await run.riders.get("/v1/riders/r1/route")).json()["stops"]
            if shown and shown[0]["stop_id"] == stop and shown[0]["acts"]:
                done = await run.riders.post(f"/v1/stops/{stop}/complete", json=body)
                assert done.status_code == 200, done.text
        return False

    await run.until(step)


def test_an_order_goes_its_way_and_the_fold_is_what_was_lived(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            await with_city(run)
            made = await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=run.clock.soon()))
            assert made.status_code == 201 and made.json()["delivery_id"] == "acme.o1"
            assert made.headers["etag"] == f'"{made.json()["version"]}"'
            await deliver(run, "o1")
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert found["rider"]["rider_id"] == "r1" and found["picked_up_at"] <= found["ended_at"]
            events = (await run.orders.get("/v1/events")).json()["events"]
            assert [event["kind"] for event in events if event["kind"] != "delivery.eta_changed"] == [
                "delivery.created",
                *(["delivery.waiting"] if any(e["kind"] == "delivery.waiting" for e in events) else []),
                "delivery.confirmed",
                *(["delivery.enroute_to_pickup"] if any("enroute_to_p" in e["kind"] for e in events) else []),
                "delivery.arrived_at_pickup",
                "delivery.picked_up",
                *(["delivery.enroute_to_dropoff"] if any("enroute_to_d" in e["kind"] for e in events) else []),
                "delivery.arrived_at_dropoff",
                "delivery.delivered",
            ]
            assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
            run.host._closing = True  # time stands still, so that both boards are of the same moment
            await run.host.settled()
            lived = run.host.board.dump()
        for path in tmp_path.glob("snapshot-*"):
            path.unlink()
        async with running(tmp_path, speed=20, **QUICK) as run:
            folded = run.host.board.dump()
            assert folded["orders"] == lived["orders"] and folded["stores"] == lived["stores"]
            assert folded["riders"] == lived["riders"]
            assert (await run.orders.get("/v1/deliveries/o1")).json()["status"] == "delivered"

    asyncio.run(go())


def test_the_same_order_twice(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            first = await run.orders.post("/v1/deliveries", json=order())
            again = await run.orders.post("/v1/deliveries", json=order())
            assert (first.status_code, again.status_code) == (201, 200)
            assert first.json()["delivery_id"] == again.json()["delivery_id"]
            other = await run.orders.post("/v1/deliveries", json=order(load_units=2))
            assert other.status_code == 409 and other.json()["code"] == "duplicate_delivery"
            assert other.json()["existing"] == "/v1/deliveries/o1"
            both = await asyncio.gather(*(run.orders.post("/v1/deliveries", json=order("o2")) for _ in range(5)))
            assert sorted(found.status_code for found in both) == [200, 200, 200, 200, 201]
            theirs = await run.other.post("/v1/deliveries", json=order("o1", load_units=7))
            assert theirs.status_code == 201, "ids are each tenant's own"

    asyncio.run(go())


def test_an_idempotency_key_replays_the_first_answer(tmp_path: Path) -> None:
    async def go() -> None:
        key, why = {"Idempotency-Key": "k-1"}, {"reason": "sold out"}
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            first = await run.orders.post("/v1/deliveries", json=order(), headers=key)
            burst = await asyncio.gather(
                *(run.orders.post("/v1/deliveries", json=order(), headers=key) for _ in range(4))
            )
            assert {answer.status_code for answer in burst} == {201}
            assert all(answer.json() == first.json() for answer in burst)
            assert all(answer.headers["idempotent-replayed"] == "true" for answer in burst)
            other = await run.orders.post("/v1/deliveries", json=order("o2"), headers=key)
            assert other.status_code == 422 and other.json()["code"] == "key_reused"
            unlike = await run.orders.post("/v1/deliveries/o1/cancel", headers=key)
            assert unlike.status_code == 200, "a key belongs to its route"
            refused = await run.orders.post("/v1/deliveries/o1/cancel", json=why, headers={"Idempotency-Key": "k-2"})
            assert refused.status_code == 409
        async with running(tmp_path) as run:
            later = await run.orders.post("/v1/deliveries", json=order(), headers=key)
            assert later.status_code == 201
            assert later.json() == first.json(), "what is personal is filled in again from the vault"
            refused = await run.orders.post("/v1/deliveries/o1/cancel", json=why, headers={"Idempotency-Key": "k-2"})
            assert refused.status_code == 409 and refused.headers["idempotent-replayed"] == "true"
            bad = {"Idempotency-Key": "k-3"}
            assert (await run.orders.post("/v1/deliveries", json={"x": 1}, headers=bad)).status_code == 422
            assert (await run.orders.post("/v1/deliveries", json=order("o3"), headers=bad)).status_code == 201

    asyncio.run(go())


BAD_ORDERS: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": "red"}, "validation_failed", "colour"),
    ({"external_delivery_id": "a/b"}, "validation_failed", "external_delivery_id"),
    ({"external_delivery_id": ""}, "validation_failed", "external_delivery_id"),
    ({"pickup_store_id": "s9"}, "unknown_store", "pickup_store_id"),
    ({"dropoff": DROP | {"location": {"lat": 91, "lng": 0}}}, "validation_failed", "dropoff.location.lat"),
    ({"dropoff": DROP | {"location": {"lat": 48.137, "lng": 11.575}}}, "invalid_order", "dropoff.location"),
    ({"dropoff": DROP | {"location": {"lat": 49.9, "lng": 11.575}}}, "outside_service_area", "dropoff.location"),
    ({"dropoff": DROP | {"phone_number": "0151"}}, "validation_failed", "dropoff.phone_number"),
    ({"dropoff_deadline_at": "2020-01-01T00:00:00Z"}, "invalid_order", "dropoff_deadline_at"),
    ({"dropoff_deadline_at": "2024-01-01T00:00:00Z"}, "invalid_order", "dropoff_deadline_at"),
    ({"dropoff_deadline_at": "tomorrow"}, "validation_failed", "dropoff_deadline_at"),
    ({"dropoff_deadline_at": 1_900_000_000}, "validation_failed", "dropoff_deadline_at"),
    ({"dropoff_deadline_at": "2030-01-01T00:00:00"}, "validation_failed", "dropoff_deadline_at"),
    ({"placed_at": FAR_OFF}, "invalid_order", "placed_at"),
    ({"pickup_ready_at": FAR_OFF}, "invalid_order", "pickup_ready_at"),
    ({"load_units": -1}, "validation_failed", "load_units"),
    ({"load_units": 10**30}, "validation_failed", "load_units"),
    ({"needs": ["wings"]}, "validation_failed", "needs"),
    ({"goods": {"class": "ice"}}, "validation_failed", "goods.class"),
    ({"tier": "gold"}, "validation_failed", "tier"),
    ({"goods": {"class": "ice", "litres": 2}}, "validation_failed", "goods.litres"),
    ({"items": [{"name": "x"}] * 101}, "validation_failed", "items"),
    ({"order_value": 1.5}, "validation_failed", "order_value"),
    ({"pin": "1234"}, "validation_failed", ""),
]


def test_a_change_is_refused_for_what_an_order_is_refused_for(tmp_path: Path) -> None:
    """Instants that the engine cannot hold, or that cannot be met, come in by no door; the city goes on."""

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            soon = run.clock.soon
            far, past = "2099-12-31T23:59:59Z", "2001-01-01T00:00:00Z"
            named = order("o1", pickup_ready_at=soon(), dropoff_deadline_at=soon(3600), load_units=99_999)
            assert (await run.orders.post("/v1/deliveries", json=named)).status_code == 201
            impossible = [
                ({"pickup_ready_at": far}, "pickup_ready_at"),
                ({"pickup_ready_at": past}, "pickup_ready_at"),
                ({"dropoff_ready_at": far}, "dropoff_ready_at"),
                ({"dropoff_ready_at": far, "dropoff_deadline_at": far}, "dropoff_ready_at"),
                ({"dropoff_deadline_at": far}, "dropoff_deadline_at"),
                ({"release_at": far}, "release_at"),
                ({"dropoff_deadline_at": soon(30)}, "dropoff_deadline_at"),
                ({"dropoff_deadline_at": soon(900), "dropoff_ready_at": soon(1200)}, "dropoff_deadline_at"),
                ({"dropoff_deadline_at": soon(900), "pickup_ready_at": soon(1200)}, "dropoff_deadline_at"),
                ({"dropoff_deadline_at": soon(900), "release_at": soon(1200)}, "release_at"),
            ]
            for body, field in impossible:
                made = await run.orders.post("/v1/deliveries", json=order("o2") | body)
                changed = await run.orders.patch("/v1/deliveries/o1", json=body)
                for answer in (made, changed):
                    assert answer.status_code == 422, (body, answer.text)
                    assert [error["field"] for error in answer.json()["field_errors"]] == [field], body
            released = await run.orders.patch("/v1/deliveries/o1", json={"release_at": soon(4000)})
            assert released.status_code == 422, "the deadline was named and would lie before it"
            for at in (far, past):
                late = await run.orders.post("/v1/deliveries/o1/ready_estimate", json={"pickup_ready_at": at})
                assert late.status_code == 422 and late.json()["field_errors"][0]["field"] == "pickup_ready_at"
            later = await run.orders.post("/v1/deliveries/o1/ready_estimate", json={"pickup_ready_at": soon(4000)})
            assert later.status_code == 200, "a kitchen that is late is news"
            assert (await run.orders.post("/v1/deliveries/o1/ready", json={"happened_at": past})).status_code == 200
            shut = await run.ops.post("/v1/stores/s1/close", json={"until": far})
            assert shut.status_code == 422 and shut.json()["field_errors"][0]["field"] == "until"
            assert (await run.orders.post("/v1/deliveries", json=order("o3"))).status_code == 201
            assert await planned(run, "acme.o3") == "r1"

    asyncio.run(go())


def test_one_order_written_in_two_ways_is_one_order(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            ready_at = run.clock.soon(600)
            elsewhere = datetime.fromisoformat(ready_at).astimezone(timezone(timedelta(hours=2))).isoformat()
            first = await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=ready_at))
            explicit = order(pickup_ready_at=elsewhere, priority=0, load_units=1, needs=[], release_at=None)
            again = await run.orders.post("/v1/deliveries", json=explicit)
            assert (first.status_code, again.status_code) == (201, 200)
            other = await run.orders.post("/v1/deliveries", json=explicit | {"priority": 1})
            assert other.status_code == 409

    asyncio.run(go())


def test_places_of_another_city_are_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            swapped = {"location": {"lat": 11.575, "lng": 48.137}}
            nowhere = {"location": {"lat": 0, "lng": 0}}
            for path in ("/v1/stores/s2", "/v1/riders/r2"):
                for body in (swapped, nowhere):
                    answer = await run.admin.put(path, json=body)
                    assert answer.status_code == 422, answer.text
                    assert answer.json()["field_errors"][0]["field"] == "location"
            moved = await run.ops.put("/v1/stores/s1", json={"location": {"lat": 48.2, "lng": 11.6}})
            assert moved.status_code == 200, "the only store may be put right"

    asyncio.run(go())


def test_bad_orders_are_refused_with_their_field_and_nothing_is_stored(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            before = run.host.seq
            for fields, code, field in BAD_ORDERS:
                answer = await run.orders.post("/v1/deliveries", json=order("bad") | fields)
                problem = answer.json()
                assert answer.status_code in (404, 422), (fields, problem)
                assert answer.headers["content-type"] == "application/problem+json"
                assert problem["code"] == code, (fields, problem)
                assert field in [error["field"] for error in problem["field_errors"]], (fields, problem)
                assert "Canary" not in answer.text
            for text in (b"", b"{", b'{"a": NaN}', b"[]", b"null", b'"x"', b"\xff\xfe"):
                answer = await run.orders.post(
                    "/v1/deliveries", content=text, headers={"Content-Type": "application/json"}
                )
                assert answer.status_code == (415 if text[:1] == b"\xff" else 422), text
            nan = json.dumps(order("nan")).replace("48.142", "NaN")
            answer = await run.orders.post("/v1/deliveries", content=nan, headers={"Content-Type": "application/json"})
            assert answer.status_code == 422
            assert run.host.seq == before and not run.host.board.orders

    asyncio.run(go())


def test_what_may_change_in_which_state(tmp_path: Path) -> None:
    """Walks the table of CHANGEABLE over the states that a delivery passes."""

    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            soon = run.clock.soon
            patches: dict[str, Any] = {
                "pickup_ready_at": soon(900),
                "release_at": soon(5 * 86_400),
                "load_units": 2,
                "needs": ["cool_box"],
                "items": [{"name": "soup", "quantity": 2}],
                "priority": 1,
                "dropoff": DROP | {"instructions": "ring twice"},
                "dropoff_ready_at": soon(5),
                "dropoff_deadline_at": soon(5 * 86_400),
                "order_value": 1999,
            }
            assert patches.keys() == CHANGEABLE.keys()
            await with_city(run, provides=["cool_box"])
            for state in ("created", "picked_up", "delivered", "cancelled"):
                for field, value in patches.items():
                    name = f"{state}-{field}"
                    hold = state in ("created", "cancelled")
                    body = order(name, pickup_ready_at=soon(), release_at=soon(4 * 86_400) if hold else None)
                    assert (await run.orders.post("/v1/deliveries", json=body)).status_code == 201
                    if state == "cancelled":
                        await run.orders.post(f"/v1/deliveries/{name}/cancel")
                    elif state != "created":
                        await deliver(run, name, upto=state)
                    answer = await run.orders.patch(f"/v1/deliveries/{name}", json={field: value})
                    allowed = OrderState(state) in CHANGEABLE[field]
                    assert answer.status_code == (200 if allowed else 409), (name, answer.text)
                    if state == "picked_up":
                        await deliver(run, name)
            found = (await run.orders.get("/v1/deliveries/created-dropoff")).json()
            assert found["dropoff"]["instructions"] == "ring twice"
            assert (await run.orders.get("/v1/deliveries/created-order_value")).json()["order_value"] == 1999

    asyncio.run(go())


def test_a_change_of_the_version_that_was_read(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            tag = (await run.orders.post("/v1/deliveries", json=order())).headers["etag"]
            changed = await run.orders.patch("/v1/deliveries/o1", json={"load_units": 2}, headers={"If-Match": tag})
            assert changed.status_code == 200 and changed.headers["etag"] != tag
            stale = await run.orders.patch("/v1/deliveries/o1", json={"load_units": 3}, headers={"If-Match": tag})
            assert stale.status_code == 412 and stale.json()["code"] == "revision_mismatch"
            moved = DROP | {"location": {"lat": 48.15, "lng": 11.59}}
            found = await run.orders.patch("/v1/deliveries/o1", json={"dropoff": moved})
            assert found.json()["dropoff"]["location"] == moved["location"]
            assert (await run.orders.get("/v1/deliveries/o1")).json() == found.json()
            assert (await run.orders.patch("/v1/deliveries/o1", json={})).status_code == 422

    asyncio.run(go())
