"""Shadow mode: their decisions are followed, ours are only said, and nothing goes out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.kit.service.running import order, running, with_city


def test_a_shadow_says_what_it_would_have_done_and_follows(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, as_shadow=True) as run:
            await with_city(run, riders=1)
            far = {"location": {"lat": 48.17, "lng": 11.62}}
            await run.riders.put("/v1/riders/r2", json=far)
            await run.riders.post("/v1/riders/r2/shift")
            for name in ("o1", "o2"):
                await run.orders.post("/v1/deliveries", json=order(name))
                await run.until(lambda name=name: run.host.board.orders[f"acme.{name}"].planned_rider_id)
            assert run.host.board.settings.rules.route_ack_timeout_s == 0
            assert (await run.riders.get("/v1/riders/r1/route")).json()["stops"] == []
            ours = run.host.board.orders["acme.o1"].planned_rider_id
            said = {"delivery_id": "acme.o1", "rider_id": "r2"}
            found = (await run.ops.post("/v1/shadow/assignments", json=said)).json()
            assert found["theirs"] == "r2" and found["ours"] == ours and found["same"] is (ours == "r2")
            await run.until(lambda: run.host.board.orders["acme.o1"].planned_rider_id == "r2")
            for kind, status in (("picked_up", "picked_up"), ("delivered", "delivered")):
                done = await run.ops.post("/v1/shadow/facts", json=said | {"kind": kind})
                assert done.status_code == 200, done.text
                assert (await run.orders.get("/v1/deliveries/o1")).json()["status"] == status
            same = run.host.board.orders["acme.o2"].planned_rider_id
            again = {"delivery_id": "acme.o2", "rider_id": same}
            assert (await run.ops.post("/v1/shadow/assignments", json=again)).json()["saved_points"] == 0
            report = (await run.ops.get("/v1/shadow/report")).json()
            assert report["decisions"] == 2 and report["same"] == 1 + (ours == "r2")
            assert run.app.state.application.webhooks._runners == [], "nothing is sent"

    asyncio.run(go())


def test_a_service_that_decides_takes_no_others_decisions(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            said = {"delivery_id": "acme.o1", "rider_id": "r1"}
            assert (await run.ops.post("/v1/shadow/assignments", json=said)).status_code == 404
            assert (await run.ops.get("/v1/shadow/report")).status_code == 404

    asyncio.run(go())
