"""Classes of goods, tiers of members and fees over HTTP: said of a delivery, of its store, kept by a quote."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from tests.kit.service.running import order, running, with_city


def test_a_delivery_is_of_its_own_class_or_of_its_stores(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            usual = (await run.orders.post("/v1/deliveries", json=order("o1"))).json()
            named = (await run.orders.post("/v1/deliveries", json=order("o2", goods={"class": "grocery"}))).json()
            assert (usual["goods"], named["goods"]) == ({"class": "hot_food"}, {"class": "grocery"})
            store = (await run.ops.get("/v1/stores/s1")).json()
            assert store["goods"] == {"class": "hot_food"}
            body = {"location": store["location"], "goods": {"class": "frozen"}}
            assert (await run.ops.put("/v1/stores/s1", json=body)).json()["goods"] == {"class": "frozen"}
            assert (await run.orders.get("/v1/deliveries/o1")).json()["goods"] == {"class": "frozen"}
            unknown = await run.ops.put("/v1/stores/s1", json=body | {"goods": {"class": "ice"}})
            assert (unknown.status_code, unknown.json()["code"]) == (422, "validation_failed")

    asyncio.run(go())


def test_an_accepted_quote_keeps_its_class(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            asked = (await run.orders.post("/v1/quotes", json=order("q1", goods={"class": "parcel"}))).json()
            made = await run.orders.post("/v1/quotes/q1/accept", json={"quote_id": asked["quote_id"]})
            assert made.status_code == 201 and made.json()["goods"] == {"class": "parcel"}

    asyncio.run(go())


def test_a_member_gets_what_their_tier_is_promised(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            line = {"value": "gold: promise 600, late 300"}
            assert (await run.ops.put("/v1/settings/rules.tiers", json=line)).status_code == 200
            usual = (await run.orders.post("/v1/deliveries", json=order("o1"))).json()
            gold = (await run.orders.post("/v1/deliveries", json=order("o2", tier="gold"))).json()
            assert (usual["tier"], gold["tier"]) == (None, "gold")
            asked = (await run.orders.post("/v1/quotes", json=order("q1", tier="gold"))).json()
            quoted = datetime.fromisoformat(asked["promise"]["due_at"])
            assert datetime.fromisoformat(gold["due_at"]) < datetime.fromisoformat(usual["due_at"])
            assert quoted < datetime.fromisoformat(usual["due_at"])

    asyncio.run(go())


def test_a_quote_holds_the_service_to_its_fee(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            plain = (await run.orders.post("/v1/deliveries", json=order("o0"))).json()
            assert (plain["fee"], plain["fee_parts"], plain["marginal_cost"]) == (None, {}, None)
            line = {"value": "base 250; km 100; cost order 40; cost hour 1800"}
            assert (await run.ops.put("/v1/settings/rules.tariff", json=line)).status_code == 200
            asked = (await run.orders.post("/v1/quotes", json=order("q1"))).json()
            assert asked["fee"] == sum(asked["fee_parts"].values()) > 250 == asked["fee_parts"]["base"]
            assert asked["marginal_cost"] == 40  # o0 goes to the same door: nothing is driven for it
            placed = (await run.orders.post("/v1/deliveries", json=order("o1"))).json()
            assert placed["fee"] == asked["fee"] and placed["marginal_cost"] is not None
            dearer = {"value": "base 9999"}
            assert (await run.ops.put("/v1/settings/rules.tariff", json=dearer)).status_code == 200
            made = (await run.orders.post("/v1/quotes/q1/accept", json={"quote_id": asked["quote_id"]})).json()
            assert [made[key] for key in ("fee", "fee_parts", "marginal_cost")] == [
                asked[key] for key in ("fee", "fee_parts", "marginal_cost")
            ]
            wrong = await run.ops.put("/v1/settings/rules.tariff", json={"value": "base much"})
            assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_setting")

    asyncio.run(go())
