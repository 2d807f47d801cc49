"""Riders as people over HTTP: pairs that must not meet, receipts that only they read, decisions taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.kit.service.running import DROP, order, planned, running, with_city


def test_a_pair_is_said_listed_respected_and_ended(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=2)
            said = await run.ops.post("/v1/riders/r1/apart", json={"store_id": "s1", "reason": "they shouted at me"})
            assert said.status_code == 200, said.text
            (pair,) = (await run.ops.get("/v1/riders/r1/apart")).json()
            assert (pair["party"], pair["name"], pair["reason"]) == ("store", "s1", "other")
            assert pair["words"] == "they shouted at me" and pair["by"], "own words stay out of the journal"
            await run.orders.post("/v1/deliveries", json=order())
            assert await planned(run) == "r2"
            forced = {"action": "assign", "delivery_id": "acme.o1", "rider_id": "r1", "reason": "too late"}
            refused = await run.ops.post("/v1/overrides", json=forced)
            assert (refused.status_code, refused.json()["code"]) == (422, "not_allowed")
            nowhere = await run.ops.post("/v1/riders/r1/apart", json={"store_id": "s9", "reason": "safety"})
            assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unknown_store")
            assert (await run.riders.get("/v1/riders/r1/apart")).status_code == 403, "operations alone"
            ended = await run.ops.post("/v1/riders/r1/apart/end", json={"store_id": "s1", "reason": "safety"})
            assert ended.json() == []
            again = await run.ops.post("/v1/riders/r1/apart/end", json={"store_id": "s1", "reason": "safety"})
            assert again.json()["code"] == "invalid_transition"

    asyncio.run(go())


def test_a_customer_is_named_by_a_delivery_and_known_again_by_the_next_one(tmp_path: Path) -> None:
    drop: dict[str, Any] = DROP | {"customer_id": "c-77"}

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=2)
            await run.orders.post("/v1/deliveries", json=order("o1", dropoff=drop))
            first = await planned(run)
            body = {"delivery_id": "acme.o1", "reason": "customer called"}
            (pair,) = (await run.ops.post(f"/v1/riders/{first}/apart", json=body)).json()
            assert pair["party"] == "customer" and "c-77" not in str(pair)
            other = await planned(run)
            assert other != first, "planned anew at once"
            await run.orders.post("/v1/deliveries", json=order("o2", dropoff=drop))
            assert await planned(run, "acme.o2") == other
            named = {"party": "customer", "name": pair["name"], "reason": "customer called"}
            assert (await run.ops.post(f"/v1/riders/{first}/apart/end", json=named)).json() == []
            bare = await run.ops.post("/v1/riders/r1/apart", json={"reason": "safety"})
            assert bare.json()["code"] == "validation_failed"

    asyncio.run(go())


def test_a_rider_reads_their_receipts_and_operations_take_a_log_off_back(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, rider_contact="Kim, +49 89 1234") as run:
            await with_city(run, riders=2)
            token = (await run.riders.post("/v1/riders/r1/token")).json()["token"]
            mine = {"Authorization": f"Bearer {token}"}
            reason = {"reason": "three customers complained"}
            assert (await run.ops.post("/v1/riders/r1/shift/end", json=reason)).json()["on_duty"] is False
            shown = (await run.anyone.get("/v1/riders/r1/receipts", headers=mine)).json()
            assert shown["contact"] == "Kim, +49 89 1234" and shown["now"] == ["You are off duty."]
            (receipt,) = shown["receipts"]
            assert receipt["text"] == (
                "Operations logged you off: three customers complained. This can be taken back: ask Kim, +49 89 1234, "
                "and name receipt 1."
            )
            assert (await run.anyone.get("/v1/riders/r2/receipts", headers=mine)).status_code == 404
            path = f"/v1/riders/r1/receipts/{receipt['number']}/reverse"
            assert (await run.anyone.post(path, headers=mine, json=reason)).status_code == 403
            back = await run.ops.post(path, json={"reason": "it was another rider"})
            assert back.status_code == 200, back.text
            shown = (await run.anyone.get("/v1/riders/r1/receipts", headers=mine)).json()
            assert shown["receipts"][0]["text"] == "Operations took receipt 1 back: it was another rider."
            assert (await run.riders.get("/v1/riders/r1")).json()["on_duty"] is True
            assert (await run.ops.post(path, json=reason)).json()["code"] == "invalid_transition"
            unknown = await run.ops.post("/v1/riders/r1/receipts/99/reverse", json=reason)
            assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_receipt")
            events = (await run.ops.get("/v1/events")).json()["events"]
            assert "rider.reversed" in {event["kind"] for event in events}

    asyncio.run(go())


def test_custody_is_on_the_wire(tmp_path: Path) -> None:
    quick: dict[str, Any] = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}

    async def go() -> None:
        async with running(tmp_path, speed=20, **quick) as run:
            await with_city(run)
            made = (await run.orders.post("/v1/deliveries", json=order())).json()
            assert [part["held_by"] for part in made["custody"]] == ["store"]
            await run.orders.post("/v1/deliveries/o1/ready")
            await run.until(lambda: run.host.board.riders["r1"].route.told)
            stop = run.host.board.riders["r1"].route.told[0].stop_id
            await run.riders.post(f"/v1/stops/{stop}/arrive")
            await run.until(lambda: run.host.board.orders["acme.o1"].rider_id)
            await run.riders.post(f"/v1/stops/{stop}/complete")
            chain = (await run.orders.get("/v1/deliveries/o1")).json()["custody"]
            assert [(part["held_by"], part["id"]) for part in chain] == [("store", "s1"), ("rider", "r1")]
            assert chain[0]["to_at"] == chain[1]["from_at"] and chain[1]["to_at"] is None

    asyncio.run(go())
