"""Deliveries read, quoted, proven and erased over HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from dispatch.model import OrderState
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.running import DROP, order, running, with_city


def test_quotes_are_estimates_that_survive_a_restart(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            nobody = (await run.orders.post("/v1/quotes", json=order("q1"))).json()
            assert nobody["dropoff_at"] is None and nobody["reason"] == "NO_RIDER_IN_REACH"
            await with_city(run)
            before = run.host.seq
            quote = (await run.orders.post("/v1/quotes", json=order("q1"))).json()
            assert quote["pickup_at"] < quote["dropoff_at"] <= quote["promise"]["due_at"]
            promise = quote["promise"]
            assert promise["p50_at"] <= promise["p90_at"] and 0 < promise["on_time_probability"] < 1
            assert not promise["calibrated"], "nothing has been delivered yet"
            assert quote["fee"] is None
            assert "q1" not in str(run.host.board.orders) and run.host.seq - before <= 1
        async with running(tmp_path) as run:
            forged = quote["quote_id"][:-3] + "AAA"
            for tampered in (forged, "x", "x.y", ""):
                answer = await run.orders.post("/v1/quotes/q1/accept", json={"quote_id": tampered})
                assert answer.status_code in (404, 422), tampered
            assert (
                await run.other.post("/v1/quotes/q1/accept", json={"quote_id": quote["quote_id"]})
            ).status_code == 404
            assert (
                await run.orders.post("/v1/quotes/q2/accept", json={"quote_id": quote["quote_id"]})
            ).status_code == 404
            made = await run.orders.post("/v1/quotes/q1/accept", json={"quote_id": quote["quote_id"]})
            assert made.status_code == 201 and made.json()["due_at"] == quote["promise"]["due_at"]
            again = await run.orders.post("/v1/quotes/q1/accept", json={"quote_id": quote["quote_id"]})
            assert again.status_code == 200
            posted = await run.orders.post("/v1/deliveries", json=order("q1"))
            assert posted.status_code == 200, "what was quoted and accepted is this delivery"
            assert posted.json()["due_at"] == quote["promise"]["due_at"]
            other = await run.orders.post("/v1/deliveries", json=order("q1", load_units=2))
            assert other.status_code == 409
            late = (await run.orders.post("/v1/quotes", json=order("q3"))).json()
            run.host.clock.not_before(run.host.clock.now() + 301)
            expired = await run.orders.post("/v1/quotes/q3/accept", json={"quote_id": late["quote_id"]})
            assert expired.status_code == 409 and expired.json()["code"] == "quote_expired"

    asyncio.run(go())


def test_a_quote_asked_again_with_its_key_is_the_same_quote(tmp_path: Path) -> None:
    async def go() -> None:
        key = {"Idempotency-Key": "q"}
        async with running(tmp_path) as run:
            await with_city(run)
            first = await run.orders.post("/v1/quotes", json=order("q1"), headers=key)
            run.clock.not_before(run.clock.now() + 60)
            again = await run.orders.post("/v1/quotes", json=order("q1"), headers=key)
            assert again.json() == first.json() and again.headers["idempotent-replayed"] == "true"
            fresh = await run.orders.post("/v1/quotes", json=order("q1"))
            assert fresh.json()["expires_at"] > first.json()["expires_at"]
            other = await run.orders.post("/v1/quotes", json=order("q2"), headers=key)
            assert other.status_code == 422 and other.json()["code"] == "key_reused"
            body = {"quote_id": again.json()["quote_id"]}
            kept = run.ledger.answer("acme", "POST /v1/quotes", "q")
            assert kept is not None and json.loads(kept.body)["quote_id"] is None
            for personal in ("48.142", "Canary", body["quote_id"]):
                assert personal not in str(kept), "what is personal is in the quote alone"
            assert (await run.orders.post("/v1/quotes/q1/accept", json=body)).status_code == 201

    asyncio.run(go())


def test_proof_of_delivery_and_the_customers_link(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            await with_city(run)
            body = order(pickup_ready_at=run.clock.soon(), proof_of_delivery="pin", pin="4711")
            made = (await run.orders.post("/v1/deliveries", json=body)).json()
            assert made["pin"] == "4711"
            link = made["tracking_path"]
            seen = (await run.anyone.get(link)).json()
            assert seen["status"] == "created" and not set(seen) & {"dropoff", "pin", "rider"}
            assert (await run.anyone.get(link[:-2] + "zz")).status_code == 404
            await deliver(run, "o1", upto="arrived_at_dropoff")
            stop = (await run.riders.get("/v1/riders/r1/route")).json()["stops"][0]
            assert "4711" not in json.dumps(stop), "the rider is told it by the customer"
            for proof in ({}, {"pin": "0000"}):
                refused = await run.riders.post(f"/v1/stops/{stop['stop_id']}/complete", json=proof)
                assert refused.status_code == 422 and refused.json()["code"] == "proof_required"
            done = await run.riders.post(f"/v1/stops/{stop['stop_id']}/complete", json={"pin": "4711"})
            assert done.status_code == 200
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert found["status"] == "delivered" and found["proof"] == {"kind": "pin"}
            assert (await run.anyone.get(link)).json()["delivered_at"] is not None

    asyncio.run(go())


def test_erasing_leaves_no_trace_and_still_folds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    canaries = ("Canary Street 7", "+4915112345678", "beware of the dog")

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            body = order() | {"dropoff": DROP | {"instructions": "beware of the dog"}}
            link = (await run.orders.post("/v1/deliveries", json=body, headers={"Idempotency-Key": "k"})).json()[
                "tracking_path"
            ]
            early = await run.orders.post("/v1/deliveries/o1/erase")
            assert early.status_code == 409
            await run.orders.post("/v1/deliveries/o1/cancel")
            entries = json.dumps([entry._asdict() for entry in run.ledger.entries()])
            notices = json.dumps([notice._asdict() for notice in run.ledger.notices()])
            answers = str(run.ledger.answer("acme", "POST /v1/deliveries", "k"))
            metrics = (await run.ops.get("/metrics")).text
            for canary in canaries:
                for text in (entries, notices, answers, metrics, caplog.text):
                    assert canary not in text
            assert "48.142" not in entries + notices + answers
            assert (await run.orders.post("/v1/deliveries/o1/erase")).status_code == 200
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert found["dropoff"] is None and found["status"] == "cancelled"
            assert (await run.anyone.get(link)).status_code == 404
            assert all(row.personal == {} for row in run.ledger.vault_of("acme.o1"))
            assert (await run.orders.patch("/v1/deliveries/o1", json={"order_value": 3})).status_code == 409
        raw = b"".join(path.read_bytes() for path in tmp_path.glob("snapshot-*"))
        assert not any(canary.encode() in raw for canary in canaries)
        async with running(tmp_path) as run:
            assert run.host.board.orders["acme.o1"].state is OrderState.CANCELLED
            replayed = await run.orders.post("/v1/deliveries", json=body, headers={"Idempotency-Key": "k"})
            assert replayed.json()["dropoff"] is None

    asyncio.run(go())


def test_lists_have_pages(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            for k in range(5):
                await run.orders.post("/v1/deliveries", json=order(f"o{k}"))
            await run.other.post("/v1/deliveries", json=order("x"))
            page = (await run.orders.get("/v1/deliveries?limit=2")).json()
            assert [found["external_delivery_id"] for found in page["deliveries"]] == ["o4", "o3"]
            page = (await run.orders.get(f"/v1/deliveries?limit=3&after={page['next']}")).json()
            assert [found["external_delivery_id"] for found in page["deliveries"]] == ["o2", "o1", "o0"]
            assert page["next"] is None
            await run.orders.post("/v1/deliveries/o2/cancel")
            page = (await run.orders.get("/v1/deliveries?status=cancelled")).json()
            assert [found["external_delivery_id"] for found in page["deliveries"]] == ["o2"]
            assert len((await run.ops.get("/v1/deliveries")).json()["deliveries"]) == 6
            assert (await run.ops.get("/v1/deliveries/acme.o2")).json()["status"] == "cancelled"
            assert (await run.other.get("/v1/deliveries/acme.o2")).status_code == 404

    asyncio.run(go())


def test_a_parameter_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A typo in a filter must not list everything."""

    async def go() -> None:
        async with running(tmp_path) as run:
            assert (await run.orders.get("/v1/deliveries", params={"status": "created"})).status_code == 200
            for asked in ({"staus": "created"}, {"": "1"}, {"status": "created", "x": "1"}):
                answer = await run.orders.get("/v1/deliveries", params=asked)
                assert answer.status_code == 422 and answer.json()["code"] == "validation_failed", answer.text
                assert answer.json()["field_errors"][0]["field"] in ("staus", "query", "x")
            assert (await run.anyone.get("/v1/deliveries", params={"x": "1"})).status_code == 401, "keys come first"

    asyncio.run(go())
